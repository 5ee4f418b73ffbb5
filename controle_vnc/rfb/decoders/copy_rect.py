"""CopyRect (RFC 6143 §7.7.2): pixels that are on the screen already."""

import struct

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import bands
from controle_vnc.rfb.stream import Steps


class CopyRectDecoder:
    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        source_x, source_y = struct.unpack(">HH", (yield 4))
        framebuffer.check(Rect(source_x, source_y, rect.width, rect.height))
        down, right = source_y - rect.y, source_x - rect.x
        # What lies under a copy is read before it is painted over: upwards from the top.
        for band in bands(rect) if down > 0 else reversed(bands(rect)):
            framebuffer.copy(band, band.x + right, band.y + down)
            yield 0
