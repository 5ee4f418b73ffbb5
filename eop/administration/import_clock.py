"""When imports begin: those asked for, and those of the day's times.

Each has a process of its own: reading a directory and storing thousands of people must not delay
what the worker does every second, and whatever hangs can be ended.
"""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day

from eop.administration import import_lock, import_run, import_store
from eop.administration.import_store import FAILED, QUEUED, RUNNING, SCHEDULE, Order, Run
from eop.services import Services

DEADLINE_SECONDS = 15 * 60.0  # a directory of twenty thousand over a slow line
STOP_SECONDS = 5.0
TRIES = 3  # of one scheduled time
RETRY_MS = 30 * 60 * 1000  # a directory that was restarted is back by then

Start = Callable[[int], "subprocess.Popen[bytes]"]

logger = logging.getLogger(__name__)


def start_process(number: int) -> "subprocess.Popen[bytes]":
    """Carry out a queued run in a process of its own."""
    command = (sys.executable, "-m", "eop.administration.import_process", str(number))
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)


def last_moment(times: str, now: float) -> float | None:
    """The newest of the day's times ("02:30,12:30", local) that is not after `now` (seconds)."""
    parts = [part for part in times.replace(" ", "").split(",") if part]
    today = datetime.fromtimestamp(now).date()  # noqa: DTZ006 - a school's own clock
    moments = [
        datetime.combine(day, time_of_day.fromisoformat(part)).timestamp()
        for day in (today, today - timedelta(days=1))
        for part in parts
    ]
    return max((moment for moment in moments if moment <= now), default=None)


def is_due(runs: list[Run], now_ms: int) -> bool:
    """Whether to begin, where `runs` are those begun since the scheduled moment, oldest first."""
    if not runs:
        return True
    last = runs[-1]
    return last.outcome == FAILED and len(runs) < TRIES and now_ms - last.at >= RETRY_MS


class ImportClock:
    """Begins what is due or asked for, one at a time, and ends what takes too long."""

    def __init__(
        self,
        parts: Services,
        steady: Callable[[], float] = time.monotonic,
        start: Start = start_process,
    ) -> None:
        self._parts, self._steady, self._start = parts, steady, start
        self._child: subprocess.Popen[bytes] | None = None
        self._number = 0
        self._deadline = 0.0

    def tick(self) -> None:
        """Look after the import that runs, or begin another."""
        if self._child is not None:
            self._look_after(self._child)
            return
        self._clear_interrupted()
        self._queue_scheduled()
        with self._parts.database.read() as connection:
            queued = import_store.in_state(connection, QUEUED)
        if queued:
            self._number = queued[0].id
            self._deadline = self._steady() + DEADLINE_SECONDS
            self._child = self._start(self._number)

    def stop(self) -> None:
        """End the import that runs; what it did not finish is undone by the database."""
        if self._child is not None:
            self._end(self._child)
            self._fail("it was stopped with the worker")
            self._child = None

    def _look_after(self, child: "subprocess.Popen[bytes]") -> None:
        code = child.poll()
        if code is None and self._steady() < self._deadline:
            return
        if code is None:
            self._end(child)
            self._fail(f"it took longer than {DEADLINE_SECONDS / 60:.0f} minutes and was ended")
        else:
            self._fail(f"its process ended with exit code {code}")
        self._child = None

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(STOP_SECONDS)

    def _fail(self, why: str) -> None:
        """Keep why, unless the run is over: then it has said itself how it went."""
        with self._parts.database.read() as connection:
            found = import_store.find(connection, self._number)
        if found is not None and not found.is_over:
            import_run.fail(self._parts, found.id, found.order, why)

    def _clear_interrupted(self) -> None:
        """Runs that went on when their process was killed are over."""
        with self._parts.database.read() as connection:
            running = import_store.in_state(connection, RUNNING)
        if running and not import_lock.is_held():
            for one in running:
                import_run.fail(self._parts, one.id, one.order, "it was interrupted")

    def _queue_scheduled(self) -> None:
        site, now_ms = self._parts.site, self._parts.now_ms()
        moment = last_moment(site.IMPORT_AT, now_ms / 1000)
        if moment is None:
            return
        since_ms, database = int(moment * 1000), self._parts.database
        with database.read() as connection:
            due = [
                source
                for source in site.IMPORT_SOURCES
                if is_due(import_store.scheduled_since(connection, source, since_ms), now_ms)
            ]
        for source in due:
            with database.write() as connection:
                order = Order(source=source, by=SCHEDULE)
                import_store.add(connection, order, QUEUED, now_ms)
