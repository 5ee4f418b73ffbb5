"""One demonstration desktop: an Xvnc on a unix socket, its windows, and its return when it dies."""

import asyncio
import contextlib
import ctypes
import functools
import logging
import os
import secrets
import shutil
import signal
import socket
import string
import struct
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path

from controle_vnc.demo import scenery
from controle_vnc.demo.scenery import HEIGHT, PROGRAMS, WIDTH
from controle_vnc.rfb.security import vnc_response

logger = logging.getLogger(__name__)

NEEDED = ("Xvnc", "xterm", "xclock", "xsetroot")
RETURN_SECONDS = 15.0  # so that a wall is seen to tell of it
WINDOW_RETURN_SECONDS = 2.0
START_SECONDS = 20.0  # several Xvnc start at once on few cores
END_SECONDS = 3.0
PASSWORD_CHARACTERS = 8  # VNC knows no longer ones
VNC_FILE_KEY = bytes([23, 82, 107, 6, 35, 78, 88, 7])  # every VNC server's, in its source
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


def missing_programs() -> list[str]:
    """What this machine lacks for real desktops."""
    return [name for name in NEEDED if shutil.which(name) is None]


def new_password() -> str:
    signs = string.ascii_letters + string.digits
    return "".join(secrets.choice(signs) for _ in range(PASSWORD_CHARACTERS))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only we can read, in one step."""
    partial = path.with_name(path.name + ".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.rename(path)


def x_cookie(cookie: bytes) -> bytes:
    """An authority file with which X clients reach any display that knows `cookie`."""
    name = b"MIT-MAGIC-COOKIE-1"
    wild = 65535  # whatever host and display
    return struct.pack(">HHHH", wild, 0, 0, len(name)) + name + struct.pack(">H", 16) + cookie


def remove_leftovers(record: Path) -> None:
    """Remove the X lock and socket of a killed Xvnc; `record` says its display and process."""
    try:
        display, pid = record.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return
    if not Path(f"/proc/{pid}").exists():
        lock = Path(f"/tmp/.X{int(display)}-lock")  # noqa: S108 - where every X server has it
        with contextlib.suppress(OSError):
            if lock.read_text(encoding="ascii").strip() == pid:
                lock.unlink()
        x_socket = Path(f"/tmp/.X11-unix/X{int(display)}")  # noqa: S108
        if _is_deserted(x_socket):  # else another server has that display by now
            x_socket.unlink(missing_ok=True)
    record.unlink(missing_ok=True)


def _is_deserted(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


class Desktop:
    """Desktop `number` (from 1). `run` never ends by itself; `is_up` is set at its first start."""

    def __init__(self, number: int, directory: Path, password: str) -> None:
        self.number, self.password = number, password
        self.socket = directory / f"d{number:02}.sock"
        self.is_up = asyncio.Event()
        self._directory = directory
        self._record = directory / f"d{number:02}.display"
        self._passwd = directory / f"d{number:02}.passwd"
        self._cookie = directory / f"d{number:02}.cookie"
        self._hills = directory / f"d{number:02}.xbm"
        self._display = ""

    async def run(self) -> None:
        """Keep the desktop alive until cancelled."""
        write_private(self._hills, scenery.to_xbm(scenery.hills(self.number)).encode())
        try:
            while True:
                try:
                    await self._live()
                except (OSError, TimeoutError) as error:
                    logger.warning("desktop %s: %s", self.number, error)
                logger.info("desktop %s has ended; again in %.0f s", self.number, RETURN_SECONDS)
                await asyncio.sleep(RETURN_SECONDS)
        finally:
            for path in (self._passwd, self._cookie, self._hills, self.socket):
                path.unlink(missing_ok=True)

    async def _live(self) -> None:
        """From the start of an Xvnc to its end."""
        self.socket.unlink(missing_ok=True)
        password = self.password.encode().ljust(PASSWORD_CHARACTERS, b"\0")
        write_private(self._passwd, vnc_response(VNC_FILE_KEY, password))
        write_private(self._cookie, x_cookie(secrets.token_bytes(16)))
        server = await self._start_server()
        windows: list[asyncio.Task[None]] = []
        try:
            await self._paint()
            async with asyncio.TaskGroup() as group:
                windows = [group.create_task(self._window(*command)) for command in self._windows()]
                self.is_up.set()
                await server.wait()
                for window in windows:
                    window.cancel()
        finally:
            await _end(server)
            remove_leftovers(self._record)

    async def _start_server(self) -> Process:
        reader, writer = os.pipe()
        try:
            server = await self._spawn(
                "Xvnc", "-displayfd", str(writer), "-geometry", f"{WIDTH}x{HEIGHT}",
                "-depth", "24", "-rfbport", "-1", "-rfbunixpath", str(self.socket),
                "-rfbunixmode", str(0o600), "-SecurityTypes", "VncAuth",
                "-PasswordFile", str(self._passwd), "-AlwaysShared", "-auth", str(self._cookie),
                "-nolisten", "tcp", "-desktop", f"desktop {self.number}",
                pass_fds=(writer,),
            )  # fmt: skip
        finally:
            os.close(writer)
        try:
            async with asyncio.timeout(START_SECONDS):
                display = (await asyncio.to_thread(_read_all, reader)).strip()
            if not display.isdigit():
                raise OSError("Xvnc did not start")
        except BaseException:
            await _end(server)
            raise
        self._display = f":{display}"
        write_private(self._record, f"{display} {server.pid}\n".encode())
        return server

    async def _paint(self) -> None:
        colours = scenery.colours(self.number)
        painter = await self._spawn(
            "xsetroot", "-bitmap", str(self._hills), "-fg", colours.hills, "-bg", colours.sky
        )
        await painter.wait()

    def _windows(self) -> list[tuple[str, ...]]:
        colours, seed = scenery.colours(self.number), str(self.number)
        typed, typed_title = scenery.typed(self.number)
        read, read_title = scenery.read(self.number)
        return [
            _terminal("74x22+36+40", 11, colours.ground, colours.letters)
            + _program("typist.py", str(typed), seed, typed_title, colours.hills),
            _terminal("46x15+780+330", 13, "#fdfcf8", "#24262b")
            + _program("reader.py", str(read), seed, read_title, colours.hills),
            _terminal("56x9+36+490", 13, colours.note, "#3b3200")
            + _program("note.py", "Write here:"),
            ("xclock", "-geometry", "240x240+980+40", "-update", "1", "-bd", colours.hills,
             "-bw", "4", "-bg", "#ffffff", "-render"),
        ]  # fmt: skip

    async def _window(self, *command: str) -> None:
        """Keep one window open."""
        while True:
            window = await self._spawn(*command)
            try:
                await window.wait()
            finally:
                await _end(window)
            await asyncio.sleep(WINDOW_RETURN_SECONDS)

    async def _spawn(self, *command: str, pass_fds: tuple[int, ...] = ()) -> Process:
        environment = {
            **os.environ, "LC_ALL": "C.UTF-8", "DISPLAY": self._display,
            "XAUTHORITY": str(self._cookie),
        }  # fmt: skip
        return await asyncio.create_subprocess_exec(
            *command, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL,
            cwd=self._directory, pass_fds=pass_fds,
            preexec_fn=functools.partial(_follow, os.getpid()),
        )  # fmt: skip


def _terminal(geometry: str, size: int, ground: str, letters: str) -> tuple[str, ...]:
    return (
        "xterm", "-geometry", geometry, "-fa", "DejaVu Sans Mono", "-fs", str(size), "-bg", ground,
        "-fg", letters, "-cr", letters, "-b", "8", "-bw", "0", "+sb", "-uc", "-bc", "-u8",
        # the menus could send signals to the program inside
        "-xrm", "*VT100.translations: #override Ctrl <Btn1Down>:ignore()\\n"
        "Ctrl <Btn2Down>:ignore()\\nCtrl <Btn3Down>:ignore()",
    )  # fmt: skip


def _program(name: str, *arguments: str) -> tuple[str, ...]:
    return ("-e", sys.executable, "-I", "-S", str(PROGRAMS / name), *arguments)


def _follow(parent: int) -> None:
    """In the child: end when our parent does, even when it is killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before that was said
        os._exit(1)


def _read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as pipe:
        return pipe.readline()


async def _end(process: Process) -> None:
    """End a process, politely first."""
    if process.returncode is not None:
        return
    # not `terminate`: it may reap the process before asyncio does
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
