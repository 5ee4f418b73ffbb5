"""Accept connections and lose none where the wait is cancelled."""

import asyncio
import contextlib
import socket
from typing import Any


async def accept(listener: socket.socket) -> tuple[socket.socket, Any]:
    """The next connection of a non-blocking `listener` and its address; raises `OSError`.

    The loop's own `sock_accept` accepts first and wakes its caller a turn later: cancelled between
    the two, it leaves a connection that nobody holds and nobody closes. Here the wait is over
    before anything is accepted.
    """
    while True:
        try:
            connection, name = listener.accept()
        except (BlockingIOError, InterruptedError):
            await _readable(listener.fileno())
        else:
            connection.setblocking(False)
            return connection, name


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        with contextlib.suppress(asyncio.InvalidStateError):  # readable twice before it is taken
            ready.set_result(None)

    loop.add_reader(fd, wake)
    try:
        await ready
    finally:
        loop.remove_reader(fd)
