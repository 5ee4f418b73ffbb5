"""One live viewer served from the decoded picture: newest wins, one update for each request."""

import asyncio
import logging

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, Pixels
from controle_vnc.framebuffer.rect import EMPTY, Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client import Bell, CutText, Event, RfbClient, Updated
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.viewer_messages import (
    SetEncodings,
    SetPixelFormat,
    UpdateRequest,
    ViewerMessages,
)
from controle_vnc.room.seat import Seat
from controle_vnc.viewer.race import first_to_end
from controle_vnc.viewer.shared_input import Input
from controle_vnc.viewer.shared_picture import Taste
from controle_vnc.viewer.stream import Stream
from controle_vnc.workstation.state import CONNECTING, Health, SilentError

logger = logging.getLogger(__name__)

HELD_BYTES = 256 * 1024  # beside the update being written: a slow viewer gets the newest, later
STALLED_SECONDS = 60.0  # a browser that reads nothing for so long is gone
BETWEEN_UPDATES_SECONDS = 1 / 60  # a viewer that asks faster is not served faster
PROMISING = ("unknown", "connecting", "ready")


class SharedScreen:
    """A watcher of the decoded link, and the RFB server its viewer talks to."""

    live = True

    def __init__(self, seat: Seat, viewer: Stream, control: bool, clipboard: bool) -> None:
        self.code = "left"
        self.health: Health = CONNECTING
        self._seat = seat
        self._viewer = viewer
        self._may_cut = control and clipboard
        self._input = Input(control, self._may_cut)
        self._taste = Taste()
        self._client: RfbClient | None = None
        self._has_picture = False
        self._size = (0, 0)
        self._pending: Rect = EMPTY
        self._asked: UpdateRequest | None = None
        self._bell = False
        self._cut_text: bytes | None = None
        self._work = asyncio.Event()
        self._over = asyncio.Event()

    # --- Watcher

    def opened(self, client: RfbClient, has_picture: bool) -> None:
        self._client = client
        self._has_picture = has_picture
        if client.framebuffer is not None:
            client.framebuffer.watch(self)
        self._work.set()

    def event(self, event: Event) -> None:
        if isinstance(event, Updated):
            self._has_picture = self._has_picture or not event.damage.is_empty
        elif isinstance(event, Bell):
            self._bell = True
        elif isinstance(event, CutText) and self._may_cut:
            self._cut_text = event.text
        self._work.set()

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
        self._size = (framebuffer.width, framebuffer.height)
        return ServerInit(*self._size, RGBX, self._seat.stored.name)

    def leave(self) -> None:
        """The screen has ended: let go of the workstation."""
        if self._client is not None:
            self._input.let_go(self._client)
            self._seat.link.flush()
            if self._client.framebuffer is not None:
                self._client.framebuffer.unwatch(self)
        self._seat.unwatch(self)

    async def run(self, name: str, already: bytes) -> None:
        """Serve until one side ends; `already` is what the viewer sent after its handshake."""
        await first_to_end(name, self._receive(already), self._send(), self._until_lost())

    async def _until_lost(self) -> None:
        await self._over.wait()
        self.code = "closed"

    # --- from the viewer

    async def _receive(self, data: bytes) -> None:
        parser = ViewerMessages()
        try:
            while True:
                for message in parser.feed(data):
                    if isinstance(message, UpdateRequest):
                        self._ask(message)
                    elif isinstance(message, SetEncodings | SetPixelFormat):
                        self._taste.learn(message)
                    elif self._client is not None:
                        self._input.give(message, self._client)
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

    def _ask(self, request: UpdateRequest) -> None:
        if self._asked is not None and not self._asked.incremental:
            # the older request is for everything there: it must not be forgotten
            request = UpdateRequest(False, self._asked.rect.union(request.rect))
        self._asked = request
        self._work.set()

    # --- to the viewer

    async def _send(self) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                data = self._small_messages() + await self._update()
                if data:
                    self._viewer.write(data)
                    async with asyncio.timeout(STALLED_SECONDS):
                        await self._viewer.drain(HELD_BYTES)
                    await asyncio.sleep(BETWEEN_UPDATES_SECONDS)
        except (TimeoutError, ConnectionError):
            self.code = "left"

    def _small_messages(self) -> bytes:
        data = messages.bell() if self._bell else b""
        self._bell = False
        if self._cut_text is not None:
            data += messages.server_cut_text(self._cut_text)
            self._cut_text = None
        return data

    async def _update(self) -> bytes:
        framebuffer, asked = self._framebuffer, self._asked
        if framebuffer is None or asked is None:
            return b""
        if (framebuffer.width, framebuffer.height) != self._size:
            resized = self._taste.resize(framebuffer.width, framebuffer.height)
            if resized:
                self._size = (framebuffer.width, framebuffer.height)
                self._asked = None
                self._pending = framebuffer.bounds
                return resized
        rect = self._due(framebuffer, asked)
        if rect.is_empty:
            return b""
        self._asked = None
        return await self._draw(framebuffer.pixels, rect)

    def _due(self, framebuffer: Framebuffer, asked: UpdateRequest) -> Rect:
        """What to send for `asked`; it is taken off what is pending."""
        shown = framebuffer.bounds.intersection(Rect(0, 0, *self._size))
        self._pending = self._pending.union(framebuffer.take_damage(self)).intersection(shown)
        wanted = asked.rect.intersection(shown)
        rect = self._pending.intersection(wanted) if asked.incremental else wanted
        if self._pending.intersection(wanted) == self._pending:
            self._pending = EMPTY
        return rect

    async def _draw(self, pixels: Pixels, rect: Rect) -> bytes:
        # in a thread: another link may go on meanwhile; what it paints here comes as new damage
        return await asyncio.to_thread(self._taste.draw, pixels, rect)
