"""What of a viewer's messages may reach a workstation: an allow-list, enforced here alone."""

import struct

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.client_messages import ClientMessages
from controle_vnc.rfb.constants import (
    COMPRESSION_LEVELS,
    JPEG_QUALITY_LEVELS,
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

    def feed(self, data: bytes) -> bytes:
        """The bytes that may go on to the workstation."""
        return b"".join(self._passed(message) for message in self._messages.feed(data))

    def _passed(self, message: bytes) -> bytes:
        kind = message[0]
        if kind not in self._allowed:
            return b""
        if kind == ClientMessage.SET_ENCODINGS:
            wanted = struct.unpack(f">{(len(message) - 4) // 4}i", message[4:])
            return messages.set_encodings([code for code in wanted if code in self._encodings])
        if kind == ClientMessage.SET_PIXEL_FORMAT:
            self._set_pixel_format(PixelFormat.from_bytes(message[4:]))
        self._asked |= kind in {
            ClientMessage.FRAMEBUFFER_UPDATE_REQUEST,
            ClientMessage.ENABLE_CONTINUOUS_UPDATES,
        }
        return message

    def _set_pixel_format(self, pixel_format: PixelFormat) -> None:
        # Nothing tells which of the updates on their way still have the old format.
        if self._asked and pixel_format != self.pixel_format:
            raise ProtocolError("another pixel format after the first request")
        self.pixel_format = pixel_format
