"""Real desktops for tests: Xvnc, and Xvfb with x11vnc, started and stopped by their own ids."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 15
# each process of a parallel run has ports of its own: another's may be free only for a moment
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
PORTS = range(10000 + _WORKER, 32768, _WORKERS)

_given: set[int] = set()


def wait_until(condition, seconds, what):
    """Poll `condition` until it gives something true and return that; else fail with `what`."""
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def free_port():
    """A TCP port nobody uses at the moment, and that no call before was given.

    Not one of those the kernel gives to outgoing connections: one of ours might get it first.
    """
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port
    raise AssertionError("no port is free")


class Desktop:
    """What the two kinds share: X clients, and an end that leaves nothing behind."""

    def __init__(self, folder: Path, password: str = "s3cret!!", geometry: str = "800x600") -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.password = password
        self.geometry = geometry
        self.port = free_port()
        self.password_file = self.folder / "passwd"
        self.set_password(password)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.display = ""

    def set_password(self, password: str) -> None:
        """What the server asks for from now on; it reads the file at each sign-in."""
        self.password = password
        packed = subprocess.run(
            ["tigervncpasswd", "-f"], input=password.encode(), stdout=subprocess.PIPE, check=True
        )
        self.password_file.write_bytes(packed.stdout)
        self.password_file.chmod(0o600)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def spawn(self, *command: str, **extra) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DISPLAY": self.display} if self.display else os.environ
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            **{"stderr": subprocess.DEVNULL, **extra},
        )
        self.processes.append(process)
        return process

    def run(self, *command: str) -> None:
        """Run an X client to its end."""
        subprocess.run(command, env={**os.environ, "DISPLAY": self.display}, check=True, timeout=20)

    def start_x(self, *command: str) -> subprocess.Popen[bytes]:
        """Start an X server with `-displayfd` and learn its display."""
        reader, writer = os.pipe()
        with tempfile.TemporaryFile("w+") as errors:
            process = self.spawn(
                *command, "-displayfd", str(writer), pass_fds=(writer,), stderr=errors
            )
            os.close(writer)
            with os.fdopen(reader) as pipe:
                number = pipe.readline().strip()
            errors.seek(0)
            assert number, f"{command[0]} did not start: {errors.read()[-1000:]}"
        self.display = f":{number}"
        return process

    def listening(self) -> bool:
        lines = Path("/proc/net/tcp").read_text(encoding="ascii")
        return f"0100007F:{self.port:04X} 00000000:0000 0A" in lines

    def stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self.processes.clear()

    def paint(self, colour: str) -> None:
        """Fill the background with one colour."""
        self.run("xsetroot", "-solid", colour)

    def open_note(self, target: Path) -> None:
        """A terminal, focused, whose every typed line goes to `target`."""
        self.spawn("xterm", "-geometry", "80x24+0+0", "-e", "sh", "-c", f"cat > {target}")
        wait_until(target.exists, START_SECONDS, "the terminal's file")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class XvncDesktop(Desktop):
    """TigerVNC's Xvnc, with VNC authentication unless told otherwise."""

    security_types = "VncAuth"
    more: tuple[str, ...] = ()

    def command(self, *command: str) -> tuple[str, ...]:
        """How the server is started."""
        return command

    def start(self) -> None:
        command = self.command(
            "Xvnc", "-geometry", self.geometry, "-depth", "24", "-rfbport", str(self.port),
            "-localhost", "-SecurityTypes", self.security_types,
            "-PasswordFile", str(self.password_file),
            "-AlwaysShared", "-nolisten", "tcp", "-desktop", "test", *self.more,
        )  # fmt: skip
        self.start_x(*command)
        wait_until(self.listening, START_SECONDS, "Xvnc listening")

    def kill(self) -> None:
        """End the server the hard way, as a power cut would."""
        self.processes[0].kill()
        self.processes[0].wait(5)
        number = self.display.removeprefix(":")
        Path(f"/tmp/.X{number}-lock").unlink(missing_ok=True)
        Path(f"/tmp/.X11-unix/X{number}").unlink(missing_ok=True)
        self.stop()
        self.display = ""


class X11vncDesktop(Desktop):
    """Xvfb with x11vnc over it: a server without Fence and with its own habits."""

    def start(self) -> None:
        self.start_x("Xvfb", "-screen", "0", f"{self.geometry}x24", "-nolisten", "tcp")
        self.spawn(
            "x11vnc", "-display", self.display, "-rfbport", str(self.port), "-localhost",
            "-rfbauth", str(self.password_file), "-shared", "-forever", "-noxdamage", "-quiet",
        )  # fmt: skip
        wait_until(self.listening, START_SECONDS, "x11vnc listening")


def missing_programs() -> list[str]:
    """Which of the programs above this machine lacks."""
    needed = ("Xvnc", "Xvfb", "x11vnc", "xterm", "xsetroot")
    return [name for name in needed if shutil.which(name) is None]
