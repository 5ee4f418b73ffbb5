"""ExtendedClipboard from the client's side."""

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import client as rfb
from controle_vnc.rfb.client_clipboard import TextGiven, TextOffered
from controle_vnc.rfb.clipboard import (
    CAPABILITIES,
    MAX_EXTENDED_BYTES,
    NOTIFY,
    PEEK,
    PROVIDE,
    REQUEST,
    TEXT,
)
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES, Encoding
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected

ALL = REQUEST | PEEK | NOTIFY | PROVIDE
HTML = 1 << 2


def message(flags, data=b""):
    """A ServerCutText of the extended kind."""
    body = struct.pack(">I", flags) + data
    return struct.pack(">B3xi", 3, -len(body)) + body


def provided(text, size=None):
    data = struct.pack(">I", len(text) if size is None else size) + text
    return message(PROVIDE | TEXT, zlib.compress(data))


def said(flags, data=b""):
    """A ClientCutText of the extended kind."""
    return b"\x06" + message(flags, data)[1:]


def client(actions=ALL):
    one = connected(encodings=[*rfb.DEFAULT_ENCODINGS, Encoding.EXTENDED_CLIPBOARD])
    if actions:
        one.receive_data(message(CAPABILITIES | actions | TEXT | HTML, bytes(8)), to_the_end)
        assert one.data_to_send() == said(CAPABILITIES | ALL | TEXT, bytes(4))
    return one


def text_in(data):
    """The text of a Provide that the client says."""
    assert data[:4] == b"\x06\0\0\0"
    (length, flags) = struct.unpack(">iI", data[4:12])
    assert length == 8 - len(data)
    assert flags == PROVIDE | TEXT
    inflated = zlib.decompress(data[12:])
    assert struct.unpack(">I", inflated[:4]) == (len(inflated) - 4,)
    return inflated[4:]


def test_an_offer_is_told_and_the_text_fetched_where_it_is_wanted():
    one = client()
    one.receive_data(message(NOTIFY | TEXT | HTML), to_the_end)
    assert one.events() == [TextOffered()]
    assert one.data_to_send() == b""
    one.request_text()
    assert one.data_to_send() == said(REQUEST | TEXT)
    one.receive_data(provided("élève ☕\r\nligne".encode() + b"\0"), to_the_end)
    assert one.events() == [TextGiven("élève ☕\nligne")]


def test_byte_by_byte_it_is_the_same():
    one = client()
    for byte in bytewise(provided(b"text\0") + message(NOTIFY | TEXT)):
        one.receive_data(byte, to_the_end)
    assert one.events() == [TextGiven("text"), TextOffered()]


def test_text_is_offered_and_given_when_it_is_asked_for():
    one = client()
    one.copy_text("ça\nva")
    assert one.data_to_send() == said(NOTIFY | TEXT)
    one.receive_data(message(PEEK), to_the_end)
    assert one.data_to_send() == said(NOTIFY | TEXT)
    one.receive_data(message(REQUEST | TEXT), to_the_end)
    assert text_in(one.data_to_send()) == "ça\r\nva\0".encode()


def test_a_server_that_takes_no_offer_is_given_the_text_at_once():
    one = client(PROVIDE)
    one.copy_text("x")
    assert text_in(one.data_to_send()) == b"x\0"


def test_nothing_is_given_that_was_not_offered_or_is_no_text():
    one = client()
    one.receive_data(message(REQUEST | TEXT) + message(PEEK), to_the_end)
    assert one.data_to_send() == said(NOTIFY)
    one.copy_text("x")
    one.data_to_send()
    one.receive_data(message(REQUEST | HTML), to_the_end)
    assert one.data_to_send() == b""


def test_offers_and_gifts_of_other_formats_are_nothing():
    one = client()
    one.receive_data(
        message(NOTIFY | HTML) + message(PROVIDE | HTML, b"no zlib") + message(0), to_the_end
    )
    assert one.events() == []


@pytest.mark.parametrize("actions", [None, REQUEST])
def test_a_server_without_it_gets_latin_1(actions):
    one = client(actions)
    one.copy_text("é☕")
    assert one.data_to_send() == b"\x06\0\0\0\0\0\0\x02\xe9?"


def test_latin_1_from_the_server_is_still_understood():
    one = client()
    one.receive_data(struct.pack(">B3xI", 3, 4) + b"text", to_the_end)
    assert one.events() == [rfb.CutText(b"text")]


def test_text_as_long_as_the_limit_is_taken_and_a_byte_more_is_not():
    one = client()
    one.receive_data(provided(b"x" * MAX_CUT_TEXT_BYTES), to_the_end)
    assert one.events() == [TextGiven("x" * MAX_CUT_TEXT_BYTES)]
    with pytest.raises(ProtocolError, match=f"{MAX_CUT_TEXT_BYTES + 1} bytes of clipboard"):
        one.receive_data(provided(b"x" * (MAX_CUT_TEXT_BYTES + 1)), to_the_end)


def test_a_message_as_long_as_the_limit_is_taken_and_a_byte_more_is_not():
    client().receive_data(message(NOTIFY | TEXT, bytes(MAX_EXTENDED_BYTES - 4)), to_the_end)
    with pytest.raises(ProtocolError, match="bytes of cut text"):
        client().receive_data(struct.pack(">B3xi", 3, -MAX_EXTENDED_BYTES - 1), to_the_end)
    with pytest.raises(ProtocolError, match="bytes of cut text"):
        client().receive_data(struct.pack(">B3xi", 3, -(2**31)), to_the_end)


HOSTILE = {
    "nobody asked for": (connected, message(NOTIFY | TEXT)),
    "without flags": (client, struct.pack(">B3xi", 3, -3) + b"abc"),
    "formats without sizes": (client, message(CAPABILITIES | ALL | TEXT | HTML, bytes(7))),
    "no zlib": (client, message(PROVIDE | TEXT, b"nonsense")),
    "no size": (client, message(PROVIDE | TEXT, zlib.compress(b"abc"))),
    "cut off": (client, provided(b"abc", 4)),
    "4 GiB": (client, provided(b"", 2**32 - 1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_end_the_connection(name):
    start, data = HOSTILE[name]
    with pytest.raises(ProtocolError):
        start().receive_data(data, to_the_end)


def test_what_follows_the_text_in_its_stream_is_not_inflated():
    bomb = struct.pack(">I", 2) + b"x\0" + bytes(50_000_000)
    one = client()
    one.receive_data(message(PROVIDE | TEXT | HTML, zlib.compress(bomb)), to_the_end)
    assert one.events() == [TextGiven("x")]


@given(st.integers(0, 2**32 - 1), st.binary(max_size=60), st.booleans())
def test_hostile_messages_raise_protocol_errors_only(flags, data, packed):
    with contextlib.suppress(ProtocolError):
        client().receive_data(message(flags, zlib.compress(data) if packed else data), to_the_end)


@given(st.text(max_size=40).filter(lambda text: not set(text) & set("\0\r")))
def test_any_text_comes_back_as_it_was(text):
    one = client()
    with contextlib.suppress(UnicodeEncodeError):
        text.encode()
        one.copy_text(text)
        one.receive_data(message(REQUEST | TEXT), to_the_end)
        sent = one.data_to_send()[len(said(NOTIFY | TEXT)) :]
        one.receive_data(provided(text_in(sent)), to_the_end)
        assert one.events() == [TextGiven(text)]
