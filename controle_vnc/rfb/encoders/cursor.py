"""The three ways to tell a viewer its pointer's picture (RFC 6143 §7.8.1 and rfbproto)."""

import struct

import numpy as np

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.cursor import Cursor
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat

KINDS = (Encoding.CURSOR_WITH_ALPHA, Encoding.CURSOR, Encoding.X_CURSOR)
"""The best one first."""

OPAQUE = 128  # from so much opacity on a pixel is there, where it must be there or not
DARK = 128  # a darker pixel is black where there are two colours
BLACK, WHITE = bytes(3), b"\xff\xff\xff"


def encode(cursor: Cursor, encoding: int, pixel_format: PixelFormat) -> bytes:
    """`cursor` in one of `KINDS`."""
    height, width = cursor.pixels.shape[:2]
    head = rectangle(Rect(*cursor.hotspot, width, height), encoding)
    if not (width and height):
        return head + (struct.pack(">i", Encoding.RAW) if encoding == KINDS[0] else b"")
    if encoding == Encoding.CURSOR_WITH_ALPHA:
        return head + struct.pack(">i", Encoding.RAW) + _with_alpha(cursor)
    mask = np.packbits(cursor.pixels[..., 3] >= OPAQUE, axis=1).tobytes()
    if encoding == Encoding.CURSOR:
        return head + values_of(cursor.pixels, pixel_format).tobytes() + mask
    is_dark = cursor.pixels[..., :3].mean(axis=2) < DARK
    return head + BLACK + WHITE + np.packbits(is_dark, axis=1).tobytes() + mask


def _with_alpha(cursor: Cursor) -> bytes:
    """Red, green, blue and opacity, the colours weakened by it as the encoding wants them."""
    alpha = cursor.pixels[..., 3:].astype(np.uint16)
    colours = (cursor.pixels[..., :3] * alpha + 127) // 255
    return np.concatenate((colours, alpha), axis=2).astype(np.uint8).tobytes()
