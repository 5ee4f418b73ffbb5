"""One wall: the states and visible tiles of a room or of some users, to one browser."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable, Iterator
from typing import Any

from controle_vnc.errors import ProtocolError
from controle_vnc.room.hub import Change, Hub
from controle_vnc.room.seat import Seat
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.house import Details, House, as_word
from controle_vnc.viewer.race import first_to_end
from controle_vnc.viewer.stream import Stream
from controle_vnc.viewer.wall_frames import (
    EVENT,
    MAX_SNAPSHOT_WORKSTATIONS,
    FrameReader,
    controllers_value,
    event_frame,
    parse_visible,
    reason_value,
    tile_frame,
)

logger = logging.getLogger(__name__)

HELD_BYTES = 64 * 1024  # above this a slow browser gets nothing new until it has read
BATCH_BYTES = 256 * 1024  # of one write: the tiles of a whole room, or one frame that is longer
BATCH_SECONDS = 0.06  # tiles that are made so close together leave in one write
QUIET_SECONDS = 1.2  # a workstation that showed nothing new for so long waits for no batch
STALLED_SECONDS = 60.0  # a browser that reads nothing for so long is gone
SEEN_SECONDS = 2.0
BETWEEN_REQUESTS_SECONDS = 0.1  # a page that scrolls asks no faster than this
WATCHED_BYTES = 2048  # of logins in one event of the journal: half of what its details may have
BYE_SECONDS = 0.5  # the farewell is best effort; the screen closes within a second


class Wall:
    """Keeps the newest of everything until the browser has room for it. A listener of both."""

    def __init__(self, grant: Grant, hub: Hub, viewer: Stream) -> None:
        self._grant = grant
        self._hub = hub
        self._viewer = viewer
        self._shown: dict[int, Seat] = {}
        self._visible: dict[int, int] = {}
        self._workstations: dict[int, dict[str, Any]] = {}
        self._states: dict[int, dict[str, Any]] = {}
        self._told: dict[int, tuple[object, object, object]] = {}
        self._tiles: dict[int, None] = {}
        self._sent_at: dict[int, float] = {}
        self._batch_at = float("-inf")
        self._batch_timer: asyncio.TimerHandle | None = None
        self._seen = False
        self._work = asyncio.Event()
        self._journalled: set[str] = set()
        self._newcomers = asyncio.Event()

    # --- what is shown

    def _belongs(self, seat: Seat) -> bool:
        if self._grant.users is not None:
            return seat.stored.user in self._grant.users
        return seat.stored.room == self._grant.room

    def snapshot(self) -> bytes:
        """The first event; workstations beyond what one frame holds follow as `added`."""
        for seat in self._hub.seats():
            if self._belongs(seat):
                self._shown[seat.number] = seat
        seats = list(self._shown.values())
        entries = [self._entry(seat) for seat in seats[:MAX_SNAPSHOT_WORKSTATIONS]]
        for seat in seats[MAX_SNAPSHOT_WORKSTATIONS:]:
            self.workstation("added", seat)
        event = {"event": "snapshot", "now": self._hub.now_ms(), "workstations": entries}
        return event_frame(event)

    def unjournalled(self) -> list[str]:
        """Who sits at what is shown and was not given to the journal yet; now he was."""
        there = {s.stored.user for s in self._hub.seats() if s.stored.user and self._belongs(s)}
        new = sorted(there - self._journalled)
        self._journalled.update(new)
        return new

    async def keep_journal(self, house: House, closing: Closing) -> None:
        """Journal those who sit down at what is shown; where that fails, the wall closes."""
        while True:
            await self._newcomers.wait()
            self._newcomers.clear()
            for watched in _parts(self.unjournalled()):
                details = {**_details(self._grant), "watched": watched}
                if not await house.record("wall_shown", self._grant, details):
                    closing.close("journal")
                    return

    def _entry(self, seat: Seat) -> dict[str, Any]:
        known = seat.describe()
        self._told[seat.number] = (known.state, known.reason, known.controllers)
        return {
            "number": known.number,
            "id": known.id,
            "name": known.name,
            "room": known.room,
            "user": known.user,
            "state": known.state,
            "reason": reason_value(known.reason),
            "controllers": controllers_value(known.controllers),
        }

    # --- what the hub tells

    def workstation(self, change: Change, seat: Seat) -> None:
        number = seat.number
        self._states.pop(number, None)
        if change != "removed" and self._belongs(seat):
            known = number in self._shown and change == "changed"
            self._shown[number] = seat
            if seat.stored.user and seat.stored.user not in self._journalled:
                self._newcomers.set()
            event = {"change": "changed" if known else "added", **self._entry(seat)}
        elif number in self._shown:
            self._hide(number)
            del self._shown[number]
            self._told.pop(number, None)
            event = {"change": "removed", "number": number}
        else:
            return
        self._workstations[number] = {"event": "workstation", **event}
        self._work.set()

    def state(self, seat: Seat) -> None:
        if seat.number not in self._shown:
            return
        known = seat.describe()
        if self._told.get(seat.number) == (known.state, known.reason, known.controllers):
            return
        self._told[seat.number] = (known.state, known.reason, known.controllers)
        self._states[seat.number] = {
            "event": "state",
            "number": seat.number,
            "state": known.state,
            "reason": reason_value(known.reason),
            "controllers": controllers_value(known.controllers),
        }
        self._work.set()

    def tile_made(self, number: int) -> None:
        self._tiles[number] = None
        now = self._hub.clock()
        if now - self._sent_at.get(number, float("-inf")) >= QUIET_SECONDS:
            self._work.set()
        elif self._batch_timer is None:
            loop = asyncio.get_running_loop()
            self._batch_timer = loop.call_later(BATCH_SECONDS, self._work.set)

    # --- what the browser tells

    async def receive(self) -> None:
        """Follow what the page shows, until it hangs up or breaks the protocol."""
        frames = FrameReader()
        try:
            while data := await self._viewer.read():
                newest = None
                for kind, payload in frames.feed(data):
                    if kind == EVENT:
                        newest = parse_visible(payload) or newest
                if newest is not None:
                    self._show(newest.widths())
                    await asyncio.sleep(BETWEEN_REQUESTS_SECONDS)
        except (ProtocolError, OSError) as error:
            logger.info("wall of %s closed: %s", self._grant.user, error)

    def _show(self, widths: dict[int, int]) -> None:
        for number in self._visible.keys() - widths.keys():
            self._hide(number)
        for number in sorted(widths.keys() & self._shown.keys()):
            width = widths[number]
            if self._visible.get(number) == width:
                continue
            self._visible[number] = width
            seat = self._shown[number]
            seat.want_tiles(self, width)
            if seat.tiles.latest(width) is not None:
                self.tile_made(number)

    def _hide(self, number: int) -> None:
        self._tiles.pop(number, None)
        self._sent_at.pop(number, None)
        if self._visible.pop(number, None) is not None:
            self._shown[number].leave_tiles(self)

    def hide_all(self) -> None:
        """The wall is closed: nothing is made for it any more."""
        self._stop_batch_timer()
        for number in list(self._visible):
            self._hide(number)

    def _stop_batch_timer(self) -> None:
        if self._batch_timer is not None:
            self._batch_timer.cancel()
            self._batch_timer = None

    # --- what is sent

    async def send(self) -> None:
        """Send what there is in one go, newest only, whenever the browser has room."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while True:
                await self._work.wait()
                self._work.clear()
                self._stop_batch_timer()
                while batch := self._next_batch():
                    self._viewer.write(*batch)
                    async with asyncio.timeout(STALLED_SECONDS):
                        await self._viewer.drain(HELD_BYTES)

    def _next_batch(self) -> list[bytes]:
        self._batch_at = self._hub.clock()
        batch: list[bytes] = []
        size = 0
        while size < BATCH_BYTES and (frame := self._next_frame()) is not None:
            batch.append(frame)
            size += len(frame)
        return batch

    def _next_frame(self) -> bytes | None:
        for events in (self._workstations, self._states):
            if events:
                return event_frame(events.pop(next(iter(events))))
        if self._seen:
            self._seen = False
            return event_frame(self._seen_event())
        while self._tiles:
            number = next(iter(self._tiles))
            del self._tiles[number]
            tile = self._shown[number].tiles.latest(self._visible[number])
            if tile is not None:
                self._sent_at[number] = self._batch_at
                return tile_frame(tile)
        return None

    def _seen_event(self) -> dict[str, Any]:
        proven = [n for n in self._visible if self._shown[n].link.is_proven()]
        return {"event": "seen", "now": self._hub.now_ms(), "numbers": sorted(proven)}

    async def keep_seen(self) -> None:
        """Every 2 s, which of the visible tiles are proven alive."""
        while True:
            await asyncio.sleep(SEEN_SECONDS)
            self._seen = True
            self._work.set()


async def serve(grant: Grant, closing: Closing, viewer: Stream, house: House) -> None:
    """One wall from its first byte to its last."""
    wall = Wall(grant, house.hub, viewer)
    if not await _journal_opening(wall, grant, house):
        await _say_bye(viewer, "journal")
        return
    began = house.hub.clock()
    house.hub.subscribe(wall)
    try:
        if closing.code is None:  # else it was closed before the browser came
            viewer.write(wall.snapshot())
        sides = (wall.receive(), wall.send(), wall.keep_seen(), closing.wait())
        journal = wall.keep_journal(house, closing)
        await first_to_end(f"wall of {grant.user}", *sides, journal)
        if closing.code is not None:
            await _say_bye(viewer, closing.code)
    finally:
        house.hub.unsubscribe(wall)
        wall.hide_all()
        seconds = int(house.hub.clock() - began)
        code = closing.code or "left"
        await house.record(
            "wall_closed", grant, {**_details(grant), "seconds": seconds, "code": code}
        )


async def _journal_opening(wall: Wall, grant: Grant, house: House) -> bool:
    """Write who is about to be seen, before anyone is; a long list takes several events."""
    kind, watched = "wall_opened", wall.unjournalled()
    while True:
        for part in _parts(watched) if watched else [""]:
            details = {**_details(grant), **({"watched": part} if part else {})}
            if not await house.record(kind, grant, details):
                return False
            kind = "wall_shown"
        watched = wall.unjournalled()  # someone may have sat down meanwhile
        if not watched:
            return True


def _parts(logins: Iterable[str]) -> Iterator[str]:
    """The logins with blanks between them, in texts that an event holds."""
    part: list[str] = []
    size = 0
    for login in map(as_word, logins):
        more = len(json.dumps(login))
        if part and size + more > WATCHED_BYTES:
            yield " ".join(part)
            part, size = [], 0
        part.append(login)
        size += more
    if part:
        yield " ".join(part)


def _details(grant: Grant) -> Details:
    if grant.users is None:
        return {"look": grant.id, "room": grant.room or ""}
    named: Details = {"class": grant.label} if grant.label else {}
    return {"look": grant.id, "users": len(grant.users), **named}


async def _say_bye(viewer: Stream, code: str) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        viewer.write(event_frame({"event": "bye", "code": code}))
        async with asyncio.timeout(BYE_SECONDS):
            await viewer.drain()
