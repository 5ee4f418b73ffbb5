"""JPEG pictures of a known size, decoded with a bound."""

import numpy as np
import simplejpeg

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Pixels, Words
from controle_vnc.framebuffer.rect import Rect

MAX_SCANS = 8  # of a JPEG: a baseline picture has at most three, a hostile one thousands
MAX_SCANNED_PIXELS = 3 * 2048 * 1024  # by all scans: each goes over them all, in one step
START_OF_SCAN = b"\xff\xda"
RGB = np.uint32(0xFFFFFF)  # the fourth byte stays 0: what looks equal is equal


def paint_jpeg(data: bytes | bytearray, rect: Rect, area: Words) -> None:
    """Decode `data`, whose own size must be that of `rect`, into `area`, which has it."""
    np.bitwise_and(_decoded(data, rect), RGB, out=area)


def _decoded(data: bytes | bytearray, rect: Rect) -> Words:
    scans = data.count(START_OF_SCAN)
    if scans > MAX_SCANS or scans * rect.area > MAX_SCANNED_PIXELS:
        raise ProtocolError("a JPEG of too many scans")
    words = np.empty((rect.height, rect.width), np.uint32)
    try:
        # What differs by the fast ways is hidden by what the JPEG has lost.
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, colorspace="RGBX", fastdct=True, fastupsample=True, buffer=words
        )  # looks at the header first and raises where it does not fit
    except ValueError as error:
        raise ProtocolError(f"an unreadable JPEG, or one too large for {rect}") from error
    if pixels.shape[:2] != words.shape:
        raise ProtocolError(f"a JPEG of {pixels.shape[1]}×{pixels.shape[0]} for {rect}")
    return words
