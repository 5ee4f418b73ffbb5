"""The tiles of TRLE and ZRLE (RFC 6143 §7.7.5 and §7.7.6): raw, one colour, a palette or runs."""

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Words
from controle_vnc.rfb.pixels import Layout
from controle_vnc.rfb.stream import Steps

RAW, SOLID, MAX_PACKED, PACKED_AGAIN = 0, 1, 16, 127
PLAIN_RUNS, PALETTE_RUNS_AGAIN, PALETTE_RUNS = 128, 129, 130
MAX_PALETTE = 127
INDEX_BITS = (0, 0, 1, 2, 2, *[4] * 12)  # of a pixel, by the number of colours in a packed tile
SHIFTS = {bits: np.arange(8 - bits, -1, -bits, dtype=np.uint8) for bits in (2, 4)}

Indices = npt.NDArray[np.uint8]


class Tiles:
    """Reads tiles one after the other; each may name the palette of an earlier one, or not."""

    def __init__(self, layout: Layout, may_name_palette: bool) -> None:
        self._layout = layout
        self._again = (PACKED_AGAIN, PALETTE_RUNS_AGAIN) if may_name_palette else ()
        self._palette: Words = np.zeros(0, np.uint32)

    def forget(self) -> None:
        """There is no earlier tile."""
        self._palette = self._palette[:0]

    def read(self, tile: Words) -> Steps:
        """Paint `tile`."""
        layout = self._layout
        kind = (yield 1)[0]
        if kind == RAW:
            tile[:] = layout.words((yield tile.size * layout.size)).reshape(tile.shape)
        elif kind == SOLID:
            tile[:] = layout.word((yield layout.size))
        elif kind == PLAIN_RUNS:
            colours, lengths = yield from _plain_runs(tile.size, layout.size)
            tile[:] = np.repeat(layout.words(colours), lengths).reshape(tile.shape)
        else:
            yield from self._with_palette(kind, tile)

    def _with_palette(self, kind: int, tile: Words) -> Steps:
        size = kind if kind <= MAX_PACKED else kind - 128 if kind >= PALETTE_RUNS else 0
        if size:
            self._palette = self._layout.words((yield size * self._layout.size))
        elif kind not in self._again:
            raise ProtocolError(f"tile of kind {kind}")
        if kind >= PALETTE_RUNS_AGAIN:
            indices = (yield from _palette_runs(tile.size)).reshape(tile.shape)
        else:
            indices = yield from self._packed(tile)
        if int(indices.max()) >= len(self._palette):
            raise ProtocolError("a pixel names a colour outside its palette")
        tile[:] = self._palette.take(indices)

    def _packed(self, tile: Words) -> Generator[int, bytes, Indices]:
        """Indices of 1, 2 or 4 bits, each row padded to a byte."""
        colours = len(self._palette)
        if not 2 <= colours <= MAX_PACKED:
            raise ProtocolError(f"a packed palette of {colours} colours")
        bits = INDEX_BITS[colours]
        height, width = tile.shape
        packed = yield -(-width * bits // 8) * height
        rows = np.frombuffer(packed, np.uint8).reshape(height, -1)
        if bits == 1:
            return np.unpackbits(rows, axis=1, count=width)
        spread = (rows[:, :, None] >> SHIFTS[bits]) & np.uint8((1 << bits) - 1)
        return spread.reshape(height, -1)[:, :width]


# A run's length is one more than the sum of bytes, the last of which is not 255. What is read for
# each run is read here and not by another generator: that would cost a third more.


def _plain_runs(total: int, size: int) -> Generator[int, bytes, tuple[bytes, list[int]]]:
    """Runs of `total` pixels: each colour of `size` bytes, and how often it comes."""
    colours: list[bytes] = []
    lengths: list[int] = []
    while total > 0:
        data = yield size + 1
        colours.append(data[:-1])
        length, last = data[-1] + 1, data[-1]
        while last == 255 and length <= total:
            last = (yield 1)[0]
            length += last
        lengths.append(length)
        total -= length
    if total:
        raise ProtocolError("a run leaves its tile")
    return b"".join(colours), lengths


def _palette_runs(total: int) -> Generator[int, bytes, Indices]:
    """Runs of `total` pixels, whose colours are those of a palette."""
    indices: list[int] = []
    lengths: list[int] = []
    while total > 0:
        index = (yield 1)[0]
        length = 1
        if index & 128:
            last = 255
            while last == 255 and length <= total:
                last = (yield 1)[0]
                length += last
        indices.append(index & 127)
        lengths.append(length)
        total -= length
    if total:
        raise ProtocolError("a run leaves its tile")
    return np.repeat(np.array(indices, np.uint8), lengths)
