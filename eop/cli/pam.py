"""eop-pam beside the rest: started where we may, else how to start it is said."""

import os
import shlex
import sys
from collections.abc import Callable

from eop.cli.supervisor import Program
from eop.pam import client, service
from eop.settings import SiteSettings
from eop.settings_checks import MAX_SOCKET_BYTES


def program(site: SiteSettings, tell: Callable[[str], None]) -> Program | None:
    """The program to start, where the settings name PAM and nobody answers for it yet.

    None, and why, where it cannot be ours to start: other accounts sign in all the same.
    """
    if "pam" not in site.AUTHENTICATORS or client.answers(site.pam_socket):
        return None
    # -P: what lies in the working folder is not imported as root
    command = (sys.executable, "-P", "-m", "eop.pam", "--socket", str(site.pam_socket))
    if (why := _why_not(site)) is None:
        return Program("eop-pam", command)
    tell(
        f"accounts of the machine cannot sign in: {why}. eop-pam is started by root with: "
        f"{shlex.join(command)} --user USER, where USER is who runs the site"
    )
    return None


def _why_not(site: SiteSettings) -> str | None:
    if len(os.fsencode(site.pam_socket)) > MAX_SOCKET_BYTES:
        return f"{site.pam_socket} is too long for a socket, set PAM_SOCKET to a shorter path"
    try:
        service.check()
    except service.NoServiceError as error:
        return str(error)
    return None if os.geteuid() == 0 else "we are not root, and eop-pam does not run"
