"""ZRLE (RFC 6143 §7.7.6): tiles of 64×64 in one zlib stream a connection."""

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.zrle import SIDE
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.encoders.run_lengths import tiles
from controle_vnc.rfb.encoders.zlib import Deflater
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat


class ZrleEncoder:
    def __init__(self) -> None:
        self._deflater = Deflater()

    def encode(self, pixels: Pixels, rect: Rect, pixel_format: PixelFormat) -> bytes:
        """One rectangle, which can be read after all before it."""
        values = values_of(pixels[rect.y : rect.bottom, rect.x : rect.right], pixel_format)
        data = b"".join(tiles(values, pixel_format, SIDE))
        return rectangle(rect, Encoding.ZRLE) + self._deflater.packed(data)
