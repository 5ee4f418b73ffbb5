"""A fake server in a process of its own: `python -m MODULE`, ready when it has said so."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class FakeProcess:
    """Runs a module with arguments; it prints `ready` once it listens."""

    def __init__(self, module: str, *arguments: str) -> None:
        self.command = (sys.executable, "-m", module, *arguments)

    def __enter__(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line == "ready\n", f"{self.command[2]} said {line!r}"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(5)
        self.process.stdout.close()
