"""The gateway's door: accepts, and reads the heads of all requests at once in one thread."""

import contextlib
import logging
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from controle_vnc.gateway.leaving import FULL, TOO_LONG, Leaving
from controle_vnc.gateway.visitor import HeadTooLongError, Visitor

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0  # TLS, request and ticket together, however slowly the bytes come
POLL_SECONDS = 0.1  # how late the slow are cut
PAUSE_SECONDS = 1.0  # without a free descriptor: no accept, and no second line in the log
ACCEPTS_A_TURN = 64  # then those inside have their turn
BACKLOG = 512  # a whole school that reloads its pages waits in the kernel
WORKERS = 8  # a request takes a millisecond of them, and 3 s with a daemon that hangs

_LISTENING = select.EPOLLIN | select.EPOLLEXCLUSIVE  # of several gateways one is woken


class Door:
    """`attend` is called in a worker with each visitor whose head is there."""

    def __init__(
        self,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        most: int,
        attend: Callable[[Visitor], None],
    ) -> None:
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._listener, self._tls, self._most, self._attend = listener, tls, most, attend
        self._inside = 0  # visitors until they are closed or handed over
        self._reading: dict[int, Visitor] = {}
        self._leaving = Leaving()
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._woken, self.waker = socket.socketpair()
        """Whatever is written into `waker` wakes the door."""
        self._woken.setblocking(False)
        self.waker.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(listener, _LISTENING)
        self._poll.register(self._woken, select.EPOLLIN)
        self._accepts_again_at: float | None = None
        self._is_over = False

    def run(self) -> None:
        """Serve until `stop`; then nobody is accepted or read any more."""
        for number in range(WORKERS):
            threading.Thread(target=self._run_work, name=f"worker {number}", daemon=True).start()
        while not self._is_over:
            has_deadlines = self._reading or len(self._leaving) or self._accepts_again_at
            for handle, _ in self._poll.poll(POLL_SECONDS if has_deadlines else None):
                self._turn(handle)
            while not self._posted.empty():
                self._posted.get()()
            self._keep_time()
        for visitor in self._reading.values():
            visitor.connection.close()
        self._leaving.close()
        for _ in range(WORKERS):
            self._work.put(None)

    def close(self) -> None:
        """After `run`: free what it held."""
        self._poll.close()
        self._woken.close()
        self.waker.close()

    def stop(self) -> None:
        """End `run`: from a signal handler, with `waker` as the handle that wakes."""
        self._is_over = True

    def let_go(self) -> None:
        """A visitor's connection is closed here: there is room. From any thread."""
        self._post(self._count_out)

    def see_out(self, visitor: Visitor) -> None:
        """It has its answer: let it read that and hang up. From any thread."""
        self._post(partial(self._dismiss, visitor))

    # --- in the door's own thread

    def _turn(self, handle: int) -> None:
        if handle == self._listener.fileno():
            self._accept()
        elif handle == self._woken.fileno():
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        elif (visitor := self._reading.pop(handle, None)) is not None:
            # a socket given to the daemon would stay in epoll otherwise, even when closed here
            self._poll.unregister(handle)
            if self._tls is None:
                self._read_on(visitor)
            else:
                self._work.put(partial(self._read_on, visitor))
        else:
            self._leaving.step(handle)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_A_TURN):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.error("cannot accept: %s", error)
                self._poll.unregister(self._listener)
                self._accepts_again_at = time.monotonic() + PAUSE_SECONDS
                return
            self._let_in(connection, address)

    def _let_in(self, connection: socket.socket, address: Any) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except OSError:
                connection.close()  # it has gone already
                return
        if self._inside >= self._most:
            self._see_leave(connection, FULL)
            return
        self._inside += 1
        self._wait_for(
            Visitor(connection, address, time.monotonic() + HANDSHAKE_SECONDS), select.EPOLLIN
        )

    def _wait_for(self, visitor: Visitor, events: int) -> None:
        handle = visitor.connection.fileno()
        self._reading[handle] = visitor
        self._poll.register(handle, events)

    def _count_out(self) -> None:
        self._inside -= 1

    def _dismiss(self, visitor: Visitor) -> None:
        self._inside -= 1
        self._see_leave(visitor.connection)

    def _see_leave(self, connection: socket.socket, answer: bytes = b"") -> None:
        if self._leaving.add(connection, answer):
            self._poll.register(connection, select.EPOLLIN)

    def _keep_time(self) -> None:
        now = time.monotonic()
        for handle in [one for one, visitor in self._reading.items() if visitor.deadline <= now]:
            self._reading.pop(handle).connection.close()
            self._inside -= 1
        self._leaving.cut_the_slow()
        if self._accepts_again_at is not None and self._accepts_again_at <= now:
            self._accepts_again_at = None
            self._poll.register(self._listener, _LISTENING)

    # --- in any thread

    def _post(self, work: Callable[[], None]) -> None:
        self._posted.put(work)
        with contextlib.suppress(OSError):  # it is full, and will wake, or the door is closed
            self.waker.send(b"\0")

    def _read_on(self, visitor: Visitor) -> None:
        try:
            events = visitor.advance()
        except HeadTooLongError:
            with contextlib.suppress(OSError):
                visitor.connection.send(TOO_LONG)
            self.see_out(visitor)
        except OSError as error:
            logger.debug("%s has gone: %s", visitor.address[0], error)
            visitor.connection.close()
            self.let_go()
        else:
            if events:
                self._post(partial(self._wait_for, visitor, events))
            else:
                self._work.put(partial(self._attend, visitor))

    # --- in a worker

    def _run_work(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception:  # the worker is needed by others
                logger.exception("a connection failed")
