"""A program that serves many VNC ports and obeys lines on its standard input."""

import json
import subprocess
import sys


class SourceProcess:
    """`ports` of its screens; `tell` waits until it has obeyed."""

    def __init__(self, *module_and_options: str) -> None:
        self.command = [sys.executable, "-m", *module_and_options]

    def __enter__(self) -> "SourceProcess":
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ports = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def tell(self, *words: object) -> str:
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()
