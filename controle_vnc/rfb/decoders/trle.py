"""TRLE (RFC 6143 §7.7.5): tiles of 16×16 as in ZRLE, not compressed; palettes may be used again."""

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.tiles import Tiles
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps

SIDE = 16


class TrleDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._tiles = Tiles(pixels.compact, may_name_palette=True)

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        self._tiles.forget()
        for y in range(rect.y, rect.bottom, SIDE):
            bottom = min(y + SIDE, rect.bottom)
            for x in range(rect.x, rect.right, SIDE):
                tile = framebuffer.words[y:bottom, x : min(x + SIDE, rect.right)]
                yield from self._tiles.read(tile)
        framebuffer.touch(rect)
