import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from babel.core import Locale
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from controle_vnc.settings import Settings
from eop import i18n, settings_checks
from eop.directory import users
from eop.languages import DEFAULT, LANGUAGES, NAMES, TRANSLATED
from eop.settings import SiteSettings

HERE = Path(i18n.__file__).parent
PLACES = re.compile(r"\{\w+\}|%\(\w+\)\d*[sd]")
STRAIGHT = re.compile('["“]')
EACH = pytest.mark.parametrize("language", TRANSLATED)


def catalogue(language):
    path = HERE / f"translations/{language}/LC_MESSAGES/messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def messages(language):
    return [message for message in catalogue(language) if message.id]


def texts_of(message):
    both = message.id if isinstance(message.id, tuple) else (message.id,)
    told = message.string if isinstance(message.string, tuple) else (message.string,)
    return both, told


@pytest.fixture(scope="module")
def wanted():
    """Every text of code, templates and scripts."""
    subprocess.run([sys.executable, "-m", "eop.i18n", "extract"], check=True, cwd=HERE.parent)
    with (HERE / "translations/messages.pot").open("rb") as file:
        return [message.id for message in read_po(file) if message.id]


@EACH
def test_every_word_of_the_scripts_is_translated(language):
    known = catalogue(language)
    assert not [text for text in i18n.script_texts() if not known.get(text)]


@EACH
def test_every_word_of_code_and_templates_is_translated(language, wanted):
    known = catalogue(language)
    assert not [text for text in wanted if not known.get(text)]


def test_the_sentence_of_every_setting_is_to_be_translated(wanted):
    declared = [*fields(SiteSettings), *fields(Settings)]
    assert not {one.metadata["sentence"] for one in declared} - set(wanted)


@EACH
def test_translations_are_whole_and_keep_their_places(language):
    for message in messages(language):
        english, told = texts_of(message)
        assert all(told), message.id
        assert not message.fuzzy, message.id
        assert {tuple(sorted(PLACES.findall(text))) for text in english} == {
            tuple(sorted(PLACES.findall(text))) for text in told
        }, message.id


@EACH
def test_each_text_with_a_number_has_every_plural_of_its_language(language):
    forms, expression = get_plural(language)
    known = catalogue(language)
    assert not known.fuzzy  # packaging would leave it out
    assert (known.num_plurals, known.plural_expr) == (forms, expression)
    for message in messages(language):
        if isinstance(message.id, tuple):
            assert len(message.string) == forms, message.id


def test_french_puts_no_breaking_space_before_its_signs():
    for message in messages("fr"):
        for text in texts_of(message)[1]:
            assert not re.search(r" [:;?!»]|« ", text), text


def test_polish_and_russian_quote_in_their_own_way():
    for language in ("pl", "ru"):
        for message in messages(language):
            for text in texts_of(message)[1]:
                assert not STRAIGHT.search(text), text
    assert not [m.id for m in messages("pl") if "«" in "".join(texts_of(m)[1])]
    assert not [m.id for m in messages("ru") if re.search("[„”]", "".join(texts_of(m)[1]))]


def test_polish_and_russian_leave_no_single_letter_at_the_end_of_a_line():
    for language, letters in (("pl", "aiouwz"), ("ru", "авикосуя")):
        lonely = re.compile(rf"(?<!\w)[{letters}] (?=\w)", re.IGNORECASE)
        for message in messages(language):
            for text in texts_of(message)[1]:
                assert not lonely.search(text), text


def test_compiling_makes_a_catalogue_beside_each_source():
    made = i18n.compile_catalogues()
    assert sorted(path.parent.parent.name for path in made) == sorted(TRANSLATED)
    assert all(path.stat().st_size > 1000 for path in made)


def test_every_list_of_languages_is_the_same_one():
    assert users.LANGUAGES is settings_checks.LANGUAGES is LANGUAGES
    folders = {path.parent.parent.name for path in i18n.TRANSLATIONS.glob("*/LC_MESSAGES/*.po")}
    assert {*folders, DEFAULT} == set(LANGUAGES)
    for code, name in NAMES.items():
        assert Locale(code).get_language_name(code).casefold() == name.casefold()


def test_an_unknown_verb_is_told_its_usage(capsys):
    assert i18n.main(["nonsense"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr", "fr"),
        ("fr-CA,en;q=0.2", "fr"),
        ("en-GB", "en"),
        ("pl-PL,pl;q=0.9,en;q=0.5", "pl"),
        ("ru-RU", "ru"),
        ("de-AT,de;q=0.9,ru;q=0.5,en;q=0.3", "ru"),
        ("en;q=0.3,pl;q=0.8", "pl"),
        ("fr;q=0", "en"),
        ("uk", "en"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_the_browsers_language_counts_where_we_have_it(house, header, language):
    page = house.browser().open("/login", headers={"Accept-Language": header})
    assert f'<html lang="{language}"' in page.text


def test_the_door_offers_every_language_by_its_own_name(house):
    page = house.browser().open("/login?language=pl").text
    for code, name in NAMES.items():
        chosen = ' aria-current="true"' if code == "pl" else ""
        assert re.search(rf'language={code}&amp;next=[^>]*lang="{code}"{chosen}>{name}</a>', page)


def test_the_menu_of_every_page_offers_every_language_by_its_own_name(house):
    page = house.signed_in().open("/eoleapps/eop/?language=ru").text
    for code, name in NAMES.items():
        pressed = ' aria-pressed="true"' if code == "ru" else ""
        buttons = re.findall(rf'value="{code}" lang="{code}"{pressed}>.*?</svg>{name}</', page)
        assert len(buttons) == 2, code  # the banner's menu, and the one of narrow windows


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_is_kept_for_its_user(house, language):
    browser = house.signed_in()
    page = browser.open("/eoleapps/eop/").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    answer = browser.open(
        "/eoleapps/eop/preferences", "POST", data={"csrf_token": token, "language": language}
    )
    assert answer.status_code == 303
    kept = browser.open("/eoleapps/eop/", headers={"Accept-Language": "de"}).text
    assert f'<html lang="{language}"' in kept


def test_rooms_and_classes_come_in_the_order_of_the_language(within):
    with within("pl"):
        assert i18n.by_name(["Sala Ł", "Sala M", "Sala L"], "") == ["Sala L", "Sala Ł", "Sala M"]
    with within("fr"):
        assert i18n.by_name(["Éole", "Zéro", "Eco"], "") == ["Eco", "Éole", "Zéro"]
