"""`python -m eop.pam`: eop-pam, started by root or by systemd."""

import argparse
import os
import pwd
import sys
from pathlib import Path

from eop.pam import hardening, listener, service, stack
from eop.pam.server import Rules, Server, say

MINIMUM_UID = 1000  # UID_MIN of Debian: below are root and the accounts of the system


class UsageError(Exception):
    """We cannot run like this; the text says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM; 2 where it cannot be started like this."""
    asked = _parsed(arguments)
    try:
        _serve(asked)
    except (UsageError, service.NoServiceError, listener.CannotListenError, OSError) as error:
        say(str(error))
        return 2
    return 0


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="eop-pam", description="Asks PAM for EOP; must be started by root."
    )
    parser.add_argument("--socket", type=Path, help="where to listen, if systemd passes no socket")
    parser.add_argument(
        "--user", action="append", default=[], help="who may ask beside root; may be repeated"
    )
    parser.add_argument("--service", default=service.NAME, help="the PAM service (/etc/pam.d/…)")
    parser.add_argument(
        "--minimum-uid", type=int, default=MINIMUM_UID, help="accounts below never sign in"
    )
    return parser.parse_args(arguments)


def _serve(asked: argparse.Namespace) -> None:
    if os.geteuid() != 0:
        raise UsageError("must be started by root: PAM tells nobody else about other accounts")
    service.check(asked.service)
    if asked.minimum_uid < 1:
        raise UsageError("--minimum-uid must be at least 1: root never signs in")
    users = [_account(name) for name in asked.user]
    environ = dict(os.environ)
    is_passed = listener.is_passed(environ)
    if is_passed == (asked.socket is not None):
        raise UsageError("give --socket, or let systemd pass one, and not both")
    path = Path(os.path.abspath(asked.socket or "/"))  # before the folder changes
    hardening.give_up(keep=listener.FIRST_PASSED if is_passed else sys.stderr.fileno())
    stack.load()
    rules = Rules(frozenset({0, *(one.pw_uid for one in users)}), asked.service, asked.minimum_uid)
    if is_passed:
        Server(listener.passed(environ), rules).run()
        return
    ours = listener.listen(path, users[0].pw_gid if users else 0)
    try:
        say(f"listens at {path}")
        Server(ours, rules).run()
    finally:
        listener.remove(path, ours)


def _account(name: str) -> pwd.struct_passwd:
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise UsageError(f"--user: there is no account {name[:80]!r}") from error
    if found.pw_uid == stack.NOBODY:
        raise UsageError(f"--user: {name} stands for every user the kernel has no number for")
    return found


if __name__ == "__main__":
    sys.exit(main())
