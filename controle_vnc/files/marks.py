"""What was put where, kept outside everyone's reach: so that the same can be said again.

One small file a student and document. A file that is about to get its name is noted before
(`pending`), with its inode: after a kill in between it tells whether the name was given.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Literal

import msgspec

from controle_vnc.files.names import portable
from controle_vnc.files.refusals import refusal

STRIPES = 64  # of locks; two people who share one wait for each other

Part = Literal["placed", "notice", "collected", "returned"]


class Put(msgspec.Struct, array_like=True):
    """A file that we put somewhere: its name there, and what it was like.

    `source` is size and time (ns) of what was copied, `round` when; 0 where there is no such thing.
    """

    name: bytes
    inode: int
    size: int
    modified_ns: int
    accessed_ns: int
    is_annex: bool = False
    source_size: int = 0
    source_ns: int = 0
    round: int = 0

    @property
    def seen(self) -> tuple[int, int]:
        return (self.size, self.modified_ns)

    @property
    def source(self) -> tuple[int, int]:
        return (self.source_size, self.source_ns)


class Pending(msgspec.Struct, array_like=True):
    """What is about to get its name; `old` is what it replaces: the name's size and time."""

    part: Part
    key: bytes
    put: Put
    old: tuple[int, int] | None = None


class Mark(msgspec.Struct):
    """One document at one student. Keys are names: as asked for, or those of the sources."""

    login: str
    teacher: str
    folder: str
    owner_key: str
    at_home: bool
    made_folder: bool = False
    placed: dict[bytes, Put] = {}
    notice: dict[bytes, Put] = {}
    collected: dict[bytes, Put] = {}
    returned: dict[bytes, Put] = {}
    pending: list[Pending] = []

    def part(self, name: Part) -> dict[bytes, Put]:
        found: dict[bytes, Put] = getattr(self, name)
        return found

    @property
    def temporary(self) -> bytes:
        """What our names that are not final carry."""
        return hashlib.sha256(self.owner_key.encode()).hexdigest()[:16].encode()


class Marks:
    """The marks in a folder of ours, and the lock of each student."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks = [Lock() for _ in range(STRIPES)]

    def prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def locked(self, login: str) -> Iterator[None]:
        """Nobody else works at this student's documents meanwhile."""
        number = int.from_bytes(hashlib.sha256(login.encode()).digest()[:4])
        with self._locks[number % STRIPES]:
            yield

    def find(self, login: str, teacher: str, folder: str) -> Mark | None:
        """The mark, or None where nothing was placed; raises `OSError`, `msgspec.MsgspecError`."""
        try:
            data = self._path(login, teacher, folder).read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.msgpack.decode(data, type=Mark)

    def save(self, mark: Mark) -> None:
        """Keep it, whole or not at all; raises `RequestRefusedError`."""
        path = self._path(mark.login, mark.teacher, mark.folder)
        temporary = path.with_suffix(".new")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(msgspec.msgpack.encode(mark))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise refusal(error) from error

    def forget(self, mark: Mark) -> None:
        """Nothing of the distribution is there any more."""
        path = self._path(mark.login, mark.teacher, mark.folder)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other documents are noted there
            path.parent.rmdir()

    def _of(self, login: str) -> Path:
        return self._folder / os.fsdecode(portable(login.encode()))

    def _path(self, login: str, teacher: str, folder: str) -> Path:
        named = f"{len(teacher)} {teacher} {folder}".encode()
        return self._of(login) / f"{hashlib.sha256(named).hexdigest()[:40]}.mark"


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
