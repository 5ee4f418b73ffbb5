"""WebSocket frames (RFC 6455) as a server reads and writes them, in linear time. Pure."""

import struct
from dataclasses import dataclass

MAX_FRAME_BYTES = 1024 * 1024  # of a browser; ours send some KiB (pasted text at the most)
MAX_CONTROL_BYTES = 125  # RFC 6455, 5.5

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NORMAL, PROTOCOL_BROKEN, NOT_BINARY, TOO_BIG = 1000, 1002, 1003, 1009


class FrameError(Exception):
    """The browser broke the protocol; `code` is what the close frame tells it."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Piece:
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

    def feed(self, data: bytes | bytearray | memoryview) -> list[Piece]:
        """The pieces that `data` completes; raises `FrameError`."""
        pieces: list[Piece] = []
        view, at = memoryview(data), 0
        while at < len(view):
            if self._left:
                chunk = view[at : at + self._left]
                pieces.append(Piece(BINARY, self._unmasked(chunk)))
                self._left -= len(chunk)
                at += len(chunk)
                continue
            wanted = self._header_size() - len(self._header)
            self._header += view[at : at + wanted]
            at += wanted
            if len(self._header) == 2:
                self._check_first()
            if len(self._header) >= self._header_size():
                pieces += self._begin()
        return pieces

    def _header_size(self) -> int:
        """How many bytes the header has, as far as it is known."""
        if len(self._header) < 2:
            return 2
        short = self._header[1] & 0x7F
        size = 2 + {126: 2, 127: 8}.get(short, 0) + 4
        if self._header[0] & 0x08:
            size += min(short, MAX_CONTROL_BYTES)
        return size

    def _check_first(self) -> None:
        if self._header[0] & 0x70 or not self._header[1] & 0x80:
            raise FrameError(PROTOCOL_BROKEN, "a reserved bit is set or the mask is missing")

    def _begin(self) -> list[Piece]:
        header, self._header = bytes(self._header), bytearray()
        kind, final = header[0] & 0x0F, bool(header[0] & 0x80)
        if kind & 0x08:
            return [self._control(kind, final, header)]
        self._check_order(kind, final)
        short = header[1] & 0x7F
        if short == 127:
            (self._left,) = struct.unpack_from(">Q", header, 2)
        elif short == 126:
            (self._left,) = struct.unpack_from(">H", header, 2)
        else:
            self._left = short
        if self._left > MAX_FRAME_BYTES:
            raise FrameError(TOO_BIG, f"a frame has more than {MAX_FRAME_BYTES} bytes")
        self._mask = header[-4:]
        return []

    def _check_order(self, kind: int, final: bool) -> None:
        if kind == TEXT:
            raise FrameError(NOT_BINARY, "only binary messages are understood")
        if kind not in (CONTINUATION, BINARY) or (kind == CONTINUATION) != self._unfinished:
            raise FrameError(PROTOCOL_BROKEN, "a frame is unknown or out of order")
        self._unfinished = not final

    def _control(self, kind: int, final: bool, header: bytes) -> Piece:
        length = header[1] & 0x7F
        if kind not in (CLOSE, PING, PONG) or not final or length > MAX_CONTROL_BYTES:
            raise FrameError(PROTOCOL_BROKEN, "a control frame is unknown, cut or too long")
        self._mask = header[2:6]
        return Piece(kind, self._unmasked(memoryview(header)[6 : 6 + length]))

    def _unmasked(self, chunk: memoryview) -> bytes:
        size = len(chunk)
        mask = (self._mask * (size // 4 + 1))[:size]
        turn = size % 4
        self._mask = self._mask[turn:] + self._mask[:turn]
        plain = int.from_bytes(chunk, "little") ^ int.from_bytes(mask, "little")
        return plain.to_bytes(size, "little")


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
