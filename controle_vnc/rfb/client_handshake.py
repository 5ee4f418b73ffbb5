"""The opening of RFB towards a workstation's VNC server, up to its ServerInit."""

import struct
from collections.abc import Generator

from controle_vnc.errors import (
    AuthenticationError,
    ProtocolError,
    TurnedAwayError,
    UnsupportedError,
)
from controle_vnc.framebuffer.framebuffer import check_size
from controle_vnc.rfb.constants import (
    MAX_NAME_BYTES,
    MAX_NAME_CHARACTERS,
    MAX_REASON_BYTES,
    SecurityType,
)
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import PixelFormat
from controle_vnc.rfb.security import CHALLENGE_BYTES, vnc_response
from controle_vnc.rfb.stream import ByteStream

VERSION_BYTES = 12
SHARED = b"\x01"  # 0 would throw out everyone who is connected already
Steps = Generator[int, bytes, None]


class Handshake:
    """The steps of the opening; what is to be sent is added to `out`."""

    def __init__(self, password: bytes | None, out: bytearray) -> None:
        self._password = password
        self._out = out
        self.stage = "version"
        self.server_init: ServerInit | None = None

    def steps(self) -> Steps:
        """Run the opening; raises one of this package's errors when it cannot succeed."""
        minor = yield from self._version()
        self.stage = "security"
        chosen = yield from (self._security_3_3() if minor == 3 else self._security())
        if chosen is SecurityType.VNC_AUTHENTICATION:
            challenge = yield CHALLENGE_BYTES
            self._out += vnc_response(self._password or b"", challenge)
        if chosen is SecurityType.VNC_AUTHENTICATION or minor == 8:
            yield from self._security_result(minor)
        self.stage = "init"
        self._out += SHARED
        yield from self._server_init()
        self.stage = "done"

    def _version(self) -> Generator[int, bytes, int]:
        banner = yield VERSION_BYTES
        if not (banner.startswith(b"RFB ") and banner[7:8] == b"." and banner.endswith(b"\n")):
            raise ProtocolError("this is no VNC server")
        if not (banner[4:7].isdigit() and banner[8:11].isdigit()):
            raise ProtocolError("this is no VNC server")
        version = int(banner[4:7]), int(banner[8:11])
        if version == (0, 0):
            raise UnsupportedError("this is a repeater, not a VNC server")
        # RFC 6143 §7.1.1: unknown versions count as 3.3. Apple's 3.889 and the 4 and 5 of others
        # speak 3.8; UltraVNC's 3.4 to 3.6 speak 3.3.
        minor = 8 if version >= (3, 8) else 7 if version == (3, 7) else 3
        self._out += b"RFB 003.%03d\n" % minor
        return minor

    def _security_3_3(self) -> Generator[int, bytes, SecurityType]:
        (offered,) = struct.unpack(">I", (yield 4))
        if offered == SecurityType.INVALID:
            raise TurnedAwayError((yield from self._reason()))
        return self._choose([offered])

    def _security(self) -> Generator[int, bytes, SecurityType]:
        count = (yield 1)[0]
        if count == 0:
            raise TurnedAwayError((yield from self._reason()))
        chosen = self._choose(list((yield count)))
        self._out.append(chosen)
        return chosen

    def _choose(self, offered: list[int]) -> SecurityType:
        if self._password is not None and SecurityType.VNC_AUTHENTICATION in offered:
            return SecurityType.VNC_AUTHENTICATION
        if SecurityType.NONE in offered:
            return SecurityType.NONE
        if SecurityType.VNC_AUTHENTICATION in offered:
            raise AuthenticationError("a password is asked for and none is stored")
        raise UnsupportedError(f"security types {sorted(offered)} are not supported")

    def _security_result(self, minor: int) -> Steps:
        (result,) = struct.unpack(">I", (yield 4))
        if result == 0:
            return
        reason = (yield from self._reason()) if minor == 8 else "the password was refused"
        raise AuthenticationError(reason)

    def _reason(self) -> Generator[int, bytes, str]:
        (length,) = struct.unpack(">I", (yield 4))
        if length > MAX_REASON_BYTES:
            raise ProtocolError(f"a reason of {length} bytes")
        return printable((yield length)) or "no reason was given"

    def _server_init(self) -> Steps:
        head = yield 24
        width, height = struct.unpack(">HH", head[:4])
        check_size(width, height)
        pixel_format = PixelFormat.from_bytes(head[4:20])
        (length,) = struct.unpack(">I", head[20:])
        if length > MAX_NAME_BYTES:
            raise ProtocolError(f"a desktop name of {length} bytes")
        name = printable((yield length))
        self.server_init = ServerInit(width, height, pixel_format, name)


def printable(text: bytes) -> str:
    """Hostile bytes as one short line that can be shown and logged."""
    decoded = text.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in decoded)[:MAX_NAME_CHARACTERS].strip()


class ClientHandshake:
    """The opening alone, for a connection whose bytes are passed on afterwards.

    Feed `receive_data` and send what `data_to_send` gives until `server_init` is there; `rest`
    then holds what the server has sent after it. Raises `AuthenticationError`,
    `UnsupportedError` or `ProtocolError`; the connection is dead then.
    """

    def __init__(self, password: bytes | None) -> None:
        self._out = bytearray()
        self._handshake = Handshake(password, self._out)
        self._stream = ByteStream(self._handshake.steps())

    def receive_data(self, data: bytes) -> None:
        self._stream.feed(data)

    def data_to_send(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data

    @property
    def stage(self) -> str:
        """`version`, `security`, `init` or `done`."""
        return self._handshake.stage

    @property
    def server_init(self) -> ServerInit | None:
        return self._handshake.server_init

    @property
    def rest(self) -> bytes:
        return self._stream.rest
