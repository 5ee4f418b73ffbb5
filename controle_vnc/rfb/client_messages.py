"""Cuts what a viewer sends into whole messages (RFC 6143 §7.5 and extensions)."""

import struct

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.constants import (
    MAX_CUT_TEXT_BYTES,
    MAX_FENCE_BYTES,
    MAX_SCREENS,
    ClientMessage,
)
from controle_vnc.rfb.stream import ByteStream, Steps

MAX_ENCODINGS = 512  # noVNC names about thirty
QEMU_EXTENDED_KEY = 0
HAS_MORE_BUTTONS = 0x80  # in a PointerEvent's mask: a byte with buttons 8 to 15 follows
FIXED_BYTES: dict[int, int] = {
    ClientMessage.SET_PIXEL_FORMAT: 20,
    ClientMessage.FRAMEBUFFER_UPDATE_REQUEST: 10,
    ClientMessage.KEY_EVENT: 8,
    ClientMessage.POINTER_EVENT: 6,
    ClientMessage.ENABLE_CONTINUOUS_UPDATES: 10,
    ClientMessage.XVP: 4,
    ClientMessage.QEMU: 12,
}


class ClientMessages:
    """Gives whole messages, each as its bytes; raises `ProtocolError` for an unknown one."""

    def __init__(self) -> None:
        self.has_extended_buttons = False
        """We told the viewer that we know ExtendedMouseButtons."""
        self.has_extended_clipboard = False
        """We told the viewer what we know of the extended clipboard."""
        self._whole: list[bytes] = []
        self._stream = ByteStream(self._messages())

    def feed(self, data: bytes) -> list[bytes]:
        self._stream.feed(data)
        whole, self._whole = self._whole, []
        return whole

    def _messages(self) -> Steps:
        while True:
            head = yield 1
            kind = head[0]
            if kind in FIXED_BYTES:
                head += yield FIXED_BYTES[kind] - 1
                if kind == ClientMessage.QEMU and head[1] != QEMU_EXTENDED_KEY:
                    raise ProtocolError(f"QEMU message {head[1]}")
                if kind == ClientMessage.POINTER_EVENT:
                    head += yield int(self.has_extended_buttons and head[1] & HAS_MORE_BUTTONS > 0)
            elif kind == ClientMessage.SET_ENCODINGS:
                head += yield 3
                head += yield 4 * _limited(struct.unpack(">H", head[2:])[0], MAX_ENCODINGS)
            elif kind == ClientMessage.CLIENT_CUT_TEXT:
                head += yield 7
                head += yield _limited(self._cut_text_bytes(head[4:]), MAX_CUT_TEXT_BYTES)
            elif kind == ClientMessage.FENCE:
                head += yield 8
                head += yield _limited(head[8], MAX_FENCE_BYTES)
            elif kind == ClientMessage.SET_DESKTOP_SIZE:
                head += yield 7
                head += yield 16 * _limited(head[6], MAX_SCREENS)
            else:
                raise ProtocolError(f"message of type {kind} from a viewer")
            self._whole.append(head)

    def _cut_text_bytes(self, size: bytes) -> int:
        """A length; where the extended clipboard is known a negative one says that this is it."""
        length: int = struct.unpack(">i" if self.has_extended_clipboard else ">I", size)[0]
        return abs(length)


def _limited(count: int, limit: int) -> int:
    if count > limit:
        raise ProtocolError(f"{count} where a viewer may send {limit}")
    return count
