"""The PAM service that eop-pam asks: a file of its own in /etc/pam.d."""

import re
from pathlib import Path

NAME = "eop"
FOLDERS = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class NoServiceError(Exception):
    """There is no such service; the text says what to do."""


def check(name: str = NAME) -> None:
    """Raise `NoServiceError` where PAM lacks the service: it would take the one for all others."""
    if not _NAME.fullmatch(name):
        raise NoServiceError(f"{name[:80]!r} is no name of a PAM service")
    if not any((folder / name).is_file() for folder in FOLDERS):
        raise NoServiceError(f"there is no /etc/pam.d/{name}: EOP brings one, deploy/pam.d/eop")
