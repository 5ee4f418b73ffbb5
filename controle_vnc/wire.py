"""A connected stream socket on the event loop; between two of them no byte is copied."""

import asyncio
import contextlib
import itertools
import socket
from collections import deque
from collections.abc import Callable

RECEIVE_BYTES = 256 * 1024  # of one turn at most: then another socket gets its turn
READ_BYTES = 64 * 1024  # of one `read`: what its reader works through before others go on

MAX_PARTS = 1024  # IOV_MAX of Linux
PIECE_BYTES = 16 * 1024  # of what is held: larger parts are pieces of their own
FLUSHED_PIECES = 16  # of what is held, at once

# All sockets share it: what one turn received is used, or copied, before the turn ends.
_received = memoryview(bytearray(RECEIVE_BYTES))

Data = bytes | bytearray | memoryview
_NOT_NOW = (BlockingIOError, InterruptedError)


class Wire:
    """One end of a connection. Whoever writes looks at `unsent`: nothing here limits it."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._fd = connected.fileno()
        self._loop = asyncio.get_running_loop()
        self._held: deque[bytearray | memoryview] = deque()
        self.unsent = 0
        """Bytes that the kernel has not taken yet."""
        self.receive_bytes = RECEIVE_BYTES
        """What a follower is given at once, at most: it has to be through with it in a turn."""
        self.taken = 0
        """Bytes that the kernel has taken so far."""
        self._moved = asyncio.Event()
        self._awaited: asyncio.Future[None] | None = None
        self._has_more = True  # likely, that is: the last read took all it may
        self._receiver: Callable[[memoryview], None] | None = None
        self._ended: Callable[[], None] | None = None
        self.drained: Callable[[], None] | None = None
        """Called each time the last of what was held is sent."""
        self._is_abandoned = False
        self.is_closed = False
        self.is_broken = False
        """The other end takes nothing any more."""

    # --- in

    async def read(self) -> bytes:
        """Some bytes, `b""` at the end; raises `OSError`."""
        if self._has_more:
            await asyncio.sleep(0)  # what has more to read than it can work off is not alone
        else:
            await self._readable()
        while not (self.is_closed or self._is_abandoned):
            try:
                count = self._socket.recv_into(_received, READ_BYTES)
            except _NOT_NOW:
                await self._readable()
            else:
                self._has_more = count == READ_BYTES
                return bytes(_received[:count])
        return b""

    async def _readable(self) -> None:
        if self.is_closed or self._is_abandoned:
            return
        ready = self._awaited = self._loop.create_future()
        self._loop.add_reader(self._fd, _wake, ready)
        try:
            await ready
        finally:
            self._awaited = None
            self.pause()

    def follow(self, receiver: Callable[[memoryview], None], ended: Callable[[], None]) -> None:
        """Give what comes to `receiver`, to be used before it returns; at the end call `ended`."""
        self._receiver, self._ended = receiver, ended
        self.resume()

    def pause(self) -> None:
        """Read nothing until `resume`."""
        if not self.is_closed:
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        if not self.is_closed and self._receiver is not None:
            self._loop.add_reader(self._fd, self._receive)

    def _receive(self) -> None:
        try:
            count = self._socket.recv_into(_received, self.receive_bytes)
        except _NOT_NOW:
            return
        except OSError:
            count = 0
        if count and self._receiver is not None:
            self._receiver(_received[:count])
        else:
            self._end()

    def _end(self) -> None:
        self.pause()
        ended, self._receiver, self._ended = self._ended, None, None
        if ended is not None:
            ended()

    # --- out

    def write(self, *parts: Data) -> None:
        """Send `parts` one after the other: now what the kernel takes, the rest when it can."""
        size = sum(map(len, parts))
        if self.is_closed or self.is_broken or not size:
            return
        if len(parts) > MAX_PARTS:
            parts = (b"".join(parts),)
        sent = 0
        if not self._held:
            try:
                sent = self._socket.sendmsg(parts)
            except _NOT_NOW:
                pass
            except OSError:
                self._break()
                return
        self.taken += sent
        if sent < size:
            self._hold(parts, sent)

    def _hold(self, parts: tuple[Data, ...], sent: int) -> None:
        if not self._held:
            self._loop.add_writer(self._fd, self._flush)
        for part in parts:
            if sent < len(part):
                self._append(memoryview(part)[sent:])
                sent = 0
            else:
                sent -= len(part)

    def _append(self, part: memoryview) -> None:
        """Put `part` in the last piece while that is small: a byte alone would cost forty."""
        last = self._held[-1] if self._held else None
        if isinstance(last, bytearray) and len(last) + len(part) <= PIECE_BYTES:
            last += part
        else:
            self._held.append(bytearray(part))
        self.unsent += len(part)

    def _flush(self) -> None:
        try:
            sent = self._socket.sendmsg(itertools.islice(self._held, FLUSHED_PIECES))
        except _NOT_NOW:
            return
        except OSError:
            self._break()
            return
        self.taken += sent
        self.unsent -= sent
        while self._held and sent >= len(self._held[0]):
            sent -= len(self._held.popleft())
        if sent:
            self._held[0] = memoryview(self._held[0])[sent:]
        self._moved.set()
        if not self._held:
            self._loop.remove_writer(self._fd)
            if self.drained is not None:
                self.drained()

    def _break(self) -> None:
        """The other end has gone: what is held is lost, and its reader learns of the end."""
        self.is_broken = True
        self._forget()
        self._moved.set()

    def _forget(self) -> None:
        if self._held:
            self._held.clear()
            self.unsent = 0
            self._loop.remove_writer(self._fd)

    async def drain(self, below: int = 0) -> None:
        """Wait until at most `below` bytes are unsent; raises `ConnectionError`."""
        while self.unsent > below:
            self._moved.clear()
            await self._moved.wait()
        if self.is_broken or self.is_closed:
            raise ConnectionError("the other end has gone")

    # --- the end

    def abandon(self) -> None:
        """Take the other end for gone: whoever reads or writes learns of it."""
        self._break()
        self._is_abandoned = True
        if self._awaited is not None:
            _wake(self._awaited)
        self._end()

    def finish(self) -> None:
        """Nothing more is written; the other end is told."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close at once; what is unsent is lost."""
        if self.is_closed:
            return
        self.pause()
        self._forget()
        self.is_closed = True
        self._moved.set()
        if self._awaited is not None:
            _wake(self._awaited)
        self._socket.close()


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
