"""The registry of workstations: what each is, how it is, and who wants to know."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol

from controle_vnc.control.messages import Probe, Room, Workstation
from controle_vnc.errors import RequestRefusedError
from controle_vnc.room.refresh import Refresher
from controle_vnc.room.rewind import Shelf
from controle_vnc.room.seat import Seat, Surroundings, Way
from controle_vnc.room.tiles import Workshop
from controle_vnc.store import StoredWorkstation
from controle_vnc.tasks import spawn
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.probe import probe

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0  # the daemon stops within 3 s
RETRY_SECONDS = 10.0  # a button pressed again and again must not have us blacklisted
FORGET_SECONDS = 1.0  # so much longer than five minutes may a picture stay in memory

Change = Literal["added", "changed", "removed"]


class Listener(Protocol):
    """A wall: told of every workstation; it picks what it shows."""

    def workstation(self, change: Change, seat: Seat) -> None:
        """A workstation was added, changed (name, room, user, address) or removed."""

    def state(self, seat: Seat) -> None:
        """A workstation's state or its reason may have changed."""


def wall_clock_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Hub:
    """All workstations, by id. Lives on one event loop."""

    def __init__(
        self,
        stored: Iterable[StoredWorkstation] = (),
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = wall_clock_ms,
        keep_trust: Callable[[str, str, str], None] = lambda id_, address, trust: None,
        record: Callable[[str, StoredWorkstation, dict[str, str]], None] = lambda *_: None,
    ) -> None:
        """Two that block, called in threads.

        `keep_trust` stores by what the server of a workstation (its id, its address) is known
        again; `record` journals an event of a kind.
        """
        self.changing = asyncio.Lock()
        """Held while workstations are changed, so that store and hub say the same."""
        self.clock = clock
        self.now_ms = now_ms
        self.timing = timing or Timing()
        self._executor = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="tile")
        # threads of their own: a live picture does not wait for forty tiles
        self._encoders = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="live")
        self._around = Surroundings(
            Workshop(self._executor, clock, now_ms),
            self._encoders,
            self.timing,
            asyncio.Lock(),
            self._changed,
            Shelf(),
            self._met,
            self._key_changed,
        )
        self._keep_trust, self._record = keep_trust, record
        self._keeping: set[asyncio.Task[None]] = set()
        self._forgetting: asyncio.Task[None] | None = None
        self._listeners: dict[Listener, None] = {}
        self._refresher = Refresher(self.timing, clock)
        self._seats = {row.id: Seat(row, self._around) for row in stored}

    async def close(self) -> None:
        """Stop every link and every thread."""
        self._refresher.close()
        self._stop_forgetting()
        for seat in self._seats.values():
            seat.stop_viewers("stopping")
        closing = [seat.link.close() for seat in self._seats.values()]
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*closing)
                await self.kept()
        except TimeoutError:
            logger.warning("some links did not close within %s s", CLOSE_SECONDS)
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._encoders.shutdown(wait=False, cancel_futures=True)

    # --- who is there

    def seats(self) -> list[Seat]:
        return list(self._seats.values())

    def find(self, id_: str) -> Seat | None:
        return self._seats.get(id_)

    def seat(self, id_: str) -> Seat:
        """The seat of that id; raises `RequestRefusedError("unknown_workstation", …)`."""
        seat = self._seats.get(id_)
        if seat is None:
            raise RequestRefusedError("unknown_workstation", f"no workstation {id_[:64]!r}")
        return seat

    def workstations(self) -> list[Workstation]:
        """All of them, by room and name."""
        everyone = [seat.describe() for seat in self._seats.values()]
        return sorted(everyone, key=lambda one: (one.room, one.name))

    def status(self, id_: str) -> Workstation:
        return self.seat(id_).describe()

    def rooms(self) -> list[Room]:
        """Every room and its workstations, by name."""
        rooms: dict[str, list[str]] = {}
        for one in self.workstations():
            rooms.setdefault(one.room, []).append(one.id)
        return [Room(name, ids) for name, ids in rooms.items()]

    @property
    def upstreams(self) -> int:
        return sum(seat.upstreams for seat in self._seats.values())

    @property
    def screens(self) -> int:
        return sum(seat.screens for seat in self._seats.values())

    # --- what the store tells

    def add(self, stored: StoredWorkstation) -> None:
        """A workstation was stored."""
        seat = self._seats[stored.id] = Seat(stored, self._around)
        self._tell("added", seat)

    def change(self, stored: StoredWorkstation) -> None:
        """A stored workstation was changed; waits for it are forgotten."""
        seat = self._seats.get(stored.id)
        if seat is None:
            self.add(stored)
            return
        old_link = seat.replace(stored)
        if old_link is not None:
            spawn(old_link.close(), f"closing the old link of {stored.name}")
        seat.retry()
        self._tell("changed", seat)

    def remove(self, id_: str) -> None:
        """A workstation is no longer stored: whoever watches it stops."""
        seat = self._seats.pop(id_, None)
        if seat is None:
            return
        seat.stop_viewers("removed")
        seat.forget()
        self._tell("removed", seat)
        spawn(seat.link.close(), f"closing the link of {seat.stored.name}")

    # --- what is kept of the last minutes

    def keep_rewind(self, rooms: Iterable[str]) -> None:
        """Keep pictures of the last minutes in these rooms and in no other."""
        shelf = self._around.shelf
        if (wanted := frozenset(rooms)) == shelf.rooms:
            return
        shelf.rooms = wanted
        for seat in self._seats.values():
            seat.take_rewind_setting()
        if not wanted:
            self._stop_forgetting()
        elif self._forgetting is None:
            self._forgetting = spawn(self._forget(), "pictures of the last minutes")

    @property
    def rewind_bytes(self) -> int:
        """What is kept of the last minutes of all screens."""
        return self._around.shelf.bytes

    def _stop_forgetting(self) -> None:
        if self._forgetting is not None:
            self._forgetting.cancel()
            self._forgetting = None

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET_SECONDS)
            self._around.shelf.expire(self.now_ms())

    # --- looking

    def retry(self, id_: str) -> None:
        """Try again now, whatever failed before; look once if nobody watches.

        Within 10 s of the last such wish nothing is done: its answer still counts.
        """
        seat, now = self.seat(id_), self.clock()
        if now - seat.retried_at < RETRY_SECONDS:
            return
        seat.retried_at = now
        seat.retry()
        self.look_again(seat)

    def look_again(self, seat: Seat) -> None:
        """Look at `seat` although the last look is not a minute old, if nobody watches."""
        self._refresher.look(seat, again=True)

    def refresh(self, ids: Iterable[str]) -> None:
        """Look at those that nobody watches and that were not looked at for a minute."""
        for id_ in ids:
            if (seat := self._seats.get(id_)) is not None:
                self._refresher.look(seat)

    async def probe(self, id_: str) -> Probe:
        """One whole handshake and one picture, step by step, at somebody's request."""
        seat = self.seat(id_)
        link = seat.link
        health, steps = await probe(link.target, self.timing, turns=link.turns)
        seat.note(link, health)
        return Probe(state=health.state, reason=health.reason, steps=steps)

    def _met(self, seat: Seat, way: Way, shown: str) -> None:
        logger.info("the server of %s is known by %s from now on", seat.stored.name, shown)
        self._spawn(self._learn(seat, way, shown), f"server of {seat.stored.name}")

    async def _learn(self, seat: Seat, way: Way, shown: str) -> None:
        async with self.changing:
            if self._seats.get(seat.id) is not seat or not seat.leads(way):
                return  # changed since: it was another's, or is to be forgotten
            stored = seat.stored
            if stored.trust is not None:
                await asyncio.to_thread(self._keep_trust, stored.id, stored.address, stored.trust)
        await asyncio.to_thread(self._record, "workstation_trust_learnt", stored, {"shown": shown})

    def _key_changed(self, seat: Seat, shown: str) -> None:
        stored = seat.stored
        logger.warning("the server of %s shows %s, another key", stored.name, shown)
        details = {"shown": shown, "known": stored.trust or ""}
        recording = asyncio.to_thread(self._record, "workstation_key_changed", stored, details)
        self._spawn(recording, f"key of {stored.name}")

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = spawn(work, name)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    async def kept(self) -> None:
        """Wait until everything that was learnt is stored."""
        if self._keeping:
            await asyncio.wait(self._keeping)  # who gives up waiting does not end it

    # --- who wants to know

    def subscribe(self, listener: Listener) -> None:
        self._listeners[listener] = None

    def unsubscribe(self, listener: Listener) -> None:
        self._listeners.pop(listener, None)

    def _changed(self, seat: Seat) -> None:
        if self._seats.get(seat.id) is seat:
            for listener in list(self._listeners):
                listener.state(seat)

    def _tell(self, change: Change, seat: Seat) -> None:
        for listener in list(self._listeners):
            listener.workstation(change, seat)
