"""The private unix socket: ours, or one that systemd opened."""

import contextlib
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

FIRST_PASSED = 3  # SD_LISTEN_FDS_START
BACKLOG = 128  # who waits there has `client.ANSWER_SECONDS`; the site has fewer threads
FOLDER_MODE, SOCKET_MODE = 0o750, 0o660


class CannotListenError(Exception):
    """The socket cannot be had; the text says why and what to do."""


def is_passed(environ: Mapping[str, str]) -> bool:
    """Whether systemd started us with sockets."""
    return environ.get("LISTEN_PID") == str(os.getpid())


def passed(environ: Mapping[str, str]) -> socket.socket:
    """The socket of systemd; raises `CannotListenError`."""
    if environ.get("LISTEN_FDS") != "1":
        raise CannotListenError("systemd must pass one socket: see eop-pam.socket")
    try:
        listener = socket.socket(fileno=FIRST_PASSED)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CannotListenError(f"what was passed is no socket: {error}") from error
    if listener.family != socket.AF_UNIX or listener.type != socket.SOCK_STREAM or not listening:
        raise CannotListenError("what was passed is no listening unix stream socket")
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def listen(path: Path, group: int) -> socket.socket:
    """Listen at `path`, for root and `group` alone; raises `CannotListenError`, `OSError`."""
    _prepare_folder(path.parent, group)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
        os.chown(path, 0, group)
        path.chmod(SOCKET_MODE)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener


def _prepare_folder(folder: Path, group: int) -> None:
    """Make the folder, or see that nobody but root may put something else in our place."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        os.chown(folder, 0, group)
        folder.chmod(FOLDER_MODE)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise CannotListenError(
            f"{folder} must be a folder of root's, writable by nobody else; "
            f"run: chown root {folder}; chmod 750 {folder}"
        )


def _remove_stale(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListenError(f"{path} is no socket; remove it")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
            except BlockingIOError:  # its backlog is full
                pass
        raise CannotListenError(f"another eop-pam listens at {path}; stop it first")


def remove(path: Path, listener: socket.socket) -> None:
    """Close, and remove our socket from its folder."""
    listener.close()
    path.unlink(missing_ok=True)
