"""The shortest path: a viewer's own upstream, whose pixels pass through undecoded."""

import asyncio
import contextlib
import logging

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.client_filter import ClientMessageFilter
from controle_vnc.rfb.server_filter import ServerMessageFilter
from controle_vnc.viewer.stream import Stream
from controle_vnc.wire import RECEIVE_BYTES, Data, Wire
from controle_vnc.workstation.upstream import Upstream

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.05  # a browser that reads takes its turn within this, and nothing is held
LOOKED_AT_BYTES = 16 * 1024  # of one turn: messages may be of one byte, and each takes its time
HELD_BYTES = 4 * 1024 * 1024 - RECEIVE_BYTES  # for a browser that does not read: 4 MiB in all …
FULL_SECONDS = 0.5  # … and then so long, for x11vnc freezes everybody while we do not read
LATE_BYTES = 1024 * 1024  # who has more before it, and takes less …
LATE_SECONDS = 2.0  # … in this time, sees an old picture: it is served the newest instead
INPUT_HELD_BYTES = 64 * 1024
INPUT_SECONDS = 10.0  # a server that takes no input for so long is gone


class Passthrough:
    """Carries bytes both ways, as they come; `code` says why it ended."""

    def __init__(self, upstream: Upstream, viewer: Stream, control: bool, clipboard: bool) -> None:
        self.code = "left"
        self._upstream = upstream
        self._server = upstream.connection
        self._viewer = viewer
        may_cut = control and clipboard
        self._from_viewer = ClientMessageFilter(control, may_cut)
        self._from_server: ServerMessageFilter | None = None
        if not may_cut:  # else there is nothing to take out
            self._from_server = ServerMessageFilter(upstream.server_init, self._from_viewer)
            self._server.receive_bytes = LOOKED_AT_BYTES
        self._patience: asyncio.TimerHandle | None = None
        self._is_holding = False
        self._over = asyncio.Event()
        self._is_late = asyncio.Event()
        self._is_full = asyncio.Event()
        self._is_deaf = asyncio.Event()

    async def run(self, already: bytes) -> None:
        """Carry until one side ends; `already` is what the viewer sent after its handshake."""
        pressure = asyncio.gather(self._watch_late(), self._watch_full(), self._watch_deaf())
        self._viewer.on_drained(self._viewer_drained)
        try:
            self._down(self._upstream.rest)
            self._up(already)
            self._server.follow(self._down, self._server_ended)
            self._viewer.follow(self._up, self._over.set)
            await self._over.wait()
        finally:
            self._over.set()
            self._viewer.pause()
            self._server.write(self._from_viewer.releases())
            pressure.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pressure

    def end(self, code: str) -> None:
        """Hang up on the workstation, for a reason of ours; the first reason counts."""
        if not self._over.is_set():
            self.code = code
            self._over.set()
            self._server.pause()
            self._viewer.pause()

    def _up(self, data: Data) -> None:
        try:
            self._server.write(self._from_viewer.feed(bytes(data)))
        except ProtocolError as error:
            logger.warning("a screen is closed: its page sent %s", error)
            self.end("forbidden")
        if self._server.unsent > INPUT_HELD_BYTES:
            self._viewer.pause()
            self._is_deaf.set()

    def _down(self, data: bytes | memoryview) -> None:
        if self._from_server is None:
            self._viewer.write(data)
        else:
            try:
                self._viewer.write(*self._from_server.feed(data))
                most = self._from_server.passing + LOOKED_AT_BYTES
                self._server.receive_bytes = min(most, self._server.most_bytes)
            except ProtocolError as error:
                logger.warning("a screen is closed: its workstation sent %s", error)
                self.end("bad_server")
        if unsent := self._viewer.unsent:
            self._press(unsent)

    def _press(self, unsent: int) -> None:
        """The browser has not taken everything: wait a moment, then read on and hold it here."""
        if not self._is_holding:
            self._server.pause()
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(PATIENCE_SECONDS, self._hold)
            return
        if unsent > LATE_BYTES:
            self._is_late.set()
        if unsent > HELD_BYTES:
            self._server.pause()
            self._is_full.set()

    def _hold(self) -> None:
        self._is_holding = True
        self._read_on()

    def _viewer_drained(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._is_holding = False
        self._read_on()

    def _read_on(self) -> None:
        if not self._over.is_set():
            self._server.resume()

    def _server_ended(self) -> None:
        self.end("closed")

    async def _watch_late(self) -> None:
        while True:
            await self._is_late.wait()
            self._is_late.clear()
            before = self._viewer.taken
            await asyncio.sleep(LATE_SECONDS)
            took = self._viewer.taken - before
            if took < LATE_BYTES < self._viewer.unsent:
                self.end("slow")
                return

    async def _watch_full(self) -> None:
        half = HELD_BYTES // 2
        while await self._relieve(self._is_full, self._viewer, half, FULL_SECONDS, "slow"):
            self._read_on()

    async def _watch_deaf(self) -> None:
        few = INPUT_HELD_BYTES
        while await self._relieve(self._is_deaf, self._server, few, INPUT_SECONDS, "silent"):
            self._viewer.resume()

    async def _relieve(
        self, pressed: asyncio.Event, side: Wire | Stream, below: int, seconds: float, code: str
    ) -> bool:
        """Once `pressed`, give that side `seconds` to take what is held for it, or end."""
        await pressed.wait()
        try:
            async with asyncio.timeout(seconds):
                await side.drain(below)
        except TimeoutError:
            self.end(code)
        except ConnectionError:
            pass  # who reads from it tells
        else:
            pressed.clear()
            return True
        return False
