"""Local passwords: argon2id, at most two at a time, the same time for every outcome."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from eop.errors import InvalidError, RefusedError

MIN_CHARACTERS = 8
MAX_BYTES = 1024  # argon2 would take more, at our cost
AT_ONCE = 2  # 19 MiB and a core each: more would only make everyone wait longer
WAIT_SECONDS = 5.0  # then the server is too busy for one more sign-in

# OWASP's second choice of argon2id: 19 MiB, two passes, one lane
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_turns = threading.BoundedSemaphore(AT_ONCE)

DUMMY = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "Y8QSUhhU4yD8nK2qucEqrw$EOEpFofBDb15emqRe4NIcMwgUu8ErS8quYZc/RA9PUQ"
)
"""A hash of nothing, verified for unknown names so that they take the time of known ones."""


def length_problem(password: str) -> str:
    """`short` or `long` for a password that may not be stored, else nothing."""
    if len(password) < MIN_CHARACTERS:
        return "short"
    if len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES or "\0" in password:
        return "long"
    return ""


def hashed(password: str) -> str:
    """The hash to store; raises `InvalidError` for a length that is never stored."""
    if problem := length_problem(password):
        limit = f"{MIN_CHARACTERS} characters or more"
        if problem == "long":
            limit = f"{MAX_BYTES} bytes at most, and no zero byte"
        raise InvalidError(f"a password has {limit}")
    return hash_of(password)


def hash_of(password: str) -> str:
    """The hash of a password that was checked, or whose strength is not ours to judge."""
    with _turn():
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one of the hash; without a hash, no, as slowly."""
    with _turn():
        try:
            right = _hasher.verify(stored or DUMMY, password.encode("utf-8", "surrogatepass"))
        except (Argon2Error, InvalidHashError):
            return False
    return right and stored is not None


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise RefusedError("busy", retry_after=int(WAIT_SECONDS))
    try:
        yield
    finally:
        _turns.release()


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(stored)
