"""The shortest path: a viewer's own upstream, whose pixels pass through undecoded."""

import asyncio
import logging

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.client_filter import ClientMessageFilter
from controle_vnc.rfb.server_filter import ServerMessageFilter
from controle_vnc.viewer.race import first_to_end
from controle_vnc.viewer.stream import READ_BYTES, Stream
from controle_vnc.workstation.state import HungUpError
from controle_vnc.workstation.upstream import Upstream

logger = logging.getLogger(__name__)

HELD_BYTES = 4 * 1024 * 1024  # of one screen, for a browser that does not read …
DRAINED_BYTES = 2 * 1024 * 1024  # … and has so much to read …
DRAIN_SECONDS = 2.0  # … within this: x11vnc freezes everybody while we do not read
INPUT_SECONDS = 10.0  # a server that takes no input for so long is gone
INPUT_HELD_BYTES = 64 * 1024


class Passthrough:
    """Carries bytes both ways; `code` says why it ended."""

    def __init__(self, upstream: Upstream, viewer: Stream, control: bool, clipboard: bool) -> None:
        self.code = "left"
        self._upstream = upstream
        self._viewer = viewer
        may_cut = control and clipboard
        self._from_viewer = ClientMessageFilter(control, may_cut)
        self._from_server = ServerMessageFilter(upstream.server_init, may_cut, self._from_viewer)

    async def run(self, name: str, already: bytes) -> None:
        """Carry until one side ends; `already` is what the viewer sent after its handshake."""
        self._viewer.writer.transport.set_write_buffer_limits(high=HELD_BYTES, low=DRAINED_BYTES)
        writer = self._upstream.connection.writer
        writer.transport.set_write_buffer_limits(high=INPUT_HELD_BYTES)
        await first_to_end(name, self._up(already), self._down())
        if not writer.is_closing():
            writer.write(self._from_viewer.releases())

    def end(self, code: str) -> None:
        """Hang up on the workstation, for a reason of ours."""
        self.code = code
        self._upstream.connection.close()

    async def _up(self, data: bytes) -> None:
        writer = self._upstream.connection.writer
        try:
            while True:
                writer.write(self._from_viewer.feed(data))
                async with asyncio.timeout(INPUT_SECONDS):
                    await writer.drain()
                data = await self._viewer.reader.read(READ_BYTES)
                if not data:
                    return
        except ProtocolError as error:
            self.code = "forbidden"
            logger.warning("a screen is closed: its page sent %s", error)
        except TimeoutError:
            self.code = "silent"
        except ConnectionError:
            self.code = "closed"

    async def _down(self) -> None:
        data = self._upstream.rest
        writer = self._viewer.writer
        try:
            while True:
                writer.write(self._from_server.feed(data))
                async with asyncio.timeout(DRAIN_SECONDS):
                    await writer.drain()
                data = await self._upstream.connection.read()
        except TimeoutError:
            self.code = "slow"
        except ProtocolError as error:
            self.code = "bad_server"
            logger.warning("a screen is closed: its workstation sent %s", error)
        except (HungUpError, OSError):
            if self.code == "left":
                self.code = "closed"
