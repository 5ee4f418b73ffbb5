"""ZRLE (RFC 6143 §7.7.6): tiles of 64×64 in one zlib stream a connection."""

import struct

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Words, words_of_rgb
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import Decoding
from controle_vnc.rfb.inflate import Inflater

SIDE = 64
CPIXEL = 3
MAX_PALETTE_BYTES = 127 * CPIXEL


class ZrleDecoder:
    def __init__(self) -> None:
        self._inflater = Inflater()

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        (length,) = struct.unpack(">I", (yield 4))
        count = -(-rect.width // SIDE) * -(-rect.height // SIDE)
        # The worst tile is plain run lengths of one pixel each: four bytes a pixel.
        limit = rect.area * (CPIXEL + 1) + count * (1 + MAX_PALETTE_BYTES)
        tiles = _Tiles(bytes((yield from self._inflater.read(length, limit))))
        yield from tiles.paint(rect, framebuffer)
        framebuffer.touch(rect)


class _Tiles:
    """Reads inflated tiles one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def paint(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        for y in range(rect.y, rect.bottom, SIDE):
            bottom = min(y + SIDE, rect.bottom)
            for x in range(rect.x, rect.right, SIDE):
                tile = framebuffer.words[y:bottom, x : min(x + SIDE, rect.right)]
                self._tile(tile)
                yield 0
        if self._at != len(self._data):
            raise ProtocolError("bytes are left after the last tile")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError("the last tile is cut off")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _tile(self, tile: Words) -> None:
        height, width = tile.shape
        kind = self._take(1)[0]
        if kind == 0:
            tile[:] = self._colours(width * height).reshape(height, width)
        elif kind == 1:
            tile[:] = self._colours(1)[0]
        elif kind <= 16:
            palette = self._colours(kind)
            tile[:] = _coloured(palette, self._packed(kind, width, height))
        elif kind == 128:
            tile[:] = self._plain_runs(width * height).reshape(height, width)
        elif kind >= 130:
            palette = self._colours(kind - 128)
            indices = self._palette_runs(width * height)
            tile[:] = _coloured(palette, indices.reshape(height, width))
        else:
            raise ProtocolError(f"tile of kind {kind}")

    def _colours(self, count: int) -> Words:
        return words_of_rgb(self._take(count * CPIXEL))

    def _packed(self, colours: int, width: int, height: int) -> npt.NDArray[np.uint8]:
        """Palette indices of 1, 2 or 4 bits, each row padded to a byte."""
        bits = 1 if colours == 2 else 2 if colours <= 4 else 4
        row_bytes = -(-width * bits // 8)
        rows = np.frombuffer(self._take(row_bytes * height), np.uint8).reshape(height, row_bytes)
        shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        spread = (rows[:, :, None] >> shifts) & np.uint8((1 << bits) - 1)
        return spread.reshape(height, -1)[:, :width]

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
            colours.append(self._take(CPIXEL))
            lengths.append(self._run_length())
            total -= lengths[-1]
        if total:
            raise ProtocolError("a run leaves its tile")
        return np.repeat(words_of_rgb(b"".join(colours)), lengths)

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


def _coloured(palette: Words, indices: npt.NDArray[np.uint8]) -> Words:
    if int(indices.max()) >= len(palette):
        raise ProtocolError("a pixel names a colour outside its palette")
    return palette.take(indices)
