"""`python -m controle_vnc.files`: controle-vnc-files, started by root or by systemd.

Where FILES_HOMES names a folder of homes, anybody may start it: it needs no rights then.
"""

import argparse
import fcntl
import logging
import os
import pwd
import socket
import sys
from pathlib import Path

from controle_vnc import log
from controle_vnc import settings as shared_settings
from controle_vnc.errors import CannotListenError, SettingsError
from controle_vnc.files import rights, server
from controle_vnc.files.desk import Desk
from controle_vnc.files.homes import NOBODY
from controle_vnc.files.rights import RightsError
from controle_vnc.settings import Settings

logger = logging.getLogger(__name__)

BASE_FOLDERS = 2  # of a folder of homes: never / or what lies directly in it


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM; 2 where it cannot be started like this, 1 where the socket is taken."""
    asked = _parsed(arguments)
    try:
        settings = shared_settings.load()
        check(settings)
        log.setup(settings.LOG_LEVEL)
        uids = frozenset({0, os.geteuid(), *(_uid(name) for name in asked.user)})
        group = _group(asked.user)
        return _serve(settings, uids, group)
    except CannotListenError as error:
        sys.stderr.write(f"controle-vnc-files: {error}\n")
        return 1
    except (SettingsError, RightsError, OSError) as error:
        sys.stderr.write(f"controle-vnc-files: {error}\n")
        return 2


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="controle-vnc-files", description="Puts documents into homes for controle-vnc."
    )
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        help="who may ask beside root and ourselves: the user of controle-vnc; may be repeated",
    )
    return parser.parse_args(arguments)


def check(settings: Settings) -> None:
    """Raise `SettingsError` where a setting of ours is senseless."""
    for name in ("UPLOAD_LIMIT", "UPLOAD_EXPIRES", "UPLOAD_SPACE"):
        if getattr(settings, name) < 1:
            raise SettingsError(f"{name} must be at least 1")
    folder = settings.FILES_HOMES
    if folder and (not folder.startswith("/") or len(Path(folder).parts) <= BASE_FOLDERS):
        raise SettingsError(f"FILES_HOMES must be an absolute path of a folder, not {folder!r}")


def _serve(settings: Settings, uids: frozenset[int], group: int) -> int:
    environ = dict(os.environ)
    is_passed = server.is_passed(environ)
    path = settings.files_socket.absolute()
    listener = server.passed(environ) if is_passed else server.listen(path, group)
    try:
        # what needed root is done: from here on there are the rights for homes, or none
        rights.keep_only(() if settings.FILES_HOMES else rights.NEEDED)
        rights.give_up_the_rest()
        desk = Desk(settings)
        desk.prepare()
        with _claimed(settings.files_dir):
            logger.info("listening on %s", path if not is_passed else "the socket of systemd")
            server.Server(listener, uids, desk.answer, desk.spool.sweep).run()
            logger.info("ending")
    finally:
        _close(listener, None if is_passed else path)
    return 0


class _claimed:  # noqa: N801 - used as a context
    """Nobody else works in our folder: two would not know of each other's locks."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / ".lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise CannotListenError(
                f"another controle-vnc-files works in {folder}; stop it first"
            ) from error

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _close(listener: socket.socket, path: Path | None) -> None:
    listener.close()
    if path is not None:
        path.unlink(missing_ok=True)


def _uid(name: str) -> int:
    return _account(name).pw_uid


def _group(names: list[str]) -> int:
    return _account(names[0]).pw_gid if names else os.getegid()


def _account(name: str) -> pwd.struct_passwd:
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise SettingsError(f"--user: there is no account {name[:80]!r}") from error
    if found.pw_uid == NOBODY:
        raise SettingsError(f"--user: {name} stands for every user the kernel has no number for")
    return found


if __name__ == "__main__":
    sys.exit(main())
