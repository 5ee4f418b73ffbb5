"""VNC authentication: a challenge of 16 bytes, encrypted with the password as DES key."""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

CHALLENGE_BYTES = 16
KEY_BYTES = 8  # the protocol cuts and pads every password to this


def vnc_response(password: bytes, challenge: bytes) -> bytes:
    """What proves `password` for a `challenge` of 16 bytes (RFC 6143 §7.2.2)."""
    key = password[:KEY_BYTES].ljust(KEY_BYTES, b"\0")
    # The first implementation reversed the bits of each key byte, so everybody does.
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    # Triple DES with one key three times is DES, which libraries no longer offer alone.
    encryptor = Cipher(TripleDES(mirrored * 3), modes.ECB()).encryptor()  # noqa: S304, S305
    return encryptor.update(challenge) + encryptor.finalize()
