"""ZRLE (RFC 6143 §7.7.6): tiles of 64×64 in one zlib stream a connection."""

import struct

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Words
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.inflate import Inflated, Inflater
from controle_vnc.rfb.pixels import Layout, PixelReader
from controle_vnc.rfb.stream import Steps

SIDE = 64
MAX_PALETTE = 127
INDEX_BITS = (0, 0, 1, 2, 2, *[4] * 12)  # of a pixel, by the number of colours in a packed tile
SHIFTS = {bits: np.arange(8 - bits, -1, -bits, dtype=np.uint8) for bits in (2, 4)}


class ZrleDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.compact
        self._inflater = Inflater()

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        (length,) = struct.unpack(">I", (yield 4))
        count = -(-rect.width // SIDE) * -(-rect.height // SIDE)
        # The worst tile is plain run lengths of one pixel each.
        size = self._layout.size
        limit = rect.area * (size + 1) + count * (1 + MAX_PALETTE * size)
        inflated = Inflated(self._inflater, length, limit)
        yield from _Tiles(inflated, self._layout).paint(rect, framebuffer)
        yield from inflated.finish()
        framebuffer.touch(rect)


class _Tiles:
    """Reads inflated tiles one after the other."""

    def __init__(self, inflated: Inflated, layout: Layout) -> None:
        self._inflated = inflated
        self._take = inflated.take
        self._layout = layout

    def paint(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        largest = SIDE * SIDE * (self._layout.size + 1) + 1 + MAX_PALETTE * self._layout.size
        has = self._inflated.has
        for y in range(rect.y, rect.bottom, SIDE):
            bottom = min(y + SIDE, rect.bottom)
            for x in range(rect.x, rect.right, SIDE):
                if not has(largest):
                    yield from self._inflated.need(largest)
                tile = framebuffer.words[y:bottom, x : min(x + SIDE, rect.right)]
                self._tile(tile)
                yield 0

    def _tile(self, tile: Words) -> None:
        height, width = tile.shape
        kind = self._take(1)[0]
        if kind == 0:
            tile[:] = self._colours(width * height).reshape(height, width)
        elif kind == 1:
            tile[:] = self._layout.word(self._take(self._layout.size))
        elif kind <= 16:
            palette = self._colours(kind)
            packed = self._take(packed_row(kind, width) * height)
            tile[:] = coloured(palette, unpacked(packed, kind, width, height))
        elif kind == 128:
            tile[:] = self._plain_runs(width * height).reshape(height, width)
        elif kind >= 130:
            palette = self._colours(kind - 128)
            indices = self._palette_runs(width * height)
            tile[:] = coloured(palette, indices.reshape(height, width))
        else:
            raise ProtocolError(f"tile of kind {kind}")

    def _colours(self, count: int) -> Words:
        return self._layout.words(self._take(count * self._layout.size))

    def _run_length(self) -> int:
        length = 1
        while True:
            more = self._take(1)[0]
            length += more
            if more != 255:
                return length
            if length > SIDE * SIDE:
                raise ProtocolError("a run leaves its tile")

    def _plain_runs(self, total: int) -> Words:
        colours: list[bytes] = []
        lengths: list[int] = []
        while total > 0:
            colours.append(self._take(self._layout.size))
            lengths.append(self._run_length())
            total -= lengths[-1]
        if total:
            raise ProtocolError("a run leaves its tile")
        return np.repeat(self._layout.words(b"".join(colours)), lengths)

    def _palette_runs(self, total: int) -> npt.NDArray[np.uint8]:
        indices: list[int] = []
        lengths: list[int] = []
        while total > 0:
            index = self._take(1)[0]
            indices.append(index & 127)
            lengths.append(self._run_length() if index & 128 else 1)
            total -= lengths[-1]
        if total:
            raise ProtocolError("a run leaves its tile")
        return np.repeat(np.array(indices, np.uint8), lengths)


def packed_row(colours: int, width: int) -> int:
    """The bytes of a row of palette indices, each of 1, 2 or 4 bits."""
    return -(-width * INDEX_BITS[colours] // 8)


def unpacked(packed: bytes, colours: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Palette indices of 1, 2 or 4 bits, each row padded to a byte."""
    bits = INDEX_BITS[colours]
    rows = np.frombuffer(packed, np.uint8).reshape(height, -1)
    if bits == 1:
        return np.unpackbits(rows, axis=1, count=width)
    shifts = SHIFTS[bits]
    spread = (rows[:, :, None] >> shifts) & np.uint8((1 << bits) - 1)
    return spread.reshape(height, -1)[:, :width]


def coloured(palette: Words, indices: npt.NDArray[np.uint8]) -> Words:
    """`indices` as colours of `palette`."""
    if int(indices.max()) >= len(palette):
        raise ProtocolError("a pixel names a colour outside its palette")
    return palette.take(indices)
