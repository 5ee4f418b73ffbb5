"""Pixels as a connection writes them, turned into the numbers of a screen."""

from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Pixels, Words, put, words_of, words_of_rgb
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat

Buffer = bytes | bytearray | memoryview
Parts = npt.NDArray[np.int32]
"""Red, green and blue of pixels, rows × columns × 3, each from 0 to its maximum."""

MAX_MAP_BITS = 16  # a pixel of a colour map: a message names no colour beyond 65535
MAP_COLOUR_BYTES = 6  # of a colour map: red, green, blue of 16 bits each
KEPT_TABLES = 8  # of 256 KiB at most; servers of one school have one or two formats


class Layout(Protocol):
    """How one pixel is written where: `size` bytes each."""

    size: int
    maxima: tuple[int, int, int]

    def word(self, data: Buffer) -> int:
        """One pixel as the screen's number."""

    def words(self, data: Buffer) -> Words:
        """The pixels in `data`, one after the other."""

    def put(self, data: Buffer, area: Pixels) -> None:
        """Put the pixels in `data` into `area` (rows × columns × 4), which they fill."""

    def parts(self, data: Buffer) -> Parts:
        """The pixels in `data` as N × 3."""

    def joined(self, parts: Parts) -> Words:
        """The other way round: one number for each N."""


class _Plain:
    """What most layouts do alike."""

    size = 4
    maxima = (255, 255, 255)

    def words(self, data: Buffer) -> Words:
        raise NotImplementedError

    def word(self, data: Buffer) -> int:
        return int(self.words(data)[0])

    def put(self, data: Buffer, area: Pixels) -> None:
        words_of(area)[:] = self.words(data).reshape(area.shape[:2])

    def parts(self, data: Buffer) -> Parts:
        return np.stack([self.words(data) >> shift & 255 for shift in (0, 8, 16)], 1).astype(
            np.int32
        )

    def joined(self, parts: Parts) -> Words:
        return words_of_rgb(parts.astype(np.uint8).tobytes())


class RgbxLayout(_Plain):
    """What we ask for: bytes as on the screen, the fourth included."""

    def word(self, data: Buffer) -> int:
        return int.from_bytes(data, "little")

    def words(self, data: Buffer) -> Words:
        return np.frombuffer(data, "<u4")

    def put(self, data: Buffer, area: Pixels) -> None:
        area[:] = np.frombuffer(data, np.uint8).reshape(area.shape)


class RgbLayout(_Plain):
    """Three bytes, red first: TPIXEL, and CPIXEL of what we ask for."""

    size = 3

    def word(self, data: Buffer) -> int:
        return data[0] | data[1] << 8 | data[2] << 16

    def words(self, data: Buffer) -> Words:
        return words_of_rgb(bytes(data))

    def put(self, data: Buffer, area: Pixels) -> None:
        put(area, np.frombuffer(data, np.uint8).reshape(*area.shape[:2], 3))

    def parts(self, data: Buffer) -> Parts:
        return np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)


class TrueColourLayout(_Plain):
    """Any other true colour of 8, 16 or 32 bits."""

    def __init__(self, pixel_format: PixelFormat) -> None:
        self.size = pixel_format.bytes_per_pixel
        self.maxima = pixel_format.maxima
        self._shifts = pixel_format.shifts
        self._type = _number_type(pixel_format)
        self._scales = [
            _scale(maximum) << np.uint32(place)
            for maximum, place in zip(self.maxima, (0, 8, 16), strict=True)
        ]
        self._table = self._converted(np.arange(1 << 8 * self.size)) if self.size < 4 else None
        self._bytes = _byte_places(pixel_format)

    def words(self, data: Buffer) -> Words:
        if self._bytes is not None:
            pixels = np.zeros((len(data) // 4, 4), np.uint8)
            sent = np.frombuffer(data, np.uint8).reshape(-1, 4)
            for channel, place in enumerate(self._bytes):
                pixels[:, channel] = sent[:, place]
            return words_of(pixels)
        values = np.frombuffer(data, self._type)
        return self._converted(values) if self._table is None else self._table.take(values)

    def _converted(self, values: npt.NDArray[np.generic]) -> Words:
        numbers = values.astype(np.uint32)
        words = np.zeros(len(numbers), np.uint32)
        for shift, maximum, scale in zip(self._shifts, self.maxima, self._scales, strict=True):
            words |= scale.take(numbers >> np.uint32(shift) & np.uint32(maximum))
        return words

    def parts(self, data: Buffer) -> Parts:
        numbers = np.frombuffer(data, self._type).astype(np.uint32)
        return np.stack(
            [
                numbers >> np.uint32(shift) & np.uint32(maximum)
                for shift, maximum in zip(self._shifts, self.maxima, strict=True)
            ],
            1,
        ).astype(np.int32)

    def joined(self, parts: Parts) -> Words:
        words = np.zeros(len(parts), np.uint32)
        for channel, scale in enumerate(self._scales):
            words |= scale.take(parts[:, channel])
        return words


class ColourMapLayout(_Plain):
    """Numbers of colours that the server tells (RFC 6143 §7.6.2); black until it does."""

    def __init__(self, pixel_format: PixelFormat) -> None:
        self.size = pixel_format.bytes_per_pixel
        self._type = _number_type(pixel_format)
        self._table: Words = np.zeros(1 << 8 * self.size, np.uint32)

    def words(self, data: Buffer) -> Words:
        return self._table.take(np.frombuffer(data, self._type))

    def set_colours(self, first: int, data: bytes) -> None:
        """Take the colours from `first` on; those beyond the last number are never shown."""
        room = max(0, len(self._table) - first)
        colours = np.frombuffer(data, ">u2").reshape(-1, 3)[:room] >> 8
        words = words_of_rgb(colours.astype(np.uint8).tobytes())
        self._table[first : first + len(words)] = words


class CompactLayout(_Plain):
    """CPIXEL (RFC 6143 §7.7.5): three of the four bytes of `whole`; the one left out is zero."""

    size = 3

    def __init__(self, pixel_format: PixelFormat, whole: Layout) -> None:
        is_low = pixel_format.colour_bits < 1 << 24
        self._begin = 0 if is_low != pixel_format.big_endian else 1
        self._whole = whole
        self.maxima = whole.maxima

    def words(self, data: Buffer) -> Words:
        return self._whole.words(self._padded(data))

    def _padded(self, data: Buffer) -> bytes:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, self._begin : self._begin + 3] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return padded.tobytes()


def _number_type(pixel_format: PixelFormat) -> str:
    return f"{'>' if pixel_format.big_endian else '<'}u{pixel_format.bytes_per_pixel}"


def _byte_places(pixel_format: PixelFormat) -> list[int] | None:
    """Where in its four bytes each colour is, if each has a byte of its own."""
    shifts = pixel_format.shifts
    if pixel_format.maxima != (255, 255, 255) or any(shift % 8 for shift in shifts):
        return None
    if pixel_format.bytes_per_pixel != 4:
        return None
    return [3 - shift // 8 if pixel_format.big_endian else shift // 8 for shift in shifts]


def _scale(maximum: int) -> npt.NDArray[np.uint32]:
    """What each value up to `maximum` is of 255."""
    values = np.arange(maximum + 1, dtype=np.uint32)
    return (values * 255 + maximum // 2) // max(1, maximum)


_RGBX, _RGB = RgbxLayout(), RgbLayout()
_true_colour = lru_cache(maxsize=KEPT_TABLES)(TrueColourLayout)


class PixelReader:
    """The layouts of one connection: `plain` (PIXEL), `compact` (CPIXEL), `tight` (TPIXEL).

    Raises `ProtocolError` for a format that has no colours to show.
    """

    def __init__(self, pixel_format: PixelFormat) -> None:
        self.format = pixel_format
        self._map: ColourMapLayout | None = None
        self.plain: Layout = self._plain(pixel_format)
        self.compact = self.plain
        self.tight = self.plain
        if pixel_format == RGBX:
            self.compact = _RGB
        elif pixel_format.has_compact_pixels:
            self.compact = CompactLayout(pixel_format, self.plain)
        if pixel_format.has_tight_pixels:
            self.tight = _RGB

    def _plain(self, pixel_format: PixelFormat) -> Layout:
        if pixel_format == RGBX:
            return _RGBX
        if pixel_format.true_colour:
            return _true_colour(pixel_format)
        if pixel_format.bits_per_pixel > MAX_MAP_BITS:
            raise ProtocolError("a colour map for pixels of 32 bits")
        self._map = ColourMapLayout(pixel_format)
        return self._map

    def set_colours(self, first: int, data: bytes) -> bool:
        """Take entries of the colour map; whether what is on the screen may look wrong now."""
        if self._map is None:
            return False
        self._map.set_colours(first, data)
        return True
