"""JPEG (encoding 21): one bare picture, which ends where its own markers say.

Tables that a picture leaves out are those last sent on the connection.
"""

import struct
from collections.abc import Callable, Generator

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import MAX_PICTURE_PIXELS
from controle_vnc.rfb.inflate import check_compressed
from controle_vnc.rfb.jpeg import paint_jpeg
from controle_vnc.rfb.stream import MAX_REQUEST_BYTES, Steps

MARK = 0xFF
START, END, SCAN, HUFFMAN, QUANTISATION = 0xD8, 0xD9, 0xDA, 0xC4, 0xDB
FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
RESTARTS = range(0xD0, 0xD8)
BARE = {0x01, *RESTARTS}  # markers without a length
INDICES = range(4)  # of a table

Tables = dict[tuple[int, int], bytes]
"""Whole segments with one table each, by marker and the table's own class and number."""


class JpegDecoder:
    def __init__(self) -> None:
        self._tables: Tables = {}

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        if rect.area > MAX_PICTURE_PIXELS:
            raise ProtocolError(f"a JPEG rectangle of {rect.width}×{rect.height}")
        if (yield 2) != bytes((MARK, START)):
            raise ProtocolError("this is no JPEG")
        picture = _Picture(rect, b"".join(self._tables.values()))
        yield from picture.read()
        self._tables.update(picture.tables)
        area = framebuffer.words[rect.y : rect.bottom, rect.x : rect.right]
        paint_jpeg(picture.data, rect, area)
        framebuffer.touch(rect)


class _Picture:
    """Reads what follows the start marker, up to the end marker and with it.

    `before` are tables that it may leave out; `data` is all of it as one file.
    """

    def __init__(self, rect: Rect, before: bytes) -> None:
        self._rect = rect
        self._has_frame = False
        self._size = 0
        self.data = bytearray((MARK, START)) + before
        self.tables: Tables = {}

    def read(self) -> Steps:
        kind = yield from self._marker()
        while kind != END:
            self._add(bytes((MARK, kind)))
            if kind not in BARE:
                yield from self._segment(kind)
            kind = yield from self._scan() if kind == SCAN else self._marker()
        self._add(bytes((MARK, END)))

    def _add(self, data: bytes) -> None:
        self.data += data
        self._count(len(data))

    def _count(self, size: int) -> None:
        self._size += size
        check_compressed(self._size, min(self._rect.area * 3, MAX_REQUEST_BYTES))

    def _segment(self, kind: int) -> Steps:
        head = yield 2
        (length,) = struct.unpack(">H", head)
        if length < 2:
            raise ProtocolError("a JPEG segment without room for its length")
        body = yield length - 2
        self._add(head + body)
        if kind in FRAMES:
            self._check_frame(body)
        elif kind == SCAN and not self._has_frame:
            raise ProtocolError("a JPEG scan without a frame")
        elif kind == QUANTISATION:
            self._keep(kind, body, _quantisation_bytes)
        elif kind == HUFFMAN:
            self._keep(kind, body, _huffman_bytes)

    def _check_frame(self, body: bytes) -> None:
        if self._has_frame or len(body) < 6:
            raise ProtocolError("a JPEG must have one frame")
        _, height, width, _ = struct.unpack_from(">BHHB", body)
        if (width, height) != (self._rect.width, self._rect.height):
            raise ProtocolError(f"a JPEG of {width}×{height} for {self._rect}")
        self._has_frame = True

    def _keep(self, kind: int, body: bytes, size_of: Callable[[bytes], int]) -> None:
        while body:
            size = size_of(body)
            if len(body) < size or body[0] & 15 not in INDICES or body[0] >> 4 > 1:
                raise ProtocolError("an unreadable table of a JPEG")
            table = body[:size]
            segment = struct.pack(">BBH", MARK, kind, size + 2) + table
            self.tables[kind, table[0]] = segment
            body = body[size:]

    def _scan(self) -> Generator[int, bytes, int]:
        """Read coded pixels up to the next marker, and give its kind.

        Nothing says how many bytes they are, but the end marker's two must follow them.
        """
        while True:
            pair = yield 2
            if pair[0] == MARK:
                kind, coded = pair[1], b""
            elif pair[1] == MARK:
                kind, coded = (yield 1)[0], pair[:1]
            else:
                self._add(pair)
                continue
            self._add(coded)
            kind = yield from self._unfilled(kind)
            if kind != 0 and kind not in RESTARTS:
                return kind
            self._add(bytes((MARK, kind)))

    def _marker(self) -> Generator[int, bytes, int]:
        """The kind of the marker that comes now; bytes of 0xFF may stand before it."""
        mark, kind = yield 2
        if mark != MARK:
            raise ProtocolError("a JPEG without a marker")
        return (yield from self._unfilled(kind))

    def _unfilled(self, kind: int) -> Generator[int, bytes, int]:
        while kind == MARK:
            self._count(1)
            kind = (yield 1)[0]
        return kind


def _quantisation_bytes(body: bytes) -> int:
    return 1 + (128 if body[0] >> 4 else 64)


def _huffman_bytes(body: bytes) -> int:
    return 17 + sum(body[1:17])
