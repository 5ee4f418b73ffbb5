"""Tight without memory: every rectangle resets the streams, so that any viewer can read it."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import simplejpeg

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.tight import UNCOMPRESSED_BELOW
from controle_vnc.rfb.inflate import zlib
from controle_vnc.rfb.messages import rectangle

BLOCK_WIDTH, BLOCK_HEIGHT = 256, 128  # text and pictures seldom share a block of this size
RESET_ALL = 0x0F
FILL, JPEG, FILTERED = 0x80, 0x90, 0x40
COPY_FILTER, PALETTE_FILTER = 0, 1
MAX_COLOURS = 256
SAMPLE_STEP = 7  # a prime: stripes and grids do not hide between the samples
LEVEL = 1  # of zlib: the next picture matters more than the last tenth of its size
JPEG_QUALITIES = (15, 29, 41, 42, 62, 77, 79, 86, 92, 100)
"""What the ten quality levels of the protocol mean in TigerVNC and TurboVNC …"""
SUBSAMPLINGS = ("420", "420", "420", "422", "422", "422", "444", "444", "444", "444")
"""… and how much colour goes with them: from level 6 up, red on blue can be read."""

SLOTS = 1 << 16  # of a table from colour to index; 256 colours rarely share one
SLOT_SHIFT = np.uint32(16)
MULTIPLIERS = tuple(np.uint32(odd) for odd in (2654435761, 2246822519, 3266489917))
"""Odd numbers that spread colours over the slots (Knuth's, and two of xxHash)."""

Colours = npt.NDArray[np.uint32]


def encode(pixels: Pixels, rect: Rect, quality: int | None) -> tuple[int, bytes]:
    """How many rectangles, and their bytes, that show `rect` of the screen `pixels`.

    `quality` is 0…9, or `None` where the viewer takes no JPEG.
    """
    blocks = [encode_block(pixels, block, quality) for block in _blocks(rect)]
    return len(blocks), b"".join(blocks)


def _blocks(rect: Rect) -> Iterator[Rect]:
    for y in range(rect.y, rect.bottom, BLOCK_HEIGHT):
        for x in range(rect.x, rect.right, BLOCK_WIDTH):
            yield Rect(x, y, min(BLOCK_WIDTH, rect.right - x), min(BLOCK_HEIGHT, rect.bottom - y))


def encode_block(pixels: Pixels, rect: Rect, quality: int | None) -> bytes:
    """The same in one rectangle, for a `rect` no larger than a block."""
    area = np.ascontiguousarray(pixels[rect.y : rect.bottom, rect.x : rect.right])
    values = area.view("<u4")[:, :, 0] & np.uint32(0xFFFFFF)
    head = rectangle(rect, Encoding.TIGHT)
    others = values != values[0, 0]
    if not others.any():
        return head + bytes([FILL | RESET_ALL]) + area[0, 0, :3].tobytes()
    second = values.ravel()[others.argmax()]
    if (others == (values == second)).all():
        rows = np.packbits(others, axis=1).tobytes()
        return head + _palette(np.array([values[0, 0], second], np.uint32), rows)
    colours = _few_colours(values.ravel())
    if colours is not None:
        return head + _palette(colours, _indices(colours, values.ravel()).tobytes())
    if quality is None:
        data = area[:, :, :3].tobytes()
        return head + bytes([FILTERED | RESET_ALL, COPY_FILTER]) + _compressed(data)
    jpeg = simplejpeg.encode_jpeg(
        area,
        quality=JPEG_QUALITIES[quality],
        colorspace="RGBX",
        colorsubsampling=SUBSAMPLINGS[quality],
    )
    return head + bytes([JPEG | RESET_ALL]) + compact_length(len(jpeg)) + jpeg


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


def _indices(colours: Colours, values: Colours) -> npt.NDArray[np.uint8]:
    """Where each value stands in `colours`: by a table, ten times faster than by searching."""
    numbers = np.arange(len(colours), dtype=np.uint8)
    table = np.empty(SLOTS, np.uint8)
    for multiplier in MULTIPLIERS:
        slots = colours * multiplier >> SLOT_SHIFT
        table[slots] = numbers
        if (table[slots] == numbers).all():
            return table.take((values * multiplier >> SLOT_SHIFT).astype(np.uint16))
    return np.searchsorted(colours, values).astype(np.uint8)


def _palette(colours: Colours, rows: bytes) -> bytes:
    table = colours.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    head = bytes([FILTERED | RESET_ALL, PALETTE_FILTER, len(colours) - 1])
    return head + table + _compressed(rows)


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
