"""Looks at workstations nobody watches: one whole handshake each, at most once a minute."""

import asyncio
from collections.abc import Callable

from controle_vnc.room.seat import Seat
from controle_vnc.tasks import spawn
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.state import LINK_ERRORS, READY, Health, health_of
from controle_vnc.workstation.upstream import open_upstream

MAX_AT_ONCE = 16  # a room of dead hosts is looked through in two rounds of 5 s


class Refresher:
    """Keeps when each workstation was looked at last, and looks in the background."""

    def __init__(self, timing: Timing, clock: Callable[[], float]) -> None:
        self._timing = timing
        self._clock = clock
        self._looked_at: dict[str, float] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(MAX_AT_ONCE)

    def look(self, seat: Seat, again: bool = False) -> None:
        """Look at `seat` soon; `again`: although it was looked at within the minute."""
        now = self._clock()
        last = self._looked_at.get(seat.id, float("-inf"))
        fresh = now - last < self._timing.refresh and not again
        if fresh or seat.id in self._running or seat.upstreams:
            return
        if seat.link.is_busy or seat.link.is_held:
            return
        self._looked_at[seat.id] = now
        task = spawn(self._look(seat), f"look at {seat.stored.name}")
        self._running[seat.id] = task
        task.add_done_callback(lambda _: self._running.pop(seat.id, None))

    async def _look(self, seat: Seat) -> None:
        async with self._room:
            link = seat.link
            if link.is_busy:
                return
            seat.note(link, await look(seat, self._timing))

    def close(self) -> None:
        for task in list(self._running.values()):
            task.cancel()


async def look(seat: Seat, timing: Timing) -> Health:
    """How the workstation is, by one complete handshake."""
    try:
        upstream = await open_upstream(seat.link.target, timing, seat.link.turns)
    except LINK_ERRORS as error:
        return health_of(error)
    upstream.connection.close()
    return READY
