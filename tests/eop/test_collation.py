import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop import collation
from eop.languages import LANGUAGES


def order(names, language):
    return sorted(names, key=lambda name: collation.key(name, language))


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("fr", ["Eva", "Éva", "Eve", "zoé", "Zora"]),
        ("fr", ["Élan", "Œuf", "Ogre"]),
        ("en", ["pc-2", "pc-10", "Pc-11"]),
        ("en", ["room 1 a", "room 1 b", "room 02"]),
        ("pl", ["Lucyna", "Luty", "Łucja", "Maja"]),
        ("pl", ["Czapla", "Ćma", "Dąb"]),
        ("pl", ["zebra", "źrebię", "żaba"]),
        ("pl", ["sala a", "sala ą", "sala b"]),
        ("ru", ["Иван", "Йод", "Катя"]),
        ("ru", ["Егор", "Ёлка", "Жанна"]),
    ],
)
def test_names_stand_where_readers_look_for_them(language, names):
    assert order(reversed(names), language) == names


def test_a_letter_that_is_foreign_to_a_language_is_an_accent_there():
    assert order(["Lz", "Ła", "La"], "fr") == ["La", "Ła", "Lz"]


def test_both_spellings_of_an_accent_are_one():
    assert collation.key("E\u0301va", "fr") == collation.key("Éva", "fr")


@given(st.lists(st.text(max_size=20), max_size=8), st.sampled_from([*LANGUAGES, ""]))
def test_any_names_can_be_sorted(names, language):
    once = order(names, language)
    assert order(once, language) == once
    assert sorted(once) == sorted(names)
