"""controle-vnc-files beside the rest: started where we may, else how to start it is said."""

import os
import shlex
import socket
import sys
from collections.abc import Callable

from controle_vnc.settings import Settings
from eop.cli.supervisor import Program
from eop.settings_checks import MAX_SOCKET_BYTES

NAME = "controle-vnc-files"
# -P: what lies in the working folder is not imported as root
COMMAND = (sys.executable, "-P", "-m", "controle_vnc.files")


def program(settings: Settings, tell: Callable[[str], None]) -> Program | None:
    """The program to start, where nobody answers for it yet.

    None, and why, where it cannot be ours to start: all but documents works all the same.
    """
    if answers(settings):
        return None
    if (why := _why_not(settings)) is None:
        return Program(NAME, COMMAND)
    tell(
        f"documents cannot be distributed: {why}. controle-vnc-files is started by root with: "
        f"{shlex.join(COMMAND)} --user USER, where USER is who runs controle-vnc"
    )
    return None


def answers(settings: Settings) -> bool:
    """Whether somebody listens at its socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(settings.files_socket))
        except OSError:
            return False
    return True


def _why_not(settings: Settings) -> str | None:
    path = settings.files_socket
    if len(os.fsencode(path)) > MAX_SOCKET_BYTES:
        return f"{path} is too long for a socket, set FILES_SOCKET to a shorter path"
    if settings.FILES_HOMES or os.geteuid() == 0:
        return None
    return "we are not root, and FILES_HOMES names no folder of homes"
