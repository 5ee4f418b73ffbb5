"""Shows a framebuffer of our own to one viewer: RFB on its stream, at its own pace."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from controle_vnc.errors import ControleVncError
from controle_vnc.rfb.server import RfbServer
from controle_vnc.rfb.viewer_session import Wish
from controle_vnc.viewer.patience import send, until_due
from controle_vnc.viewer.race import first_to_end
from controle_vnc.viewer.stream import HANDSHAKE_SECONDS, Stream

logger = logging.getLogger(__name__)

REFUSAL_SECONDS = 2.0  # for a viewer that is not let in to read why

Obey = Callable[[Wish], None]


class Showing:
    """One viewer of `server`'s framebuffer; call `refresh` when that has changed."""

    def __init__(self, server: RfbServer, viewer: Stream, obey: Obey) -> None:
        self.server = server
        self._viewer = viewer
        self._obey = obey
        self._work = asyncio.Event()

    def refresh(self) -> None:
        """There may be something new to show."""
        self._work.set()

    async def run(self, name: str) -> None:
        """Serve until the viewer leaves, falls silent or breaks the protocol."""
        await first_to_end(name, self._receive(name), self._send())

    async def _receive(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS) as deadline:
                while data := await self._viewer.read():
                    for wish in self.server.receive_data(data, loop.time()):
                        self._obey(wish)
                    if self.server.is_open:
                        deadline.reschedule(None)
                    self._work.set()
                    if self.server.is_over:
                        return
        except (ControleVncError, OSError) as error:  # a deadline is one, too
            logger.info("%s ended: %s", name, error or type(error).__name__)
            if not self.server.is_open:
                await self._refuse()

    async def _refuse(self) -> None:
        """Send what the handshake has to say to somebody whom it did not let in."""
        with contextlib.suppress(ControleVncError, OSError):  # it may be unable to say anything
            self._viewer.write(self.server.data_to_send(asyncio.get_running_loop().time()))
            async with asyncio.timeout(REFUSAL_SECONDS):
                await self._viewer.drain()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ControleVncError, OSError):  # whoever receives tells
            while True:
                while data := self.server.data_to_send(loop.time()):
                    await send(self._viewer, data)
                    await asyncio.sleep(0)  # others get their turn between two portions
                await until_due(self._work, self.server.session.flow, loop.time())
