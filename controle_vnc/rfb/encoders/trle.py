"""TRLE (RFC 6143 §7.7.5): tiles of 16×16 without zlib."""

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.encoders.run_lengths import tiles
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat

SIDE = 16


def encode(pixels: Pixels, rect: Rect, pixel_format: PixelFormat) -> bytes:
    """One rectangle; no tile uses the palette of the one before it."""
    values = values_of(pixels[rect.y : rect.bottom, rect.x : rect.right], pixel_format)
    return rectangle(rect, Encoding.TRLE) + b"".join(tiles(values, pixel_format, SIDE))
