import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from eop import i18n

HERE = Path(i18n.__file__).parent
PLACES = re.compile(r"\{\w+\}|%\(\w+\)s")


def french():
    path = HERE / "translations/fr/LC_MESSAGES/messages.po"
    with path.open("rb") as file:
        return read_po(file, locale="fr")


def texts_of(message):
    both = message.id if isinstance(message.id, tuple) else (message.id,)
    told = message.string if isinstance(message.string, tuple) else (message.string,)
    return both, told


def test_every_word_of_the_scripts_is_in_french():
    catalogue = french()
    missing = [text for text in i18n.script_texts() if not catalogue.get(text)]
    assert not missing


def test_every_word_of_code_and_templates_is_in_french():
    subprocess.run([sys.executable, "-m", "eop.i18n", "extract"], check=True, cwd=HERE.parent)
    with (HERE / "translations/messages.pot").open("rb") as file:
        wanted = read_po(file)
    catalogue = french()
    missing = [m.id for m in wanted if m.id and not catalogue.get(m.id)]
    assert not missing


def test_translations_are_whole_and_keep_their_places():
    for message in french():
        if not message.id:
            continue
        english, told = texts_of(message)
        assert all(told), message.id
        assert {tuple(sorted(PLACES.findall(text))) for text in english} == {
            tuple(sorted(PLACES.findall(text))) for text in told
        }


def test_french_puts_no_breaking_space_before_its_signs():
    for message in french():
        for text in texts_of(message)[1] if message.id else ():
            assert not re.search(r" [:;?!»]|« ", text), text


def test_compiling_makes_a_catalogue_beside_each_source():
    made = i18n.compile_catalogues()
    assert [path.parent.parent.name for path in made] == ["fr"]
    assert all(path.stat().st_size > 1000 for path in made)


def test_an_unknown_verb_is_told_its_usage(capsys):
    assert i18n.main(["nonsense"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr", "fr"),
        ("fr-CA,en;q=0.2", "fr"),
        ("en-GB", "en"),
        ("de", "en"),
        ("", "en"),
        ("*", "en"),
    ],
)
def test_the_browsers_language_counts_where_we_have_it(house, header, language):
    page = house.browser().open("/login", headers={"Accept-Language": header})
    assert f'<html lang="{language}"' in page.text
