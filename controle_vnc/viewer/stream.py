"""A viewer's end: WebSocket frames on its browser's socket, or bare bytes through a gateway."""

import asyncio
import logging
import socket
from collections.abc import Callable

from controle_vnc.rfb.server_handshake import ServerHandshake
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
    frame_head,
)
from controle_vnc.wire import Data, Wire

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0  # a page answers at once; a person does not take part
HEARTBEAT_SECONDS = 20.0  # proxies and NAT cut what is silent for a minute
SILENCE_SECONDS = 65.0  # three pings without an answer: the browser is gone
FAREWELL_SECONDS = 1.0  # what a browser has not read by then it does not get
INPUT_BYTES = 16 * 1024  # of one turn: two thousand strokes, a few milliseconds' work
PONG_HELD_BYTES = 64 * 1024  # who does not read gets no answer to its pings
KERNEL_BYTES = 128 * 1024  # a picture that waits in the kernel is an old picture

Receiver = Callable[[Data], None]


class Stream:
    """What a viewer's browser sends and gets, without its framing.

    `early` is what the browser sent before its socket was ours.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        wire.receive_bytes = INPUT_BYTES

    @property
    def unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._wire.unsent

    @property
    def taken(self) -> int:
        """Bytes that the kernel has taken so far."""
        return self._wire.taken

    async def read(self) -> bytes:
        """Some bytes, `b""` at the end; raises `OSError`."""
        return await self._wire.read()

    def follow(self, receiver: Receiver, ended: Callable[[], None]) -> None:
        """Give what comes to `receiver`, to be used before it returns; at the end call `ended`."""
        self._wire.follow(receiver, ended)

    def on_drained(self, drained: Callable[[], None]) -> None:
        """From now on call `drained` each time the last of what was held is sent."""
        self._wire.drained = drained

    def pause(self) -> None:
        """Read nothing until `resume`."""
        self._wire.pause()

    def resume(self) -> None:
        self._wire.resume()

    def write(self, *parts: Data) -> None:
        """Send `parts`, held here as far as the browser does not take them: see `unsent`."""
        self._wire.write(*parts)

    async def drain(self, below: int = 0) -> None:
        """Wait until at most `below` bytes are unsent; raises `ConnectionError`."""
        await self._wire.drain(below)

    async def shake_hands(self, handshake: ServerHandshake, until: Callable[[], bool]) -> bool:
        """Go on with `handshake` until `until` holds; False where the browser hung up."""
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            self.write(handshake.data_to_send())
            while not until():
                data = await self.read()
                if not data:
                    return False
                handshake.receive_data(data)
                self.write(handshake.data_to_send())
        return True

    async def close(self) -> None:
        """Let the browser take what is unsent, for a moment, then hang up."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._say_farewell()
        except (TimeoutError, OSError):
            return  # it has gone, or takes too long
        finally:
            self._wire.close()

    async def _say_farewell(self) -> None:
        await self._wire.drain()


class WebSocketStream(Stream):
    """The browser's own socket after its 101: frames, heartbeat and farewell of RFC 6455."""

    def __init__(self, connected: socket.socket, early: bytes) -> None:
        super().__init__(Wire(connected))
        if connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, KERNEL_BYTES)
        self._frames = FrameReader()
        self._early = early
        self._is_over = False  # the browser said goodbye, broke the protocol or fell silent
        self._code = NORMAL
        self._receiver: Receiver | None = None
        self._ended: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._heart = self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    # --- in

    async def read(self) -> bytes:
        """The next bytes of binary messages, `b""` at the end; raises `OSError`."""
        while not self._is_over:
            data, self._early = self._early or await self._wire.read(), b""
            if not data:
                break
            if payload := b"".join(self._understood(data)):
                return payload
        return b""

    def follow(self, receiver: Receiver, ended: Callable[[], None]) -> None:
        self._receiver, self._ended = receiver, ended
        early, self._early = self._early, b""
        self._receive(early)
        if not self._is_over:
            self._wire.follow(self._receive, ended)

    def _receive(self, data: Data) -> None:
        for payload in self._understood(data):
            if self._receiver is not None:
                self._receiver(payload)
        if self._is_over and self._ended is not None:
            self._wire.pause()
            self._ended()

    def _understood(self, data: Data) -> list[bytes]:
        """The payloads of binary messages in `data`; control frames are obeyed."""
        self._heard_at = self._loop.time()
        payloads = []
        try:
            for piece in self._frames.feed(data):
                if piece.kind == BINARY:
                    payloads.append(piece.data)
                elif piece.kind == PING and self.unsent < PONG_HELD_BYTES:
                    self._wire.write(frame(PONG, piece.data))
                elif piece.kind == CLOSE:
                    self._is_over = True
                    break
        except FrameError as error:
            logger.info("a WebSocket is closed: %s", error)
            self._is_over, self._code = True, error.code
        return payloads

    # --- out

    def write(self, *parts: Data) -> None:
        if size := sum(map(len, parts)):
            self._wire.write(frame_head(BINARY, size), *parts)

    def _beat(self) -> None:
        if self._loop.time() - self._heard_at >= SILENCE_SECONDS:
            logger.info("a WebSocket is closed: its browser is silent")
            self._is_over = True
            self._wire.abandon()
            return
        if self.unsent < PONG_HELD_BYTES:
            self._wire.write(frame(PING))
        self._heart = self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    async def _say_farewell(self) -> None:
        self._wire.write(close_frame(self._code))
        await self._wire.drain()
        self._wire.finish()
        # Closed with unread bytes, TCP would take back what the browser has not read yet.
        while await self._wire.read():
            pass

    async def close(self) -> None:
        self._heart.cancel()
        self.pause()
        await super().close()
