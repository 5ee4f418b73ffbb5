"""controle-vnc-files that is killed at a chosen step of the next request, then starts again.

`python -m tests.fakes.deadly_files FILE`: a number in FILE chooses the step (each call that changes
something on the disk is one); the file is read, and removed, when a request begins.
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

from controle_vnc.files import kernel
from controle_vnc.files.__main__ import main
from controle_vnc.files.desk import Desk

STEPS = ("mkdir", "link", "unlink", "rmdir", "replace", "rename", "fsync", "fchown", "utime")
PR_SET_PDEATHSIG = 1


class Fate:
    """Counts steps; the last one is never made."""

    def __init__(self, chosen: Path) -> None:
        self.chosen, self.left = chosen, 0

    def begin(self) -> None:
        self.left = 0
        with contextlib.suppress(FileNotFoundError):
            number = int(self.chosen.read_text())
            self.chosen.unlink()
            self.left = number

    def step(self) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)

    def before(self, function):
        def stepping(*arguments, **more):
            self.step()
            return function(*arguments, **more)

        return stepping


def arm(chosen: Path) -> None:
    fate = Fate(chosen)
    for name in STEPS:
        setattr(os, name, fate.before(getattr(os, name)))
    kernel.exchange = fate.before(kernel.exchange)
    answer = Desk.answer

    def answered(desk, request):
        fate.begin()
        try:
            return answer(desk, request)
        finally:
            fate.left = 0

    Desk.answer = answered


def run(chosen: Path) -> int:
    while True:
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            arm(chosen)
            os._exit(main([]))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
