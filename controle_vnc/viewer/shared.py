"""One live viewer served from the decoded picture: newest wins, at the viewer's own pace."""

import asyncio
import logging

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.rfb import messages
from controle_vnc.rfb.client import Bell, CutText, Event, RfbClient, Updated
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.viewer_session import ViewerSession
from controle_vnc.room.seat import Seat
from controle_vnc.viewer.patience import send, until_due
from controle_vnc.viewer.race import first_to_end
from controle_vnc.viewer.shared_input import Input
from controle_vnc.viewer.sight import Sight
from controle_vnc.viewer.stream import Stream
from controle_vnc.workstation.state import CONNECTING, Health, SilentError

logger = logging.getLogger(__name__)

BETWEEN_UPDATES_SECONDS = 1 / 30  # as the link asks; a viewer that asks faster gets no more
PROMISING = ("unknown", "connecting", "ready")


class SharedScreen:
    """A watcher of the decoded link, and the RFB server its viewer talks to."""

    live = True
    shown_width = None

    def __init__(self, seat: Seat, viewer: Stream, control: bool, clipboard: bool) -> None:
        self.code = "left"
        self.health: Health = CONNECTING
        self._seat = seat
        self._viewer = viewer
        self._may_cut = control and clipboard
        self._input = Input(control, self._may_cut)
        self._session = ViewerSession()
        self._sight = Sight(seat.feed)
        self._client: RfbClient | None = None
        self._has_picture = False
        self._painted = 0
        self._next_at = 0.0
        self._work = asyncio.Event()
        self._over = asyncio.Event()

    # --- Watcher

    def opened(self, client: RfbClient, has_picture: bool) -> None:
        self._client = client
        self._has_picture = has_picture
        self._note_painted()
        self._work.set()

    def event(self, event: Event) -> None:
        if isinstance(event, Updated):
            self._has_picture = self._has_picture or not event.damage.is_empty
            self._note_painted()
        elif isinstance(event, Bell):
            self._session.bell()
        elif isinstance(event, CutText) and self._may_cut:
            self._session.cut_text(event.text.decode("latin-1"))
        self._work.set()

    def _note_painted(self) -> None:
        """The server's update is whole: what has changed belongs together."""
        if (framebuffer := self._framebuffer) is not None:
            self._painted = framebuffer.grid.stamp

    def lost(self) -> None:
        self._client = None
        self._has_picture = False
        self._over.set()
        self._work.set()

    def told(self, health: Health) -> None:
        self.health = health
        self._work.set()

    @property
    def _framebuffer(self) -> Framebuffer | None:
        return None if self._client is None else self._client.framebuffer

    @property
    def latency(self) -> float | None:
        """Seconds until the viewer shows what it is sent; `None` where it does not tell."""
        return self._session.flow.latency

    # --- opening and ending

    async def arrive(self, seconds: float) -> ServerInit | None:
        """Watch until a picture is there; `None` where the workstation fails: see `health`."""
        self._seat.watch(self)
        try:
            async with asyncio.timeout(seconds):
                while not self._has_picture:
                    self._work.clear()
                    await self._work.wait()
                    if self.health.state not in PROMISING:
                        return None
        except TimeoutError:
            return None
        framebuffer = self._framebuffer
        if framebuffer is None:
            return None
        self._over.clear()
        self._sight.bounds = framebuffer.bounds
        return ServerInit(framebuffer.width, framebuffer.height, RGBX, self._seat.stored.name)

    def leave(self) -> None:
        """The screen has ended: let go of the workstation."""
        if self._client is not None:
            self._input.let_go(self._client)
            self._seat.link.flush()
        self._sight.close()
        self._seat.unwatch(self)

    async def run(self, name: str, already: bytes) -> None:
        """Serve until one side ends; `already` is what the viewer sent after its handshake."""
        await first_to_end(name, self._receive(already), self._send(), self._until_lost())

    async def _until_lost(self) -> None:
        await self._over.wait()
        self.code = "closed"

    # --- from the viewer

    async def _receive(self, data: bytes) -> None:
        try:
            while True:
                self._take(data)
                self._work.set()
                self._seat.link.flush()
                await self._seat.link.drain()
                data = await self._viewer.read()
                if not data:
                    return
        except ProtocolError as error:
            self.code = "forbidden"
            logger.warning("a screen is closed: its page sent %s", error)
        except (SilentError, OSError):
            self.code = "closed"

    def _take(self, data: bytes) -> None:
        for wish in self._session.receive_data(data, asyncio.get_running_loop().time()):
            if self._client is not None:
                self._input.give(wish, self._client)

    # --- to the viewer

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        try:
            while True:
                await until_due(self._work, self._session.flow, now, self._next_at)
                await send(self._viewer, self._session.data_to_send())
                # The moment that finds a picture too early is the one to wait from: at a later
                # one it may be due, and nothing would wake for it.
                now = loop.time()
                if now >= self._next_at:
                    await send(self._viewer, *await self._picture(now))
        except (TimeoutError, ConnectionError):
            self.code = "left"

    async def _picture(self, now: float) -> tuple[bytes, ...]:
        """An update and what follows it; nothing where the viewer is not ready or has it all."""
        framebuffer, flow = self._framebuffer, self._session.flow
        wanted = flow.wanted
        if framebuffer is None or wanted is None:
            return ()
        update = self._new_size(framebuffer)
        if not update:
            if self._sight.has_seen(framebuffer) and framebuffer.grid.stamp != self._painted:
                return ()  # the rest of the server's update is on its way
            update = await self._sight.update(framebuffer, self._session.taste.quality, wanted)
        if not update:
            return ()
        self._next_at = now + BETWEEN_UPDATES_SECONDS
        return update, flow.sent(wanted, asyncio.get_running_loop().time())

    def _new_size(self, framebuffer: Framebuffer) -> bytes:
        old, new = self._sight.bounds, framebuffer.bounds
        rectangle = self._session.tell_size(old, new) if new != old else b""
        if not rectangle:
            return b""
        self._sight.bounds = new
        return messages.framebuffer_update(1, rectangle)
