"""Tight (encoding 7): fill, JPEG, or basic with a filter and one of four zlib streams."""

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import (
    Framebuffer,
    Pixels,
    Words,
    words_of,
)
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import (
    BAND_PIXELS,
    MAX_FILTERED_PIXELS,
    MAX_PICTURE_PIXELS,
    bands,
)
from controle_vnc.rfb.inflate import Inflater, check_compressed
from controle_vnc.rfb.jpeg import paint_jpeg
from controle_vnc.rfb.pixels import Layout, Parts, PixelReader
from controle_vnc.rfb.stream import Steps

FILL, JPEG = 8, 9
COPY, PALETTE, GRADIENT = 0, 1, 2
EXPLICIT_FILTER = 0x40
RESET_ANY = 0x0F
MAX_LENGTH_BYTES = 3
TPIXEL = 3
MAX_WIDTH = 2048  # the encoding's own limit of a rectangle's width
UNCOMPRESSED_BELOW = 12  # so few bytes come without zlib


class TightDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.tight
        self._streams = [Inflater() for _ in range(4)]

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        x, y, width, height = rect
        if width > MAX_WIDTH:
            raise ProtocolError(f"a Tight rectangle {width} wide")
        control = (yield 1)[0]
        if control & RESET_ANY:
            self._reset(control)
        kind = control >> 4
        if kind == FILL:
            colour = self._layout.word((yield self._layout.size))
            for band in bands(rect):
                framebuffer.words[band.y : band.bottom, band.x : band.right] = colour
                yield 0
        elif width * height > (MAX_PICTURE_PIXELS if kind == JPEG else MAX_FILTERED_PIXELS):
            raise ProtocolError(f"a Tight rectangle of {width}×{height}")
        elif kind == JPEG:
            data = yield from _compressed(width * height * TPIXEL)
            paint_jpeg(data, rect, framebuffer.words[y : y + height, x : x + width])
        else:
            yield from self._other(control, rect, framebuffer)
        framebuffer.touch(rect)

    def _reset(self, control: int) -> None:
        for number in range(4):
            if control & (1 << number):
                self._streams[number] = Inflater()

    def _other(self, control: int, rect: Rect, framebuffer: Framebuffer) -> Steps:
        """Paint what is neither a fill nor a JPEG: filtered pixels."""
        kind = control >> 4
        if kind > FILL:
            raise ProtocolError(f"Tight data of kind {kind}")
        x, y, width, height = rect
        filter_id = (yield 1)[0] if control & EXPLICIT_FILTER else COPY
        stream = self._streams[kind & 3]
        if filter_id == PALETTE:
            area = framebuffer.words[y : y + height, x : x + width]
            yield from _paletted(stream, self._layout, area)
        else:
            pixels = framebuffer.pixels[y : y + height, x : x + width]
            yield from _filtered(stream, self._layout, filter_id, pixels)


def _paletted(stream: Inflater, layout: Layout, area: Words) -> Steps:
    size = (yield 1)[0] + 1
    palette = layout.words((yield size * layout.size))
    height, width = area.shape
    row_bytes = -(-width // 8) if size == 2 else width
    data = yield from _data(stream, row_bytes * height)
    rows = np.frombuffer(data, np.uint8).reshape(height, row_bytes)
    band_rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, band_rows):
        _look_up(palette, rows[top : top + band_rows], area[top : top + band_rows])
        if height > band_rows:
            yield 0


def _look_up(palette: Words, rows: Pixels, area: Words) -> None:
    """Put into `area` the colours that `rows` number: a bit each of two, a byte each of more."""
    if len(palette) == 2:
        rows = np.unpackbits(rows, axis=1, count=area.shape[1])
    try:
        area[:] = palette.take(rows)
    except IndexError as error:
        raise ProtocolError("a pixel names a colour outside its palette") from error


def _filtered(stream: Inflater, layout: Layout, filter_id: int, area: Pixels) -> Steps:
    height, width = area.shape[:2]
    data = yield from _data(stream, width * height * layout.size)
    if filter_id == COPY and height * width <= BAND_PIXELS:
        layout.put(data, area)
    elif filter_id == COPY:
        yield from _put(data, layout, area)
    elif filter_id == GRADIENT:
        yield from _gradient(data, layout, area)
    else:
        raise ProtocolError(f"Tight filter {filter_id}")


def _put(data: bytes | bytearray, layout: Layout, area: Pixels) -> Steps:
    """Put pixels into `area` in bands: to convert them takes several times their own memory."""
    height, width = area.shape[:2]
    row_bytes = width * layout.size
    rows = max(1, BAND_PIXELS // width)
    with memoryview(data) as whole:
        for top in range(0, height, rows):
            band = whole[top * row_bytes : (top + rows) * row_bytes]
            layout.put(band, area[top : top + rows])
            yield 0


def compact_length() -> Generator[int, bytes, int]:
    """A length of one to three bytes, seven, seven and eight bits, low ones first."""
    head = bytes((yield 1))
    while head[-1] > 127 and len(head) < MAX_LENGTH_BYTES:
        head += yield 1
    return _length_in(head)[0]


def _length_in(head: bytes) -> tuple[int, int]:
    """The compact length at the start of `head`, and how many of its bytes that is."""
    if head[0] < 128:
        return head[0], 1
    length = (head[0] & 127) | (head[1] & 127) << 7
    if head[1] < 128:
        return length, 2
    return length | head[2] << 14, 3


def _compressed(limit: int) -> Generator[int, bytes, bytes]:
    """A JPEG and its length in two steps: none is so short that three bytes reach behind it."""
    head = yield MAX_LENGTH_BYTES
    length, used = _length_in(head)
    check_compressed(length, limit)
    begin = head[used:]
    if length < len(begin):
        raise ProtocolError("an unreadable JPEG")
    return begin + (yield length - len(begin))


def _data(stream: Inflater, size: int) -> Generator[int, bytes, bytes | bytearray]:
    """Exactly `size` bytes of filtered pixels."""
    if size < UNCOMPRESSED_BELOW:
        return (yield size)
    length = yield from compact_length()
    data = yield from stream.read(length, size)
    if len(data) < size:
        raise ProtocolError("too few pixels for the rectangle")
    return data


def _gradient(data: bytes | bytearray, layout: Layout, area: Pixels) -> Steps:
    """Put into `area` each difference added to what its neighbours predict.

    That is left + above − above left, no less than nothing and no more than the maximum. A pixel
    needs those of the two diagonals before its own: a whole diagonal is worked out at once.
    """
    height, width = area.shape[:2]
    maxima = np.array(layout.maxima, np.int32)
    words = words_of(area)
    # Row y + 1 of each is what the diagonal has in row y; row 0 stands for what is above.
    now, last, before = (np.zeros((height + 1, 3), np.int32) for _ in range(3))
    for number in range(width + height - 1):
        top, bottom = max(0, number - width + 1), min(height, number + 1)
        rows = np.arange(top, bottom)
        columns = number - rows
        guess = last[top + 1 : bottom + 1] + last[top:bottom] - before[top:bottom]
        np.clip(guess, 0, maxima, out=guess)
        guess += _parts_at(data, layout, rows * width + columns)
        guess &= maxima
        now[top + 1 : bottom + 1] = guess
        words[rows, columns] = layout.joined(guess)
        now, last, before = before, now, last
        yield 0


def _parts_at(data: bytes | bytearray, layout: Layout, places: npt.NDArray[np.int64]) -> Parts:
    """The parts of the pixels at `places` of `data`."""
    pixels = np.frombuffer(data, np.uint8).reshape(-1, layout.size)
    return layout.parts(pixels[places].tobytes())
