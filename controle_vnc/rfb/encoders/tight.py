"""Tight without memory: every rectangle resets the streams, so that any viewer can read it."""

import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import simplejpeg

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.tight import UNCOMPRESSED_BELOW
from controle_vnc.rfb.messages import rectangle

BLOCK_WIDTH, BLOCK_HEIGHT = 256, 128  # text and pictures seldom share a block of this size
RESET_ALL = 0x0F
FILL, JPEG, FILTERED = 0x80, 0x90, 0x40
COPY_FILTER, PALETTE_FILTER = 0, 1
MAX_COLOURS = 256
SAMPLE_STEP = 7  # a prime: stripes and grids do not hide between the samples
LEVEL = 1  # of zlib: the next picture matters more than the last tenth of its size
JPEG_QUALITIES = (15, 29, 41, 42, 62, 77, 79, 86, 92, 100)
"""What the ten quality levels of the protocol mean in TigerVNC and TurboVNC."""


def encode(pixels: Pixels, rect: Rect, quality: int | None) -> tuple[int, bytes]:
    """How many rectangles, and their bytes, that show `rect` of the screen `pixels`.

    `quality` is 0…9, or `None` where the viewer takes no JPEG.
    """
    blocks = [_block(pixels, block, quality) for block in _blocks(rect)]
    return len(blocks), b"".join(blocks)


def _blocks(rect: Rect) -> Iterator[Rect]:
    for y in range(rect.y, rect.bottom, BLOCK_HEIGHT):
        for x in range(rect.x, rect.right, BLOCK_WIDTH):
            yield Rect(x, y, min(BLOCK_WIDTH, rect.right - x), min(BLOCK_HEIGHT, rect.bottom - y))


def _block(pixels: Pixels, rect: Rect, quality: int | None) -> bytes:
    area = np.ascontiguousarray(pixels[rect.y : rect.bottom, rect.x : rect.right])
    values = area.view("<u4")[:, :, 0] & np.uint32(0xFFFFFF)
    head = rectangle(rect, Encoding.TIGHT)
    if (values == values[0, 0]).all():
        return head + bytes([FILL | RESET_ALL]) + area[0, 0, :3].tobytes()
    if len(np.unique(values.ravel()[::SAMPLE_STEP])) <= MAX_COLOURS:
        colours, indices = np.unique(values, return_inverse=True)
        if len(colours) <= MAX_COLOURS:
            return head + _palette(colours, indices.reshape(values.shape))
    if quality is None:
        data = area[:, :, :3].tobytes()
        return head + bytes([FILTERED | RESET_ALL, COPY_FILTER]) + _compressed(data)
    jpeg = simplejpeg.encode_jpeg(
        area, quality=JPEG_QUALITIES[quality], colorspace="RGBX", colorsubsampling="420"
    )
    return head + bytes([JPEG | RESET_ALL]) + compact_length(len(jpeg)) + jpeg


def _palette(colours: npt.NDArray[np.uint32], indices: npt.NDArray[np.intp]) -> bytes:
    table = colours.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    rows = indices.astype(np.uint8)
    data = np.packbits(rows, axis=1).tobytes() if len(colours) == 2 else rows.tobytes()
    head = bytes([FILTERED | RESET_ALL, PALETTE_FILTER, len(colours) - 1])
    return head + table + _compressed(data)


def _compressed(data: bytes) -> bytes:
    if len(data) < UNCOMPRESSED_BELOW:
        return data
    stream = zlib.compressobj(LEVEL)
    # A viewer feeds one rectangle at a time: the flush hands it every byte of this one.
    packed = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
    return compact_length(len(packed)) + packed


def compact_length(length: int) -> bytes:
    """One to three bytes: seven bits, seven bits, eight bits, low ones first."""
    if length < 1 << 7:
        return bytes([length])
    if length < 1 << 14:
        return bytes([length & 127 | 128, length >> 7])
    return bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])
