import subprocess
import sys
import time
from datetime import datetime

import pytest

from eop.administration import import_clock, import_store
from eop.administration.import_clock import ImportClock, is_due, last_moment
from eop.administration.import_lock import only_import
from eop.administration.import_store import QUEUED, RUNNING, SCHEDULE, Order, Run
from eop.worker import Worker
from tests.desktops import wait_until

MINUTE_MS = 60_000


@pytest.fixture
def paris(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("times", "now", "moment"),
    [
        ("02:30", "2026-11-21 02:30:00", "2026-11-21 02:30"),
        ("02:30", "2026-11-21 02:29:59", "2026-11-20 02:30"),
        ("02:30, 12:30", "2026-11-21 13:00", "2026-11-21 12:30"),
        ("02:30,12:30", "2026-11-21 01:00", "2026-11-20 12:30"),
        ("02:30", "2026-03-29 12:00", "2026-03-29 02:30"),  # an hour that this day has not
        ("02:30", "2026-10-25 12:00", "2026-10-25 02:30"),  # an hour that this day has twice
    ],
)
def test_the_newest_of_the_times(paris, times, now, moment):
    assert last_moment(times, seconds(now)) == seconds(moment)


def test_without_times_nothing_is_due():
    assert last_moment("", time.time()) is None


def run_of(outcome, at=0):
    return Run(1, at, SCHEDULE, "file", outcome, {})


@pytest.mark.parametrize(
    ("runs", "now_ms", "due"),
    [
        ([], 0, True),
        ([run_of("done")], 99 * MINUTE_MS, False),
        ([run_of("braked")], 99 * MINUTE_MS, False),
        ([run_of("queued")], 99 * MINUTE_MS, False),
        ([run_of("failed")], 30 * MINUTE_MS - 1, False),
        ([run_of("failed")], 30 * MINUTE_MS, True),
        ([run_of("failed")] * 3, 99 * MINUTE_MS, False),
    ],
)
def test_a_time_is_due_once_and_tried_again_twice(runs, now_ms, due):
    assert is_due(runs, now_ms) is due


def runs(house):
    with house.parts.database.read() as connection:
        return import_store.recent(connection, 100)


def queue(house, outcome=QUEUED):
    with house.parts.database.write() as connection:
        return import_store.add(connection, Order("file", "root"), outcome, house.parts.now_ms())


class Steady:
    """A steady clock, and what `ImportClock` starts with it."""

    def __init__(self, command):
        self.now, self.command, self.started = 0.0, command, []

    def start(self, number):
        self.started.append(subprocess.Popen(self.command))
        return self.started[-1]

    def clock(self, house):
        return ImportClock(house.parts, lambda: self.now, self.start)

    def end(self):
        for process in self.started:
            process.kill()
            process.wait(5)


@pytest.fixture
def sleeper():
    steady = Steady(["sleep", "60"])
    yield steady
    steady.end()


def test_the_schedule_imports_once_a_day_even_with_restarts(house, files, monkeypatch):
    files.set(monkeypatch, IMPORT_AT="00:00")
    for _ in range(3):  # each a worker of its own
        clock = ImportClock(house.parts)
        clock.tick()
        if clock._child is not None:
            clock._child.wait(60)
            clock.tick()
        clock.tick()
    assert [(run.by, run.outcome) for run in runs(house)] == [(SCHEDULE, "done")]
    house.offset = 24 * 3600
    clock = ImportClock(house.parts)
    clock.tick()
    clock._child.wait(60)
    clock.tick()
    assert len(runs(house)) == 2


def test_what_is_asked_for_is_done_by_the_worker_while_it_does_its_other_duties(house, files):
    number = queue(house)
    house.signed_in()
    worker = Worker(house.parts)
    try:

        def is_over():
            worker.tick()
            return runs(house)[0].is_over

        wait_until(is_over, 60, "the import is over")
    finally:
        worker.close()
    (run,) = runs(house)
    assert (run.id, run.outcome, run.summary["counts"]["new"]) == (number, "done", 11)
    assert len(house.daemon.leases) == 1


def test_one_import_follows_the_other(house, files, sleeper):
    queue(house)
    queue(house)
    clock = sleeper.clock(house)
    clock.tick()
    clock.tick()
    assert len(sleeper.started) == 1
    clock.stop()


def test_an_import_that_takes_too_long_is_ended_and_told(house, files, sleeper):
    queue(house, QUEUED)
    clock = sleeper.clock(house)
    clock.tick()
    sleeper.now = import_clock.DEADLINE_SECONDS - 1
    clock.tick()
    assert sleeper.started[0].poll() is None
    sleeper.now = import_clock.DEADLINE_SECONDS
    clock.tick()
    assert sleeper.started[0].poll() is not None
    assert runs(house)[0].summary["error"] == "it took longer than 15 minutes and was ended"


def test_a_process_that_dies_is_told(house, files):
    steady = Steady([sys.executable, "-c", "raise SystemExit(7)"])
    queue(house)
    clock = steady.clock(house)
    clock.tick()
    steady.started[0].wait(10)
    clock.tick()
    assert runs(house)[0].summary["error"] == "its process ended with exit code 7"


def test_a_worker_that_stops_ends_its_import(house, files, sleeper):
    queue(house)
    clock = sleeper.clock(house)
    clock.tick()
    clock.stop()
    assert sleeper.started[0].poll() is not None
    assert runs(house)[0].summary["error"] == "it was stopped with the worker"


def test_what_was_killed_in_the_middle_is_told_and_what_goes_on_is_not_touched(
    house, files, sleeper
):
    queue(house, RUNNING)
    clock = sleeper.clock(house)
    with only_import():
        clock.tick()
        assert runs(house)[0].outcome == RUNNING
    clock.tick()
    assert runs(house)[0].summary["error"] == "it was interrupted"


def test_the_process_refuses_what_is_no_number():
    done = subprocess.run(
        [sys.executable, "-m", "eop.administration.import_process", "x"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")


def test_the_process_says_why_it_cannot_start(house, monkeypatch):
    monkeypatch.setenv("EOP_IMPORT_SOURCES", "carrier pigeon")
    done = subprocess.run(
        [sys.executable, "-m", "eop.administration.import_process", "1"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "'carrier pigeon' is not known; known: file, ldap" in done.stderr
