"""Pointers as pictures that the viewer would draw: Cursor, XCursor and CursorWithAlpha."""

import struct
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Pixels, words_of
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import MAX_CURSOR_SIDE, Encoding
from controle_vnc.rfb.pixels import Layout

RGB_BYTES = 3  # of XCursor: red, green, blue whatever the pixel format


@dataclass(frozen=True)
class Cursor:
    """Red, green, blue and opacity of each pixel, and the pixel that points."""

    pixels: Pixels
    hotspot: tuple[int, int]


Reading = Generator[int, bytes, Cursor]


def decode_cursor(rect: Rect, layout: Layout) -> Reading:
    """Read the data of a Cursor rectangle (RFC 6143 §7.8.1), whose place is the hot spot."""
    _check(rect)
    data = yield rect.area * layout.size
    pixels = np.zeros((rect.height, rect.width, 4), np.uint8)
    words_of(pixels)[:] = layout.words(data).reshape(rect.height, rect.width)
    pixels[:, :, 3] = (yield from _bits(rect)) * np.uint8(255)
    return Cursor(pixels, (rect.x, rect.y))


def decode_x_cursor(rect: Rect) -> Reading:
    """Read the data of an XCursor rectangle: two colours, which pixels have the first, a mask."""
    _check(rect)
    pixels = np.zeros((rect.height, rect.width, 4), np.uint8)
    if rect.area:
        colours = np.frombuffer((yield 2 * RGB_BYTES), np.uint8).reshape(2, RGB_BYTES)
        is_first = yield from _bits(rect)
        pixels[:, :, :3] = colours[1 - is_first]
        pixels[:, :, 3] = (yield from _bits(rect)) * np.uint8(255)
    return Cursor(pixels, (rect.x, rect.y))


def decode_cursor_with_alpha(rect: Rect) -> Reading:
    """Read the data of a CursorWithAlpha rectangle: RGBA, its colours multiplied by its opacity.

    Servers send it as Raw, whatever they may.
    """
    _check(rect)
    (encoding,) = struct.unpack(">i", (yield 4))
    if encoding != Encoding.RAW:
        raise ProtocolError(f"a cursor in encoding {encoding}")
    data = yield rect.area * 4
    sent = np.frombuffer(data, np.uint8).reshape(rect.height, rect.width, 4)
    opacity = sent[:, :, 3:].astype(np.uint32)
    colours = sent[:, :, :3] * np.uint32(255) // np.maximum(opacity, 1)
    pixels = sent.copy()
    pixels[:, :, :3] = np.minimum(colours, 255)
    return Cursor(pixels, (rect.x, rect.y))


def _check(rect: Rect) -> None:
    if rect.width > MAX_CURSOR_SIDE or rect.height > MAX_CURSOR_SIDE:
        raise ProtocolError(f"a cursor of {rect.width}×{rect.height}")


def _bits(rect: Rect) -> Generator[int, bytes, npt.NDArray[np.uint8]]:
    """One bit for each pixel, rows padded to whole bytes."""
    row_bytes = -(-rect.width // 8)
    data = yield row_bytes * rect.height
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(rect.height, row_bytes), axis=1)
    return bits[:, : rect.width]
