"""`python -m controle_vnc.demo` as a process, and a client that looks at its desktops."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client import RfbClient, Updated
from controle_vnc.rfb.stream import to_the_end
from tests.desktops import wait_until

START_SECONDS = 30
SILENCE_SECONDS = 10
LOSS = 60  # what JPEG may change of a value without anything having happened


class ClassProcess:
    """Some demonstration desktops."""

    def __init__(self, directory: Path, desktops: int, *options: str) -> None:
        self.directory, self.list = directory, directory / "desktops.json"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "controle_vnc.demo", "--desktops", str(desktops),
             "--directory", str(directory), *options],
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )  # fmt: skip

    def __enter__(self) -> "ClassProcess":
        wait_until(self.list.exists, START_SECONDS, "the desktops run")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    @property
    def listed(self) -> dict:
        return json.loads(self.list.read_text())


class Looker:
    """One RFB client of one desktop, blocking."""

    def __init__(self, desktop: dict) -> None:
        password = desktop["password"]
        self.client = RfbClient(password.encode() if password else None)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SILENCE_SECONDS)
        self.socket.connect(desktop["address"].removeprefix("unix:"))
        try:
            while self.client.framebuffer is None:
                self._talk()
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> "Looker":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def _talk(self) -> list[object]:
        self.socket.sendall(self.client.data_to_send())
        self.socket.settimeout(SILENCE_SECONDS)
        data = self.socket.recv(65536)
        assert data, "the desktop hung up"
        self.client.receive_data(data, to_the_end)
        return self.client.events()

    def picture(self, rect: Rect):
        """What `rect` shows, asked for anew."""
        self.client.request_update(False)
        painted = False
        while not painted:
            updates = [one for one in self._talk() if isinstance(one, Updated)]
            painted = any(not one.damage.is_empty for one in updates)
            if updates and not painted:  # TigerVNC tells the size first, in an update of its own
                self.client.request_update(True)
        pixels = self.client.framebuffer.pixels[:, :, :3].astype(int)
        return pixels[rect.y : rect.bottom, rect.x : rect.right]

    def until_changed(self, rect: Rect, seconds: float = 10) -> None:
        """Wait until `rect` shows something else than now."""
        before = self.picture(rect)
        wait_until(
            lambda: abs(self.picture(rect) - before).max() > LOSS, seconds, f"a change in {rect}"
        )

    def type(self, text: str) -> None:
        for letter in text:
            for down in (True, False):
                self.client.key_event(down, ord(letter))
        self.socket.sendall(self.client.data_to_send())


def clean(directory: Path) -> int:
    """Run the class with no desktop, which only removes what was left; its exit code."""
    command = [sys.executable, "-m", "controle_vnc.demo", "--desktops", "0"]
    return subprocess.run([*command, "--directory", str(directory)], timeout=20).returncode
