"""What of a viewer's messages may reach a workstation: an allow-list, enforced here alone."""

import struct

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.client_messages import ClientMessages
from controle_vnc.rfb.constants import (
    COMPRESSION_LEVELS,
    JPEG_QUALITY_LEVELS,
    MAX_HELD_KEYS,
    ClientMessage,
    Encoding,
)
from controle_vnc.rfb.pixel_format import PixelFormat

VIEW = {
    ClientMessage.SET_PIXEL_FORMAT,
    ClientMessage.SET_ENCODINGS,
    ClientMessage.FRAMEBUFFER_UPDATE_REQUEST,
    ClientMessage.ENABLE_CONTINUOUS_UPDATES,
    ClientMessage.FENCE,
}
CONTROL = {
    ClientMessage.KEY_EVENT,
    ClientMessage.POINTER_EVENT,
    ClientMessage.CLIENT_CUT_TEXT,
    ClientMessage.SET_DESKTOP_SIZE,
    ClientMessage.QEMU,
}
ASKING = {ClientMessage.FRAMEBUFFER_UPDATE_REQUEST, ClientMessage.ENABLE_CONTINUOUS_UPDATES}
VIEW_ENCODINGS = {
    Encoding.RAW,
    Encoding.COPY_RECT,
    Encoding.RRE,
    Encoding.HEXTILE,
    Encoding.ZLIB,
    Encoding.TIGHT,
    Encoding.ZRLE,
    Encoding.DESKTOP_SIZE,
    Encoding.LAST_RECT,
    Encoding.DESKTOP_NAME,
    Encoding.EXTENDED_DESKTOP_SIZE,
    Encoding.FENCE,
    Encoding.CONTINUOUS_UPDATES,
    *JPEG_QUALITY_LEVELS,
    *COMPRESSION_LEVELS,
}
"""Those whose messages `ServerMessageFilter` can walk. Without Cursor the server draws the
student's pointer into the picture, which is what someone who only looks wants to see."""
CONTROL_ENCODINGS = VIEW_ENCODINGS | {
    Encoding.CURSOR,
    Encoding.QEMU_EXTENDED_KEY_EVENT,
    Encoding.QEMU_LED_STATE,
}


class ClientMessageFilter:
    """Passes whole messages on or drops them; an unknown one raises `ProtocolError`."""

    def __init__(self, control: bool, clipboard: bool) -> None:
        self.pixel_format: PixelFormat | None = None
        self._allowed = VIEW | CONTROL if control else set(VIEW)
        if not clipboard:
            self._allowed.discard(ClientMessage.CLIENT_CUT_TEXT)
        self._encodings = CONTROL_ENCODINGS if control else VIEW_ENCODINGS
        self._messages = ClientMessages()
        self._asked = False
        self._held: dict[int, bytes] = {}
        self._pointer: bytes | None = None

    def feed(self, data: bytes) -> bytes:
        """The bytes that may go on to the workstation."""
        return b"".join(self._passed(message) for message in self._messages.feed(data))

    def releases(self) -> bytes:
        """What lets go of every key and button that the viewer has left pressed."""
        released = b"".join(self._held.values()) + (self._pointer or b"")
        self._held.clear()
        self._pointer = None
        return released

    def _passed(self, message: bytes) -> bytes:
        kind = message[0]
        if kind not in self._allowed or not self._remember(kind, message):
            return b""
        if kind == ClientMessage.SET_ENCODINGS:
            wanted = struct.unpack(f">{(len(message) - 4) // 4}i", message[4:])
            return messages.set_encodings([code for code in wanted if code in self._encodings])
        if kind == ClientMessage.SET_PIXEL_FORMAT:
            self._set_pixel_format(PixelFormat.from_bytes(message[4:]))
        self._asked = self._asked or kind in ASKING
        return message

    def _remember(self, kind: int, message: bytes) -> bool:
        """Keep the release of what is pressed; False where there are too many to believe it.

        A server may keep a key down for who has left.
        """
        if kind == ClientMessage.POINTER_EVENT:
            mask, x, y = struct.unpack(">BHH", message[1:])
            self._pointer = messages.pointer_event(0, x, y) if mask else None
        elif kind == ClientMessage.KEY_EVENT:
            down, keysym = struct.unpack(">BxxI", message[1:])
            return self._hold(keysym, bool(down), messages.key_event(False, keysym))
        elif kind == ClientMessage.QEMU:
            down, keysym, keycode = struct.unpack(">xHII", message[1:])
            release = message[:2] + struct.pack(">HII", 0, keysym, keycode)
            return self._hold(keysym, bool(down), release)
        return True

    def _hold(self, keysym: int, down: bool, release: bytes) -> bool:
        if not down:
            self._held.pop(keysym, None)
        elif keysym in self._held or len(self._held) < MAX_HELD_KEYS:
            self._held[keysym] = release
        else:
            return False
        return True

    def _set_pixel_format(self, pixel_format: PixelFormat) -> None:
        # Nothing tells which of the updates on their way still have the old format.
        if self._asked and pixel_format != self.pixel_format:
            raise ProtocolError("another pixel format after the first request")
        self.pixel_format = pixel_format
