"""VeNCrypt 0.2: a list of subtypes, then TLS, then a sign-in (rfbproto, "VeNCrypt")."""

import struct
from collections.abc import Callable, Generator

from controle_vnc.errors import AuthenticationError, ProtocolError, UnsupportedError
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.stream import Steps

VERSION = b"\0\2"
MAX_FIELD_BYTES = 1024  # of user name and of password, as TigerVNC takes them


def read_subtypes(out: bytearray) -> Generator[int, bytes, list[int]]:
    """Agree on 0.2 and learn what the server offers."""
    if (version := (yield 2)) < VERSION:
        raise UnsupportedError(f"VeNCrypt {version[0]}.{version[1]} is not supported")
    out += VERSION
    if (yield 1)[0] != 0:
        raise UnsupportedError("the server does not take VeNCrypt 0.2")
    count = (yield 1)[0]
    if count == 0:
        raise UnsupportedError("the server offers no subtype of VeNCrypt")
    return list(struct.unpack(f">{count}I", (yield 4 * count)))


def choose(out: bytearray, kind: SecurityType) -> Steps:
    """Ask for `kind`; for all but Plain the server says that it is ready for TLS."""
    out += struct.pack(">I", kind)
    if kind is not SecurityType.PLAIN and (yield 1)[0] != 1:
        raise UnsupportedError(f"the server offers security type {kind} and cannot do it")


def plain(user: bytes, password: bytes) -> bytes:
    """What the Plain subtypes say; raises `AuthenticationError` for what no server takes."""
    if max(len(user), len(password)) > MAX_FIELD_BYTES:
        raise AuthenticationError(f"the stored password has more than {MAX_FIELD_BYTES} bytes")
    return struct.pack(">II", len(user), len(password)) + user + password


# --- the server's side


def offer(out: bytearray, kinds: list[SecurityType]) -> Generator[int, bytes, SecurityType]:
    """Agree on 0.2 and learn which of `kinds` the viewer takes."""
    out += VERSION
    if (yield 2) != VERSION:
        out += b"\1"
        raise ProtocolError("a viewer of another VeNCrypt than 0.2")
    out += struct.pack(f">BB{len(kinds)}I", 0, len(kinds), *kinds)
    (chosen,) = struct.unpack(">I", (yield 4))
    if chosen not in kinds:
        out += b"\0"
        raise ProtocolError(f"security type {chosen} was not offered")
    kind = SecurityType(chosen)
    if kind is not SecurityType.PLAIN:
        out += b"\1"
    return kind


def read_plain(check: Callable[[bytes, bytes], bool]) -> Generator[int, bytes, bool]:
    """Whether `check` takes the user name and the password that come."""
    user, password = struct.unpack(">II", (yield 8))
    if max(user, password) > MAX_FIELD_BYTES:
        raise ProtocolError(f"credentials of {user} and {password} bytes")
    both = yield user + password
    return check(both[:user], both[user:])
