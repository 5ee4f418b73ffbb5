"""Connections on their way out: told why, and read on until they have taken their answer."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus

MAX_LEAVING = 64  # that still read their answer; more are just closed
LINGER_SECONDS = 2.0
RECEIVE_BYTES = 16384
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _answer(status: HTTPStatus, text: str, **more: str) -> bytes:
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(text)),
        **SECURITY_HEADERS,
        **{name.replace("_", "-"): value for name, value in more.items()},
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


FULL = _answer(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open\n", Retry_After="5")
TOO_LONG = _answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long\n")


class Leaving:
    """Answers them and waits until they hang up, for a moment. Nothing here ever blocks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._leaving: dict[int, _Last] = {}

    def __len__(self) -> int:
        return len(self._leaving)

    def add(self, connection: socket.socket, answer: bytes = b"") -> bool:
        """Take over a connection that has its answer, or gets `answer` when it has asked.

        False where it is closed: too many are leaving.
        """
        if len(self._leaving) >= MAX_LEAVING:
            connection.close()
            return False
        connection.setblocking(False)
        self._leaving[connection.fileno()] = _Last(
            connection, answer, self._clock() + LINGER_SECONDS
        )
        return True

    def step(self, handle: int) -> None:
        """Move the one with this handle; close it if it has left."""
        last = self._leaving.get(handle)
        if last is not None and last.step():
            self._close(handle)

    def cut_the_slow(self) -> None:
        """Close those that take too long."""
        now = self._clock()
        for handle in [one for one, last in self._leaving.items() if last.deadline <= now]:
            self._close(handle)

    def close(self) -> None:
        for handle in list(self._leaving):
            self._close(handle)

    def _close(self, handle: int) -> None:
        self._leaving.pop(handle).connection.close()


class _Last:
    def __init__(self, connection: socket.socket, answer: bytes, deadline: float) -> None:
        self.connection, self.deadline = connection, deadline
        self._answer = answer
        if not answer:
            say_no_more(connection)

    def step(self) -> bool:
        """Read what there is, answer once; True when the other side has hung up."""
        try:
            # before the answer: closed with unread bytes, TCP would take it back
            if not self.connection.recv(RECEIVE_BYTES):
                return True
            if self._answer:
                self.connection.send(self._answer)
                self._answer = b""
                say_no_more(self.connection)
        except _NOT_NOW:
            return False
        except OSError:
            return True
        return False


def say_no_more(connection: socket.socket) -> None:
    """Tell the other side of a non-blocking connection that nothing follows; reading goes on."""
    with contextlib.suppress(OSError):
        if isinstance(connection, ssl.SSLSocket):
            with contextlib.suppress(*_NOT_NOW):
                connection.unwrap()  # says so; its answer comes later, if at all
        # SSLSocket's own would take away what is needed to read on
        socket.socket.shutdown(connection, socket.SHUT_WR)
