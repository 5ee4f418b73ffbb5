import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.clipboard import packed, unpacked
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
def test_any_text_comes_out_as_it_went_in(text):
    assert unpacked(packed(text)) == text


def test_lines_end_as_the_protocol_wants_and_come_back_as_ours():
    assert zlib.decompress(packed("a\nb\r\nc"))[4:] == b"a\r\nb\r\nc\0"
    assert unpacked(packed("a\nb\r\nc")) == "a\nb\nc"


def test_a_text_that_is_no_text_is_shown_as_far_as_it_goes():
    plain = struct.pack(">I", 3) + b"a\xff\0"
    assert unpacked(zlib.compress(plain)) == "a�"


def test_other_formats_behind_the_text_are_left_out():
    plain = struct.pack(">I", 3) + b"ab\0" + struct.pack(">I", 1 << 30)
    assert unpacked(zlib.compress(plain)) == "ab"


@pytest.mark.parametrize("size", [MAX_CUT_TEXT_BYTES, MAX_CUT_TEXT_BYTES + 1])
def test_a_text_has_a_limit(size):
    data = zlib.compress(struct.pack(">I", size) + b"a" * size)
    if size == MAX_CUT_TEXT_BYTES:
        assert unpacked(data) == "a" * size
    else:
        with pytest.raises(ProtocolError, match="bytes of clipboard$"):
            unpacked(data)


def test_a_bomb_is_not_inflated():
    bomb = zlib.compress(struct.pack(">I", 9) + bytes(1 << 28))
    assert unpacked(bomb) == ""


@pytest.mark.parametrize(
    "data", [b"", b"junk", zlib.compress(b"\0\0"), zlib.compress(struct.pack(">I", 5) + b"abc")]
)
def test_what_is_cut_off_is_refused(data):
    with pytest.raises(ProtocolError):
        unpacked(data)
