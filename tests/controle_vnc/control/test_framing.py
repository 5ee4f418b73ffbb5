import struct

import pytest

from controle_vnc.control.framing import body_length, is_loopback, pack, unpack
from controle_vnc.control.messages import MAX_MESSAGE_BYTES, Done, Failure, decoder
from controle_vnc.control.secret import MAC_BYTES, Seal
from controle_vnc.errors import ProtocolError


def test_a_message_survives_the_wire():
    data = pack(Done(count=3))
    assert body_length(data[:4], 100) == len(data) - 4
    assert unpack(data[4:], decoder(Done)) == Done(count=3)


def test_a_length_at_the_limit_passes_and_one_more_is_refused():
    assert body_length(struct.pack(">I", 100), 100) == 100
    with pytest.raises(ProtocolError):
        body_length(struct.pack(">I", 101), 100)


def test_the_code_is_not_counted_as_message():
    seal = Seal(b"k" * 32)
    assert body_length(struct.pack(">I", 100 + MAC_BYTES), 100, seal) == 100 + MAC_BYTES
    with pytest.raises(ProtocolError):
        body_length(struct.pack(">I", 101 + MAC_BYTES), 100, seal)


@pytest.mark.parametrize("length", [0, MAC_BYTES])
def test_an_empty_message_is_refused(length):
    with pytest.raises(ProtocolError):
        body_length(struct.pack(">I", length), 100, Seal(b"k" * 32))


def test_a_message_that_is_too_large_is_not_sent():
    with pytest.raises(ProtocolError):
        pack(Failure(code="x", message="m" * MAX_MESSAGE_BYTES))


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x81\xa4type\xa3Foo", b"\x81\xa4type\xa4Do\xffe"])
def test_what_is_no_message_is_refused(body):
    with pytest.raises(ProtocolError):
        unpack(body, decoder(Done))


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_loopback_is_known_by_its_writing(host, answer):
    assert is_loopback(host) is answer
