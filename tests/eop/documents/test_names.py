import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.documents import names
from eop.documents.names import MAX_BYTES


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rédaction n° 3.odt", "rédaction n° 3.odt"),
        ("re\u0301daction.odt", "rédaction.odt"),
        ("👩‍🏫 cours ✏️.pdf", "👩‍🏫 cours ✏️.pdf"),
        ("Контрольная №5", "Контрольная №5"),
        ('a<b>c:d"e/f\\g|h?i*j', "a_b_c_d_e_f_g_h_i_j"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("..", ""),
        (" . ", ""),
        ("", ""),
        (".bashrc", "_bashrc"),
        ("trailing. . .", "trailing"),
        ("a\x00b\nc\td", "ab c d"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("\ud800half", "half"),
        ("NUL", "_NUL"),
        ("con.txt", "_con.txt"),
        ("com1", "_com1"),
        ("console.txt", "console.txt"),
        ("COM10", "COM10"),
    ],
)
def test_a_name_becomes_one_that_every_system_takes(text, name):
    assert names.safe(text) == name


def test_the_ending_stays_when_a_name_is_cut():
    name = names.safe("é" * 200 + ".odt")
    assert name.endswith("é.odt")
    assert len(name.encode()) <= MAX_BYTES
    assert names.safe("x" * 251 + ".odt") == "x" * 251 + ".odt"
    assert names.safe("x" * 252 + ".odt") == "x" * 251 + ".odt"
    assert len(names.safe("x." + "y" * 300).encode()) == MAX_BYTES


def test_nothing_is_cut_in_half():
    assert names.safe("x" * 250 + "👩‍🏫") == "x" * 250
    assert names.safe("x" * 254 + "q\u0307") == "x" * 254


def test_the_folder_is_reference_and_class():
    assert names.folder("Rédaction n° 3", "3eB") == "Rédaction n° 33eB"
    assert names.folder("TP ", "3e B") == "TP 3e B"
    assert names.folder("???", "3eB") == "___3eB"
    assert names.folder("..", "3eB") == "_.3eB"
    assert names.folder("é" * 200, "3eB").endswith("é3eB")
    assert names.folder("\u200b\x01", "3eB") == ""
    assert names.folder("", "3eB") == ""


def test_names_that_are_one_on_some_system_have_one_key():
    assert names.key("Même") == names.key("MÊME") == names.key("me\u0302me")
    assert names.key("a") != names.key("b")


@given(st.text(max_size=400))
def test_whatever_is_written_a_name_is_safe_and_stays_the_same(text):
    name = names.safe(text)
    assert len(name.encode()) <= MAX_BYTES
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert name == name.strip(" ").rstrip(" .")
    assert unicodedata.is_normalized("NFC", name)
    assert names.safe(name) == name


@given(st.text(max_size=120), st.text(max_size=64))
def test_a_folder_is_always_one_component(reference, group):
    name = names.folder(reference, group)
    assert len(name.encode()) <= MAX_BYTES
    assert "/" not in name
    assert name not in {".", ".."}
