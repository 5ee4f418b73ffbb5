"""WebSocket frames (RFC 6455) as a server reads and writes them, in linear time. Pure."""

import struct
from typing import NamedTuple

import numpy as np

MAX_FRAME_BYTES = 1024 * 1024  # of a browser; ours send some KiB (pasted text at the most)
MAX_CONTROL_BYTES = 125  # RFC 6455, 5.5
SHORT_BYTES = 512  # above that numpy unmasks faster than whole numbers do

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NORMAL, PROTOCOL_BROKEN, NOT_BINARY, NOT_UTF8, TOO_BIG = 1000, 1002, 1003, 1007, 1009

_WHOLE_BINARY = 0x80 | BINARY  # the first byte of a message in one frame


class FrameError(Exception):
    """The browser broke the protocol; `code` is what the close frame tells it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Piece(NamedTuple):
    """Some bytes of a binary message, or a whole control frame."""

    kind: int  # BINARY, CLOSE, PING or PONG
    data: bytes


class FrameReader:
    """Cuts what a browser sends into pieces, holding a header at most."""

    def __init__(self) -> None:
        self._header = bytearray()  # of the next frame; a control frame's payload too
        self._mask = b""
        self._left = 0  # bytes of the running data frame that are still to come
        self._unfinished = False  # a message whose last frame has not begun
        self._is_closed = False

    def feed(self, data: bytes | bytearray | memoryview) -> list[Piece]:
        """The pieces that `data` completes, nothing after CLOSE; raises `FrameError`."""
        pieces: list[Piece] = []
        view, at = memoryview(data), 0
        while at < len(view) and not self._is_closed:
            if self._left:
                at += self._go_on(view[at : at + self._left], pieces)
            elif whole := 0 if self._header or self._unfinished else _short_message(view, at):
                pieces.append(Piece(BINARY, _unmasked(view[at + 6 : whole], view[at + 2 : at + 6])))
                at = whole
            else:
                at += self._read_header(view[at:], pieces)
        return pieces

    def _go_on(self, chunk: memoryview, pieces: list[Piece]) -> int:
        """Some more of the running data frame."""
        size = len(chunk)
        pieces.append(Piece(BINARY, _unmasked(chunk, self._mask)))
        self._left -= size
        turn = size % 4
        self._mask = self._mask[turn:] + self._mask[:turn]
        return size

    def _read_header(self, view: memoryview, pieces: list[Piece]) -> int:
        """As much of the next header as there is and is known to be one; gives its size."""
        wanted = view[: self._header_size() - len(self._header)]
        self._header += wanted
        if len(self._header) == 2:
            self._check_first()
        if len(self._header) >= self._header_size():
            self._begin(pieces)
        return len(wanted)

    def _header_size(self) -> int:
        """How many bytes the header has, as far as it is known."""
        if len(self._header) < 2:
            return 2
        short = self._header[1] & 0x7F
        size = 2 + {126: 2, 127: 8}.get(short, 0) + 4
        return size + short if self._header[0] & 0x08 else size

    def _check_first(self) -> None:
        first, second = self._header
        kind, final = first & 0x0F, bool(first & 0x80)
        if first & 0x70 or not second & 0x80:
            raise FrameError(PROTOCOL_BROKEN, "a reserved bit is set or the mask is missing")
        if kind & 0x08:
            if kind not in (CLOSE, PING, PONG) or not final or second & 0x7F > MAX_CONTROL_BYTES:
                raise FrameError(PROTOCOL_BROKEN, "a control frame is unknown, cut or too long")
            return
        if kind == TEXT:
            raise FrameError(NOT_BINARY, "only binary messages are understood")
        if kind not in (CONTINUATION, BINARY) or (kind == CONTINUATION) != self._unfinished:
            raise FrameError(PROTOCOL_BROKEN, "a frame is unknown or out of order")
        self._unfinished = not final

    def _begin(self, pieces: list[Piece]) -> None:
        header, self._header = bytes(self._header), bytearray()
        kind, short = header[0] & 0x0F, header[1] & 0x7F
        if kind & 0x08:
            data = _unmasked(memoryview(header)[6:], header[2:6])
            if kind == CLOSE:
                _check_close(data)
                self._is_closed = True
            pieces.append(Piece(kind, data))
            return
        self._left, least = short, 0
        if short == 127:
            (self._left,), least = struct.unpack_from(">Q", header, 2), 65536
        elif short == 126:
            (self._left,), least = struct.unpack_from(">H", header, 2), 126
        if self._left < least:
            raise FrameError(PROTOCOL_BROKEN, "a length is written longer than it need be")
        if self._left > MAX_FRAME_BYTES:
            raise FrameError(TOO_BIG, f"a frame has more than {MAX_FRAME_BYTES} bytes")
        self._mask = header[-4:]


def _short_message(view: memoryview, at: int) -> int:
    """Where the message at `at` ends, if it is one whole short frame: almost all of them are."""
    if len(view) - at < 6 or view[at] != _WHOLE_BINARY:
        return 0
    end = at + 6 + (view[at + 1] & 0x7F)
    return end if 0x80 <= view[at + 1] < 0x80 | 126 and end <= len(view) else 0


def _check_close(data: bytes) -> None:
    """RFC 6455, 5.5.1 and 7.4: nothing, or a code that may be sent and a reason."""
    if not data:
        return
    code = int.from_bytes(data[:2], "big")
    may_be_sent = 1000 <= code <= 1014 and code not in (1004, 1005, 1006) or 3000 <= code <= 4999
    if len(data) == 1 or not may_be_sent:
        raise FrameError(PROTOCOL_BROKEN, "a close frame without a code that may be sent")
    try:
        data[2:].decode()
    except UnicodeDecodeError as error:
        raise FrameError(NOT_UTF8, "the reason of a close frame is no text") from error


def _unmasked(chunk: memoryview, mask: bytes | memoryview) -> bytes:
    size = len(chunk)
    if size > SHORT_BYTES:
        whole = size - size % 4
        plain = np.frombuffer(chunk, np.uint32, whole // 4) ^ np.frombuffer(mask, np.uint32)
        return plain.tobytes() + _unmasked(chunk[whole:], mask)
    masks = (bytes(mask) * (size // 4 + 1))[:size]
    number = int.from_bytes(chunk, "little") ^ int.from_bytes(masks, "little")
    return number.to_bytes(size, "little")


def frame_head(kind: int, size: int) -> bytes:
    """What stands before `size` bytes of a whole frame from server to browser."""
    first = 0x80 | kind
    if size < 126:
        return struct.pack(">BB", first, size)
    if size < 65536:
        return struct.pack(">BBH", first, 126, size)
    return struct.pack(">BBQ", first, 127, size)


def frame(kind: int, data: bytes = b"") -> bytes:
    """A whole frame from server to browser."""
    return frame_head(kind, len(data)) + data


def close_frame(code: int) -> bytes:
    """The frame that ends a connection and says why."""
    return frame(CLOSE, struct.pack(">H", code))
