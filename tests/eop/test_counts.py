import pytest
from flask import render_template_string
from flask_babel import gettext, ngettext

from eop import counts

SPACE = "\u00a0"
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("language", "number"),
    [("fr", f"12{NARROW}345"), ("en", "12,345"), ("pl", f"12{SPACE}345"), ("ru", f"12{SPACE}345")],
)
def test_counts_are_written_as_the_language_writes_them(within, language, number):
    with within(language):
        assert number in gettext("%(count)s entries read", count=12345)
        assert number in ngettext("%(num)s person", "%(num)s persons", 12345)
        assert number in render_template_string("{{ _('%(count)s entries read', count=12345) }}")
        assert number == render_template_string("{{ 12345|number }}")
        assert number in render_template_string(
            "{{ ngettext('%(num)s student', '%(num)s students', 12345) }}"
        )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", {0: "0 élève", 1: "1 élève", 2: "2 élèves", 5: "5 élèves", 21: "21 élèves"}),
        ("en", {0: "0 students", 1: "1 student", 2: "2 students", 21: "21 students"}),
        ("pl", {0: "0 uczniów", 1: "1 uczeń", 2: "2 uczniów", 21: "21 uczniów"}),
        ("ru", {0: "0 учеников", 1: "1 ученик", 2: "2 ученика", 5: "5 учеников", 21: "21 ученик"}),
    ],
)
def test_a_count_takes_the_plural_of_its_language(within, language, words):
    with within(language):
        for number, text in words.items():
            assert ngettext("%(num)s student", "%(num)s students", number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "1 minuta"), (2, "2 minuty"), (5, "5 minut"), (12, "12 minut"), (22, "22 minuty")],
)
def test_polish_has_three_forms(within, number, text):
    with within("pl"):
        assert ngettext("%(num)s minute", "%(num)s minutes", number) == text


def test_what_is_no_count_stays_as_it_is(within):
    with within("pl"):
        assert gettext("Code for support: %(code)s", code="12345").endswith(" 12345")
        assert "05" in gettext("%(hours)s h %(minutes)02d", hours=1, minutes=5)
        assert counts.readable({"yes": True, "text": "1"}) == {"yes": True, "text": "1"}


def test_markup_in_a_value_is_still_escaped(within):
    with within("pl"):
        page = render_template_string("{{ _('Hello %(name)s', name='<b>') }}")
        assert "&lt;b&gt;" in page
