"""Tight without memory: every rectangle resets the streams, so that any viewer can read it.

Its gradient filter is not used: it serves none but photographs of viewers that take no JPEG, and
they have to work out each pixel from three others, in a script where the viewer is a page.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from controle_vnc.framebuffer.framebuffer import Pixels, words_of
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.tight import UNCOMPRESSED_BELOW
from controle_vnc.rfb.encoders.jpeg import picture
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.inflate import zlib
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat

RESET_ALL = 0x0F
FILL, JPEG, PNG, FILTERED = 0x80, 0x90, 0xA0, 0x40
COPY_FILTER, PALETTE_FILTER = 0, 1
MAX_COLOURS = 256
SAMPLE_STEP = 7  # a prime: stripes and grids do not hide between the samples
LEVEL = 1  # of zlib: the next picture matters more than the last tenth of its size
SLOTS = 1 << 16  # of a table from colour to index; 256 colours rarely share one
SLOT_SHIFT = np.uint32(16)
MULTIPLIERS = tuple(np.uint32(odd) for odd in (2654435761, 2246822519, 3266489917))
"""Odd numbers that spread colours over the slots (Knuth's, and two of xxHash)."""

Colours = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.uint8]


def encode(
    pixels: Pixels, rect: Rect, pixel_format: PixelFormat, level: int | None, png: bool = False
) -> bytes:
    """One rectangle of the screen `pixels`, for a `rect` no larger than a cell of the grid.

    `level` is that of a JPEG, 0…9, or `None` where the viewer takes none. With `png` it is
    TightPNG (rfbproto "TightPNG Encoding"), which has PNG in the place of zlib.
    """
    area = np.ascontiguousarray(pixels[rect.y : rect.bottom, rect.x : rect.right])
    head = rectangle(rect, Encoding.TIGHT_PNG if png else Encoding.TIGHT)
    return head + _data(area, pixel_format, level, png)


def _data(area: Pixels, pixel_format: PixelFormat, level: int | None, png: bool) -> bytes:
    values = words_of(area) & np.uint32(0xFFFFFF)
    others = values != values[0, 0]
    if not others.any():
        return bytes([FILL | RESET_ALL]) + _written(area[:1, :1], pixel_format)
    if (drawn := _drawn(values, others)) is not None:
        colours, rows = drawn
        return _png(rows, colours) if png else _palette(colours, pixel_format, rows)
    if level is not None and pixel_format.takes_jpeg:
        jpeg = picture(area, level)
        return bytes([JPEG | RESET_ALL]) + compact_length(len(jpeg)) + jpeg
    if png:
        return _png(area[:, :, :3])
    data = _written(area, pixel_format)
    return bytes([FILTERED | RESET_ALL, COPY_FILTER]) + _compressed(data)


def _drawn(values: Colours, others: npt.NDArray[np.bool_]) -> tuple[Colours, Indices] | None:
    """The colours of a picture of few and which of them each pixel has; else `None`.

    `others` are the pixels that differ from the first one.
    """
    second = values.ravel()[others.argmax()]
    if (others == (values == second)).all():
        return np.array([values[0, 0], second], np.uint32), others.view(np.uint8)
    colours = _few_colours(values.ravel())
    if colours is None:
        return None
    return colours, _indices(colours, values.ravel()).reshape(values.shape)


def _written(area: Pixels, pixel_format: PixelFormat) -> bytes:
    """`area` in TPIXELs: red, green, blue of 24 bits, else whole pixels of the format."""
    if pixel_format.has_tight_pixels:
        return area[..., :3].tobytes()
    return values_of(area, pixel_format).tobytes()


def _png(area: Pixels, colours: Colours | None = None) -> bytes:
    """`area` as a PNG: rows × columns × 3, or of indices where there are `colours`."""
    image = Image.fromarray(np.ascontiguousarray(area))
    if colours is not None:
        image.putpalette(_rgb(colours)[:, :3].tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=LEVEL)
    data = file.getvalue()
    return bytes([PNG | RESET_ALL]) + compact_length(len(data)) + data


def _rgb(colours: Colours) -> Pixels:
    return colours.astype("<u4").view(np.uint8).reshape(-1, 4)


def _few_colours(values: Colours) -> Colours | None:
    """The colours in `values`, sorted; `None` where a palette cannot hold them."""
    if len(_distinct(values[::SAMPLE_STEP])) > MAX_COLOURS:
        return None
    # a screen is made of runs: what begins them is a tenth of it, and all its colours
    begins = np.concatenate(([True], values[1:] != values[:-1]))
    colours = _distinct(values[begins])
    return colours if len(colours) <= MAX_COLOURS else None


def _distinct(values: Colours) -> Colours:
    """As `np.unique`, in half the time."""
    ordered = np.sort(values)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))]


def _indices(colours: Colours, values: Colours) -> Indices:
    """Where each value stands in `colours`: by a table, ten times faster than by searching."""
    numbers = np.arange(len(colours), dtype=np.uint8)
    table = np.empty(SLOTS, np.uint8)
    for multiplier in MULTIPLIERS:
        slots = colours * multiplier >> SLOT_SHIFT
        table[slots] = numbers
        if (table[slots] == numbers).all():
            return table.take((values * multiplier >> SLOT_SHIFT).astype(np.uint16))
    return np.searchsorted(colours, values).astype(np.uint8)


def _palette(colours: Colours, pixel_format: PixelFormat, indices: Indices) -> bytes:
    head = bytes([FILTERED | RESET_ALL, PALETTE_FILTER, len(colours) - 1])
    rows = np.packbits(indices, axis=1) if len(colours) == 2 else indices
    return head + _written(_rgb(colours), pixel_format) + _compressed(rows.tobytes())


def _compressed(data: bytes) -> bytes:
    if len(data) < UNCOMPRESSED_BELOW:
        return data
    stream = zlib.compressobj(LEVEL)
    # A viewer feeds one rectangle at a time: the flush hands it every byte of this one.
    packed: bytes = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
    return compact_length(len(packed)) + packed


def compact_length(length: int) -> bytes:
    """One to three bytes: seven bits, seven bits, eight bits, low ones first."""
    if length < 1 << 7:
        return bytes([length])
    if length < 1 << 14:
        return bytes([length & 127 | 128, length >> 7])
    return bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])
