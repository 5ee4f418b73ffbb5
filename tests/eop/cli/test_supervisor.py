"""The supervisor and what it starts: real processes, ended by their own ids."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eop.cli import supervisor as module
from eop.cli.processes import MARK, AlreadyRunningError, Claim, marked, spawn
from eop.cli.supervisor import Program, StartError, Supervisor
from tests.desktops import wait_until

SLEEPER = Program("sleeper", ("sleep", "60"))


@pytest.fixture
def told():
    return []


@pytest.fixture
def running(tmp_path, told):
    with Supervisor("mark-of-a-test", os.environ, tmp_path, told.append, tmp_path) as supervisor:
        yield supervisor


def python(name, code):
    return Program(name, (sys.executable, "-c", code))


def turn_until(supervisor, condition, seconds=5):
    """Look after the children, as `run` does, until `condition` holds."""

    def stopping():
        supervisor.stopping = bool(condition()) or time.monotonic() > deadline
        return supervisor.stopping

    deadline = time.monotonic() + seconds
    while not stopping():
        for child in supervisor._children:
            supervisor._look_after(child, time.monotonic())
        time.sleep(0.02)
    assert condition()


def test_a_program_that_dies_is_started_again_and_said(running, told, monkeypatch):
    monkeypatch.setattr(module, "FIRST_DELAY_SECONDS", 0.05)
    running.start(SLEEPER)
    child = running._children[0]
    child.delay = 0.05
    first = child.process.pid
    child.process.kill()
    turn_until(running, lambda: child.process.pid != first and child.process.poll() is None)
    assert told[0].startswith("sleeper was ended by SIGKILL; starting it again in 0.1 s")


def test_each_death_in_a_row_waits_longer_up_to_a_limit(running, told):
    running.start(python("broken", "raise SystemExit(3)"))
    child = running._children[0]
    now, delays = 1000.0, []
    for _ in range(9):
        child.process.wait(5)
        running._look_after(child, now)  # notes the death
        delays.append(child.due - now)
        now = child.due
        running._look_after(child, now)  # starts it again
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert told[0].startswith("broken ended with exit code 3")


def test_a_program_that_was_well_for_long_starts_with_the_first_delay(running):
    running.start(SLEEPER)
    child = running._children[0]
    child.delay = 30.0
    child.process.kill()
    child.process.wait(5)
    running._look_after(child, child.started_at + module.STEADY_SECONDS + 1)
    assert child.delay == 2 * module.FIRST_DELAY_SECONDS


def test_who_dies_at_the_start_is_told_with_its_last_words(running):
    running.start(python("wordy", "import sys; sys.exit('the port is taken')"))
    with pytest.raises(StartError, match="wordy ended with exit code 1\n    the port is taken"):
        running.wait_until(lambda: False, 5, "never")


def test_who_does_not_answer_in_time_is_told(running):
    running.start(SLEEPER)
    with pytest.raises(StartError, match="the sleeper does not answer: not within 0 s"):
        running.wait_until(lambda: False, 0.0, "the sleeper does not answer")


def test_a_signal_ends_the_waiting(running):
    running.start(SLEEPER)
    os.kill(os.getpid(), signal.SIGTERM)
    assert running.wait_until(lambda: False, 5, "never") is False


def test_stopping_takes_grandchildren_along(tmp_path, told):
    code = "import subprocess; subprocess.Popen(['sleep', '60']).wait()"
    with Supervisor("mark-of-family", os.environ, tmp_path, told.append) as supervisor:
        supervisor.start(python("parent", code))
        wait_until(lambda: len(marked("mark-of-family")) == 2, 5, "parent and child")
    assert marked("mark-of-family") == []


def test_who_does_not_end_is_killed(tmp_path, told, monkeypatch):
    monkeypatch.setattr(module, "STOP_SECONDS", 0.2)
    ready = tmp_path / "ready"
    code = (
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    )
    with Supervisor("mark-of-stubborn", os.environ, tmp_path, told.append) as supervisor:
        supervisor.start(python("stubborn", code))
        wait_until(ready.exists, 5, "its handler is set")
    assert told == ["stubborn does not end; it is killed"]


def test_children_end_when_their_supervisor_is_killed(tmp_path):
    code = f"""
import os, sys, time
from pathlib import Path
from eop.cli.processes import spawn
child = spawn(("sleep", "60"), {{**os.environ, {MARK!r}: "mark-of-orphan"}}, Path("/"), None)
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert int(parent.stdout.readline()) in marked("mark-of-orphan")
        parent.kill()
    wait_until(lambda: not marked("mark-of-orphan"), 5, "the child has ended")


def test_a_second_supervisor_is_refused_with_the_process_of_the_first(tmp_path, told):
    path = tmp_path / "run/supervisor.json"
    with (
        Claim(path, told.append),
        pytest.raises(AlreadyRunningError, match=str(os.getpid())),
        Claim(path, told.append),
    ):
        pass
    assert not path.exists()


def test_what_a_killed_supervisor_left_is_ended_at_the_next_start(tmp_path, told):
    path = tmp_path / "run/supervisor.json"
    path.parent.mkdir()
    path.write_text('{"pid": 1, "mark": "mark-of-before"}')
    left = spawn(("sleep", "60"), {**os.environ, MARK: "mark-of-before"}, Path("/"), None)
    with Claim(path, told.append):
        assert left.wait(5) == -signal.SIGTERM
    assert told == ["ended 1 processes that an earlier start left behind"]


def test_a_half_written_claim_is_no_obstacle(tmp_path, told):
    path = tmp_path / "supervisor.json"
    path.write_text('{"pid": 1, "ma')
    with Claim(path, told.append):
        assert path.exists()
