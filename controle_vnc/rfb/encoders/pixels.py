"""Pixels as a viewer wants them written: bits, byte order, colour map (RFC 6143 §7.4, §7.7.5)."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from controle_vnc.framebuffer.framebuffer import Pixels, words_of
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat

Values = npt.NDArray[Any]
"""One number a pixel, in the width and the byte order of a viewer's format."""

COLOUR_CUBE = PixelFormat(8, 8, False, True, (7, 7, 3), (0, 3, 6))
"""What a viewer with a colour map gets: eight reds, eight greens, four blues."""

_RGB = np.uint32(0xFFFFFF)


def values_of(pixels: Pixels, pixel_format: PixelFormat) -> Values:
    """`pixels` (rows × columns × 4 bytes) as numbers of `pixel_format`, rows × columns."""
    kind = np.dtype(f"u{pixel_format.bytes_per_pixel}")
    ordered = kind.newbyteorder(">" if pixel_format.big_endian else "<")
    if not pixel_format.true_colour:
        pixel_format = COLOUR_CUBE
    if (pixel_format.maxima, pixel_format.shifts) == (RGBX.maxima, RGBX.shifts):
        return (words_of(np.ascontiguousarray(pixels)) & _RGB).astype(ordered, copy=False)
    red, green, blue = _tables(pixel_format.maxima, pixel_format.shifts, kind.str)
    values = red.take(pixels[..., 0])
    values |= green.take(pixels[..., 1])
    values |= blue.take(pixels[..., 2])
    return values.astype(ordered, copy=False)


@lru_cache(maxsize=64)
def _tables(
    maxima: tuple[int, int, int], shifts: tuple[int, int, int], kind: str
) -> tuple[Values, Values, Values]:
    """What each of the 256 reds, greens and blues adds to a pixel."""
    levels = np.arange(256, dtype=np.uint32)
    red, green, blue = (
        ((levels * maximum + 127) // 255 << np.uint32(shift)).astype(kind)
        for maximum, shift in zip(maxima, shifts, strict=True)
    )
    return red, green, blue


def compact(values: Values, pixel_format: PixelFormat) -> Pixels:
    """`values` as CPIXELs (RFC 6143 §7.7.5): pixels × three bytes or a whole pixel."""
    size = values.dtype.itemsize
    data = np.ascontiguousarray(values).view(np.uint8).reshape(-1, size)
    if pixel_format.compact_bytes == size:
        return data
    is_low = pixel_format.colour_bits < 1 << 24
    return data[:, :3] if is_low != pixel_format.big_endian else data[:, 1:]


def colour_map() -> list[tuple[int, int, int]]:
    """The entries of `COLOUR_CUBE`, 16 bits a colour, by their numbers."""
    (red, green, blue), (_, green_at, blue_at) = COLOUR_CUBE.maxima, COLOUR_CUBE.shifts
    return [
        (
            (number & red) * 65535 // red,
            (number >> green_at & green) * 65535 // green,
            (number >> blue_at & blue) * 65535 // blue,
        )
        for number in range(256)
    ]
