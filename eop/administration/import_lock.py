"""One import at a time: a lock of the system, which ends with the process that holds it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from controle_vnc import settings as shared_settings
from eop.errors import EopError

POLL_SECONDS = 0.05
GRACE_SECONDS = 0.5  # who only looks whether an import runs holds it for a moment


class ImportRunningError(EopError):
    """Another import is going on."""

    def __init__(self) -> None:
        super().__init__("another import is going on; try again when it is over")


def _file() -> Path:
    return shared_settings.home() / "var/lib/eop/import.lock"


@contextmanager
def only_import(wait_seconds: float = GRACE_SECONDS) -> Iterator[None]:
    """Be the only import; raises `ImportRunningError` where another does not end in time."""
    deadline = time.monotonic() + wait_seconds
    number = _open()
    try:
        while not _locked(number, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                raise ImportRunningError
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(number)


def is_held() -> bool:
    """Whether an import is going on anywhere on this machine."""
    number = _open()
    try:
        return not _locked(number, fcntl.LOCK_SH)
    finally:
        os.close(number)


def _open() -> int:
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    # to read is enough for a lock: it does not matter which user made the file
    return os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _locked(number: int, kind: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(number, kind | fcntl.LOCK_NB)
        return True
    return False
