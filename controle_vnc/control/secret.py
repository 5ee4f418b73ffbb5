"""What both sides derive from the shared secret: a key per purpose, proofs, message codes. Pure."""

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from controle_vnc.control.messages import VERSION
from controle_vnc.errors import AuthenticationError, ProtocolError

NONCE_BYTES = 32  # a repeat within the life of a secret is out of the question
KEY_BYTES = 32  # SHA-256's own size
MAC_BYTES = 32


def derive(secret: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """A key for `purpose` alone; the secret's own bytes are never used as a key."""
    return HKDF(SHA256(), KEY_BYTES, salt or None, b"eop " + purpose.encode()).derive(secret)


@dataclass(frozen=True)
class Greeting:
    """All that both proofs cover. `binding` is empty on a plain connection."""

    role: str
    client_nonce: bytes
    server_nonce: bytes
    binding: bytes
    version: int = VERSION

    def proof(self, secret: bytes, side: str) -> bytes:
        """The proof of `side`, "client" or "server"; the name keeps one from being the other's."""
        fields = (
            side.encode(),
            self.role.encode(),
            struct.pack(">I", self.version),
            self.client_nonce,
            self.server_nonce,
            self.binding,
        )
        text = b"".join(struct.pack(">I", len(field)) + field for field in fields)
        return hmac.digest(derive(secret, "8788 proof"), text, hashlib.sha256)

    def check(self, secret: bytes, side: str, proof: bytes) -> None:
        """Raise `AuthenticationError` where `proof` is not that of `side`."""
        if not hmac.compare_digest(self.proof(secret, side), proof):
            raise AuthenticationError(f"the secrets differ: the {side}'s proof is wrong")

    def key(self, secret: bytes, side: str) -> bytes:
        """The key of the codes of `side`'s messages, in this one connection."""
        return derive(secret, f"8788 messages of the {side}", self.client_nonce + self.server_nonce)


class Seal:
    """Adds or checks the code of each message of one direction; without a key it does nothing."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self._number = 0  # of the next message, so that none is repeated, lost or moved

    @property
    def overhead(self) -> int:
        """Bytes that `close` adds."""
        return MAC_BYTES if self._key is not None else 0

    def close(self, message: bytes) -> bytes:
        """The message with its code."""
        return message if self._key is None else message + self._code(self._key, message)

    def open(self, sealed: bytes) -> bytes:
        """The message without its code; raises `ProtocolError` where the code is wrong."""
        if self._key is None:
            return sealed
        message, code = sealed[:-MAC_BYTES], sealed[-MAC_BYTES:]
        if not hmac.compare_digest(self._code(self._key, message), code):
            raise ProtocolError("a message's code is wrong: it was changed on its way")
        return message

    def _code(self, key: bytes, message: bytes) -> bytes:
        number = struct.pack(">Q", self._number)
        self._number += 1
        return hmac.digest(key, number + message, hashlib.sha256)
