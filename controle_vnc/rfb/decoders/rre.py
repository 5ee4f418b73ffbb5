"""RRE (RFC 6143 §7.7.3) and CoRRE: a background and subrectangles of one colour each."""

import struct

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Words
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import BAND_PIXELS, bands
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps

BATCH = 1024  # subrectangles that are asked for at once
COMPACT_SIDE = 255  # CoRRE has a byte for each measure

Edges = npt.NDArray[np.integer]


class RreDecoder:
    """`places` is the number type of x, y, width and height."""

    places = ">u2"

    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.plain

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        (count,) = struct.unpack(">I", (yield 4))
        if count > rect.area:
            raise ProtocolError(f"{count} subrectangles in {rect.area} pixels")
        colour = self._layout.word((yield self._layout.size))
        for band in bands(rect):
            framebuffer.words[band.y : band.bottom, band.x : band.right] = colour
            yield 0
        area = framebuffer.words[rect.y : rect.bottom, rect.x : rect.right]
        while count:
            batch = min(count, BATCH)
            yield from self._batch(area, batch)
            count -= batch
        framebuffer.touch(rect)

    def _batch(self, area: Words, count: int) -> Steps:
        size = self._layout.size
        place_bytes = 4 * np.dtype(self.places).itemsize
        data = np.frombuffer((yield count * (size + place_bytes)), np.uint8).reshape(count, -1)
        colours = self._layout.words(data[:, :size].tobytes()).tolist()
        places = np.frombuffer(data[:, size:].tobytes(), self.places).reshape(count, 4).astype(int)
        places[:, 2:] += places[:, :2]
        height, width = area.shape
        if (places[:, 2] > width).any() or (places[:, 3] > height).any():
            raise ProtocolError("a subrectangle leaves its rectangle")
        painted = 0
        for colour, (left, top, right, bottom) in zip(colours, places.tolist(), strict=True):
            area[top:bottom, left:right] = colour
            painted += (right - left) * (bottom - top)
            if painted >= BAND_PIXELS:
                painted = 0
                yield 0


class CoRreDecoder(RreDecoder):
    """Rectangles of at most 255×255, whose subrectangles take half the bytes."""

    places = "u1"

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        if rect.width > COMPACT_SIDE or rect.height > COMPACT_SIDE:
            raise ProtocolError(f"a CoRRE rectangle of {rect.width}×{rect.height}")
        return super().decode(rect, framebuffer)
