"""JPEG (rfbproto "JPEG Encoding", 21), and the JPEGs of Tight: each has all of its tables."""

import numpy as np
import simplejpeg

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.messages import rectangle

QUALITIES = (15, 29, 41, 42, 62, 77, 79, 86, 92, 100)
"""What the ten quality levels of the protocol mean in TigerVNC and TurboVNC …"""
SUBSAMPLINGS = ("420", "420", "420", "422", "422", "422", "444", "444", "444", "444")
"""… and how much colour goes with them: from level 6 up, red on blue can be read."""


def picture(area: Pixels, level: int) -> bytes:
    """All of `area`, which is contiguous, as a JPEG of quality `level`, 0…9."""
    jpeg: bytes = simplejpeg.encode_jpeg(
        area,
        quality=QUALITIES[level],
        colorspace="RGBX",
        colorsubsampling=SUBSAMPLINGS[level],
    )
    return jpeg


def encode(pixels: Pixels, rect: Rect, level: int) -> bytes:
    """One JPEG rectangle of the screen `pixels`."""
    area = np.ascontiguousarray(pixels[rect.y : rect.bottom, rect.x : rect.right])
    return rectangle(rect, Encoding.JPEG) + picture(area, level)
