"""System calls that Python has not: openat2, renameat2, clones of files."""

import ctypes
import errno
import fcntl
import os
import struct

_SYS_OPENAT2 = 437  # the same on every architecture
_SYS_RENAMEAT2 = {"x86_64": 316, "aarch64": 276, "riscv64": 276}.get(os.uname().machine)
_RESOLVE_NO_XDEV, _RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 1, 2, 4, 8
_RESOLVE = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_FICLONE = 0x40049409
_NOT_THERE = {errno.ENOSYS, errno.EPERM, errno.E2BIG}  # an old kernel; a filter of system calls
_NO_CLONE = {
    errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM,
    errno.EBADF, errno.ETXTBSY, errno.EISDIR,
}  # fmt: skip
COPY_BYTES = 8 * 1024 * 1024  # at once: between two of them a signal is heard

_libc = ctypes.CDLL(None, use_errno=True)


def open_beneath(folder: int, name: bytes, flags: int) -> int:
    """Open one name in a folder: no link is followed, no mount entered. Raises `OSError`."""
    if name in {b"", b".", b".."} or b"/" in name or b"\0" in name:
        raise OSError(errno.EINVAL, "not one name in a folder")
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    how = struct.pack("=QQQ", flags, 0, _RESOLVE)
    found = _libc.syscall(_SYS_OPENAT2, folder, name, how, len(how))
    if found >= 0:
        return int(found)
    number = ctypes.get_errno()
    if number in _NOT_THERE:
        return os.open(name, flags, dir_fd=folder)  # one component: O_NOFOLLOW says the same
    raise OSError(number, os.strerror(number))


def exchange(folder: int, one: bytes, other: bytes) -> bool:
    """Swap two names of a folder in one step; False where the file system cannot."""
    return _rename(folder, one, other, _RENAME_EXCHANGE)


def rename_new(folder: int, one: bytes, other: bytes) -> None:
    """Rename within a folder where `other` is free; raises `FileExistsError`, `OSError`."""
    if not _rename(folder, one, other, _RENAME_NOREPLACE):
        os.link(one, other, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        os.unlink(one, dir_fd=folder)


def _rename(folder: int, one: bytes, other: bytes, how: int) -> bool:
    if _SYS_RENAMEAT2 is None:
        return False
    if _libc.syscall(_SYS_RENAMEAT2, folder, one, folder, other, how) == 0:
        return True
    number = ctypes.get_errno()
    if number in {errno.ENOSYS, errno.EINVAL, errno.EPERM}:
        return False
    raise OSError(number, os.strerror(number))


def copy(source: int, target: int, size: int) -> int:
    """Copy `size` bytes from the beginning; how many there were. Shares blocks where it can.

    The space is allocated first, so that a full disk or quota is known before. Raises `OSError`.
    """
    if size == 0:
        return 0
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno not in _NO_CLONE:
            raise
    else:
        os.ftruncate(target, min(size, os.fstat(target).st_size))
        return os.fstat(target).st_size
    os.posix_fallocate(target, 0, size)
    copied = _copy_range(source, target, size)
    os.ftruncate(target, copied)
    return copied


def _copy_range(source: int, target: int, size: int) -> int:
    copied = 0
    while copied < size:
        count = min(COPY_BYTES, size - copied)
        try:
            part = os.copy_file_range(source, target, count, copied, copied)
        except OSError as error:
            if error.errno not in _NO_CLONE:
                raise
            part = _copy_part(source, target, min(count, 1024 * 1024), copied)
        if part == 0:
            break
        copied += part
    return copied


def _copy_part(source: int, target: int, count: int, offset: int) -> int:
    data = os.pread(source, count, offset)
    view = memoryview(data)
    while view:
        written = os.pwrite(target, view, offset + len(data) - len(view))
        view = view[written:]
    return len(data)
