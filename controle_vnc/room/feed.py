"""One workstation's picture for its live viewers: each change encoded once for each quality."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.grid import Change, clipped
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.tasks import spawn

CELLS_A_TURN = 16  # a few ms: who joins, and needs them all, holds nobody up for longer
BOXES_KEPT = 2  # of one cell: all of it, and what changed last
UPDATES_KEPT = 4  # of one moment: for those in step, for who has just come, for two between


@dataclass(frozen=True)
class Update:
    """One FramebufferUpdate, `b""` where nothing is new; its viewer has then seen `stamp`."""

    data: bytes
    stamp: int


class Feed:
    """What is encoded of one workstation; nothing of a quality that nobody reads."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._qualities: dict[object, Quality] = {}
        self._editions: dict[Quality, Edition] = {}

    def edition(self, reader: object, quality: Quality, framebuffer: Framebuffer) -> "Edition":
        """The pictures of `framebuffer` that `reader` reads from now on."""
        if self._qualities.get(reader, quality) != quality:
            self.leave(reader)
        self._qualities[reader] = quality
        edition = self._editions.get(quality)
        if edition is None or edition.grid is not framebuffer.grid:
            edition = self._editions[quality] = Edition(framebuffer, quality, self._executor)
        return edition

    def leave(self, reader: object) -> None:
        """`reader` reads no more; with the last of its quality goes what was encoded."""
        quality = self._qualities.pop(reader, None)
        if quality is not None and quality not in self._qualities.values():
            self._editions.pop(quality).close()

    @property
    def kept_bytes(self) -> int:
        """What is held for viewers to come."""
        return sum(edition.kept_bytes for edition in self._editions.values())


@dataclass(frozen=True)
class _Kept:
    version: int
    data: bytes


class _Making:
    """An update on its way: `stamp` is known when its turn has come."""

    def __init__(self) -> None:
        self.stamp: int | None = None
        self.done: asyncio.Future[Update] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None


class Edition:
    """What viewers of one quality are sent of one grid."""

    def __init__(self, framebuffer: Framebuffer, quality: Quality, executor: Executor) -> None:
        self.grid = framebuffer.grid
        self._pixels = framebuffer.pixels
        self._quality = quality
        self._executor = executor
        self._cells: dict[int, dict[Rect, _Kept]] = {}
        self._updates: dict[tuple[int, Rect], _Making] = {}
        self._turn = asyncio.Lock()  # one thread for each quality

    def close(self) -> None:
        """Nobody waits for what is being made."""
        for making in self._updates.values():
            if making.task is not None:
                making.task.cancel()

    @property
    def kept_bytes(self) -> int:
        cells = sum(len(k.data) for boxes in self._cells.values() for k in boxes.values())
        made = (making.done for making in self._updates.values())
        return cells + sum(len(done.result().data) for done in made if _is_made(done))

    async def since(self, seen: int, window: Rect) -> Update:
        """What `window` shows that is newer than `seen`; viewers in step get the same bytes."""
        key = (seen, window)
        making = self._updates.get(key)
        if making is None or not self._is_present(making):
            self._forget_updates()
            making = self._updates[key] = _Making()
            making.task = spawn(self._make(making, seen, window), "an update for live viewers")
        # one viewer that goes must not take it from the others
        return await asyncio.shield(making.done)

    def _is_present(self, making: _Making) -> bool:
        return making.stamp in (None, self.grid.stamp) and not making.done.cancelled()

    def _forget_updates(self) -> None:
        """Leave those that somebody may still ask for."""
        current = {key: one for key, one in self._updates.items() if self._is_present(one)}
        made = [key for key, one in current.items() if one.done.done()]
        for key in made[: max(0, len(made) + 1 - UPDATES_KEPT)]:
            del current[key]
        self._updates = current

    async def _make(self, making: _Making, seen: int, window: Rect) -> None:
        try:
            async with self._turn:  # who waits for its turn gets what is newest then
                making.stamp = self.grid.stamp
                changes = clipped(self.grid.since(seen), window)
                rectangles = await self._encoded(changes[:CELLS_A_TURN])
            rectangles += await self._in_turns(changes[CELLS_A_TURN:])
            data = _joined(rectangles)
            making.done.set_result(Update(data, making.stamp))
        finally:
            making.done.cancel()  # where it was not made, which `spawn` tells

    async def show(self, changes: Sequence[Change]) -> bytes:
        """One FramebufferUpdate of `changes`, of which only what is new is encoded.

        `b""` where there are none.
        """
        return _joined(await self._in_turns(changes))

    async def _in_turns(self, changes: Sequence[Change]) -> list[bytes]:
        rectangles: list[bytes] = []
        for start in range(0, len(changes), CELLS_A_TURN):
            async with self._turn:
                rectangles += await self._encoded(changes[start : start + CELLS_A_TURN])
        return rectangles

    async def _encoded(self, batch: Sequence[Change]) -> list[bytes]:
        missing = [change for change in batch if self._kept(change) is None]
        made: dict[Change, bytes] = {}
        if missing:
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(self._executor, self._encode, missing)
            made = dict(zip(missing, data, strict=True))
        rectangles = [made.get(change) or self._kept(change) or b"" for change in batch]
        for change, rectangle in made.items():
            self._keep(change, rectangle)
        return rectangles

    def _encode(self, changes: Sequence[Change]) -> list[bytes]:
        # The link may paint meanwhile: what it paints has a newer version, and comes again.
        return [self._quality.encode(self._pixels, change.box) for change in changes]

    def _kept(self, change: Change) -> bytes | None:
        kept = self._cells.get(change.cell, {}).get(change.box)
        return kept.data if kept is not None and kept.version >= change.version else None

    def _keep(self, change: Change, data: bytes) -> None:
        boxes = self._cells.get(change.cell, {})
        if any(kept.version > change.version for kept in boxes.values()):
            return
        boxes = {box: kept for box, kept in boxes.items() if kept.version == change.version}
        boxes[change.box] = _Kept(change.version, data)
        while len(boxes) > BOXES_KEPT:
            del boxes[next(iter(boxes))]
        self._cells[change.cell] = boxes


def _joined(rectangles: Sequence[bytes]) -> bytes:
    return messages.framebuffer_update(len(rectangles), b"".join(rectangles)) if rectangles else b""


def _is_made(done: asyncio.Future[Update]) -> bool:
    return done.done() and not done.cancelled()
