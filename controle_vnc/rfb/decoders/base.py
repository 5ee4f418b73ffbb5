"""What every decoder is: a parser for one rectangle's data."""

from collections.abc import Generator
from typing import Protocol

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect

Decoding = Generator[int, bytes, None]
BAND_BYTES = 256 * 1024  # how much of a large rectangle is asked for at once


class Decoder(Protocol):
    """Decodes rectangles of one encoding on one connection; holds that connection's streams."""

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        """Paint `rect`, which lies within the screen and is not empty; say what is touched."""
