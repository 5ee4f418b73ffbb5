"""The opening of RFB towards a viewer, as if we were the VNC server (RFC 6143 §7.1–7.3)."""

import secrets
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.constant_time import bytes_eq

from controle_vnc.errors import AuthenticationError, ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.layer import Layer, Wrapping
from controle_vnc.rfb.messages import MAX_REFUSAL_BYTES, ServerInit
from controle_vnc.rfb.security import CHALLENGE_BYTES, vnc_response
from controle_vnc.rfb.security_types import ra2, vencrypt
from controle_vnc.rfb.security_types.choice import (
    ANONYMOUS,
    PLAIN,
    RA2,
    STRONGEST_FIRST,
    SUBTYPES,
    VNC,
    X509,
)
from controle_vnc.rfb.stream import ByteStream, Steps

VERSION = b"RFB 003.008\n"
WRONG = "the user name or the password is wrong"


@dataclass(frozen=True)
class Lock:
    """What a viewer has to prove, and by which security types it may.

    `password` is for VNC authentication; for Plain and RA2 `check` says whether user name and
    password are right, else `password` alone counts there, too. RA2 needs `rsa_key`, TLS needs
    `tls`, which makes a layer, anonymous or not.
    """

    kinds: frozenset[SecurityType] = frozenset({SecurityType.NONE})
    password: bytes | None = field(default=None, repr=False)
    check: Callable[[bytes, bytes], bool] | None = None
    rsa_key: rsa.RSAPrivateKey | None = field(default=None, repr=False)
    tls: Callable[[bool], Layer] | None = None

    def __post_init__(self) -> None:
        kinds = self.kinds
        if not kinds or not kinds <= set(STRONGEST_FIRST):
            raise ValueError("no security type that a viewer can take")
        if kinds & VNC and self.password is None:
            raise ValueError("VNC authentication needs a password")
        if kinds & (PLAIN | RA2) and self.password is None and self.check is None:
            raise ValueError("Plain and RA2 need a password or a check")
        if (kinds & RA2 and self.rsa_key is None) or (kinds & (X509 | ANONYMOUS) and not self.tls):
            raise ValueError("RA2 needs a key, TLS needs what makes it")

    def takes(self, user: bytes, password: bytes) -> bool:
        if self.check is not None:
            return self.check(user, password)
        return self.password is not None and bytes_eq(password, self.password)

    @property
    def subtypes(self) -> list[SecurityType]:
        """Those of VeNCrypt, the strongest first."""
        return [kind for kind in STRONGEST_FIRST if kind in self.kinds & SUBTYPES]

    @property
    def types(self) -> list[SecurityType]:
        """What the list of RFB 3.7 and later says, the strongest first."""
        plain = [kind for kind in STRONGEST_FIRST if kind in self.kinds - SUBTYPES]
        return ([SecurityType.VENCRYPT] if self.subtypes else []) + plain


OPEN = Lock()


class ServerHandshake:
    """Lets a viewer in that proves what `lock` asks for, or tells a refusal in its place.

    When `greeted` is true the viewer waits: call `offer` or `refuse`. When `done` is true it
    waits for `open`. `rest` is what it has sent after its ClientInit; everything later, both
    ways, goes through `wrapping`.
    """

    def __init__(self, lock: Lock = OPEN) -> None:
        self.greeted = False
        self.done = False
        self.kind: SecurityType | None = None
        """By which security type the viewer came in."""
        self._lock = lock
        self._minor = 8
        self._challenge = secrets.token_bytes(CHALLENGE_BYTES)
        self._out = bytearray(VERSION)
        self.wrapping = Wrapping(self._out)
        self._stream = ByteStream(self._steps(), self.wrapping)

    def receive_data(self, data: bytes) -> None:
        """Raises `ProtocolError` for what is no viewer, `AuthenticationError` for a wrong one.

        Either way there may still be something to be sent before the connection is closed.
        """
        self._stream.feed(data)

    def data_to_send(self) -> bytes:
        return self.wrapping.take()

    def offer(self) -> None:
        """Ask the viewer to prove itself, or let it in: the security types of the lock."""
        if self._minor != 3:
            self._out += bytes([len(self._lock.types), *self._lock.types])
            return
        kind = self._kind_3_3
        self._out += struct.pack(">I", kind or 0)
        if kind is None:
            reason = b"this server needs a viewer of RFB 3.7 or later"
            self._out += struct.pack(">I", len(reason)) + reason
        elif kind is SecurityType.VNC_AUTHENTICATION:
            self._out += self._challenge

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

    # --- the steps

    def _steps(self) -> Steps:
        banner = yield len(VERSION)
        if not (banner.startswith(b"RFB 003.") and banner[8:11].isdigit()):
            raise ProtocolError("this is no RFB viewer")
        minor = int(banner[8:11])
        self._minor = minor if minor in {7, 8} else 3
        self.greeted = True
        self.kind = kind = yield from self._chosen()
        is_right = yield from self._proven(kind)
        if kind is not SecurityType.NONE or self._minor == 8:
            self._tell(is_right)
        yield 1
        self.done = True

    @property
    def _kind_3_3(self) -> SecurityType | None:
        """RFB 3.3 knows two types, and the server chooses."""
        both = (SecurityType.VNC_AUTHENTICATION, SecurityType.NONE)
        return next((kind for kind in both if kind in self._lock.kinds), None)

    def _chosen(self) -> Generator[int, bytes, SecurityType]:
        if self._minor == 3:
            kind = self._kind_3_3
            if kind is None:
                yield 1
                raise ProtocolError("a viewer that was told that there is no way in")
            return kind
        chosen = (yield 1)[0]
        if chosen not in self._lock.types:
            raise ProtocolError(f"security type {chosen} was not offered")
        if chosen == SecurityType.VENCRYPT:
            return (yield from vencrypt.offer(self._out, self._lock.subtypes))
        return SecurityType(chosen)

    def _proven(self, kind: SecurityType) -> Generator[int, bytes, bool]:
        lock = self._lock
        if kind in RA2 and lock.rsa_key is not None:
            wants_user = lock.check is not None
            is_right, layer = yield from ra2.server(
                kind, self._out, lock.rsa_key, wants_user, lock.takes
            )
            if layer is not None:
                self.wrapping.wrap(layer)
            return is_right
        if kind in X509 | ANONYMOUS and lock.tls is not None:
            self.wrapping.wrap(lock.tls(kind in ANONYMOUS))
        if kind in PLAIN:
            return (yield from vencrypt.read_plain(lock.takes))
        if kind in VNC:
            if self._minor != 3:
                self._out += self._challenge
            expected = vnc_response(lock.password or b"", self._challenge)
            return bytes_eq((yield CHALLENGE_BYTES), expected)
        return True

    def _tell(self, is_right: bool) -> None:
        self._out += struct.pack(">I", not is_right)
        if is_right:
            return
        if self._minor == 8:
            reason = WRONG.encode()[:MAX_REFUSAL_BYTES]
            self._out += struct.pack(">I", len(reason)) + reason
        raise AuthenticationError(WRONG)
