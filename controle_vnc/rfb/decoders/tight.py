"""Tight (encoding 7): fill, JPEG, or basic with a filter and one of four zlib streams."""

from collections.abc import Generator

import numpy as np
import numpy.typing as npt
import simplejpeg

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import (
    Framebuffer,
    Pixels,
    Words,
    put,
    words_of_rgb,
)
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import Decoding, bands
from controle_vnc.rfb.inflate import Inflater, check_compressed

FILL, JPEG = 8, 9
COPY, PALETTE, GRADIENT = 0, 1, 2
EXPLICIT_FILTER = 0x40
RESET_ANY = 0x0F
MAX_LENGTH_BYTES = 3
TPIXEL = 3
MAX_WIDTH = 2048  # the encoding's own limit of a rectangle's width
MAX_PIXELS = 2048 * 2048  # of what is decoded in one piece; servers send 64 Ki
MAX_SCANS = 8  # of a JPEG: a baseline picture has at most three, a hostile one thousands
START_OF_SCAN = b"\xff\xda"
RGB = np.uint32(0xFFFFFF)  # the fourth byte stays 0: what looks equal is equal
UNCOMPRESSED_BELOW = 12  # so few bytes come without zlib


class TightDecoder:
    def __init__(self) -> None:
        self._streams = [Inflater() for _ in range(4)]

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        x, y, width, height = rect
        if width > MAX_WIDTH:
            raise ProtocolError(f"a Tight rectangle {width} wide")
        control = (yield 1)[0]
        if control & RESET_ANY:
            self._reset(control)
        area = framebuffer.words[y : y + height, x : x + width]
        kind = control >> 4
        if kind == FILL:
            red, green, blue = yield TPIXEL
            colour = red | green << 8 | blue << 16
            for band in bands(rect):
                framebuffer.words[band.y : band.bottom, band.x : band.right] = colour
                yield 0
        elif width * height > MAX_PIXELS:
            raise ProtocolError(f"a Tight rectangle of {width}×{height}")
        elif kind == JPEG:
            data = yield from _compressed(width * height * TPIXEL)
            np.bitwise_and(_jpeg(data, rect), RGB, out=area)
        elif kind < FILL:
            filter_id = (yield 1)[0] if control & EXPLICIT_FILTER else COPY
            stream = self._streams[kind & 3]
            if filter_id == PALETTE:
                yield from _paletted(stream, area)
            else:
                pixels = framebuffer.pixels[y : y + height, x : x + width]
                yield from _filtered(stream, filter_id, pixels)
        else:
            raise ProtocolError(f"Tight data of kind {kind}")
        framebuffer.touch(rect)

    def _reset(self, control: int) -> None:
        for number in range(4):
            if control & (1 << number):
                self._streams[number] = Inflater()


def _paletted(stream: Inflater, area: Words) -> Decoding:
    size = (yield 1)[0] + 1
    palette = words_of_rgb((yield size * TPIXEL))
    height, width = area.shape
    row_bytes = -(-width // 8) if size == 2 else width
    rows = (yield from _data(stream, row_bytes * height)).reshape(height, row_bytes)
    if size == 2:
        rows = np.unpackbits(rows, axis=1, count=width)
    try:
        area[:] = palette.take(rows)
    except IndexError as error:
        raise ProtocolError("a pixel names a colour outside its palette") from error


def _filtered(stream: Inflater, filter_id: int, area: Pixels) -> Decoding:
    height, width = area.shape[:2]
    data = yield from _data(stream, width * height * TPIXEL)
    pixels = data.reshape(height, width, TPIXEL)
    if filter_id == COPY:
        put(area, pixels)
    elif filter_id == GRADIENT:
        yield from _gradient(pixels, area)
    else:
        raise ProtocolError(f"Tight filter {filter_id}")


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


def _data(stream: Inflater, size: int) -> Generator[int, bytes, npt.NDArray[np.uint8]]:
    """Exactly `size` bytes of filtered pixels."""
    if size < UNCOMPRESSED_BELOW:
        return np.frombuffer((yield size), np.uint8)
    length = yield from compact_length()
    data = yield from stream.read(length, size)
    if len(data) < size:
        raise ProtocolError("too few pixels for the rectangle")
    return np.frombuffer(data, np.uint8)


def _gradient(differences: Pixels, area: Pixels) -> Decoding:
    """Put into `area` each difference added to what its neighbours predict.

    That is left + above − above left, within 0…255.
    """
    height, width = differences.shape[:2]
    above = [0] * (width * TPIXEL)
    for y in range(height):
        now: list[int] = []
        for at, difference in enumerate(differences[y].ravel().tolist()):
            left, corner = (now[at - 3], above[at - 3]) if at >= TPIXEL else (0, 0)
            guess = left + above[at] - corner
            now.append((min(255, max(0, guess)) + difference) & 255)
        area[y, :, :TPIXEL] = np.array(now, np.uint8).reshape(width, TPIXEL)
        above = now
        yield 0


def _jpeg(data: bytes, rect: Rect) -> Words:
    """The picture in `data`, whose own size must be its rectangle's."""
    if data.count(START_OF_SCAN) > MAX_SCANS:
        raise ProtocolError("a JPEG of too many scans")
    words = np.empty((rect.height, rect.width), np.uint32)
    try:
        # What differs by the fast ways is hidden by what the JPEG has lost.
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, colorspace="RGBX", fastdct=True, fastupsample=True, buffer=words
        )  # raises where it does not fit
    except ValueError as error:
        raise ProtocolError(f"an unreadable JPEG, or one too large for {rect}") from error
    if pixels.shape[:2] != words.shape:
        raise ProtocolError(f"a JPEG of {pixels.shape[1]}×{pixels.shape[0]} for {rect}")
    return words
