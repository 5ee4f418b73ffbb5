"""Child processes that never outlive us: started in sessions of their own, found by a mark."""

import ctypes
import fcntl
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

from eop.errors import EopError

MARK = "EOP_START"  # in the environment of every process of one start; its children inherit it
MARK_BYTES = 16
PR_SET_PDEATHSIG = 1
LEFTOVER_SECONDS = 3.0  # a daemon ends orderly within this
KILLED_SECONDS = 2.0  # after SIGKILL only the kernel's own work is left
POLL_SECONDS = 0.05

_libc = ctypes.CDLL(None, use_errno=True)


class AlreadyRunningError(EopError):
    """Another supervisor holds this installation."""


def spawn(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, errors: IO[str] | None
) -> subprocess.Popen[bytes]:
    """Start a program that ends when we do, even when we are killed.

    What it prints goes to `errors`, or to our standard error: standard output is ours alone.
    """
    parent = os.getpid()

    def follow_parent() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # we ended before that was said
            os._exit(1)

    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=errors or 2,
        stderr=errors or 2,
        start_new_session=True,
        preexec_fn=follow_parent,  # noqa: PLW1509 - we have one thread
    )


def marked(mark: str) -> list[int]:
    """The processes that carry this mark, and are not ourselves."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # it ended while we looked, or is not ours
    return found


def end_marked(mark: str, seconds: float) -> list[int]:
    """End every process of a start: politely, and after `seconds` for good. Those that were."""
    found = marked(mark)
    _signal(found, signal.SIGTERM)
    if not _gone(mark, seconds):
        _signal(marked(mark), signal.SIGKILL)
        _gone(mark, KILLED_SECONDS)
    return found


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _gone(mark: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while marked(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


class Claim:
    """One installation, held by one supervisor at a time; ends what a killed one left behind."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self._path, self._tell = path, tell
        self._file: IO[str] | None = None
        self.mark = secrets.token_hex(MARK_BYTES)

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        file.seek(0)
        held = _content(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), self._path.stat()):
                raise BlockingIOError  # the one before us removed it just now
        except OSError as error:
            file.close()
            raise AlreadyRunningError(
                f"EOP runs already from {self._path.parent.parent} "
                f"(process {held.get('pid', 'unknown')}): stop it first"
            ) from error
        if isinstance(old := held.get("mark"), str) and (left := end_marked(old, LEFTOVER_SECONDS)):
            self._tell(f"ended {len(left)} processes that an earlier start left behind")
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "mark": self.mark}))
        file.flush()
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()


def _content(file: IO[str]) -> dict[str, object]:
    try:
        content = json.loads(file.read(4096) or "{}")
    except ValueError:  # killed while writing
        return {}
    return content if isinstance(content, dict) else {}
