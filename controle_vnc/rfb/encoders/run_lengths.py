"""The tiles of TRLE and ZRLE (RFC 6143 §7.7.5): raw, one colour, a palette, or run lengths."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from controle_vnc.rfb.encoders.pixels import Values, compact
from controle_vnc.rfb.pixel_format import PixelFormat

RAW, SOLID, PLAIN_RUNS, PALETTE_RUNS = 0, 1, 128, 128
MAX_PACKED_COLOURS = 16
MAX_COLOURS = 127  # of a palette with run lengths
LONGEST = 255  # what one byte of a run's length can add
IS_RUN = 128  # after this colour of a palette comes a length

Bytes = npt.NDArray[np.uint8]


def tiles(values: Values, pixel_format: PixelFormat, side: int) -> Iterator[bytes]:
    """The tiles of `values` (rows × columns), left to right and top to bottom."""
    height, width = values.shape
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield _tile(values[y : y + side, x : x + side], pixel_format)


def _tile(values: Values, pixel_format: PixelFormat) -> bytes:
    """In the shortest of the five forms."""
    flat = values.ravel()
    starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    runs = flat[starts]
    pixel = pixel_format.compact_bytes
    if len(starts) == 1:
        return bytes([SOLID]) + compact(runs, pixel_format).tobytes()
    lengths = np.diff(starts, append=len(flat)) - 1
    colours = np.unique(runs)
    count = len(colours)
    extra = lengths // LONGEST + 1  # bytes of each run's length
    sizes = {"raw": flat.size * pixel, "runs": len(runs) * pixel + int(extra.sum())}
    if count <= MAX_PACKED_COLOURS:
        row_bytes = -(-values.shape[1] * _bits(count) // 8)
        sizes["packed"] = count * pixel + row_bytes * values.shape[0]
    if count <= MAX_COLOURS:
        sizes["palette"] = count * pixel + len(runs) + int(extra[lengths > 0].sum())
    form = min(sizes, key=sizes.__getitem__)
    if form == "raw":
        return bytes([RAW]) + compact(flat, pixel_format).tobytes()
    if form == "runs":
        return bytes([PLAIN_RUNS]) + _spread(compact(runs, pixel_format), lengths, extra)
    palette = compact(colours, pixel_format).tobytes()
    if form == "packed":
        indices = np.searchsorted(colours, values).astype(np.uint8)
        return bytes([count]) + palette + _packed(indices, _bits(count)).tobytes()
    indices = np.searchsorted(colours, runs).astype(np.uint8)
    indices[lengths > 0] |= IS_RUN
    extra[lengths == 0] = 0
    return bytes([PALETTE_RUNS + count]) + palette + _spread(indices[:, None], lengths, extra)


def _bits(colours: int) -> int:
    """Bits that a packed pixel takes."""
    return 1 if colours == 2 else 2 if colours <= 4 else 4


def _packed(indices: Bytes, bits: int) -> Bytes:
    """Rows × bytes, the leftmost pixel in the highest bits, each row padded to a byte."""
    if bits == 1:
        return np.packbits(indices, axis=1)
    each = 8 // bits
    rows = np.pad(indices, ((0, 0), (0, -indices.shape[1] % each)))
    rows = rows.reshape(len(rows), -1, each) << np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    joined: Bytes = np.bitwise_or.reduce(rows, axis=2)
    return joined


def _spread(heads: Bytes, lengths: npt.NDArray[np.int64], extra: npt.NDArray[np.int64]) -> bytes:
    """Each head with the bytes of its length behind it: 255 as often as it goes, then the rest."""
    ends = np.cumsum(heads.shape[1] + extra)
    data = np.full(int(ends[-1]), LONGEST, np.uint8)
    begins = ends - extra - heads.shape[1]
    for column in range(heads.shape[1]):
        data[begins + column] = heads[:, column]
    has_length = extra > 0
    data[ends[has_length] - 1] = lengths[has_length] % LONGEST
    return data.tobytes()
