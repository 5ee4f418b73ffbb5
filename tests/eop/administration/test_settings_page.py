import re
from dataclasses import replace

import pytest

from eop.administration import settings_view
from eop.administration.settings_page import in_words, translated
from eop.languages import LANGUAGES
from tests.eop.administration.pages import get, words

PATH = "/admin/settings"


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def test_every_setting_is_on_the_page_and_no_secret(school, boss):
    page = get(boss, PATH)
    told = words(page)
    assert "AUDIT_DAYS Days the audit is kept; 0: for ever. 365 365 default" in told
    assert "SECRET_KEY Secret shared with controle-vnc: the content of `.secret`. set" in told
    assert "WEB_PORT Port of the site (gunicorn)." in told
    assert "the environment EOP_WEB_PORT" in told
    assert "LDAP_STARTTLS" in told
    for secret in (school.site.SECRET_KEY, school.site.SESSION_KEY, school.site.DATABASE_URL):
        assert secret not in page.text


def test_settings_are_searched(boss):
    told = words(get(boss, PATH, text="audit_days"))
    assert "AUDIT_DAYS" in told
    assert "HSTS" not in told
    assert "No setting fits." in words(get(boss, PATH, text="x" * 500))
    assert "HSTS" not in words(get(boss, PATH, changed="yes"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_setting_is_explained_in_the_language_of_the_page(boss, language):
    text = get(boss, PATH, language=language).text
    told = re.findall(r'translate="no">([A-Z_]+)</code><span class="sub">([^<]+)</span>', text)
    days = dict(told)["AUDIT_DAYS"]
    assert len(told) == text.count('<th scope="row">')
    assert (days == "Days the audit is kept; 0: for ever.") == (language == "en")
    assert 'lang="en"' not in text.split('class="page-head"')[1].split("</main>")[0]


def test_settings_are_searched_in_the_language_of_the_page(boss):
    assert "AUDIT_DAYS" in words(get(boss, PATH, language="fr", text="garde journal d'audit"))
    assert "AUDIT_DAYS" not in words(get(boss, PATH, language="fr", text="days the audit"))


def test_a_sentence_without_translation_stays_marked_as_english(quiet, within):
    site, _ = settings_view.groups(quiet.site, quiet.shared, {"EOP_HOME": str(quiet.home)})
    known = site.settings[0]
    own = replace(known, sentence="Nobody has translated this.")
    with within("pl"):
        assert translated(own) == own
        assert own.language == "en"
        assert translated(known).language == "pl"


def test_a_file_that_cannot_be_read_is_told(school, boss):
    from eop.settings import settings_file

    settings_file().write_text("{")
    assert "The file cannot be read now" in words(get(boss, PATH))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (["a", "b"], "a, b"),
        ([], ""),
        ({"student": "x"}, "student: x"),
        ("", ""),
        (0, "0"),
    ],
)
def test_values_are_told_as_people_read_them(value, told):
    assert in_words(value) == told
