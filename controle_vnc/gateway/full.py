"""The answer "no room" (503), given by the gateway's parent without one more process."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable

MAX_LINGERING = 64  # refused connections that still read their answer; more are just closed
LINGER_SECONDS = 2.0
RECEIVE_BYTES = 16384
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 31\r\n"
    b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"Cache-Control: no-store\r\n"
    b"Retry-After: 5\r\n"
    b"Connection: close\r\n"
    b"\r\n"
    b"too many connections are open\r\n"
)


class Refusals:
    """Refused connections on their way out. Nothing here ever blocks."""

    def __init__(
        self, tls: ssl.SSLContext | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tls, self._clock = tls, clock
        self._leaving: dict[socket.socket, _Refusal] = {}

    @property
    def sockets(self) -> list[socket.socket]:
        return list(self._leaving)

    def add(self, connection: socket.socket) -> None:
        """Take over a connection that there is no room for."""
        if len(self._leaving) >= MAX_LINGERING:
            connection.close()
            return
        connection.setblocking(False)
        if self._tls is not None:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._leaving[connection] = _Refusal(self._clock() + LINGER_SECONDS)

    def step(self) -> None:
        """Move every one that can move; close those that have left or take too long."""
        for connection, refusal in list(self._leaving.items()):
            if refusal.step(connection) or self._clock() >= refusal.deadline:
                connection.close()
                del self._leaving[connection]

    def close(self) -> None:
        for connection in self._leaving:
            connection.close()
        self._leaving.clear()


class _Refusal:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self._answered = False

    def step(self, connection: socket.socket) -> bool:
        """Read what there is, answer once; True when the other side has hung up."""
        try:
            if not connection.recv(RECEIVE_BYTES):
                return True
            if not self._answered:
                self._answered = True
                connection.send(ANSWER)
                if not isinstance(connection, ssl.SSLSocket):
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_WR)
        except _NOT_NOW:
            return False
        except OSError:
            return True
        return False
