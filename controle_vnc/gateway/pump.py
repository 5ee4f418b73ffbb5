"""The byte pipe between one WebSocket and one private socket of the daemon, bounded both ways."""

import select
import socket
import ssl
import time
from collections.abc import Callable

from controle_vnc.gateway.leaving import say_no_more
from controle_vnc.websocket import (
    BINARY,
    CLOSE,
    NORMAL,
    PING,
    PONG,
    FrameError,
    FrameReader,
    close_frame,
    frame,
)

RECEIVE_BYTES = 65536
DOWN_BYTES = 256 * 1024  # held for a browser that reads slowly; then the daemon is not read
UP_BYTES = 256 * 1024  # held for a daemon that reads slowly; then the browser is not read
UNSENT_BYTES = 128 * 1024  # in the kernel: a picture that waits there is an old picture
HEARTBEAT_SECONDS = 20.0  # proxies and NAT cut what is silent for a minute
SILENCE_SECONDS = 65.0  # three pings without an answer: the browser is gone
FAREWELL_SECONDS = 3.0  # to take the last bytes and the close frame
POLL_MILLISECONDS = 1000  # how late a ping may be
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Pump:
    """Carries bytes until one side ends. Both sockets become non-blocking."""

    def __init__(
        self,
        browser: socket.socket,
        daemon: socket.socket,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._browser, self._daemon, self._clock = browser, daemon, clock
        self._frames = FrameReader()
        self._down, self._up = bytearray(), bytearray()
        self._pong: bytes | None = None  # only the last ping needs an answer (RFC 6455, 5.5.3)
        self._heard_at = self._pinged_at = clock()
        self._closing: int | None = None  # the code of the close frame, once it is over
        browser.setblocking(False)
        daemon.setblocking(False)
        if browser.family in (socket.AF_INET, socket.AF_INET6):
            browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def run(self, early: bytes = b"") -> str:
        """Carry bytes, first those the browser sent early; gives why it ended, for the log."""
        try:
            self._understand(early)
            while self._closing is None:
                self._turn()
            reason = "closed"
        except FrameError as error:
            self._closing, reason = error.code, str(error)
        except _EndedError as error:
            reason = str(error)
        except OSError as error:
            return f"connection lost: {error}"
        self._say_farewell()
        return reason

    def _turn(self) -> None:
        """Wait until one side can move, then move what can be moved."""
        self._keep_alive()
        readable, writable = self._ready()
        if "browser" in writable:
            self._send(self._browser, self._down)
        if "daemon" in writable:
            self._send_daemon()
        if "daemon" in readable:
            self._read_daemon()
        if "browser" in readable:
            self._read_browser()

    def _ready(self) -> tuple[set[str], set[str]]:
        poll = select.poll()
        wants_browser = len(self._up) < UP_BYTES
        wants_daemon = len(self._down) < DOWN_BYTES
        pending = wants_browser and _pending(self._browser)
        names = {self._browser.fileno(): "browser", self._daemon.fileno(): "daemon"}
        poll.register(
            self._browser,
            (select.POLLIN if wants_browser else 0) | (select.POLLOUT if self._down else 0),
        )
        mask = (select.POLLIN if wants_daemon else 0) | (select.POLLOUT if self._up else 0)
        if mask:  # else a daemon that hung up would wake us again and again
            poll.register(self._daemon, mask)
        readable: set[str] = {"browser"} if pending else set()
        writable: set[str] = set()
        for handle, events in poll.poll(0 if pending else POLL_MILLISECONDS):
            name = names[handle]
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                readable.add(name)
            if events & select.POLLOUT:
                writable.add(name)
        return readable, writable

    def _keep_alive(self) -> None:
        now = self._clock()
        if now - self._heard_at >= SILENCE_SECONDS:
            raise _EndedError("the browser is silent")
        if len(self._down) < DOWN_BYTES:
            if self._pong is not None:
                self._down += frame(PONG, self._pong)
                self._pong = None
            if now - self._pinged_at >= HEARTBEAT_SECONDS:
                self._pinged_at = now
                self._down += frame(PING)

    def _read_daemon(self) -> None:
        if len(self._down) >= DOWN_BYTES:
            return  # it hung up, but what it said before goes first
        try:
            data = _receive(self._daemon)
        except ConnectionError:
            data = b""  # it closed without reading all of ours, which is its right
        if data is None:
            return
        if not data:
            self._closing = NORMAL
            return
        self._down += frame(BINARY, data)
        self._send(self._browser, self._down)

    def _read_browser(self) -> None:
        if len(self._up) >= UP_BYTES:
            raise _EndedError("the browser hung up")  # nothing else wakes us then
        if (data := _receive(self._browser)) is None:
            return
        if not data:
            raise _EndedError("the browser hung up")
        self._heard_at = self._clock()
        self._understand(data)
        self._send_daemon()

    def _understand(self, data: bytes) -> None:
        for piece in self._frames.feed(data):
            if piece.kind == BINARY:
                self._up += piece.data
            elif piece.kind == PING:
                self._pong = piece.data
            elif piece.kind == CLOSE:
                self._end()
                return

    def _end(self) -> None:
        """The browser says goodbye: the daemon still gets what it sent before."""
        self._closing = NORMAL
        deadline = self._clock() + FAREWELL_SECONDS
        while self._up and _wait(self._daemon, select.POLLOUT, deadline - self._clock()):
            self._send_daemon()

    def _say_farewell(self) -> None:
        """Let the browser take what is held, tell it that it is over, and wait for its answer."""
        deadline = self._clock() + FAREWELL_SECONDS
        if self._closing is None:
            return
        self._down += close_frame(self._closing)
        try:
            while self._down and _wait(self._browser, select.POLLOUT, deadline - self._clock()):
                self._send(self._browser, self._down)
            say_no_more(self._browser)
            while _wait(self._browser, select.POLLIN, deadline - self._clock()):
                if _receive(self._browser) == b"":
                    return
        except OSError:
            return  # it left without a word

    def _send_daemon(self) -> None:
        try:
            self._send(self._daemon, self._up)
        except ConnectionError:
            self._up.clear()  # it has closed; what it said before still goes to the browser

    @staticmethod
    def _send(target: socket.socket, held: bytearray) -> None:
        if not held:
            return
        try:
            with memoryview(held) as view:
                sent = target.send(view[:RECEIVE_BYTES])
        except _NOT_NOW:
            return
        del held[:sent]


class _EndedError(Exception):
    """One side is gone, there is nobody to say goodbye to."""


def _receive(source: socket.socket) -> bytes | None:
    """Some bytes, `b""` at the end, None where there are none now."""
    try:
        return source.recv(RECEIVE_BYTES)
    except _NOT_NOW:
        return None


def _pending(source: socket.socket) -> bool:
    """Whether TLS holds decrypted bytes that poll() does not see."""
    return isinstance(source, ssl.SSLSocket) and source.pending() > 0


def _wait(source: socket.socket, event: int, seconds: float) -> bool:
    """Wait for an event of one socket; False when the time is over."""
    if seconds <= 0:
        return False
    poll = select.poll()
    poll.register(source, event)
    return bool(poll.poll(seconds * 1000))
