"""What every decoder is: a parser for one rectangle's data."""

from typing import Protocol

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.stream import Steps

BAND_PIXELS = 64 * 1024  # how much of a large rectangle is painted before others get a turn
MAX_FILTERED_PIXELS = 2048 * 2048  # of one Tight rectangle; servers send 64 Ki
MAX_PICTURE_PIXELS = 2048 * 1024  # of a JPEG, decoded in one step of up to 40 ms: Full HD


def bands(rect: Rect) -> list[Rect]:
    """`rect` from top to bottom, in parts of about `BAND_PIXELS`."""
    rows = max(1, BAND_PIXELS // rect.width)
    return [
        Rect(rect.x, y, rect.width, min(rows, rect.bottom - y))
        for y in range(rect.y, rect.bottom, rows)
    ]


class Decoder(Protocol):
    """Decodes rectangles of one encoding on one connection; holds that connection's streams."""

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        """Paint `rect`, which lies within the screen and is not empty; say what is touched."""
