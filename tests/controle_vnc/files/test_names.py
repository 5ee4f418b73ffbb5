import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.files.names import (
    MAX_NAME_BYTES,
    MAX_TOLD_CHARACTERS,
    beside,
    named,
    portable,
    shown,
    told,
)

NAMES = st.binary(min_size=1, max_size=60).filter(
    lambda name: b"/" not in name and b"\0" not in name
)
SIGNS = "%0123456789ABCDEFabcdef.: <con>éCON\x01\x7f~$\u202e\u200d"
TRICKY = st.text(st.sampled_from(SIGNS), min_size=1).map(str.encode)
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.I)


@pytest.mark.parametrize(
    ("name", "became"),
    [
        ("devoir.odt", "devoir.odt"),
        ("élève 🎓.odt", "élève 🎓.odt"),
        ("50%.odt", "50%.odt"),
        ("TP%20final.odt", "TP%20final.odt"),
        ("a:b?.odt", "a%3Ab%3F.odt"),
        ("a%3Ab.odt", "a%253Ab.odt"),
        ("3/4", "3%2F4"),
        ("..", ".%2E"),
        (".", "%2E"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("end.", "end%2E"),
        ("end ", "end%20"),
        ("CON", "%43ON"),
        ("nul.txt", "%6Eul.txt"),
        ("COM¹", "%43OM¹"),
        ("console.txt", "console.txt"),
        ("two\nlines", "two%0Alines"),
        ("~$devoir.docx", "%7E$devoir.docx"),
        ("%7E$devoir.docx", "%257E$devoir.docx"),
        (".~lock.devoir.odt#", "%2E~lock.devoir.odt#"),
        ("~devoir.odt", "~devoir.odt"),
        ("a~$b", "a~$b"),
        ("photo\u202efdp.exe", "photo%E2%80%AEfdp.exe"),
        ("photo%E2%80%AEfdp.exe", "photo%25E2%2580%25AEfdp.exe"),
        ("two\u2028lines", "two%E2%80%A8lines"),
        ("back\x7f", "back%7F"),
        ("back%7F", "back%257F"),
        ("👩\u200d🏫.odt", "👩\u200d🏫.odt"),
    ],
)
def test_what_windows_forbids_is_escaped_and_the_rest_is_as_it_was(name, became):
    assert portable(name.encode()).decode() == became


def test_bytes_that_are_no_text_become_text():
    assert portable("élève".encode("latin-1")) == b"%E9l%E8ve"
    assert shown("élève".encode("latin-1")) == "%E9l%E8ve"


def test_a_long_path_is_told_without_its_middle():
    assert told(b"a", b"x" * (MAX_TOLD_CHARACTERS - 2)) == "a/" + "x" * (MAX_TOLD_CHARACTERS - 2)
    text = told(b"a", b"x" * MAX_TOLD_CHARACTERS, b"end.odt")
    assert (len(text), text[:3], text[-8:]) == (MAX_TOLD_CHARACTERS, "a/x", "/end.odt")
    assert "…" in text


def test_what_turns_the_reading_of_a_name_is_shown_and_found_again():
    assert shown("photo\u202efdp.exe".encode()) == "photo%E2%80%AEfdp.exe"
    assert named("photo%E2%80%AEfdp.exe") == "photo\u202efdp.exe".encode()


@given(NAMES | TRICKY)
def test_every_name_becomes_one_that_windows_takes(name):
    text = portable(name).decode()
    assert not set(text) & set('<>:"/\\|?*')
    assert min(text) >= " "
    assert text[-1] not in ". "
    assert not DEVICE.fullmatch(text)
    assert text not in {".", ".."}


@given(NAMES | TRICKY, NAMES | TRICKY)
def test_no_two_names_become_the_same(one, other):
    assert (portable(one) == portable(other)) == (one == other)
    assert (shown(one) == shown(other)) == (one == other)


@given(NAMES | TRICKY)
def test_a_name_is_found_again_by_what_is_shown(name):
    assert named(shown(name)) == name


@given(st.text(st.sampled_from("%0123456789ABCDEF.é"), min_size=1))
def test_what_no_name_is_shown_as_finds_none(text):
    name = named(text)
    assert name is None or shown(name) == text


@pytest.mark.parametrize("sign", ["a", "é", "🎓", ":"])
def test_a_name_of_255_bytes_stays_one_whatever_is_escaped(sign):
    name = (sign * 255).encode()[:251].decode(errors="ignore") + ".odt"
    became = portable(name.encode())
    assert len(became) <= MAX_NAME_BYTES
    assert became.decode().endswith(".odt")
    if sign != ":":
        assert became == name.encode()
    other = portable((name[:-5] + "z.odt").encode())
    assert other != became


@pytest.mark.parametrize(
    ("name", "became"),
    [
        (b"essay.odt", b"essay (2).odt"),
        (b"essay", b"essay (2)"),
        (b".hidden", b".hidden (2)"),
        (b"a.tar.gz", b"a.tar (2).gz"),
        ("é".encode() * 125 + b".odt", "é".encode() * 123 + b" (2).odt"),
    ],
)
def test_another_version_has_its_number_before_the_extension(name, became):
    assert beside(name, 2) == became
    assert len(became) <= MAX_NAME_BYTES
