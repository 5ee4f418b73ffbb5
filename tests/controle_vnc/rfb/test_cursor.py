"""Pointers in the three ways that servers send them."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import client as rfb
from controle_vnc.rfb.constants import MAX_CURSOR_SIDE, Encoding
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected, update
from tests.controle_vnc.rfb.writing import FORMATS, Writer

CURSORS = (Encoding.CURSOR, Encoding.X_CURSOR, Encoding.CURSOR_WITH_ALPHA)


def cursor_of(rect, encoding, data, pixel_format=None):
    client = connected(pixel_format=pixel_format)
    for byte in bytewise(update(rect, encoding, data)):
        client.receive_data(byte, to_the_end)
    assert rfb.CursorChanged() in client.events()
    return client.cursor


@pytest.mark.parametrize("name", ["rgbx", "xrgb", "565", "332"])
def test_a_cursor_comes_in_the_pixel_format_of_its_connection(name):
    pixel_format = FORMATS[name]
    full = [m << s for m, s in zip(pixel_format.maxima, pixel_format.shifts, strict=True)]
    data = Writer(pixel_format).plain(full) + b"\xa0"
    cursor = cursor_of((2, 0, 3, 1), Encoding.CURSOR, data, pixel_format)
    assert cursor.hotspot == (2, 0)
    expected = [[255, 0, 0, 255], [0, 255, 0, 0], [0, 0, 255, 255]]
    assert cursor.pixels.tolist() == [expected]


def test_an_x_cursor_has_two_colours_and_a_mask():
    data = b"\1\2\3\4\5\6" + bytes([0b10000000, 0, 0b01000000, 0x80]) + bytes([0xFF, 0, 0x7F, 0x80])
    cursor = cursor_of((1, 1, 9, 2), Encoding.X_CURSOR, data)
    assert cursor.pixels[0, :2].tolist() == [[1, 2, 3, 255], [4, 5, 6, 255]]
    assert cursor.pixels[1, :2].tolist() == [[4, 5, 6, 0], [1, 2, 3, 255]]
    assert cursor.pixels[:, 8].tolist() == [[4, 5, 6, 0], [1, 2, 3, 255]]
    assert cursor.hotspot == (1, 1)


def test_a_cursor_with_alpha_gets_its_own_colours_back():
    pixels = bytes([100, 50, 0, 128]) + bytes(4) + bytes([1, 2, 3, 255]) + bytes([255, 9, 9, 9])
    cursor = cursor_of((0, 0, 4, 1), Encoding.CURSOR_WITH_ALPHA, bytes(4) + pixels)
    expected = [[199, 99, 0, 128], [0, 0, 0, 0], [1, 2, 3, 255], [255, 255, 255, 9]]
    assert cursor.pixels.tolist() == [expected]


def test_a_cursor_with_alpha_comes_as_raw_only():
    data = struct.pack(">i", Encoding.TIGHT) + bytes(4)
    with pytest.raises(ProtocolError, match="a cursor in encoding 7"):
        cursor_of((0, 0, 1, 1), Encoding.CURSOR_WITH_ALPHA, data)


@pytest.mark.parametrize("encoding", CURSORS)
def test_no_cursor_is_an_empty_one(encoding):
    data = bytes(4) if encoding == Encoding.CURSOR_WITH_ALPHA else b""
    assert cursor_of((0, 0, 0, 0), encoding, data).pixels.size == 0


@pytest.mark.parametrize("encoding", CURSORS)
def test_a_cursor_is_as_large_as_the_limit_and_no_larger(encoding):
    side = MAX_CURSOR_SIDE
    sizes = {Encoding.CURSOR: 4 * side * side, Encoding.CURSOR_WITH_ALPHA: 4 + 4 * side * side}
    data = bytes(sizes.get(encoding, 6 + side * side // 8))
    mask = b"" if encoding == Encoding.CURSOR_WITH_ALPHA else bytes(side * side // 8)
    client = connected()
    client.receive_data(update((0, 0, side, side), encoding, data + mask), to_the_end)
    assert client.cursor.pixels.shape == (side, side, 4)
    for width, height in ((side + 1, 1), (1, side + 1), (65535, 65535)):
        with pytest.raises(ProtocolError):
            connected().receive_data(update((0, 0, width, height), encoding, b""), to_the_end)


@given(st.sampled_from(CURSORS), st.integers(0, 20), st.integers(0, 20), st.binary(max_size=400))
def test_hostile_cursors_raise_protocol_errors_only(encoding, width, height, data):
    with contextlib.suppress(ProtocolError):
        connected().receive_data(update((9, 9, width, height), encoding, data), to_the_end)


def test_what_is_seen_of_a_cursor_is_what_was_sent():
    random = np.random.default_rng(2)
    sent = random.integers(0, 256, (5, 11, 3), np.uint8)
    mask = random.integers(0, 2, (5, 11), np.uint8)
    data = np.concatenate([sent, sent[:, :, :1]], 2).tobytes() + np.packbits(mask, 1).tobytes()
    cursor = cursor_of((0, 0, 11, 5), Encoding.CURSOR, data)
    assert (cursor.pixels[:, :, :3] == sent).all()
    assert (cursor.pixels[:, :, 3] == mask * 255).all()
