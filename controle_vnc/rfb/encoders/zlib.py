"""zlib (rfbproto "ZLib Encoding"): Raw, in one zlib stream a connection."""

import struct

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.inflate import zlib
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat

LEVEL = 1  # the next picture matters more than the last tenth of this one's size


class Deflater:
    """One zlib stream that lives as long as its connection."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(LEVEL)

    def packed(self, data: bytes) -> bytes:
        """`data` compressed, every byte of it, with its length before it (32 bits)."""
        packed: bytes = self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return struct.pack(">I", len(packed)) + packed


class ZlibEncoder:
    def __init__(self) -> None:
        self._deflater = Deflater()

    def encode(self, pixels: Pixels, rect: Rect, pixel_format: PixelFormat) -> bytes:
        """One rectangle, which can be read after all before it."""
        values = values_of(pixels[rect.y : rect.bottom, rect.x : rect.right], pixel_format)
        return rectangle(rect, Encoding.ZLIB) + self._deflater.packed(values.tobytes())
