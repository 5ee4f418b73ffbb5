"""Raw (RFC 6143 §7.7.1) in whatever pixel format a viewer asks for."""

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat


def encode(pixels: Pixels, rect: Rect, pixel_format: PixelFormat) -> bytes:
    """One Raw rectangle of the screen `pixels`."""
    area = pixels[rect.y : rect.bottom, rect.x : rect.right]
    return rectangle(rect, Encoding.RAW) + values_of(area, pixel_format).tobytes()
