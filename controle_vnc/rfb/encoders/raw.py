"""Raw in whatever pixel format a viewer asks for."""

import numpy as np

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat


def encode(pixels: Pixels, rect: Rect, pixel_format: PixelFormat) -> bytes:
    """One Raw rectangle of the screen `pixels`; the format must be true colour."""
    area = pixels[rect.y : rect.bottom, rect.x : rect.right]
    values = np.zeros(area.shape[:2], np.uint32)
    for channel in range(3):
        maximum = pixel_format.maxima[channel]
        scaled = (area[:, :, channel].astype(np.uint32) * maximum + 127) // 255
        values |= scaled << np.uint32(pixel_format.shifts[channel])
    order = ">" if pixel_format.big_endian else "<"
    data = values.astype(f"{order}u{pixel_format.bytes_per_pixel}").tobytes()
    return rectangle(rect, Encoding.RAW) + data
