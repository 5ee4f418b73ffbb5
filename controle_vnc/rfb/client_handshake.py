"""The opening of RFB towards a workstation's VNC server, up to its ServerInit."""

import functools
import struct
from collections.abc import Callable, Collection, Generator

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
from controle_vnc.rfb.layer import Wrapping
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import PixelFormat
from controle_vnc.rfb.security import CHALLENGE_BYTES, vnc_response
from controle_vnc.rfb.security_types import ra2, vencrypt
from controle_vnc.rfb.security_types.choice import (
    ANONYMOUS,
    PLAIN,
    RA2,
    SUBTYPES,
    VNC,
    X509,
    complaint,
    prove,
    usable,
)
from controle_vnc.rfb.security_types.credentials import Credentials, credentials_of
from controle_vnc.rfb.stream import ByteStream, Steps

VERSION_BYTES = 12
SHARED = b"\x01"  # 0 would throw out everyone who is connected already


class Handshake:
    """The steps of the opening; what is to be sent is added to `out`, and taken from `wrapping`.

    `among`: only these security types, the strongest of them. When it failed and `next_kinds` is
    not empty, the server may take one of those on a new connection.
    """

    def __init__(
        self,
        credentials: Credentials | bytes | None,
        out: bytearray,
        among: frozenset[SecurityType] | None = None,
    ) -> None:
        self._credentials = credentials_of(credentials)
        self._out = out
        self._among = among
        self.wrapping = Wrapping(out)
        self.stage = "version"
        self.next_kinds: frozenset[SecurityType] = frozenset()
        self.shown: str | None = None
        """By what the server can be known again: its certificate's or its key's fingerprint."""
        self.server_init: ServerInit | None = None

    def steps(self) -> Steps:
        """Run the opening; raises one of this package's errors when it cannot succeed."""
        minor = yield from self._version()
        self.stage = "security"
        kind = yield from (self._security_3_3() if minor == 3 else self._security())
        yield from self._sign_in(kind)
        if kind is not SecurityType.NONE or minor == 8:
            yield from self._security_result(minor, kind)
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
        if offered not in (SecurityType.NONE, SecurityType.VNC_AUTHENTICATION):
            raise UnsupportedError(f"security type {offered} is not supported in RFB 3.3")
        return self._choose([offered])

    def _security(self) -> Generator[int, bytes, SecurityType]:
        count = (yield 1)[0]
        if count == 0:
            raise TurnedAwayError((yield from self._reason()))
        offered = list((yield count))
        has_more = SecurityType.VENCRYPT in offered
        kind = self._choose(offered, SUBTYPES if has_more else ())
        if kind not in SUBTYPES:
            self._out.append(kind)
            return kind
        self._out.append(SecurityType.VENCRYPT)
        self.next_kinds -= SUBTYPES  # which of them it has is not known yet
        subtypes = yield from vencrypt.read_subtypes(self._out)
        kind = self._choose(offered, [one for one in subtypes if one in SUBTYPES])
        if kind not in SUBTYPES:
            self.next_kinds |= {kind}
            raise UnsupportedError(f"security types {sorted(subtypes)} are not the best of all")
        yield from vencrypt.choose(self._out, kind)
        return kind

    def _choose(self, offered: list[int], subtypes: Collection[int] = ()) -> SecurityType:
        """The strongest type that we can use; the others are kept for another connection."""
        known = {*(one for one in offered if one not in SUBTYPES), *subtypes}
        if self._among is not None:
            known &= self._among
        kinds = usable(known, self._credentials)
        if not kinds:
            known_kinds = [*offered, *subtypes]
            if self._among is not None:
                raise UnsupportedError(f"security types {sorted(known_kinds)} are not those before")
            raise complaint(known_kinds, self._credentials)
        self.next_kinds = frozenset(kinds[1:])
        return kinds[0]

    # --- each type's own part

    def _sign_in(self, kind: SecurityType) -> Steps:
        credentials = self._credentials
        if kind in RA2:
            self.shown, layer = yield from ra2.client(kind, self._out, credentials)
            if layer is not None:
                self.wrapping.wrap(layer)
        if kind in X509 | ANONYMOUS and credentials.tls is not None:
            approve = functools.partial(self._approve, kind)
            self.wrapping.wrap(credentials.tls(kind in ANONYMOUS, approve))
        if kind in PLAIN:
            self._out += vencrypt.plain(credentials.user or b"", credentials.password or b"")
        if kind in VNC:
            challenge = yield CHALLENGE_BYTES
            self._out += vnc_response(credentials.password or b"", challenge)

    def _approve(self, kind: SecurityType, certificate: bytes) -> None:
        self.shown = prove(kind, certificate, self._credentials)

    def _security_result(self, minor: int, kind: SecurityType) -> Steps:
        (result,) = struct.unpack(">I", (yield 4))
        if result == 0:
            return
        # the same question again: a second answer would count twice
        if kind in RA2:
            self.next_kinds -= RA2 | VNC | PLAIN  # it is one password
        for family in (VNC, PLAIN):
            if kind in family:
                self.next_kinds -= family
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

    Feed `receive_data` and send what `data_to_send` gives until `server_init` is there and nothing
    `is_behind`; `rest` then holds what the server has sent after it, and everything later goes
    through `wrapping`. Raises `AuthenticationError`, `UnsupportedError`, `UntrustedServerError`,
    `ProtocolError` or `HungUpError`; the connection is dead then: see `Handshake.next_kinds`.
    """

    def __init__(
        self,
        credentials: Credentials | bytes | None,
        among: frozenset[SecurityType] | None = None,
    ) -> None:
        self._handshake = Handshake(credentials, bytearray(), among)
        self._stream = ByteStream(self._handshake.steps(), self._handshake.wrapping)

    def receive_data(self, data: bytes, must_rest: Callable[[], bool]) -> None:
        """Take `data`, to its end or until a step after which we `must_rest`: see `is_behind`."""
        self._stream.feed(data, must_rest)

    @property
    def is_behind(self) -> bool:
        """Not all that was received is worked off, `rest` included; `receive_data(b"")` goes on."""
        return self._stream.can_go_on or self.wrapping.can_go_on

    def data_to_send(self) -> bytes:
        return self._handshake.wrapping.take()

    @property
    def stage(self) -> str:
        """`version`, `security`, `init` or `done`."""
        return self._handshake.stage

    @property
    def next_kinds(self) -> frozenset[SecurityType]:
        return self._handshake.next_kinds

    @property
    def shown(self) -> str | None:
        """The fingerprint of what the server has shown."""
        return self._handshake.shown

    @property
    def wrapping(self) -> Wrapping:
        return self._handshake.wrapping

    @property
    def server_init(self) -> ServerInit | None:
        return self._handshake.server_init

    @property
    def rest(self) -> bytes:
        return self._stream.rest
