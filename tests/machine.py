"""A machine of its own for PAM: other accounts and services, in a private mount namespace.

Copies of /etc/passwd, /etc/shadow, /etc/group and /etc/pam.d lie over the real ones for whatever
is started with `command`; nobody else sees them. Who is not root gets a user namespace around it.
"""

import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from eop.pam import client
from tests.desktops import wait_until

PASSWORD = "the password of the machine"
DAY_SECONDS = 86_400
FIRST_UID = 4000
START_SECONDS = 15
SERVICE = Path(__file__).resolve().parent.parent / "deploy/pam.d/eop"

MOUNT = """
set -e
for name in passwd group shadow pam.d; do mount --bind "$0/$name" "/etc/$name"; done
exec "$@"
"""

UNSHARE = ("unshare", "--mount")
if os.geteuid() != 0:
    UNSHARE += ("--user", "--map-root-user")


@functools.cache
def why_not() -> str:
    """Why there can be no such machine here, or nothing."""
    if shutil.which("unshare") is None:
        return "unshare (util-linux) is missing"
    done = subprocess.run(
        [*UNSHARE, "mount", "--bind", "/etc/hostname", "/etc/hostname"],
        capture_output=True,
        text=True,
    )
    return f"no private mount namespace here: {done.stderr.strip()}" if done.returncode else ""


needs_machine = pytest.mark.skipif(bool(why_not()), reason=why_not())
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the suite does not run as root")


def hashed(password: str, salt: str = "$6$rounds=1000$saltofatest") -> str:
    """As /etc/shadow has it; few rounds, for tests that time nothing."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return crypt(password.encode(), salt.encode()).decode()


YESCRYPT = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1"
"""A salt as Debian makes them for new passwords, with its costs."""

HASH = hashed(PASSWORD)


def today() -> int:
    """The days that /etc/shadow counts."""
    return int(time.time() // DAY_SECONDS)


@dataclass(frozen=True)
class Account:
    """A line of /etc/passwd and one of /etc/shadow; days as there, None for an empty field."""

    name: str
    hash: str = HASH
    uid: int | None = None  # the next one
    changed: int | None = today()
    most: int = 99_999
    inactive: int | None = None
    expires: int | None = None
    home: str = "/nonexistent"

    @property
    def shadow(self) -> str:
        fields = (self.changed, 0, self.most, 7, self.inactive, self.expires)
        days = ":".join("" if field is None else str(field) for field in fields)
        return f"{self.name}:{self.hash}:{days}:\n"


class Machine:
    """`add` accounts, then start programs with `command`; the real files are only copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("passwd", "group"):
            shutil.copy(Path("/etc") / name, folder / name)
        (folder / "shadow").touch(0o600)
        shutil.copytree("/etc/pam.d", folder / "pam.d")
        shutil.copy(SERVICE, folder / "pam.d/eop")
        self._uid = FIRST_UID

    def add(self, *accounts: Account) -> None:
        """More accounts; seen at once, for the files stay the same ones."""
        for account in accounts:
            uid = self._uid if account.uid is None else account.uid
            self._uid += 1
            self._append("passwd", f"{account.name}:x:{uid}:{uid}::{account.home}:/bin/sh\n")
            self._append("group", f"{account.name}:x:{uid}:\n")
            self._append("shadow", account.shadow)

    def change(self, account: Account) -> None:
        """Another line in /etc/shadow for an account that is there."""
        path = self.folder / "shadow"
        lines = path.read_text().splitlines(keepends=True)
        name = account.name + ":"
        path.write_text("".join(account.shadow if one.startswith(name) else one for one in lines))

    def service(self, name: str, text: str) -> None:
        """A service of /etc/pam.d."""
        (self.folder / "pam.d" / name).write_text(text)

    def _append(self, name: str, line: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(line)

    def command(self, *command: str) -> tuple[str, ...]:
        """`command`, in a mount namespace where this machine's files are."""
        return (*UNSHARE, "sh", "-c", MOUNT, str(self.folder), *command)


@contextmanager
def new_machine() -> Iterator[Machine]:
    """One in a folder of its own, short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="eop-", dir="/tmp"))
    try:
        yield Machine(folder)
    finally:
        shutil.rmtree(folder)


class Helper:
    """eop-pam, running on a machine until the block ends."""

    def __init__(
        self,
        machine: Machine,
        *options: str,
        name: str = "eop-pam",
        constants: str = "",
        before: tuple[str, ...] = (),
    ) -> None:
        self.machine = machine
        self.socket = machine.folder / "run" / f"{name}.sock"
        self.log = machine.folder / f"{name}.log"
        module = ("-m", "eop.pam")
        if constants:  # assignments to constants of `server`
            program = f"from eop.pam import __main__ as main, server; {constants}; main.main()"
            module = ("-c", program)
        self.command = (
            *machine.command(*before, sys.executable, "-P", *module),
            "--socket",
            str(self.socket),
            *options,
        )
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> "Helper":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(self._is_up, START_SECONDS, "eop-pam answers")
        return self

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.said
        return client.answers(self.socket)

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def children(self) -> list[int]:
        """Its conversations that run now."""
        return [one for one, state in self._states().items() if state not in "ZX"]

    @property
    def waiting(self) -> list[int]:
        """Those of them that wait for something."""
        return [one for one, state in self._states().items() if state == "S"]

    def _states(self) -> dict[int, str]:
        number = self.process.pid
        children = _read(f"/proc/{number}/task/{number}/children").split()
        # the state is the first word behind the name of the program
        return {
            int(one): _read(f"/proc/{one}/stat").rpartition(") ")[2][:1] or "X" for one in children
        }

    def ask(self, login: str, password: str = PASSWORD) -> tuple[str, bool]:
        """The outcome, and whether the password was proven."""
        answer = client.sign_in(self.socket, login, password)
        return answer.outcome, answer.is_proven


def _read(path: str) -> str:
    """The file, or nothing where its process has ended."""
    try:
        return Path(path).read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""
