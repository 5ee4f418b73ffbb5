"""One connection of a browser until it is a viewer: its request's head, and its deadline."""

import re
import select
import socket
import ssl
from typing import Any

from controle_vnc.control.messages import HAND_OVER

MAX_HEAD_BYTES = 16 * 1024  # a browser sends one or two KiB, the site's cookies included

_HEAD_END = re.compile(rb"\r?\n\r?\n")


class HeadTooLongError(Exception):
    """The request's head has no end within `MAX_HEAD_BYTES`."""


class Visitor:
    """Held by one thread at a time: the door's, then a worker's, then perhaps its pump's."""

    def __init__(self, connection: socket.socket, address: Any, deadline: float) -> None:
        connection.setblocking(False)
        self.connection, self.address, self.deadline = connection, address, deadline
        self.received = bytearray()
        """The head, and what came behind it: at most one byte more than the longest head."""
        self.is_piped = False
        """It is a viewer: its pump closes it."""
        self.is_handed_over = False
        """It was tried: it is closed here, and open in the daemon if that went well."""
        self._is_secure = not isinstance(connection, ssl.SSLSocket)

    def advance(self) -> int:
        """Read on without waiting; gives what to wait for (epoll), 0 once the head is there.

        Raises `OSError` where the browser has gone or breaks TLS, and `HeadTooLongError`.
        """
        try:
            if isinstance(self.connection, ssl.SSLSocket) and not self._is_secure:
                self.connection.do_handshake()
                self._is_secure = True
            while not self._has_head():
                part = self.connection.recv(MAX_HEAD_BYTES + 1 - len(self.received))
                if not part:
                    raise ConnectionError("it hung up")
                self.received += part
        except (BlockingIOError, ssl.SSLWantReadError):
            return select.EPOLLIN
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        return 0

    _searched = 0

    def _has_head(self) -> bool:
        end = _HEAD_END.search(self.received, self._searched)
        if end is not None and end.end() <= MAX_HEAD_BYTES:
            return True
        if len(self.received) > MAX_HEAD_BYTES:
            raise HeadTooLongError
        self._searched = max(0, len(self.received) - 3)  # so that drops cost linear time
        return False

    def hand_over(self, daemon: socket.socket, early: bytes) -> None:
        """Give the browser's socket to the daemon, with what came behind the request."""
        self.is_handed_over = True
        # nothing but close() from here on: a shutdown() would be the daemon's socket's, too
        with self.connection as browser:
            socket.send_fds(daemon, [HAND_OVER + early], [browser.fileno()])
