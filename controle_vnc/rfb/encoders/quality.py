"""How one class of viewers gets its pixels. Pure."""

from dataclasses import dataclass

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.encoders import raw, tight
from controle_vnc.rfb.pixel_format import PixelFormat


@dataclass(frozen=True)
class Quality:
    """Raw in `raw_format`, or Tight where that is `None`: with JPEG of that level, or lossless.

    Viewers of equal quality can be sent the same bytes, whenever each of them joined.
    """

    raw_format: PixelFormat | None
    jpeg_level: int | None = None

    def encode(self, pixels: Pixels, rect: Rect) -> bytes:
        """One rectangle that shows `rect`, which is no larger than a block of Tight."""
        if self.raw_format is None:
            return tight.encode_block(pixels, rect, self.jpeg_level)
        return raw.encode(pixels, rect, self.raw_format)

    def encode_large(self, pixels: Pixels, rect: Rect) -> tuple[int, bytes]:
        """As many rectangles as any `rect` needs, and their bytes."""
        if self.raw_format is None:
            return tight.encode(pixels, rect, self.jpeg_level)
        return 1, raw.encode(pixels, rect, self.raw_format)
