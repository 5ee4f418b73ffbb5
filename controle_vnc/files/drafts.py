"""A file that nobody sees before it is whole: written without a name, synced, then named.

Where the file system knows no files without names, it has one that says what it is, and what is
left of it after a kill is removed when the same is asked again.
"""

import contextlib
import errno
import itertools
import os
import secrets
import stat
from types import TracebackType
from typing import TYPE_CHECKING, Self

from controle_vnc.files import folders, kernel
from controle_vnc.files.folders import status_of
from controle_vnc.files.names import beside

if TYPE_CHECKING:
    from controle_vnc.files.homes import Owner

FILE_MODE = 0o600
READ_ONLY_MODE = 0o444  # in a folder that only its owner opens
PREFIX = b".eop-"  # of names that are not final
MAX_BESIDE = 1000  # versions of one name, tried one after the other

_NO_NAMELESS = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.ENOSYS}


class Draft:
    """A file in the making, in an open folder. `mark` is what names of ours carry there."""

    def __init__(self, folder: int, owner: "Owner", mark: bytes, mode: int = FILE_MODE) -> None:
        self._folder, self._mark = folder, mark
        self._name: bytes | None = None
        self.file = self._open()
        try:
            if owner.uid != os.geteuid() or owner.gid != os.getegid():
                os.fchown(self.file, owner.uid, owner.gid)  # before it grows: the quota is theirs
            os.fchmod(self.file, mode)
        except BaseException:
            self.close()
            raise

    def _open(self) -> int:
        try:
            return os.open(
                b".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, FILE_MODE, dir_fd=self._folder
            )
        except OSError as error:
            if error.errno not in _NO_NAMELESS:
                raise
        self._name = temporary_name(self._mark)
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._name, flags, FILE_MODE, dir_fd=self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def inode(self) -> int:
        return os.fstat(self.file).st_ino

    def finish(self, accessed_ns: int, modified_ns: int) -> os.stat_result:
        """Nothing more is written: set the times, bring it to the disk; what it is then."""
        os.utime(self.file, ns=(accessed_ns, modified_ns))
        os.fsync(self.file)
        return os.fstat(self.file)

    def name(self, name: bytes) -> None:
        """Give it its name; raises `FileExistsError` where there is something of that name."""
        if self._name is not None:
            os.link(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.unlink(self._name, dir_fd=self._folder)
            self._name = None
            return
        source = f"/proc/self/fd/{self.file}".encode()
        os.link(source, name, dst_dir_fd=self._folder, follow_symlinks=True)

    def replace(self, name: bytes, old: "Seen") -> bytes | None:
        """Take the place of the file `old`; where it changed at the last moment, it stays beside.

        Gives the name that the changed one has then.
        """
        temporary = temporary_name(self._mark)
        self.name(temporary)
        if not kernel.exchange(self._folder, temporary, name):
            os.replace(temporary, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            return None
        return settle(self._folder, temporary, name, old)

    def hide(self) -> None:
        """Take its name away, with those that a kill left: it will never have another."""
        if self._name is not None:
            sweep(self._folder, self._mark)
            self._name = None

    def close(self) -> None:
        """Close it; without a name it is gone."""
        os.close(self.file)
        if self._name is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._folder)


class Seen(tuple[int, int]):
    """What tells whether a file was changed: its size, and when it was last written (ns)."""

    __slots__ = ()

    @classmethod
    def of(cls, status: os.stat_result) -> "Seen":
        return cls((status.st_size, status.st_mtime_ns))


def prefix(mark: bytes) -> bytes:
    """How names that are not final begin, for one distribution."""
    return PREFIX + mark + b"-"


def temporary_name(mark: bytes) -> bytes:
    """A name that nobody has, and that says whose it is."""
    return prefix(mark) + secrets.token_hex(8).encode()


def settle(folder: int, temporary: bytes, name: bytes, old: Seen) -> bytes | None:
    """What was swapped out of `name` goes, or stays beside where it is not `old` any more."""
    status = status_of(folder, temporary)
    if status is None or (stat.S_ISREG(status.st_mode) and Seen.of(status) == old):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        return None
    for number in range(2, MAX_BESIDE):
        kept = beside(name, number)
        with contextlib.suppress(FileExistsError):
            kernel.rename_new(folder, temporary, kept)
            return kept
    return temporary


def sweep(folder: int, mark: bytes) -> None:
    """Remove them; what was about to get its name must be settled before."""
    for name in left_behind(folder, mark):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # a folder is not ours
            os.unlink(name, dir_fd=folder)


def left_behind(folder: int, mark: bytes) -> list[bytes]:
    """Names of ours that are not final: somebody was killed before they were."""
    with contextlib.closing(folders.each_name(folder)) as listed:
        ours = (name for name in listed if name.startswith(prefix(mark)))
        return list(itertools.islice(ours, folders.MAX_LISTED))
