"""RA2 and its kin: RSA keys for who is who, AES-EAX for what is said (rfbproto, "RSA-AES").

The plain names use SHA-1 and AES of 128 bits, those with 256 SHA-256 and AES of 256 bits; "ne"
encrypts the password alone.
"""

import functools
import secrets
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.constant_time import bytes_eq

from controle_vnc.errors import (
    AuthenticationError,
    ProtocolError,
    UnconfirmedServerError,
    UntrustedServerError,
)
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.layer import Layer
from controle_vnc.rfb.security_types.choice import prove
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.rfb.security_types.eax import TAG_BYTES, Eax
from controle_vnc.rfb.stream import Steps

MIN_KEY_BITS = 1024  # what TigerVNC, noVNC and neatvnc take, too …
MIN_NEW_KEY_BITS = 2048  # one that is to be confirmed with one press, and to last for years
MAX_KEY_BITS = 8192  # … both ways: a key costs its square
MAX_EXPONENT_BITS = 64  # everybody has 65537; a long one would cost seconds of our time
OWN_KEY_BITS = 2048
MAX_MESSAGE_BYTES = 8192  # that we send; TigerVNC reads no larger ones
USER_AND_PASSWORD, PASSWORD_ONLY = 1, 2
_PADDING = padding.PKCS1v15()


@dataclass(frozen=True)
class _Strength:
    digest: type[hashes.HashAlgorithm]
    key_bytes: int  # of the session's keys and of the random numbers

    def hash(self, *parts: bytes) -> bytes:
        digest = hashes.Hash(self.digest())
        for part in parts:
            digest.update(part)
        return digest.finalize()

    def key(self, *randoms: bytes) -> bytes:
        return self.hash(*randoms)[: self.key_bytes]


_128 = _Strength(hashes.SHA1, 16)
_256 = _Strength(hashes.SHA256, 32)


def _strength(kind: SecurityType) -> _Strength:
    return _256 if kind in (SecurityType.RA2_256, SecurityType.RA2NE_256) else _128


def encrypts_all(kind: SecurityType) -> bool:
    """Whether what follows the sign-in is encrypted, too."""
    return kind in (SecurityType.RA2, SecurityType.RA2_256)


@dataclass(frozen=True)
class PublicKey:
    """A key and the bytes it travelled as, which are what is pinned and hashed."""

    wire: bytes
    key: rsa.RSAPublicKey

    def encrypt(self, random: bytes) -> bytes:
        sealed = self.key.encrypt(random, _PADDING)
        return struct.pack(">H", len(sealed)) + sealed


def public_key(private: rsa.RSAPrivateKey) -> PublicKey:
    """The public half of a key of ours, as it is sent."""
    numbers, size = private.public_key().public_numbers(), (private.key_size + 7) // 8
    wire = struct.pack(">I", private.key_size) + numbers.n.to_bytes(size, "big")
    return PublicKey(wire + numbers.e.to_bytes(size, "big"), private.public_key())


@functools.cache
def own_key() -> rsa.RSAPrivateKey:
    """The key we show to servers: one for as long as the process lives, for it costs 0.1 s.

    Whoever connects has it made in a thread before.
    """
    return rsa.generate_private_key(65537, OWN_KEY_BITS)


def read_public_key() -> Generator[int, bytes, PublicKey]:
    """The other side's key; raises `ProtocolError` for one that is out of bounds or none."""
    head = yield 4
    (bits,) = struct.unpack(">I", head)
    if not MIN_KEY_BITS <= bits <= MAX_KEY_BITS:
        raise ProtocolError(f"an RSA key of {bits} bits")
    size = (bits + 7) // 8
    body = yield 2 * size
    n, e = int.from_bytes(body[:size], "big"), int.from_bytes(body[size:], "big")
    if n.bit_length() < MIN_KEY_BITS or not n & 1 or e.bit_length() > MAX_EXPONENT_BITS:
        raise ProtocolError("what was sent as an RSA key is none")
    try:
        key = rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError as error:
        raise ProtocolError("what was sent as an RSA key is none") from error
    return PublicKey(head + body, key)


def _read_random(private: rsa.RSAPrivateKey, size: int) -> Generator[int, bytes, bytes]:
    (length,) = struct.unpack(">H", (yield 2))
    if length != (private.key_size + 7) // 8:
        raise ProtocolError(f"an encrypted number of {length} bytes")
    sealed = yield length
    try:
        random = private.decrypt(sealed, _PADDING)
    except ValueError:
        random = b""
    # a wrong one is told by the hash that follows: nobody learns what was wrong with the padding
    return random if len(random) == size else secrets.token_bytes(size)


class Talk:
    """One direction: every message has its length before it and a number of its own."""

    def __init__(self, key: bytes) -> None:
        self._eax = Eax(key)
        self._count = 0

    def _nonce(self) -> bytes:
        nonce = self._count.to_bytes(16, "little")
        self._count += 1
        return nonce

    def seal(self, text: bytes) -> bytes:
        """`text`, of at most 65535 bytes, as a message."""
        head = struct.pack(">H", len(text))
        return head + self._eax.seal(self._nonce(), head, text)

    def open(self, head: bytes, sealed: bytes) -> bytes:
        """The text of a message; raises `ProtocolError`."""
        return self._eax.open(self._nonce(), head, sealed)

    def read(self, sizes: range) -> Generator[int, bytes, bytes]:
        """The next message, whose size has to be one of `sizes`."""
        head = yield 2
        (size,) = struct.unpack(">H", head)
        if size not in sizes:
            raise ProtocolError(f"an encrypted message of {size} bytes")
        return self.open(head, (yield size + TAG_BYTES))


class EaxLayer:
    """All that follows, as such messages."""

    is_over = False  # it has no word for the end

    def __init__(self, theirs: Talk, ours: Talk) -> None:
        self._theirs = theirs
        self._ours = ours
        self._buffer = bytearray()

    def open(self, data: bytes) -> bytes:
        self._buffer += data
        parts, at, end = [], 0, len(self._buffer)
        while at + 2 <= end:
            head = bytes(self._buffer[at : at + 2])
            (size,) = struct.unpack(">H", head)
            if size == 0:
                raise ProtocolError("an encrypted message of 0 bytes")
            if (after := at + 2 + size + TAG_BYTES) > end:
                break
            parts.append(self._theirs.open(head, bytes(self._buffer[at + 2 : after])))
            at = after
        del self._buffer[:at]
        return b"".join(parts)

    def seal(self, data: bytes) -> bytes:
        return b"".join(
            self._ours.seal(data[at : at + MAX_MESSAGE_BYTES])
            for at in range(0, len(data), MAX_MESSAGE_BYTES)
        )


def client(
    kind: SecurityType,
    out: bytearray,
    credentials: Credentials,
    private: rsa.RSAPrivateKey | None = None,
) -> Generator[int, bytes, tuple[str, Layer | None]]:
    """Our side of a sign-in: the fingerprint of the server, and the layer that follows.

    Raises as `prove` does, before the server is told anything.
    """
    strength, private = _strength(kind), private or own_key()
    server, own = (yield from read_public_key()), public_key(private)
    if server.wire == own.wire:
        raise ProtocolError("the server shows our own key")  # what we say would come back as proof
    try:
        shown = prove(kind, server.wire, credentials)
    except UnconfirmedServerError as error:
        if server.key.key_size >= MIN_NEW_KEY_BITS:
            raise
        raise UntrustedServerError(
            f"{error}; its key has {server.key.key_size} bits only: write it by hand"
        ) from error
    random = secrets.token_bytes(strength.key_bytes)
    out += own.wire + server.encrypt(random)
    theirs = yield from _read_random(private, strength.key_bytes)
    ours, heard = Talk(strength.key(theirs, random)), Talk(strength.key(random, theirs))
    out += ours.seal(strength.hash(own.wire, server.wire))
    yield from _read_hash(heard, strength.hash(server.wire, own.wire))
    subtype = (yield from heard.read(range(1, 2)))[0]
    out += ours.seal(_credentials(subtype, credentials))
    return shown, EaxLayer(heard, ours) if encrypts_all(kind) else None


def _read_hash(heard: Talk, expected: bytes) -> Steps:
    size = len(expected)
    if not bytes_eq((yield from heard.read(range(size, size + 1))), expected):
        raise ProtocolError("somebody has changed the keys on their way")


def _credentials(subtype: int, credentials: Credentials) -> bytes:
    if subtype not in (USER_AND_PASSWORD, PASSWORD_ONLY):
        raise ProtocolError(f"credentials of type {subtype}")
    user = b""
    if subtype == USER_AND_PASSWORD:
        if credentials.user is None:
            raise AuthenticationError("a user name is asked for and none is stored")
        user = credentials.user
    password = credentials.password or b""
    return bytes([len(user)]) + user + bytes([len(password)]) + password


def server(
    kind: SecurityType,
    out: bytearray,
    private: rsa.RSAPrivateKey,
    wants_user: bool,
    check: Callable[[bytes, bytes], bool],
) -> Generator[int, bytes, tuple[bool, Layer | None]]:
    """The other side: whether `check` took user name and password, and the layer that follows."""
    strength, own = _strength(kind), public_key(private)
    out += own.wire
    viewer = yield from read_public_key()
    random = secrets.token_bytes(strength.key_bytes)
    out += viewer.encrypt(random)
    theirs = yield from _read_random(private, strength.key_bytes)
    ours, heard = Talk(strength.key(theirs, random)), Talk(strength.key(random, theirs))
    out += ours.seal(strength.hash(own.wire, viewer.wire))
    yield from _read_hash(heard, strength.hash(viewer.wire, own.wire))
    out += ours.seal(bytes([USER_AND_PASSWORD if wants_user else PASSWORD_ONLY]))
    user, password = _split((yield from heard.read(range(2, 2 + 2 * 255 + 1))))
    layer = EaxLayer(heard, ours) if encrypts_all(kind) else None
    return check(user, password), layer


def _split(text: bytes) -> tuple[bytes, bytes]:
    user, rest = text[1 : 1 + text[0]], text[1 + text[0] :]
    if not rest or len(rest) != 1 + rest[0]:
        raise ProtocolError("credentials whose lengths do not fit")
    return user, rest[1:]
