"""The tiles of one workstation: each made once, for every wall that shows it at that width."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.tile import Dirt, SmallPicture
from controle_vnc.rfb.client import Event, Resized, RfbClient, Updated
from controle_vnc.room.rewind import Ring, Shelf
from controle_vnc.tasks import spawn
from controle_vnc.workstation.state import Health

EVERY_SECONDS = 0.95  # between tiles where pictures come faster than a wall asks for them
ALONE_SECONDS = 0.5  # where it is the first since the last tile: walls ask once a second
MAX_TILE_BYTES = 1024 * 1024 - 64  # a wall's frame is at most 1 MiB, its head included
MIN_WIDTH = 16  # a picture that is too large even so is a strip; it is not shown
INLINE_PIXELS = 1280 * 720  # a millisecond's work; a thread's detour costs a tenth of one
INLINE_WIDTH = 320  # wider tiles take longer to encode


@dataclass(frozen=True)
class Tile:
    """One JPEG of a workstation's screen; `sequence` counts the workstation's tiles."""

    number: int
    sequence: int
    captured_at: int
    jpeg: bytes


class TileListener(Protocol):
    """A wall."""

    def tile_made(self, number: int) -> None:
        """There is a new tile of workstation `number`, at the width asked for."""


@dataclass(frozen=True)
class Workshop:
    """What making tiles needs: threads, a clock for pace, a clock for capture times (ms)."""

    executor: Executor
    clock: Callable[[], float]
    now_ms: Callable[[], int]


class Tiles:
    """Watches a workstation's link while a wall shows it. A `Watcher`."""

    live = False

    def __init__(self, number: int, workshop: Workshop, ring: Ring | None = None) -> None:
        self.number = number
        self._ring = ring if ring is not None else Ring(Shelf())
        self._workshop = workshop
        self._listeners: dict[TileListener, int] = {}
        self._made: dict[int, Tile] = {}
        self._pictures: dict[int, SmallPicture] = {}
        self._stale: set[int] = set()
        self._client: RfbClient | None = None
        self._has_picture = False
        self._captured_at = 0
        self._sequence = 0
        self._last_start = float("-inf")
        self._pictures_since = 0
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False

    @property
    def is_wanted(self) -> bool:
        return bool(self._listeners)

    def want(self, listener: TileListener, width: int) -> None:
        """`listener` shows this workstation from now on, at `width`."""
        self._listeners[listener] = width
        if width not in self._made:
            self._stale.add(width)
        self._plan()

    def leave(self, listener: TileListener) -> None:
        """`listener` shows it no more."""
        self._listeners.pop(listener, None)
        widths = set(self._listeners.values())
        self._stale &= widths
        self._made = {width: tile for width, tile in self._made.items() if width in widths}
        self._pictures = {width: kept for width, kept in self._pictures.items() if width in widths}
        if not widths:
            self.lost()  # the link may end while nobody looks, and nobody will tell

    def rewind_began(self) -> None:
        """The ring was switched on: what walls show now is its first picture."""
        if (width := self.shown_width) is not None and (tile := self.latest(width)) is not None:
            self._ring.note(self._workshop.now_ms(), width, tile.jpeg)

    def latest(self, width: int) -> Tile | None:
        """The newest tile at `width`, if there is one of the present connection."""
        return self._made.get(width)

    # --- Watcher

    @property
    def shown_width(self) -> int | None:
        return max(self._listeners.values(), default=None)

    def opened(self, client: RfbClient, has_picture: bool) -> None:
        self._client = client
        self._has_picture = has_picture
        if has_picture:
            self._note_picture()

    def event(self, event: Event) -> None:
        if isinstance(event, Updated) and not event.damage.is_empty:
            self._note_picture()
        elif isinstance(event, Resized):
            self._pictures.clear()  # each holds the old screen, and this update may never end

    def _note_picture(self) -> None:
        self._has_picture = True
        self._pictures_since += 1
        self._captured_at = self._workshop.now_ms()
        self._stale = set(self._listeners.values())
        self._plan()

    def lost(self) -> None:
        # no tile of a connection that is gone: what it shows may be hours old when looked at again
        self._client = None
        self._has_picture = False
        self._made.clear()
        self._pictures.clear()
        self._ring.end(self._workshop.now_ms())

    def told(self, health: Health) -> None:
        """Walls hear of it from the hub."""

    # --- making

    def _plan(self) -> None:
        if self._busy or not self._stale or not self._has_picture:
            return
        every = EVERY_SECONDS if self._pictures_since > 1 else ALONE_SECONDS
        delay = self._last_start + every - self._workshop.clock()
        if any(width not in self._made for width in self._stale):
            delay = 0.0  # it has just become visible
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, delay), self._start)

    def _start(self) -> None:
        self._timer = None
        if not self._busy and self._stale and self._has_picture:
            self._busy = True
            self._last_start = self._workshop.clock()
            self._pictures_since = 0
            spawn(self._make(), f"tiles of workstation {self.number}")

    async def _make(self) -> None:
        try:
            client, captured_at = self._client, self._captured_at
            widths, self._stale = self._stale, set()
            if client is None or client.framebuffer is None:
                return
            for width in sorted(widths):
                if not self._has_picture:
                    return  # the screen has another size now, and is still black
                jpeg = await self._draw(client.framebuffer, width)
                if self._client is client and jpeg is not None:
                    self._keep(width, captured_at, jpeg)
        finally:
            self._busy = False
        self._plan()

    async def _draw(self, framebuffer: Framebuffer, width: int) -> bytes | None:
        """A JPEG at `width`, or `None` where the one made before shows the same."""
        picture = self._pictures.setdefault(width, SmallPicture(width))
        dirt = picture.take(framebuffer)
        known = width in self._made
        if dirt.area <= INLINE_PIXELS and width <= INLINE_WIDTH:
            jpeg = _drawn(picture, dirt, known)
        else:
            loop = asyncio.get_running_loop()
            jpeg = await loop.run_in_executor(self._workshop.executor, _drawn, picture, dirt, known)
        if jpeg is None or len(jpeg) <= MAX_TILE_BYTES:
            return jpeg
        # a strip too long for one frame: from now on narrower
        if picture.width < 2 * MIN_WIDTH:
            return None
        self._pictures[width] = SmallPicture(picture.width // 2)
        return await self._draw(framebuffer, width)

    def _keep(self, width: int, captured_at: int, jpeg: bytes) -> None:
        if width not in self._listeners.values():
            return
        known = self._made.get(width)
        if known is not None and known.jpeg == jpeg:
            return
        self._sequence += 1
        self._made[width] = Tile(self.number, self._sequence, captured_at, jpeg)
        if width == self.shown_width:
            self._ring.note(captured_at, width, jpeg)
        for listener, wanted in list(self._listeners.items()):
            if wanted == width:
                listener.tile_made(self.number)


def _drawn(picture: SmallPicture, dirt: Dirt, is_known: bool) -> bytes | None:
    changed = picture.update(dirt)
    return picture.encode() if changed or not is_known else None
