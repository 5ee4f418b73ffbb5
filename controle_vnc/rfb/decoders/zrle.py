"""ZRLE (RFC 6143 §7.7.6): tiles of 64×64 in one zlib stream a connection."""

import struct

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.tiles import MAX_PALETTE, Tiles
from controle_vnc.rfb.inflate import Inflated, Inflater
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps

SIDE = 64


class ZrleDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._size = pixels.compact.size
        self._tiles = Tiles(pixels.compact, may_name_palette=False)
        self._inflater = Inflater()

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        (length,) = struct.unpack(">I", (yield 4))
        count = -(-rect.width // SIDE) * -(-rect.height // SIDE)
        # The worst tile is plain run lengths of one pixel each.
        limit = rect.area * (self._size + 1) + count * (1 + MAX_PALETTE * self._size)
        inflated = Inflated(self._inflater, length, limit)
        yield from self._paint(inflated, rect, framebuffer)
        yield from inflated.finish()
        framebuffer.touch(rect)

    def _paint(self, inflated: Inflated, rect: Rect, framebuffer: Framebuffer) -> Steps:
        largest = SIDE * SIDE * (self._size + 1) + 1 + MAX_PALETTE * self._size
        has = inflated.has
        for y in range(rect.y, rect.bottom, SIDE):
            bottom = min(y + SIDE, rect.bottom)
            for x in range(rect.x, rect.right, SIDE):
                if not has(largest):
                    yield from inflated.need(largest)
                tile = framebuffer.words[y:bottom, x : min(x + SIDE, rect.right)]
                inflated.give(self._tiles.read(tile))
                yield 0
