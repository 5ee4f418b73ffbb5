"""CopyRect (RFC 6143 §7.7.2): pixels that are on the screen already."""

import struct

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import Decoding


class CopyRectDecoder:
    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        source_x, source_y = struct.unpack(">HH", (yield 4))
        framebuffer.copy(rect, source_x, source_y)
