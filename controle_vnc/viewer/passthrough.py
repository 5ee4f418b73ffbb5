"""The shortest path: a viewer's own upstream, whose pixels pass through undecoded."""

import asyncio
import contextlib
import logging

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.client_filter import ClientMessageFilter
from controle_vnc.rfb.server_filter import ServerMessageFilter
from controle_vnc.viewer.stream import Stream
from controle_vnc.wire import RECEIVE_BYTES, Data
from controle_vnc.workstation.upstream import Upstream

logger = logging.getLogger(__name__)

HELD_BYTES = 4 * 1024 * 1024 - RECEIVE_BYTES  # for a browser that does not read: 4 MiB in all …
DRAINED_BYTES = 2 * 1024 * 1024  # … and has so much to read …
DRAIN_SECONDS = 2.0  # … within this: x11vnc freezes everybody while we do not read
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
        self._from_server = ServerMessageFilter(upstream.server_init, may_cut, self._from_viewer)
        self._over = asyncio.Event()
        self._is_full = asyncio.Event()
        self._is_deaf = asyncio.Event()

    async def run(self, already: bytes) -> None:
        """Carry until one side ends; `already` is what the viewer sent after its handshake."""
        pressure = asyncio.gather(self._relieve_viewer(), self._relieve_server())
        try:
            self._down(self._upstream.rest)
            self._up(already)
            self._server.follow(self._down, self._server_ended)
            self._viewer.follow(self._up, self._over.set)
            await self._over.wait()
        finally:
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
        try:
            self._viewer.write(*self._from_server.feed(data))
        except ProtocolError as error:
            logger.warning("a screen is closed: its workstation sent %s", error)
            self.end("bad_server")
        if self._viewer.unsent > HELD_BYTES:
            self._server.pause()
            self._is_full.set()

    def _server_ended(self) -> None:
        self.end("closed")

    async def _relieve_viewer(self) -> None:
        """The browser does not keep up: the workstation waits, but not for long."""
        while True:
            await self._is_full.wait()
            self._is_full.clear()
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._viewer.drain(DRAINED_BYTES)
            except TimeoutError:
                self.end("slow")
            except ConnectionError:
                self._over.set()
            else:
                self._server.resume()

    async def _relieve_server(self) -> None:
        """The workstation takes no input: the browser waits."""
        while True:
            await self._is_deaf.wait()
            self._is_deaf.clear()
            try:
                async with asyncio.timeout(INPUT_SECONDS):
                    await self._server.drain(INPUT_HELD_BYTES)
            except TimeoutError:
                self.end("silent")
            except ConnectionError:
                self.end("closed")
            else:
                self._viewer.resume()
