"""The opening of RFB towards a viewer, as if we were the VNC server (RFC 6143 §7.1–7.3)."""

import struct

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.stream import ByteStream, Parser

VERSION = b"RFB 003.008\n"


class ServerHandshake:
    """Offers security type None, or tells a refusal in its place.

    When `greeted` is true the viewer waits: call `offer` or `refuse`. When `done` is true it
    waits for `open`. `rest` is what it has sent after its ClientInit.
    """

    def __init__(self) -> None:
        self.greeted = False
        self.done = False
        self._minor = 8
        self._out = bytearray(VERSION)
        self._stream = ByteStream(self._steps())

    def receive_data(self, data: bytes) -> None:
        """Raises `ProtocolError` for what is no viewer."""
        self._stream.feed(data)

    def data_to_send(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data

    def offer(self) -> None:
        """Let the viewer in: security type None."""
        if self._minor == 3:
            self._out += struct.pack(">I", SecurityType.NONE)
        else:
            self._out += bytes([1, SecurityType.NONE])

    def refuse(self, reason: str) -> None:
        """Zero security types and the reason; close after it is sent."""
        if self._minor == 3:
            self._out += b"\0\0\0"  # the type is 32 bits wide there, zero, too
        self._out += messages.refusal(reason)

    def open(self, server_init: ServerInit) -> None:
        """Tell the viewer what it will see."""
        self._out += server_init.to_bytes()

    @property
    def rest(self) -> bytes:
        return self._stream.rest

    def _steps(self) -> Parser:
        banner = yield len(VERSION)
        if not (banner.startswith(b"RFB 003.") and banner[8:11].isdigit()):
            raise ProtocolError("this is no RFB viewer")
        minor = int(banner[8:11])
        self._minor = minor if minor in {7, 8} else 3
        self.greeted = True
        if self._minor != 3:
            chosen = (yield 1)[0]
            if chosen != SecurityType.NONE:
                raise ProtocolError(f"security type {chosen} was not offered")
            if self._minor == 8:
                self._out += bytes(4)
        yield 1
        self.done = True
