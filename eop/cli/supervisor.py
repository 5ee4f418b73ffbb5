"""The supervisor: starts programs, starts again what dies, and stops all of it in time."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from eop.cli.processes import MARK, end_marked, spawn
from eop.errors import EopError

FIRST_DELAY_SECONDS = 0.5
MAX_DELAY_SECONDS = 30.0  # a broken program is tried twice a minute, and said each time
STEADY_SECONDS = 30.0  # who lived this long is well: the next delay is the first again
STOP_SECONDS = 6.0  # gunicorn gives running requests five; all of it must be over in ten
TURN_SECONDS = 0.1
TAIL_BYTES = 4096  # of what a dead program said, enough for the end of a trace


class StartError(EopError):
    """A part did not start; the text says which and what it said."""


@dataclass(frozen=True)
class Program:
    """A part: how we call it, and how it is started."""

    name: str
    command: tuple[str, ...]


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started_at: float
    delay: float = FIRST_DELAY_SECONDS
    due: float | None = None  # when it starts again, while it is dead
    errors: IO[str] | None = field(default=None, repr=False)


class Supervisor:
    """Runs programs until `stopping`. `logs`: where they speak to; None: to our standard error."""

    def __init__(
        self,
        mark: str,
        environment: Mapping[str, str],
        folder: Path,
        tell: Callable[[str], None],
        logs: Path | None = None,
    ) -> None:
        self._mark, self._folder, self._tell, self._logs = mark, folder, tell, logs
        self.environment = dict(environment)  # of whatever is started
        self._environment = {**environment, MARK: mark}
        self._children: list[_Child] = []
        self._handlers: dict[int, object] = {}
        self.stopping = False

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._asked_to_stop)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _asked_to_stop(self, *_: object) -> None:
        self.stopping = True

    def start(self, program: Program) -> None:
        """Start one program and look after it from now on."""
        errors = None
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            errors = (self._logs / f"{program.name}.out").open("w", encoding="utf-8")
        process = spawn(program.command, self._environment, self._folder, errors)
        self._children.append(_Child(program, process, time.monotonic(), errors=errors))

    def wait_until(self, condition: Callable[[], bool], seconds: float, what: str) -> bool:
        """Wait for `condition`; False when we were asked to stop. No program may die meanwhile.

        Raises `StartError` for one that did, or when it took too long.
        """
        deadline = time.monotonic() + seconds
        while not self.stopping:
            for child in self._children:
                if (code := child.process.poll()) is not None:
                    raise StartError(f"{_ending(child, code)}{self._said(child)}")
            if condition():
                return True
            if time.monotonic() > deadline:
                raise StartError(f"{what}: not within {seconds:.0f} s; see the logs")
            time.sleep(TURN_SECONDS)
        return False

    def run(self) -> None:
        """Start again what dies, until we are asked to stop."""
        while not self.stopping:
            for child in self._children:
                self._look_after(child, time.monotonic())
            time.sleep(TURN_SECONDS)

    def _look_after(self, child: _Child, now: float) -> None:
        code = child.process.poll()
        if code is None:
            return
        if child.due is None:
            if now - child.started_at > STEADY_SECONDS:
                child.delay = FIRST_DELAY_SECONDS
            child.due = now + child.delay
            self._tell(
                f"{_ending(child, code)}; starting it again in {child.delay:.1f} s"
                f"{self._said(child)}"
            )
            child.delay = min(2 * child.delay, MAX_DELAY_SECONDS)
        elif now >= child.due:
            child.due, child.started_at = None, now
            child.process = spawn(
                child.program.command, self._environment, self._folder, child.errors
            )

    def stop(self) -> None:
        """End every program and everything it started; returns when nothing of it is left."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._tell(f"{child.program.name} does not end; it is killed")
                child.process.kill()
                child.process.wait()
        end_marked(self._mark, 1.0)
        for child in self._children:
            if child.errors is not None:
                child.errors.close()
        self._children.clear()

    def _said(self, child: _Child) -> str:
        """The end of what a dead program said, where it did not say it to our standard error."""
        if child.errors is None:
            return ""
        with Path(child.errors.name).open("rb") as said:
            said.seek(0, 2)
            said.seek(max(0, said.tell() - TAIL_BYTES))
            text = said.read().decode(errors="replace").strip()
        return "".join(f"\n    {line}" for line in text.splitlines()) if text else ""


def _ending(child: _Child, code: int) -> str:
    if code < 0:
        return f"{child.program.name} was ended by {signal.Signals(-code).name}"
    return f"{child.program.name} ended with exit code {code}"
