"""The whole product, started as a user starts it, on ports and in a folder of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import requests
from websockets.sync.client import ClientConnection, connect

from tests.desktops import free_port, wait_until

READY = re.compile(r"EOP is ready: (\S+)  login: (\S+)  password: (.+)")
READY_SECONDS = 60
ROOT = Path(__file__).resolve().parent.parent
EOPCTL = str(Path(sys.executable).with_name("eopctl"))


class Stack:
    """`eopctl demo` with its API, its WebSockets and its commands."""

    named: ClassVar[set[str]] = set()
    """What tests have named, whichever of them shares a stack: workstations, rooms, people."""

    def __init__(
        self, workstations: int = 0, command: tuple[str, ...] = (EOPCTL, "demo"), **environment: str
    ) -> None:
        self.command = command
        self.folder = Path(tempfile.mkdtemp(prefix="eop-", dir="/tmp"))
        self.web, self.gateway, self.control = free_port(), free_port(), free_port()
        self.environment = {
            **os.environ,
            "EOP_HOME": str(self.folder / "home"),
            "EOP_WEB_PORT": str(self.web),
            "EOP_GATEWAY_PORT": str(self.gateway),
            "EOP_CONTROL_PORT": str(self.control),
            "EOP_DEMO_PASSWORD": "correct horse battery",
            "EOP_DEMO_WORKSTATIONS": str(workstations),
            "EOP_APT": "no",
            **environment,
        }
        self.home = Path(self.environment["EOP_HOME"])
        self.process: subprocess.Popen[str] | None = None
        self.errors = self.folder / "stderr.txt"
        self.url = self.login = self.password = ""

    def start(self) -> "Stack":
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        timer = threading.Timer(READY_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        match = READY.fullmatch(line.strip())
        assert match, f"no ready line but {line!r}; {self.errors.read_text()[-2000:]}"
        self.url, self.login, self.password = match.groups()
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(15)
        if self.process is not None:
            self.process.stdout.close()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Stack":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.remove()

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def eopctl(self, *arguments: str, code: int = 0) -> str:
        """Run a command against this installation and give what it printed."""
        done = subprocess.run(
            [EOPCTL, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def add_workstation(self, name: str, desktop, room: str = "S12", user: str = "") -> str:
        """Register a desktop and give its id."""
        self.named |= {name, room, user}
        secret = self.folder / f"{name}.txt"
        secret.write_text(desktop.password + "\n")
        secret.chmod(0o600)
        self.eopctl(
            "workstation", "add", "--name", name, "--room", room, "--vnc", desktop.address,
            "--password-file", str(secret), *(["--user", user] if user else []),
        )  # fmt: skip
        listed = json.loads(self.eopctl("workstation", "list", "--json"))
        return next(entry["id"] for entry in listed if entry["name"] == name)

    def sign_in(self, login: str = "", password: str = "") -> "Api":
        return Api(self, login or self.login, password or self.password)

    def processes(self) -> dict[int, str]:
        """The processes of this installation: those that carry its EOP_HOME."""
        mark = f"EOP_HOME={self.environment['EOP_HOME']}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found[int(entry.name)] = (
                            (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                        )
                except OSError:
                    continue  # it ended while we looked
        return found


class Api:
    """A client of `api/v1` that knows only what the contract says."""

    def __init__(self, stack: Stack, login: str, password: str) -> None:
        self.stack = stack
        self.http = requests.Session()
        answer = self.http.post(
            f"{stack.url}/api/v1/session",
            json={"username": login, "password": password},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def get(self, path: str, **query: str):
        return self.http.get(f"{self.stack.url}/api/v1/{path}", params=query, timeout=10)

    def post(self, path: str, body: object):
        return self.http.post(f"{self.stack.url}/api/v1/{path}", json=body, timeout=10)

    def delete(self, path: str):
        return self.http.delete(f"{self.stack.url}/api/v1/{path}", timeout=10)

    def ticket(self, **wanted: str) -> dict[str, object]:
        answer = self.post("tickets", wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def open(self, **wanted: str) -> ClientConnection:
        """A WebSocket for a new ticket."""
        return self.dial(self.ticket(**wanted))

    def dial(self, ticket: dict[str, object], origin: str | None = "") -> ClientConnection:
        return connect(
            ticket["url"],
            origin=self.stack.origin if origin == "" else origin,
            subprotocols=["binary", f"ticket.{ticket['ticket']}"],
            max_size=2**22,
            open_timeout=10,
            compression=None,
            proxy=None,
            legacy=True,  # a connection that is handed on lives longer than one block
        )

    def state(self, workstation: str) -> str:
        return next(w["state"] for w in self.get("workstations").json() if w["id"] == workstation)

    def wait_for_state(self, workstation: str, states: set[str], seconds: float) -> str:
        return wait_until(
            lambda: (state := self.state(workstation)) in states and state,
            seconds,
            f"one of {states}",
        )
