"""TRLE (RFC 6143 §7.7.5): tiles of 16×16 as in ZRLE, not compressed; palettes may be used again."""

from collections.abc import Generator

import numpy as np

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Pixels, Words, words_of
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.zrle import coloured, packed_row, unpacked
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps

SIDE = 16
RAW, SOLID, MAX_PACKED, PACKED_AGAIN = 0, 1, 16, 127
PLAIN_RUNS, PALETTE_RUNS_AGAIN, PALETTE_RUNS = 128, 129, 130


class TrleDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.compact
        self._palette: Words = np.zeros(0, np.uint32)

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        self._palette = self._palette[:0]  # there is no tile before the first
        for y in range(rect.y, rect.bottom, SIDE):
            bottom = min(y + SIDE, rect.bottom)
            for x in range(rect.x, rect.right, SIDE):
                yield from self._tile(framebuffer.pixels[y:bottom, x : min(x + SIDE, rect.right)])
        framebuffer.touch(rect)

    def _tile(self, tile: Pixels) -> Steps:
        layout, words = self._layout, words_of(tile)
        kind = (yield 1)[0]
        if kind == RAW:
            layout.put((yield words.size * layout.size), tile)
        elif kind == SOLID:
            words[:] = layout.word((yield layout.size))
        elif kind == PLAIN_RUNS:
            words[:] = (yield from self._plain_runs(words.size)).reshape(words.shape)
        else:
            yield from self._with_palette(kind, words)

    def _with_palette(self, kind: int, words: Words) -> Steps:
        size = kind if kind <= MAX_PACKED else kind - 128 if kind >= PALETTE_RUNS else 0
        if size:
            self._palette = self._layout.words((yield size * self._layout.size))
        elif kind not in (PACKED_AGAIN, PALETTE_RUNS_AGAIN):
            raise ProtocolError(f"tile of kind {kind}")
        if kind >= PALETTE_RUNS_AGAIN:
            indices = (yield from self._palette_runs(words.size)).reshape(words.shape)
        else:
            indices = yield from self._packed(words)
        words[:] = coloured(self._palette, indices)

    def _packed(self, words: Words) -> Generator[int, bytes, Pixels]:
        colours = len(self._palette)
        if not 2 <= colours <= MAX_PACKED:
            raise ProtocolError(f"a packed palette of {colours} colours")
        height, width = words.shape
        packed = yield packed_row(colours, width) * height
        return unpacked(packed, colours, width, height)

    def _plain_runs(self, total: int) -> Generator[int, bytes, Words]:
        colours: list[bytes] = []
        lengths: list[int] = []
        while total > 0:
            data = yield self._layout.size + 1
            colours.append(data[:-1])
            lengths.append((yield from _run_length(data[-1])))
            total -= lengths[-1]
        if total:
            raise ProtocolError("a run leaves its tile")
        return np.repeat(self._layout.words(b"".join(colours)), lengths)

    def _palette_runs(self, total: int) -> Generator[int, bytes, Pixels]:
        indices: list[int] = []
        lengths: list[int] = []
        while total > 0:
            index = (yield 1)[0]
            indices.append(index & 127)
            lengths.append((yield from _run_length((yield 1)[0])) if index & 128 else 1)
            total -= lengths[-1]
        if total:
            raise ProtocolError("a run leaves its tile")
        return np.repeat(np.array(indices, np.uint8), lengths)


def _run_length(first: int) -> Generator[int, bytes, int]:
    """One more than the sum of bytes, the last of which is not 255."""
    length, last = first + 1, first
    while last == 255:
        if length > SIDE * SIDE:
            raise ProtocolError("a run leaves its tile")
        last = (yield 1)[0]
        length += last
    return length
