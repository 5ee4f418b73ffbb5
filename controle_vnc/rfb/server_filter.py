"""What of a workstation's messages reaches a viewer: all but the clipboard, undecoded."""

import struct
from collections.abc import Callable, Generator

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import check_size
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client_filter import ClientMessageFilter
from controle_vnc.rfb.constants import (
    LAST_RECT_COUNT,
    MAX_CURSOR_SIDE,
    MAX_CUT_TEXT_BYTES,
    MAX_FENCE_BYTES,
    MAX_NAME_BYTES,
    MAX_RECTANGLES,
    MAX_SCREENS,
    Encoding,
    ServerMessage,
)
from controle_vnc.rfb.decoders import hextile, tight
from controle_vnc.rfb.inflate import check_compressed
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import PixelFormat

_RECTANGLE = struct.Struct(">HHHHi")

Walk = Generator[int, bytes | memoryview, None]
"""Yields how many bytes it must see (positive), or how many it need not see (negative)."""


class ServerMessageFilter:
    """Walks message borders and passes bytes on as they come.

    Holds back only what it has not understood yet: the head of a rectangle or of a message.
    """

    def __init__(self, server_init: ServerInit, client: ClientMessageFilter) -> None:
        self._screen = Rect(0, 0, server_init.width, server_init.height)
        self._native_format = server_init.pixel_format
        self._client = client
        self._held = b""
        self._seen = 0  # of what is held, how much the walk has had
        self._skip = 0
        self._dropping = False
        self._undecided = False  # the message at the start of what is held may have to be dropped
        self._walk = self._messages()
        self._wanted = 0
        self._go_on(None)

    @property
    def passing(self) -> int:
        """How many of the bytes to come pass without a look at them."""
        return self._skip

    def feed(self, data: bytes | memoryview) -> list[memoryview]:
        """What to send to the viewer now, as views of `data`; raises `ProtocolError`."""
        buffer = memoryview(self._held + data if self._held else data)
        at, begin = self._seen, 0
        passed: list[memoryview] = []
        start = 0  # of the message that is undecided
        while True:
            if self._skip:
                step = min(self._skip, len(buffer) - at)
                at += step
                self._skip -= step
                if self._dropping:
                    begin = at
                if self._skip:
                    break
                self._dropping = False
                self._go_on(b"")
                continue
            if len(buffer) - at < self._wanted:
                break
            block = buffer[at : at + self._wanted]
            if not self._undecided:
                start = at
            at += self._wanted
            self._go_on(block)
            if self._dropping:
                if start > begin:
                    passed.append(buffer[begin:start])
                begin = at
        end = start if self._undecided else at
        if end > begin:
            passed.append(buffer[begin:end])
        self._held = bytes(buffer[end:])
        self._seen = at - end
        return passed

    def _go_on(self, block: bytes | memoryview | None) -> None:
        asked = next(self._walk) if block is None else self._walk.send(block)
        self._wanted, self._skip = (asked, 0) if asked >= 0 else (0, -asked)

    @property
    def _format(self) -> PixelFormat:
        return self._client.pixel_format or self._native_format

    # --- the walk ------------------------------------------------------------------------

    def _messages(self) -> Walk:
        while True:
            kind = (yield 1)[0]
            if kind == ServerMessage.FRAMEBUFFER_UPDATE:
                yield from self._update()
            elif kind == ServerMessage.SERVER_CUT_TEXT:
                yield from self._cut_text()
            elif kind == ServerMessage.FENCE:
                yield -_limited((yield 8)[7], MAX_FENCE_BYTES, "fence")
            elif kind == ServerMessage.SET_COLOUR_MAP_ENTRIES:
                yield -6 * struct.unpack(">3xH", (yield 5))[0]
            elif kind not in {ServerMessage.BELL, ServerMessage.END_OF_CONTINUOUS_UPDATES}:
                raise ProtocolError(f"message of type {kind}")

    def _cut_text(self) -> Walk:
        self._undecided = True
        (length,) = struct.unpack(">3xI", (yield 7))
        _limited(length, MAX_CUT_TEXT_BYTES, "cut text")
        self._dropping, self._undecided = True, False
        yield -length
        self._dropping = False

    def _update(self) -> Walk:
        (count,) = struct.unpack(">xH", (yield 3))
        if count != LAST_RECT_COUNT:
            _limited(count, MAX_RECTANGLES, "update")
        for _ in range(min(count, MAX_RECTANGLES)):
            x, y, width, height, encoding = _RECTANGLE.unpack((yield 12))
            if encoding == Encoding.LAST_RECT:
                return
            rect = Rect(x, y, width, height)
            walker = _WALKERS.get(encoding)
            if walker is None:
                yield from self._pseudo(rect, encoding)
                continue
            if x + width > self._screen.width or y + height > self._screen.height:
                raise ProtocolError(f"{rect} leaves the screen")
            if width and height:
                yield from walker(rect, self._format)
        if count == LAST_RECT_COUNT:
            raise ProtocolError("an update without end")

    def _pseudo(self, rect: Rect, encoding: int) -> Walk:
        if encoding == Encoding.CURSOR:
            _limited(max(rect.width, rect.height), MAX_CURSOR_SIDE, "cursor")
            mask = -(-rect.width // 8) * rect.height
            yield -(rect.area * self._format.bytes_per_pixel + mask)
        elif encoding == Encoding.DESKTOP_SIZE:
            self._resize(rect)
        elif encoding == Encoding.EXTENDED_DESKTOP_SIZE:
            yield -16 * _limited((yield 4)[0], MAX_SCREENS, "screen list")
            self._resize(rect)
        elif encoding == Encoding.DESKTOP_NAME:
            (length,) = struct.unpack(">I", (yield 4))
            yield -_limited(length, MAX_NAME_BYTES, "name")
        elif encoding == Encoding.QEMU_LED_STATE:
            yield -1
        elif encoding != Encoding.QEMU_EXTENDED_KEY_EVENT:
            raise ProtocolError(f"encoding {encoding}, which was not asked for")

    def _resize(self, rect: Rect) -> None:
        check_size(rect.width, rect.height)
        self._screen = Rect(0, 0, rect.width, rect.height)


def _limited(count: int, limit: int, what: str) -> int:
    if count > limit:
        raise ProtocolError(f"a {what} of {count}")
    return count


def _raw(rect: Rect, pixel_format: PixelFormat) -> Walk:
    yield -rect.area * pixel_format.bytes_per_pixel


def _copy_rect(rect: Rect, pixel_format: PixelFormat) -> Walk:
    yield -4


def _rre(rect: Rect, pixel_format: PixelFormat) -> Walk:
    (count,) = struct.unpack(">I", (yield 4))
    _limited(count, rect.area, "list of subrectangles")
    pixel = pixel_format.bytes_per_pixel
    yield -(pixel + count * (pixel + 8))


def _hextile(rect: Rect, pixel_format: PixelFormat) -> Walk:
    pixel, side = pixel_format.bytes_per_pixel, hextile.SIDE
    for y in range(0, rect.height, side):
        for x in range(0, rect.width, side):
            kind = (yield 1)[0]
            if kind & hextile.RAW:
                yield -min(side, rect.width - x) * min(side, rect.height - y) * pixel
                continue
            colours = bool(kind & hextile.BACKGROUND) + bool(kind & hextile.FOREGROUND)
            if colours:
                yield -colours * pixel
            if kind & hextile.SUBRECTS:
                yield -(yield 1)[0] * (2 + (pixel if kind & hextile.COLOURED else 0))


def _zlib(rect: Rect, pixel_format: PixelFormat) -> Walk:
    (length,) = struct.unpack(">I", (yield 4))
    check_compressed(length, rect.area * 5)  # run lengths of one pixel each: four and one
    yield -length


def _tight(rect: Rect, pixel_format: PixelFormat) -> Walk:
    pixel = 3 if pixel_format.has_tight_pixels else pixel_format.bytes_per_pixel
    control = (yield 1)[0]
    kind = control >> 4
    if kind == tight.FILL:
        yield -pixel
    elif kind == tight.JPEG:
        length = yield from tight.compact_length()
        check_compressed(length, rect.area * pixel)
        yield -length
    elif kind < tight.FILL:
        yield from _tight_basic(control, rect, pixel)
    else:
        raise ProtocolError(f"Tight data of kind {kind}")


def _tight_basic(control: int, rect: Rect, pixel: int) -> Walk:
    row_bytes = rect.width * pixel
    if control & tight.EXPLICIT_FILTER and (yield 1)[0] == tight.PALETTE:
        size = (yield 1)[0] + 1
        yield -size * pixel
        row_bytes = -(-rect.width // 8) if size == 2 else rect.width
    total = row_bytes * rect.height
    if total < tight.UNCOMPRESSED_BELOW:
        yield -total
        return
    length = yield from tight.compact_length()
    check_compressed(length, total)
    yield -length


_WALKERS: dict[int, Callable[[Rect, PixelFormat], Walk]] = {
    Encoding.RAW: _raw,
    Encoding.COPY_RECT: _copy_rect,
    Encoding.RRE: _rre,
    Encoding.HEXTILE: _hextile,
    Encoding.ZLIB: _zlib,
    Encoding.TIGHT: _tight,
    Encoding.ZRLE: _zlib,
}
