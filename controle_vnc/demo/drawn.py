"""A small RFB server of our own, for machines that have no VNC server to install."""

import asyncio
import socket
from pathlib import Path

from controle_vnc.accepting import accept
from controle_vnc.demo.scene import Scene
from controle_vnc.rfb.server import RfbServer
from controle_vnc.rfb.viewer_messages import KeyEvent
from controle_vnc.rfb.viewer_session import Wish
from controle_vnc.tasks import spawn
from controle_vnc.viewer.private import listen
from controle_vnc.viewer.showing import Showing
from controle_vnc.viewer.stream import Stream
from controle_vnc.wire import Wire

TICK_SECONDS = 0.1
MAX_VIEWERS = 8  # controle-vnc opens two; a few more for a hand


class DrawnDesktop:
    """Desktop `number`, on a unix socket whose name says that it is drawn. It asks no password."""

    def __init__(self, number: int, directory: Path) -> None:
        self.password: str | None = None
        self.socket = directory / f"demo-{number:02}.sock"
        self.is_up = asyncio.Event()
        self._number = number
        self._scene = Scene(number)
        self._viewers: set[Showing] = set()

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
                for showing in self._viewers:
                    showing.refresh()
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
        name = f"drawn desktop {self._number}"
        showing = Showing(RfbServer(self._scene.framebuffer, name), viewer, self._obey)
        try:
            if len(self._viewers) < MAX_VIEWERS:
                self._viewers.add(showing)
                await showing.run(f"viewer of {name}")
        finally:
            self._viewers.discard(showing)
            await viewer.close()

    def _obey(self, wish: Wish) -> None:
        if isinstance(wish, KeyEvent):
            self._scene.key(wish)
