"""Listens on the private socket, looks who asks, and answers one request a connection."""

import contextlib
import logging
import os
import select
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, body_length, pack, unpack
from controle_vnc.control.messages import MAX_MESSAGE_BYTES, FileRequest, Reply
from controle_vnc.errors import CannotListenError, ProtocolError
from controle_vnc.peer import uid_of

logger = logging.getLogger(__name__)

FIRST_PASSED = 3  # SD_LISTEN_FDS_START
BACKLOG = 64
MAX_THREADS = 8  # at once: disks are not faster with more
MAX_WAITING = 64  # connections behind those; the daemon asks at most so many
REQUEST_SECONDS = 5.0  # from the connection to the whole request: all of it is sent at once
SEND_SECONDS = 5.0
STOP_SECONDS = 2.0  # what is under way may end; what does not is done again when it is asked again
SWEEP_SECONDS = 60.0  # between two looks for uploads that were left
SOCKET_MODE = 0o660

_request = messages.decoder(FileRequest)


class Server:
    """Answers those whose user number is in `uids`; `sweep` is called about every minute."""

    def __init__(
        self,
        listener: socket.socket,
        uids: frozenset[int],
        answer: Callable[[FileRequest], Reply],
        sweep: Callable[[], object],
    ) -> None:
        self._listener, self._uids = listener, uids
        self._answer, self._sweep = answer, sweep
        self._turns = threading.BoundedSemaphore(MAX_THREADS)
        self._running: set[threading.Thread] = set()
        self._changing = threading.Lock()
        self._is_stopping = False
        self._woken, self._waking = socket.socketpair()
        for end in (self._woken, self._waking, listener):
            end.setblocking(False)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        due = time.monotonic()
        while not self._is_stopping:
            if time.monotonic() >= due:
                due = time.monotonic() + SWEEP_SECONDS
                self._tidy()
            ready, _, _ = select.select([self._woken, self._listener], [], [], SWEEP_SECONDS)
            if self._listener in ready:
                with contextlib.suppress(OSError):  # whoever connected has gone again
                    self._take(self._listener.accept()[0])
        end = time.monotonic() + STOP_SECONDS
        with self._changing:
            left = list(self._running)
        for thread in left:
            thread.join(max(0.0, end - time.monotonic()))

    def _asked_to_stop(self, *_: object) -> None:
        self._is_stopping = True

    def _tidy(self) -> None:
        try:
            self._sweep()
        except OSError:
            logger.exception("uploads that were left cannot be dropped")

    def _take(self, connection: socket.socket) -> None:
        uid = uid_of(connection)
        if uid not in self._uids or len(self._running) >= MAX_WAITING:
            logger.warning("turned away a process of uid %s", uid)
            connection.close()
            return
        thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
        with self._changing:
            self._running.add(thread)
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, self._turns:
                request = _receive(connection)
                reply = self._answer(request)
                connection.settimeout(SEND_SECONDS)
                connection.sendall(_packed(reply))
        except (OSError, ProtocolError) as error:
            logger.warning("a request was dropped: %s", error)
        finally:
            with self._changing:
                self._running.discard(threading.current_thread())


def _packed(reply: Reply) -> bytes:
    """The reply as it is sent; one that is too long is told as a failure, not as silence."""
    try:
        return pack(reply)
    except ProtocolError as error:
        logger.exception("a reply cannot be sent")
        return pack(messages.Failure(code="internal", message=str(error)))


def _receive(connection: socket.socket) -> FileRequest:
    deadline = time.monotonic() + REQUEST_SECONDS
    length = body_length(_exactly(connection, HEADER_BYTES, deadline), MAX_MESSAGE_BYTES)
    request: FileRequest = unpack(_exactly(connection, length, deadline), _request)
    return request


def _exactly(connection: socket.socket, count: int, deadline: float) -> bytes:
    data = bytearray(count)
    view, filled = memoryview(data), 0
    while filled < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request did not come in time")
        connection.settimeout(left)
        received = connection.recv_into(view[filled:])
        if not received:
            raise ProtocolError("the connection ended within a message")
        filled += received
    return bytes(data)


def is_passed(environ: Mapping[str, str]) -> bool:
    """Whether systemd started us with sockets."""
    return environ.get("LISTEN_PID") == str(os.getpid())


def passed(environ: Mapping[str, str]) -> socket.socket:
    """The socket of systemd; raises `CannotListenError`."""
    if environ.get("LISTEN_FDS") != "1":
        raise CannotListenError("systemd must pass one socket: see controle-vnc-files.socket")
    try:
        listener = socket.socket(fileno=FIRST_PASSED)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CannotListenError(f"what was passed is no socket: {error}") from error
    if listener.family != socket.AF_UNIX or listener.type != socket.SOCK_STREAM or not listening:
        raise CannotListenError("what was passed is no listening unix stream socket")
    listener.set_inheritable(False)
    return listener


def listen(path: Path, group: int) -> socket.socket:
    """Listen at `path`, for us and `group` alone; raises `CannotListenError`."""
    try:
        _prepare_folder(path.parent, group)
        _remove_stale(path)
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(str(path))  # nobody connects before `listen`
            if group != os.getegid():
                os.chown(path, -1, group)
            path.chmod(SOCKET_MODE)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise CannotListenError(f"cannot listen on {path}: {error}") from error
    return listener


def _prepare_folder(folder: Path, group: int) -> None:
    """Make the folder, or see that nobody else may put something in our place."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if group != os.getegid():
            os.chown(folder, -1, group)
            folder.chmod(0o750)
    status = folder.lstat()
    if (
        not stat.S_ISDIR(status.st_mode)
        or status.st_uid not in {0, os.geteuid()}
        or status.st_mode & 0o022
    ):
        raise CannotListenError(
            f"{folder} must be a folder of ours, writable by nobody else; run: chmod 750 {folder}"
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
        raise CannotListenError(f"another controle-vnc-files listens at {path}; stop it first")
