import dataclasses

import pytest

from controle_vnc.control.secret import MAC_BYTES, Greeting, Seal, derive
from controle_vnc.errors import AuthenticationError, ProtocolError

SECRET = b"s" * 32
GREETING = Greeting("eop", b"c" * 32, b"s" * 32, b"binding")


def test_each_purpose_has_its_own_key_and_none_is_the_secret():
    keys = {derive(SECRET, "tickets"), derive(SECRET, "8788 proof"), SECRET}
    assert len(keys) == 3


def test_a_proof_is_accepted_by_who_knows_the_secret():
    GREETING.check(SECRET, "client", GREETING.proof(SECRET, "client"))


@pytest.mark.parametrize(
    "change",
    [
        {"role": "agent"},
        {"version": 2},
        {"client_nonce": b"x" * 32},
        {"server_nonce": b"x" * 32},
        {"binding": b""},
    ],
)
def test_a_proof_covers_role_version_nonces_and_binding(change):
    other = dataclasses.replace(GREETING, **change)
    with pytest.raises(AuthenticationError):
        other.check(SECRET, "client", GREETING.proof(SECRET, "client"))


def test_the_proof_of_one_side_is_none_of_the_other():
    with pytest.raises(AuthenticationError):
        GREETING.check(SECRET, "client", GREETING.proof(SECRET, "server"))


def test_a_proof_of_another_secret_is_refused():
    with pytest.raises(AuthenticationError):
        GREETING.check(SECRET, "server", GREETING.proof(b"t" * 32, "server"))


def test_sealed_messages_open_in_order():
    closes, opens = Seal(b"k" * 32), Seal(b"k" * 32)
    for message in (b"one", b"one", b"two"):
        sealed = closes.close(message)
        assert len(sealed) == len(message) + MAC_BYTES
        assert opens.open(sealed) == message


def test_a_repeated_message_is_refused():
    closes, opens = Seal(b"k" * 32), Seal(b"k" * 32)
    sealed = closes.close(b"one")
    opens.open(sealed)
    with pytest.raises(ProtocolError):
        opens.open(sealed)


def test_a_changed_message_is_refused():
    sealed = bytearray(Seal(b"k" * 32).close(b"one"))
    sealed[0] ^= 1
    with pytest.raises(ProtocolError):
        Seal(b"k" * 32).open(bytes(sealed))


def test_the_two_directions_have_different_keys():
    assert GREETING.key(SECRET, "client") != GREETING.key(SECRET, "server")
