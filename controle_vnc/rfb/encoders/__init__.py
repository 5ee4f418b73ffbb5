"""From a picture to rectangles, one encoding a file.

Those of `quality.SHARED` have no memory: any viewer can join at any time, and viewers of one
quality are sent the same bytes. The others belong to one connection, as `Encoders` does.
"""

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.quality import SHARED, Quality
from controle_vnc.rfb.encoders.zlib import ZlibEncoder
from controle_vnc.rfb.encoders.zrle import ZrleEncoder

ALL = SHARED | {Encoding.ZLIB, Encoding.ZRLE}


class Encoders:
    """The encoders of one connection, those with a memory included."""

    def __init__(self) -> None:
        self._zlib = ZlibEncoder()
        self._zrle = ZrleEncoder()

    def encode(self, quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
        """One rectangle that shows `rect`, which is no larger than a cell of the grid."""
        if quality.encoding == Encoding.ZLIB:
            return self._zlib.encode(pixels, rect, quality.pixel_format)
        if quality.encoding == Encoding.ZRLE:
            return self._zrle.encode(pixels, rect, quality.pixel_format)
        return quality.encode(pixels, rect)
