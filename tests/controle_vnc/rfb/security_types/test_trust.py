import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import KeyChangedError
from controle_vnc.rfb.security_types import trust
from controle_vnc.rfb.security_types.trust import Trust, as_text, fingerprint, parse_trust

PIN = fingerprint("x509", b"certificate")


def test_a_fingerprint_names_what_it_is_of():
    assert fingerprint("rsa", b"") == (
        "rsa-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_the_first_that_is_shown_is_believed_where_nothing_is_known():
    assert Trust().check("x509", b"certificate") == PIN
    assert Trust().takes("x509")
    assert Trust().takes("rsa")
    assert Trust().takes(None)


def test_a_known_one_is_taken_and_another_one_is_told():
    known = Trust(pin=PIN)
    assert known.check("x509", b"certificate") == PIN
    with pytest.raises(KeyChangedError, match="has changed: it is x509-sha256:"):
        known.check("x509", b"another")
    with pytest.raises(KeyChangedError):
        known.check("rsa", b"certificate")


def test_who_is_known_by_one_proof_has_to_show_that():
    assert [Trust(pin=PIN).takes(kind) for kind in ("x509", "rsa", None)] == [True, False, False]
    by_ca = Trust(ca_file="/etc/ca.pem")
    assert [by_ca.takes(kind) for kind in ("x509", "rsa", None)] == [True, False, False]


def test_an_encrypted_screen_is_asked_of_who_was_known_by_one():
    encrypted, bare = (Trust(pin=fingerprint(kind, b"key")) for kind in ("rsa", "rsa-ne"))
    assert [encrypted.takes(kind) for kind in ("rsa", "rsa-ne")] == [True, False]
    assert [bare.takes(kind) for kind in ("rsa", "rsa-ne")] == [True, True]
    assert bare.check("rsa", b"key") == encrypted.pin
    for other in ("x509-sha256:", "", "rsa"):
        assert not bare.fits(other + encrypted.pin.partition(":")[2])
    with pytest.raises(KeyChangedError):
        encrypted.check("rsa-ne", b"key")


def test_somebody_has_confirmed_what_was_written_and_not_what_was_learnt():
    written = ("any", "ca:/etc/ssl/school.pem", PIN)
    assert [parse_trust(text).is_confirmed for text in written] == [True] * 3
    assert [parse_trust(text).is_confirmed for text in (None, f"learnt:{PIN}")] == [False] * 2


def test_it_is_read_as_it_is_written_and_as_other_programs_show_it():
    digits = PIN.partition(":")[2]
    colons = ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()
    assert parse_trust(f"X509-SHA256:{colons}") == Trust(pin=PIN)
    assert parse_trust("ca:/etc/ssl/school.pem") == Trust(ca_file="/etc/ssl/school.pem")
    assert parse_trust("") == parse_trust(None) == Trust()
    assert parse_trust(f"Learnt:{PIN}") == Trust(pin=PIN, is_learnt=True)
    assert parse_trust("Any") == Trust(takes_any=True)
    for text in (PIN, f"learnt:{PIN}", "any", "ca:/etc/ssl/school.pem", None):
        assert as_text(parse_trust(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "x509-sha256:00",
        PIN + "0",
        PIN[:-1] + "g",
        "md5:" + "0" * 32,
        "ca:relative.pem",
        "ca:/a\nb",
        "anybody",
        "learnt:",
        "learnt:any",
        "learnt:ca:/etc/ssl/school.pem",
        "rsa-ne:" + "0" * 64,
    ],
)
def test_what_is_neither_is_told(text):
    with pytest.raises(ValueError, match="trust: "):
        parse_trust(text)


def test_a_path_is_as_long_as_the_limit_and_no_longer():
    path = "ca:/" + "x" * (trust.MAX_TRUST_CHARACTERS - 4)
    assert parse_trust(path).ca_file == path[3:]
    with pytest.raises(ValueError, match="at most 300"):
        parse_trust(path + "x")


@given(st.text(max_size=90))
def test_any_text_is_read_or_told(text):
    read = None
    with contextlib.suppress(ValueError):
        read = parse_trust(text)
    assert read is None or parse_trust(as_text(read)) == read
