import os
import sys

import pytest

from eop.administration import health_run
from eop.administration.health_run import Health
from tests.desktops import wait_until

GOOD = '{"check": {"name": "%s", "ok": true, "detail": "here", "milliseconds": 1.5, "new": 1}}'


def health(program, seconds=10.0):
    return Health((sys.executable, "-c", program), seconds)


def finished(run):
    wait_until(lambda: run.last.is_over, 10, "the end of the run")
    return run.last


def printing(*lines):
    return "".join(f"print({line!r}, flush=True)\n" for line in lines)


def test_each_check_is_known_as_it_ends_and_the_report_is_kept(tmp_path):
    door = tmp_path / "door"
    os.mkfifo(door)
    program = printing(GOOD % "one") + f"open({str(door)!r}).read()\n" + printing(
        '{"check": {"name": "two", "ok": false, "detail": "x", "remedy": "y", "command": "z"}}',
        '{"report": "*** EOP"}',
    )  # fmt: skip
    run = health(program)
    assert run.start("carla", 1000)
    wait_until(lambda: run.last.checks, 10, "the first check")
    assert (run.last.state, [one.name for one in run.last.checks]) == ("running", ["one"])
    assert not run.start("olga", 2000)
    door.write_text("go on")
    last = finished(run)
    assert (last.state, last.by, last.at, last.report) == ("ended", "carla", 1000, "*** EOP")
    assert [one.name for one in last.failed] == ["two"]
    assert last.seconds > 0
    assert run.start("olga", 3000)
    door.write_text("go on")
    assert finished(run).by == "olga"


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [GOOD % "one"],
        ["Traceback (most recent call last):"],
        ['{"check": {"name": "one"}}'],
        ['{"check": 5}'],
        ["x" * (health_run.MAX_LINE_BYTES + 10)],
        [GOOD % "again"] * (health_run.MAX_LINES + 1),
    ],
)
def test_a_program_that_says_something_else_has_failed(lines):
    run = health(printing(*lines))
    run.start("carla", 0)
    last = finished(run)
    assert last.state == "failed"
    assert len(last.checks) <= health_run.MAX_LINES


def test_a_program_that_hangs_is_ended():
    run = health(printing(GOOD % "one") + "import time; time.sleep(60)", 0.5)
    run.start("carla", 0)
    last = finished(run)
    assert last.state == "too_long"
    assert last.seconds < 5


def test_a_program_that_does_not_want_to_end_is_killed(monkeypatch):
    monkeypatch.setattr(health_run, "STOP_SECONDS", 0.2)
    program = "import signal, time; signal.signal(15, signal.SIG_IGN)\n" + printing(GOOD % "one")
    run = health(program + "time.sleep(60)", 1.0)
    run.start("carla", 0)
    assert finished(run).state == "too_long"


def test_a_program_that_is_not_there_is_told():
    run = Health(("/nowhere/eopctl",))
    with pytest.raises(FileNotFoundError):
        run.start("carla", 0)
    assert run.last is None
