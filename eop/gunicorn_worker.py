"""gunicorn's worker of threads, none of which waits for a slow browser for ever."""

import contextlib
import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

# gunicorn's own `timeout` ends a stuck worker, never a stuck thread
REQUEST_SECONDS = 10.0  # for head and body, of 64 KiB at most
ANSWER_SECONDS = 60.0  # for all of it: the largest file needs less on a slow line


class PunctualWorker(ThreadWorker):
    """What a browser has not sent, or not taken, in time is lost; the thread is free again."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        self._begun: dict[Any, float] = {}  # the connections threads are busy with, since when

    def handle(self, conn: Any) -> Any:
        """One request, in a thread."""
        self._begun[conn] = time.monotonic()
        try:
            return super().handle(conn)  # type: ignore[no-untyped-call]
        finally:
            del self._begun[conn]

    def murder_pending(self) -> None:
        """Once a second, in the main thread: close what has waited for too long."""
        super().murder_pending()  # type: ignore[no-untyped-call]
        now = time.monotonic()
        for conn, begun in list(self._begun.items()):
            if now - begun > REQUEST_SECONDS:
                # reading then finds the end; an answer on its way is not disturbed
                late = now - begun > ANSWER_SECONDS
                with contextlib.suppress(OSError):  # it ends just now
                    conn.sock.shutdown(socket.SHUT_RDWR if late else socket.SHUT_RD)
