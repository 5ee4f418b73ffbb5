import pytest

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.stream import MAX_REQUEST_BYTES, ByteStream


def pairs(seen):
    while True:
        seen.append((yield 2))


def once():
    yield 1


def asks(size):
    yield size


def test_a_parser_gets_exactly_what_it_asks_for():
    seen = []
    stream = ByteStream(pairs(seen))
    for byte in b"abcde":
        stream.feed(bytes([byte]))
    assert seen == [b"ab", b"cd"]
    assert stream.rest == b"e"


def test_work_stops_after_a_step_that_is_the_last_and_goes_on_with_the_next_call():
    seen = []
    stream = ByteStream(pairs(seen))
    stream.feed(b"abcdef", lambda: len(seen) >= 2)
    assert seen == [b"ab", b"cd"]
    assert stream.can_go_on
    stream.feed(b"")
    assert seen == [b"ab", b"cd", b"ef"]
    assert not stream.can_go_on


def test_after_the_end_the_rest_is_left():
    stream = ByteStream(once())
    stream.feed(b"abc")
    assert stream.finished
    assert not stream.can_go_on
    assert stream.rest == b"bc"


def test_the_largest_request_is_taken_and_one_byte_more_is_not():
    ByteStream(asks(MAX_REQUEST_BYTES))
    with pytest.raises(ProtocolError, match="announced at once"):
        ByteStream(asks(MAX_REQUEST_BYTES + 1))
