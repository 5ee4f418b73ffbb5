import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES
from controle_vnc.rfb.server_clipboard import (
    CAPS,
    NOTIFY,
    PEEK,
    PROVIDE,
    REQUEST,
    TEXT,
    ServerClipboard,
    packed,
    text_of,
)


def caps(actions, size):
    return CAPS | actions | TEXT, struct.pack(">I", size)


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
def test_any_text_comes_out_as_it_went_in(text):
    assert text_of(packed(text)) == text


def test_lines_end_as_the_protocol_wants_and_come_back_as_ours():
    assert zlib.decompress(packed("a\nb\r\nc"))[4:] == b"a\r\nb\r\nc\0"
    assert text_of(packed("a\nb\r\nc")) == "a\nb\nc"


def test_a_text_that_is_no_text_is_shown_as_far_as_it_goes():
    plain = struct.pack(">I", 3) + b"a\xff\0"
    assert text_of(zlib.compress(plain)) == "a�"


def test_other_formats_behind_the_text_are_left_out():
    plain = struct.pack(">I", 3) + b"ab\0" + struct.pack(">I", 1 << 30)
    assert text_of(zlib.compress(plain)) == "ab"


@pytest.mark.parametrize("size", [MAX_CUT_TEXT_BYTES, MAX_CUT_TEXT_BYTES + 1])
def test_a_text_has_a_limit(size):
    data = zlib.compress(struct.pack(">I", size) + b"a" * size)
    if size == MAX_CUT_TEXT_BYTES:
        assert text_of(data) == "a" * size
    else:
        with pytest.raises(ProtocolError, match="bytes of text in a clipboard$"):
            text_of(data)


def test_a_bomb_is_not_inflated():
    bomb = zlib.compress(struct.pack(">I", 9) + bytes(1 << 28))
    assert text_of(bomb) == "\0" * 8


@pytest.mark.parametrize(
    "data", [b"", b"junk", zlib.compress(b"\0\0"), zlib.compress(struct.pack(">I", 5) + b"abc")]
)
def test_what_is_cut_off_is_refused(data):
    with pytest.raises(ProtocolError):
        text_of(data)


def test_a_viewer_that_takes_no_notice_gets_the_text_if_it_takes_so_much():
    clipboard = ServerClipboard()
    clipboard.take(*caps(PROVIDE, 4))
    assert clipboard.offer("four") == messages.extended_cut_text(PROVIDE | TEXT, packed("four"))
    assert clipboard.offer("fives") == b""
    clipboard.take(*caps(0, 100))
    assert clipboard.offer("four") == b""


def test_a_viewer_may_look_at_what_there_is():
    clipboard = ServerClipboard()
    assert clipboard.take(PEEK, b"")[0] == messages.extended_cut_text(NOTIFY)
    assert clipboard.take(REQUEST | TEXT, b"")[0] == b""
    clipboard.offer("text")
    assert clipboard.take(PEEK, b"")[0] == messages.extended_cut_text(NOTIFY | TEXT)


def test_formats_that_we_do_not_know_are_not_asked_for():
    clipboard = ServerClipboard()
    assert clipboard.take(NOTIFY | 2, b"") == (b"", None)
    assert clipboard.take(PROVIDE | 2, b"junk") == (b"", None)


def test_sizes_that_are_missing_are_refused():
    with pytest.raises(ProtocolError, match="^the sizes of the clipboard's formats are cut off$"):
        ServerClipboard().take(CAPS | TEXT | 2, bytes(7))


@given(st.integers(0, 2**32 - 1), st.binary(max_size=80))
def test_no_message_raises_anything_else(flags, data):
    clipboard = ServerClipboard()
    try:
        clipboard.take(flags, data)
        clipboard.offer("text")
    except ProtocolError:
        pass
