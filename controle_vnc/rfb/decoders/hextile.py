"""Hextile (RFC 6143 §7.7.4): tiles of 16×16, each raw or coloured subrectangles."""

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Words
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps

SIDE = 16
RAW, BACKGROUND, FOREGROUND, SUBRECTS, COLOURED = 1, 2, 4, 8, 16


class HextileDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.plain

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        layout = self._layout
        background = foreground = 0  # each rectangle must set them before their use
        for y in range(rect.y, rect.bottom, SIDE):
            for x in range(rect.x, rect.right, SIDE):
                width, height = min(SIDE, rect.right - x), min(SIDE, rect.bottom - y)
                kind = (yield 1)[0]
                if kind & RAW:
                    data = yield width * height * layout.size
                    layout.put(data, framebuffer.pixels[y : y + height, x : x + width])
                    continue
                if kind & BACKGROUND:
                    background = layout.word((yield layout.size))
                if kind & FOREGROUND:
                    foreground = layout.word((yield layout.size))
                tile = framebuffer.words[y : y + height, x : x + width]
                tile[:] = background
                if kind & SUBRECTS:
                    count = (yield 1)[0]
                    if kind & COLOURED:
                        self._paint_coloured(tile, (yield count * (layout.size + 2)))
                    else:
                        _paint(tile, (yield count * 2), foreground)
        framebuffer.touch(rect)

    def _paint_coloured(self, tile: Words, data: bytes) -> None:
        """Paint subrectangles, each of the colour before it."""
        size, word = self._layout.size, self._layout.word
        for start in range(0, len(data), size + 2):
            end = start + size
            _paint(tile, data[end : end + 2], word(data[start:end]))


def _paint(tile: Words, data: bytes, colour: int) -> None:
    """Paint subrectangles of two bytes each in one colour."""
    height, width = tile.shape
    for start in range(0, len(data), 2):
        position, size = data[start], data[start + 1]
        left, top = position >> 4, position & 15
        right, bottom = left + (size >> 4) + 1, top + (size & 15) + 1
        if right > width or bottom > height:
            raise ProtocolError("a subrectangle leaves its tile")
        tile[top:bottom, left:right] = colour
