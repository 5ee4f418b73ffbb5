"""A server of the tests in a process of its own, ready when it has said so."""

import os
import select
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30


class ServerProcess:
    """Runs a command, which prints `ready` once it listens."""

    def __init__(self, *command: str) -> None:
        self.command = command

    def __enter__(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        output = self.process.stdout
        line = output.readline() if select.select([output], [], [], START_SECONDS)[0] else "nothing"
        if line != "ready\n":
            self.process.kill()
            self.process.wait()
            output.close()
            raise AssertionError(f"{self.command[:3]} said {line!r}")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(5)
        self.process.stdout.close()


class ModuleProcess(ServerProcess):
    """`python -m MODULE` with arguments."""

    def __init__(self, module: str, *arguments: str) -> None:
        super().__init__(sys.executable, "-m", module, *arguments)
