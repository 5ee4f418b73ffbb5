"""AES in EAX mode (Bellare, Rogaway, Wagner 2004), built of the CTR and CMAC of `cryptography`.

A tag is 16 bytes; keys have 16 or 32.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.constant_time import bytes_eq

from controle_vnc.errors import ProtocolError

TAG_BYTES = 16


class Eax:
    """One key; who uses it never gives the same nonce twice."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)
        # each of the three is a CMAC over its number as a whole block, then the text
        self._begun = [CMAC(self._algorithm) for _ in range(3)]
        for number, begun in enumerate(self._begun):
            begun.update(bytes(15) + bytes([number]))

    def _mac(self, number: int, text: bytes) -> int:
        mac = self._begun[number].copy()
        mac.update(text)
        return int.from_bytes(mac.finalize(), "big")

    def _counted(self, nonce: int, text: bytes) -> bytes:
        start = modes.CTR(nonce.to_bytes(16, "big"))
        return Cipher(self._algorithm, start).encryptor().update(text)

    def _tag(self, nonce: int, header: bytes, sealed: bytes) -> bytes:
        return (nonce ^ self._mac(1, header) ^ self._mac(2, sealed)).to_bytes(TAG_BYTES, "big")

    def seal(self, nonce: bytes, header: bytes, text: bytes) -> bytes:
        """The ciphertext, as long as `text`, and its tag."""
        start = self._mac(0, nonce)
        sealed = self._counted(start, text)
        return sealed + self._tag(start, header, sealed)

    def open(self, nonce: bytes, header: bytes, sealed: bytes) -> bytes:
        """The text of what `seal` gave; raises `ProtocolError` where anything differs."""
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        start = self._mac(0, nonce)
        if not bytes_eq(self._tag(start, header, body), tag):
            raise ProtocolError("an encrypted message was changed on its way")
        return self._counted(start, body)
