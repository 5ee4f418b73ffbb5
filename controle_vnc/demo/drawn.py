"""A small RFB server of our own, for machines that have no VNC server to install."""

import asyncio
import contextlib
import socket
from pathlib import Path

from controle_vnc.accepting import accept
from controle_vnc.demo.scene import Scene
from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.rfb.viewer_messages import (
    Fence,
    KeyEvent,
    SetEncodings,
    SetPixelFormat,
    UpdateRequest,
    ViewerMessages,
)
from controle_vnc.tasks import spawn
from controle_vnc.viewer.private import listen
from controle_vnc.viewer.shared_picture import Taste
from controle_vnc.viewer.stream import Stream
from controle_vnc.wire import Wire

TICK_SECONDS = 0.1
STALLED_SECONDS = 30.0
MAX_VIEWERS = 8  # controle-vnc opens two; a few more for a hand
FENCE_REQUEST = 0x80000000


class DrawnDesktop:
    """Desktop `number`, on a unix socket whose name says that it is drawn. It asks no password."""

    def __init__(self, number: int, directory: Path) -> None:
        self.password: str | None = None
        self.socket = directory / f"demo-{number:02}.sock"
        self.is_up = asyncio.Event()
        self._number = number
        self._scene = Scene(number)
        self._viewers = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        self.socket.unlink(missing_ok=True)
        listener = listen(self.socket, MAX_VIEWERS)
        accepting = spawn(self._accept(listener), f"drawn desktop {self._number}")
        try:
            self.is_up.set()
            while True:
                if self._viewers:
                    self._scene.tick()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            accepting.cancel()
            listener.close()
            self.socket.unlink(missing_ok=True)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            viewer, _ = await accept(listener)
            spawn(self._serve(Stream(Wire(viewer))), f"viewer of drawn desktop {self._number}")

    async def _serve(self, viewer: Stream) -> None:
        self._viewers += 1
        try:
            if self._viewers <= MAX_VIEWERS:
                await _Connection(self._scene, viewer, self._number).serve()
        finally:
            self._viewers -= 1
            await viewer.close()


class _Connection:
    """One viewer of one scene."""

    def __init__(self, scene: Scene, stream: Stream, number: int) -> None:
        self._scene, self._stream, self._number = scene, stream, number
        self._taste = Taste()
        self._asked: UpdateRequest | None = None

    async def serve(self) -> None:
        """From the handshake to the end; what breaks the protocol ends it, too."""
        framebuffer = self._scene.framebuffer
        framebuffer.watch(self)
        try:
            with contextlib.suppress(ProtocolError, OSError):
                rest = await self._open()
                if rest is not None:
                    await self._talk(rest)
        finally:
            framebuffer.unwatch(self)

    async def _open(self) -> bytes | None:
        handshake = ServerHandshake()
        if not await self._stream.shake_hands(handshake, lambda: handshake.greeted):
            return None
        handshake.offer()
        if not await self._stream.shake_hands(handshake, lambda: handshake.done):
            return None
        framebuffer = self._scene.framebuffer
        name = f"drawn desktop {self._number}"
        handshake.open(ServerInit(framebuffer.width, framebuffer.height, RGBX, name))
        self._stream.write(handshake.data_to_send())
        return handshake.rest

    async def _talk(self, data: bytes) -> None:
        parser = ViewerMessages()
        while True:
            for message in parser.feed(data):
                self._take(message)
            await self._answer()
            data = b""
            with contextlib.suppress(TimeoutError):  # then the scene may have moved
                async with asyncio.timeout(TICK_SECONDS):
                    data = await self._stream.read()
                    if not data:
                        return

    def _take(self, message: object) -> None:
        if isinstance(message, SetEncodings | SetPixelFormat):
            self._taste.learn(message)
        elif isinstance(message, KeyEvent):
            self._scene.key(message)
        elif isinstance(message, UpdateRequest):
            self._asked = message
        elif isinstance(message, Fence) and message.flags & FENCE_REQUEST:
            flags = message.flags & ~FENCE_REQUEST
            self._stream.write(messages.fence(flags, message.payload))

    async def _answer(self) -> None:
        framebuffer, asked = self._scene.framebuffer, self._asked
        if asked is None:
            return
        shown: Rect = asked.rect.intersection(framebuffer.bounds)
        if asked.incremental:
            if not framebuffer.has_damage(self):
                return
            shown = framebuffer.take_damage(self)
        if shown.is_empty:
            return
        self._asked = None
        self._stream.write(self._taste.draw(framebuffer.pixels, shown))
        async with asyncio.timeout(STALLED_SECONDS):
            await self._stream.drain()
