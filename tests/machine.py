"""A machine of its own for PAM: other accounts and services, in a private mount namespace.

Copies of /etc/passwd, /etc/shadow, /etc/group and /etc/pam.d lie over the real ones for whatever
is started with `command`; nobody else sees them.
"""

import ctypes
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

DAY_SECONDS = 86_400
FIRST_UID = 4000
SERVICE = Path(__file__).resolve().parent.parent / "deploy/pam.d/eop"
ACCOUNTS = ("passwd", "group", "shadow")

MOUNT = """
set -e
for name in passwd group shadow pam.d; do mount --bind "$0/$name" "/etc/$name"; done
exec "$@"
"""


def hashed(password: str, method: str = "$6$rounds=1000$") -> str:
    """As the machine stores it; few rounds, for tests that time nothing."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return crypt(password.encode(), f"{method}saltofatest".encode()).decode()


def yescrypt(password: str) -> str:
    """As Debian stores it by default."""
    make_salt = ctypes.CDLL("libcrypt.so.1").crypt_gensalt
    make_salt.restype = ctypes.c_char_p
    make_salt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]
    salt = make_salt(b"$y$", 5, b"0123456789abcdef", 16).decode()
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    return crypt(password.encode(), salt.encode()).decode()


def today() -> int:
    """The days that /etc/shadow counts."""
    return int(time.time() // DAY_SECONDS)


@dataclass(frozen=True)
class Account:
    """A line of /etc/passwd and one of /etc/shadow; days as there, -1 for an empty field."""

    name: str
    password: str
    uid: int = 0  # the next one
    changed: int = -1
    most: int = 99_999
    inactive: int = -1
    expires: int = -1

    @property
    def shadow(self) -> str:
        fields = (self.changed, 0, self.most, 7, self.inactive, self.expires)
        days = ":".join("" if field < 0 else str(field) for field in fields)
        return f"{self.name}:{self.password}:{days}:\n"


class Machine:
    """`add` accounts, then start programs with `command`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ACCOUNTS:
            shutil.copy(Path("/etc") / name, folder / name)
        shutil.copytree("/etc/pam.d", folder / "pam.d")
        shutil.copy(SERVICE, folder / "pam.d/eop")
        self._next = FIRST_UID

    def add(self, account: Account) -> None:
        """One more account; visible at once, for the files stay the same ones."""
        uid = account.uid or self._next
        self._next = max(self._next, uid) + 1
        self._append("passwd", f"{account.name}:x:{uid}:{uid}::/nonexistent:/bin/sh\n")
        self._append("group", f"{account.name}:x:{uid}:\n")
        known = replace(account, changed=today() if account.changed == -1 else account.changed)
        self._append("shadow", known.shadow)

    def change(self, account: Account) -> None:
        """Another line in /etc/shadow for an account that is there."""
        path = self.folder / "shadow"
        lines = path.read_text().splitlines(keepends=True)
        known = replace(account, changed=today() if account.changed == -1 else account.changed)
        new = [known.shadow if line.startswith(account.name + ":") else line for line in lines]
        path.write_text("".join(new))

    def _append(self, name: str, line: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(line)

    def command(self, *command: str) -> tuple[str, ...]:
        """`command`, in a mount namespace where this machine's files are."""
        return ("unshare", "--mount", "sh", "-c", MOUNT, str(self.folder), *command)


def why_not() -> str:
    """Why this machine cannot make such a machine, or nothing."""
    if os.geteuid() != 0:
        return "PAM answers about other accounts only to root; this suite does not run as root"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount --bind /etc/hostname /etc/hostname"],
        capture_output=True,
        text=True,
    )
    return f"no private mount namespace here: {done.stderr.strip()}" if done.returncode else ""
