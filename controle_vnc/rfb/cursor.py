"""The Cursor pseudo-encoding (RFC 6143 §7.8.1): a picture that the viewer would draw."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import MAX_CURSOR_SIDE


@dataclass(frozen=True)
class Cursor:
    """Red, green, blue and opacity of each pixel, and the pixel that points."""

    pixels: Pixels
    hotspot: tuple[int, int]


def decode_cursor(rect: Rect) -> Generator[int, bytes, Cursor]:
    """Read the data of a Cursor rectangle, whose place is the hot spot."""
    if rect.width > MAX_CURSOR_SIDE or rect.height > MAX_CURSOR_SIDE:
        raise ProtocolError(f"a cursor of {rect.width}×{rect.height}")
    row_bytes = -(-rect.width // 8)
    data = yield rect.area * 4
    mask = yield row_bytes * rect.height
    pixels = np.frombuffer(data, np.uint8).reshape(rect.height, rect.width, 4).copy()
    bits = np.unpackbits(np.frombuffer(mask, np.uint8).reshape(rect.height, row_bytes), axis=1)
    pixels[:, :, 3] = bits[:, : rect.width] * np.uint8(255)
    return Cursor(pixels, (rect.x, rect.y))
