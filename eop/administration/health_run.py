"""Has `eopctl diagnose` run as a process of its own, once at a time, and keeps what it said.

The checks are a program: what hangs in them holds no thread of the site for longer than the
deadline, and they see the installation as whoever types the command does.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import IO

import msgspec

DEADLINE_SECONDS = 45.0  # every check has seconds of its own; together they need a few
STOP_SECONDS = 6.0  # the self-test takes its workstation back first
MAX_LINE_BYTES = 64 * 1024
MAX_LINES = 100
COMMAND = (sys.executable, "-m", "eop.cli", "diagnose", "--lines")

RUNNING, ENDED, TOO_LONG, FAILED = "running", "ended", "too_long", "failed"


class Check(msgspec.Struct, frozen=True):
    """One check as the command tells it."""

    name: str
    ok: bool
    detail: str
    remedy: str | None = None
    command: str | None = None
    milliseconds: float = 0.0


class Line(msgspec.Struct, frozen=True):
    """One line of the command: a check, or at the end the whole report as text."""

    check: Check | None = None
    report: str = ""


@dataclass(frozen=True)
class Run:
    """One run: when it began (ms), by whom, how far it is, and how long it took."""

    at: int
    by: str
    state: str = RUNNING
    checks: tuple[Check, ...] = ()
    report: str = ""
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.state != RUNNING

    @property
    def failed(self) -> list[Check]:
        return [one for one in self.checks if not one.ok]


@dataclass
class Health:
    """The last run of this process of the site."""

    command: Sequence[str] = COMMAND
    deadline_seconds: float = DEADLINE_SECONDS
    steady: Callable[[], float] = time.monotonic
    _last: Run | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def last(self) -> Run | None:
        """What is known of the run that goes on, or of the last one."""
        return self._last

    def start(self, by: str, now_ms: int) -> bool:
        """Begin a run; False where one goes on. Raises `OSError` where it cannot be started."""
        with self._lock:
            if self._last is not None and not self._last.is_over:
                return False
            child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._last = Run(now_ms, by)
        threading.Thread(target=self._follow, args=(child,), daemon=True).start()
        return True

    def _follow(self, child: "subprocess.Popen[bytes]") -> None:
        """Read its lines until it ends; end it where that takes too long."""
        began = self.steady()
        late = threading.Event()
        timer = threading.Timer(self.deadline_seconds, _end, (child, late))
        timer.start()
        is_whole = False
        try:
            assert child.stdout is not None  # noqa: S101 - it was asked for
            with child.stdout as said:
                is_whole = self._read(said)
            child.wait()
        finally:
            timer.cancel()
            state = TOO_LONG if late.is_set() else ENDED if is_whole else FAILED
            assert self._last is not None  # noqa: S101 - nothing else begins meanwhile
            self._last = replace(self._last, state=state, seconds=self.steady() - began)

    def _read(self, said: IO[bytes]) -> bool:
        """Keep each line as it comes; whether the report came last."""
        for _ in range(MAX_LINES):
            text = said.readline(MAX_LINE_BYTES)
            if not text:
                return False
            try:
                line = msgspec.json.decode(text, type=Line)
            except msgspec.MsgspecError:
                return False
            assert self._last is not None  # noqa: S101 - see above
            if line.check is not None:
                self._last = replace(self._last, checks=(*self._last.checks, line.check))
            if line.report:
                self._last = replace(self._last, report=line.report)
                return True
        return False


def _end(child: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    """Politely first; what it began ends with it."""
    late.set()
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
