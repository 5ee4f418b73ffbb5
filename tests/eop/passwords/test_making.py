import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.aaa import strength
from eop.passwords import making
from eop.passwords.making import Name
from eop.passwords.words import WORDS


@pytest.mark.parametrize(
    ("name", "last", "expected"),
    [
        ("Inès AMRANI", "", Name("Inès", "AMRANI")),
        ("Jean Marie DE LA TOUR", "", Name("Jean Marie", "DE LA TOUR")),
        ("DUPONT Zoé", "", Name("Zoé", "DUPONT")),
        ("Zoé Martin", "", Name("Zoé", "Martin")),
        ("Zoé Martin Duval", "", Name("Zoé", "Martin Duval")),
        ("Marie Anne Martin", "Martin", Name("Marie Anne", "Martin")),
        ("martin Zoé", "Martin", Name("Zoé", "martin")),
        ("Zoé Martin", "Somebody", Name("Zoé", "Martin")),
        ("Zoé", "", Name("", "Zoé")),
        ("李 小龙", "", Name("李", "小龙")),
    ],
)
def test_a_name_has_two_parts(name, last, expected):
    assert making.split(name, last) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (Name("Inès", "AMRANI"), "ines.amrani"),
        (Name("Jean-Luc", "DE LA TOUR"), "jean-luc.delatour"),
        (Name("Zoé", "D’ALMEIDA"), "zoe.dalmeida"),
        (Name("Łukasz", "Żółć"), "lukasz.zolc"),
        (Name("Анна", "Иванова"), "анна.иванова"),
        (Name("", "Zoé"), "zoe"),
        (Name("", "’"), ""),
    ],
)
def test_a_password_of_the_name_can_be_typed(name, expected):
    assert making.of_name(name) == expected


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_name_has_parts_and_a_password_of_plain_letters(name, last):
    made = making.of_name(making.split(name, last))
    assert all(letter.isalnum() or letter in "-." for letter in made)


@given(st.dates())
def test_a_birth_date_is_written_day_first(day):
    made = making.of_birth(day.isoformat())
    assert re.fullmatch(r"[0-9]{8}", made)
    assert date(int(made[4:]), int(made[2:4]), int(made[:2])) == day


def test_words_are_plain_and_look_like_nothing_else():
    assert len(set(WORDS)) == len(WORDS) > 200
    for word in WORDS:
        assert re.fullmatch(r"[a-hjkmnp-z][a-km-z]{2,8}", word), word


@pytest.mark.parametrize("shape", making.SHAPES, ids=range(len(making.SHAPES)))
def test_random_passwords_differ_and_hold_no_look_alikes(shape):
    made = {shape() for _ in range(200)}
    assert len(made) > 190
    for one in made:
        assert not set(one) & set("0O1lI"), one
        assert 8 <= len(one) <= 25


def test_a_random_password_is_out_of_reach_of_guessing_at_the_door():
    assert all(strength.of(making.SHAPES[0]()).score >= 2 for _ in range(20))
