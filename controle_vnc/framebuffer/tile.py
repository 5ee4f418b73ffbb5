"""From a screen's pixels to the small JPEG of a wall."""

import numpy as np
import simplejpeg
from PIL import Image

from controle_vnc.framebuffer.framebuffer import Pixels

QUALITY = 60  # text stays legible at 320 px and a busy desktop stays under 12 KiB


def tile_size(width: int, height: int, tile_width: int) -> tuple[int, int]:
    """Width and height of a tile at most `tile_width` wide, in the screen's proportions."""
    if width <= tile_width:
        return width, height
    return tile_width, max(1, round(height * tile_width / width))


def make_tile(pixels: Pixels, width: int, quality: int = QUALITY) -> bytes:
    """A JPEG of `pixels` (rows × columns × 4), at most `width` wide."""
    height_now, width_now = pixels.shape[:2]
    size = tile_size(width_now, height_now, width)
    source = np.ascontiguousarray(pixels)
    image = Image.frombuffer("RGBX", (width_now, height_now), source, "raw", "RGBX", 0, 1)
    # A whole-number box reduction is several times cheaper than a filter over the full picture.
    if (factor := width_now // size[0]) > 1:
        image = image.reduce(factor)
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    jpeg: bytes = simplejpeg.encode_jpeg(
        np.asarray(image), quality=quality, colorspace="RGBX", colorsubsampling="420"
    )
    return jpeg
