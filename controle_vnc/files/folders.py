"""Into folders of people, one name after the other, each open before the next is looked at."""

import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controle_vnc.files import kernel
from controle_vnc.files.refusals import refusal, refused

if TYPE_CHECKING:
    from controle_vnc.files.homes import Owner

FOLDER_MODE = 0o700
NEW_MODE = FOLDER_MODE | stat.S_ISVTX  # of one that we made and have yet to give away
MAX_DEPTH = 8  # of folders in a document's folder: no homework is deeper
MAX_ENTRIES = 1000  # looked at in one document's folder, whatever they are
MAX_LISTED = 2 * MAX_ENTRIES  # names read of one folder: some are left out and not counted

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK | os.O_NOCTTY


def may_be_of(status: os.stat_result, uid: int, ours: int) -> bool:
    """Whether a folder may be used as that person's: it is his, root's, or we made it."""
    return stat.S_ISDIR(status.st_mode) and status.st_uid in {uid, 0, ours}


def enter(parent: int, name: bytes, owner: "Owner") -> int:
    """Open a folder; raises `FileNotFoundError`, `RequestRefusedError("not_a_folder")`."""
    try:
        folder = kernel.open_beneath(parent, name, _FOLDER)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise refusal(error) from error
    if not may_be_of(os.fstat(folder), owner.uid, os.geteuid()):
        os.close(folder)
        raise refused("not_a_folder", "a folder belongs to somebody else")
    return folder


def enter_or_make(parent: int, name: bytes, owner: "Owner") -> tuple[int, bool]:
    """Open a folder, made where it is missing, with the right owner; whether it was made."""
    made = False
    try:
        folder = enter(parent, name, owner)
    except FileNotFoundError:
        try:
            with contextlib.suppress(FileExistsError):
                is_ours = owner.uid == os.geteuid()
                os.mkdir(name, FOLDER_MODE if is_ours else NEW_MODE, dir_fd=parent)
                made = True
            folder = enter(parent, name, owner)
        except OSError as error:
            raise refusal(error) from error
    try:
        _give(folder, parent, owner)
    except OSError as error:
        os.close(folder)
        if made:
            with contextlib.suppress(OSError):
                os.rmdir(name, dir_fd=parent)
        raise refusal(error) from error
    if made:
        os.fsync(parent)
    return folder, made


def _give(folder: int, parent: int, owner: "Owner") -> None:
    """Let a folder be the person's: a new one, or one that we made when we were killed."""
    ours = os.geteuid()
    status = os.fstat(folder)
    is_new = status.st_uid == ours and status.st_mode & stat.S_ISVTX  # not just any of root's
    if ours == owner.uid or not is_new or not is_empty(folder):
        return
    keeps_group = os.fstat(parent).st_mode & stat.S_ISGID
    os.fchown(folder, owner.uid, -1 if keeps_group else owner.gid)
    os.fchmod(folder, FOLDER_MODE)


@contextmanager
def way(start: int, names: Sequence[bytes], owner: "Owner") -> Iterator[int]:
    """The folder at the end of `names`; raises `FileNotFoundError`, `RequestRefusedError`."""
    folder = os.dup(start)
    try:
        for name in names:
            deeper = enter(folder, name, owner)
            os.close(folder)
            folder = deeper
        yield folder
    finally:
        os.close(folder)


@contextmanager
def made_way(start: int, names: Sequence[bytes], owner: "Owner") -> Iterator[tuple[int, bool]]:
    """As `way`, with what is missing made; whether the last one was."""
    folder, made = os.dup(start), False
    try:
        for name in names:
            deeper, made = enter_or_make(folder, name, owner)
            os.close(folder)
            folder = deeper
        yield folder, made
    finally:
        os.close(folder)


def entries(folder: int) -> tuple[list[bytes], bool]:
    """The names in a folder, sorted, and whether there are more: `MAX_LISTED` are read."""
    found = list(itertools.islice(each_name(folder), MAX_LISTED + 1))
    return sorted(found[:MAX_LISTED]), len(found) > MAX_LISTED


def each_name(folder: int) -> Generator[bytes, None, None]:
    """The names in a folder, one after the other: whoever fills one does not fill our memory."""
    with os.scandir(folder) as listed:
        for entry in listed:
            yield os.fsencode(entry.name)


def is_empty(folder: int) -> bool:
    """Whether nothing is in a folder."""
    with contextlib.closing(each_name(folder)) as listed:
        return next(listed, None) is None


def status_of(folder: int, name: bytes) -> os.stat_result | None:
    """What a name is, itself and not where it leads; None where nothing is.

    Raises `OSError`: `EXDEV` where something is mounted, which is not asked: it may never answer.
    """
    try:
        found = kernel.open_beneath(folder, name, os.O_PATH)
    except FileNotFoundError:
        return None
    try:
        return os.fstat(found)
    finally:
        os.close(found)


def open_file(folder: int, name: bytes, *, is_look: bool = True) -> int:
    """Open a regular file for reading; its time of access stays with `is_look`.

    What it is is looked at before it is opened, so that no device and no pipe ever is.
    Raises `OSError`; `EINVAL` where it is no regular file.
    """
    found = kernel.open_beneath(folder, name, os.O_PATH)
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        path = f"/proc/self/fd/{found}"
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        if is_look:
            with contextlib.suppress(PermissionError):  # of root's, where we have no rights
                return os.open(path, flags | os.O_NOATIME)
        return os.open(path, flags)
    finally:
        os.close(found)
