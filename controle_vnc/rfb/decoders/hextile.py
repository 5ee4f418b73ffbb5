"""Hextile (RFC 6143 §7.7.4): tiles of 16×16, each raw or coloured subrectangles."""

import numpy as np

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import Decoding

SIDE = 16
RAW, BACKGROUND, FOREGROUND, SUBRECTS, COLOURED = 1, 2, 4, 8, 16


class HextileDecoder:
    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        background = foreground = b"\0\0\0\0"  # each rectangle must set them before their use
        for y in range(rect.y, rect.bottom, SIDE):
            for x in range(rect.x, rect.right, SIDE):
                width, height = min(SIDE, rect.right - x), min(SIDE, rect.bottom - y)
                tile = framebuffer.pixels[y : y + height, x : x + width]
                kind = (yield 1)[0]
                if kind & RAW:
                    data = yield width * height * 4
                    tile[:] = np.frombuffer(data, np.uint8).reshape(height, width, 4)
                    continue
                if kind & BACKGROUND:
                    background = yield 4
                if kind & FOREGROUND:
                    foreground = yield 4
                tile[:] = tuple(background)
                if kind & SUBRECTS:
                    count = (yield 1)[0]
                    data = yield count * (6 if kind & COLOURED else 2)
                    _paint(tile, data, None if kind & COLOURED else foreground)
        framebuffer.touch(rect)


def _paint(tile: Pixels, data: bytes, foreground: bytes | None) -> None:
    """Paint subrectangles of one colour, or each of the colour before it where that is `None`."""
    step = 2 if foreground is not None else 6
    height, width = tile.shape[:2]
    for start in range(0, len(data), step):
        colour = foreground if foreground is not None else data[start : start + 4]
        position, size = data[start + step - 2], data[start + step - 1]
        left, top = position >> 4, position & 15
        right, bottom = left + (size >> 4) + 1, top + (size & 15) + 1
        if right > width or bottom > height:
            raise ProtocolError("a subrectangle leaves its tile")
        tile[top:bottom, left:right] = tuple(colour)
