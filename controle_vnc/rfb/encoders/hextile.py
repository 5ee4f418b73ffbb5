"""Hextile (RFC 6143 §7.7.4): tiles of 16×16, each raw, or boxes on a ground."""

import numpy as np
import numpy.typing as npt

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.hextile import BACKGROUND, COLOURED, FOREGROUND, RAW, SIDE, SUBRECTS
from controle_vnc.rfb.encoders.boxes import Boxes, boxes_of, records
from controle_vnc.rfb.encoders.pixels import Values, values_of
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat

MAX_BOXES = 255  # of one tile: their count is one byte
NEVER = b""  # no colour of a pixel


def encode(pixels: Pixels, rect: Rect, pixel_format: PixelFormat) -> bytes:
    """One Hextile rectangle of the screen `pixels`."""
    values = values_of(pixels[rect.y : rect.bottom, rect.x : rect.right], pixel_format)
    return rectangle(rect, Encoding.HEXTILE) + b"".join(_Tiles(values).encoded())


class _Tiles:
    """The tiles of one rectangle, left to right and top to bottom."""

    def __init__(self, values: Values) -> None:
        self._values = values
        boxes = boxes_of(values, SIDE)
        count = -(-values.shape[0] // SIDE) * -(-values.shape[1] // SIDE)
        numbers = np.arange(count)
        grounds = boxes.value[boxes.ground]
        self._grounds = grounds[np.searchsorted(boxes.tile[boxes.ground], numbers)]
        self._boxes = boxes.without_ground()
        self._first = np.searchsorted(self._boxes.tile, numbers).tolist()
        self._end = np.searchsorted(self._boxes.tile, numbers, "right").tolist()
        self._plain = _places(self._boxes)
        self._coloured = records([self._boxes.value, *self._plain.T])
        self._background = self._foreground = NEVER

    def encoded(self) -> list[bytes]:
        height, width = self._values.shape
        corners = [(x, y) for y in range(0, height, SIDE) for x in range(0, width, SIDE)]
        return [self._tile(number, x, y) for number, (x, y) in enumerate(corners)]

    def _tile(self, number: int, x: int, y: int) -> bytes:
        first, end = self._first[number], self._end[number]
        # a slice: one number alone would lose its byte order
        ground = self._grounds[number : number + 1].tobytes()
        kind, data = 0, b""
        if ground != self._background:
            kind, data = BACKGROUND, ground
        if end > first:
            more, boxes = self._subrects(first, end)
            kind |= more
            data += boxes
        raw = self._values[y : y + SIDE, x : x + SIDE]
        if end - first > MAX_BOXES or len(data) >= raw.nbytes:
            self._background = self._foreground = NEVER  # undefined after a raw tile
            return bytes([RAW]) + raw.tobytes()
        self._background = ground
        return bytes([kind]) + data

    def _subrects(self, first: int, end: int) -> tuple[int, bytes]:
        """What says that there are boxes, and their bytes."""
        colours = self._boxes.value[first:end]
        count = bytes([min(end - first, MAX_BOXES)])
        if (colours != colours[0]).any():
            self._foreground = NEVER  # viewers differ in what a coloured tile leaves of it
            return SUBRECTS | COLOURED, count + self._coloured[first:end].tobytes()
        plain = count + self._plain[first:end].tobytes()
        colour = colours[:1].tobytes()
        if colour == self._foreground:
            return SUBRECTS, plain
        self._foreground = colour
        return SUBRECTS | FOREGROUND, colour + plain


def _places(boxes: Boxes) -> npt.NDArray[np.uint8]:
    """Boxes × two bytes: where each begins, and its sides less one."""
    begin = boxes.x << 4 | boxes.y
    sides = boxes.width - 1 << 4 | boxes.height - 1
    return np.stack((begin, sides), axis=1).astype(np.uint8)
