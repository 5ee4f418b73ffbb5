"""Zlib (encoding 6): Raw in one zlib stream a connection."""

import struct

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import bands
from controle_vnc.rfb.inflate import Inflated, Inflater
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps


class ZlibDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.plain
        self._inflater = Inflater()

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        layout = self._layout
        (length,) = struct.unpack(">I", (yield 4))
        inflated = Inflated(self._inflater, length, rect.area * layout.size)
        for band in bands(rect):
            size = band.area * layout.size
            yield from inflated.need(size)
            area = framebuffer.pixels[band.y : band.bottom, band.x : band.right]
            layout.put(inflated.take(size), area)
            yield 0
        yield from inflated.finish()
        framebuffer.touch(rect)
