"""Passwords that were stolen elsewhere, looked up in a file: nothing is sent anywhere.

Two forms: lines `SHA-1 in hexadecimal[:count]` ordered by hash (as Have I Been Pwned gives them;
tens of gigabytes, searched on the disk by halves), or a plain list of words, one a line.
"""

import hashlib
import logging
import re
from pathlib import Path
from typing import BinaryIO

from eop.errors import EopError, RefusedError

MAX_LINE_BYTES = 256  # a hash with its count has about 50; of a longer word no one types all
MAX_WORDS_BYTES = 16 * 1024 * 1024  # a plain list is read whole: a million words, 30 ms
PROBES = 64  # places at which the order is checked at start
HALVINGS = 64  # of any file's size: a file that is no longer in order ends the search, too

_HASHED = re.compile(rb"([0-9A-Fa-f]{40})(:\d+)?\r?\n?")

logger = logging.getLogger(__name__)


class LeakedFileError(EopError):
    """The file is not one of the two forms; the text says why."""


class LeakedPasswords:
    """One file; each look-up opens it anew, so that it can be replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Raise `LeakedFileError` where it cannot serve."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                if not _is_hashed(file):
                    if size > MAX_WORDS_BYTES:
                        raise LeakedFileError(
                            f"a plain list has at most {MAX_WORDS_BYTES} bytes; "
                            "a longer one must be SHA-1 hashes, ordered"
                        )
                    return
                found = [_hash_after(file, size * at // PROBES) for at in range(PROBES)]
        except OSError as error:
            raise LeakedFileError(f"cannot be read ({error.strerror})") from error
        known = [one for one in found if one]
        if known != sorted(known):
            raise LeakedFileError("its hashes are not in ascending order")

    def has(self, password: str) -> bool:
        """Whether a password is in the file; raises `RefusedError("leaked_down")`."""
        try:
            with self.path.open("rb") as file:
                if _is_hashed(file):
                    return _has_hash(file, _sha1(password))
                file.seek(0)
                return _has_word(file.read(MAX_WORDS_BYTES + 1), password)
        except (OSError, LeakedFileError) as error:
            logger.error("PASSWORD_LEAKED_FILE %s: %s", self.path, error)
            raise RefusedError("leaked_down") from error


def _sha1(password: str) -> bytes:
    data = password.encode("utf-8", "surrogatepass")
    return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper().encode()


def _is_hashed(file: BinaryIO) -> bool:
    file.seek(0)
    return _HASHED.fullmatch(file.readline(MAX_LINE_BYTES)) is not None


def _hash_after(file: BinaryIO, place: int) -> bytes:
    """The hash of the first line that begins at `place` or later; nothing at the end."""
    file.seek(max(0, place - 1))
    if place and not file.readline(MAX_LINE_BYTES).endswith(b"\n") and file.read(1):
        raise LeakedFileError("a line is too long")
    line = file.readline(MAX_LINE_BYTES)
    if not line.strip():
        return b""
    match = _HASHED.fullmatch(line)
    if match is None:
        raise LeakedFileError(f"no hash in the line after byte {place}")
    return match[1].upper()


def _has_hash(file: BinaryIO, wanted: bytes) -> bool:
    low, high = 0, file.seek(0, 2)  # the line, if any, begins in low..high
    for _ in range(HALVINGS):
        if low >= high:
            break
        middle = (low + high) // 2
        found = _hash_after(file, middle)
        if found and found < wanted:
            low = middle + 1
        else:
            high = middle
    return _hash_after(file, low) == wanted


def _has_word(words: bytes, password: str) -> bool:
    wanted = password.lower()
    if "\n" in wanted or "\r" in wanted:
        return False
    listed = words.decode("utf-8", "replace").lower().replace("\r\n", "\n")
    return f"\n{wanted}\n" in f"\n{listed}\n"
