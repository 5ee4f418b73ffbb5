import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.clipboard import CAPABILITIES, NOTIFY, PEEK, PROVIDE, REQUEST, TEXT, packed
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES
from controle_vnc.rfb.server_clipboard import ServerClipboard


def caps(actions, size):
    return CAPABILITIES | actions | TEXT, struct.pack(">I", size)


def test_a_viewer_that_takes_no_notice_gets_the_text_if_it_takes_so_much():
    clipboard = ServerClipboard()
    clipboard.take(*caps(PROVIDE, 5))  # the NUL included
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
    with pytest.raises(ProtocolError, match="^clipboard formats without their sizes$"):
        ServerClipboard().take(CAPABILITIES | TEXT | 2, bytes(7))


@given(st.integers(0, 2**32 - 1), st.binary(max_size=80))
def test_no_message_raises_anything_else(flags, data):
    clipboard = ServerClipboard()
    try:
        clipboard.take(flags, data)
        clipboard.offer("text")
    except ProtocolError:
        pass


@pytest.mark.parametrize("letters", [MAX_CUT_TEXT_BYTES // 2 - 1, MAX_CUT_TEXT_BYTES // 2])
def test_a_text_that_no_viewer_would_take_is_not_told(letters):
    clipboard = ServerClipboard()
    told = clipboard.offer("é" * letters)
    assert bool(told) == (letters * 2 < MAX_CUT_TEXT_BYTES)
    asked = clipboard.take(REQUEST | TEXT, b"")[0]
    assert bool(asked) == bool(told)
