"""Whose home is where, and whose the files in it must be."""

import logging
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controle_vnc.files import folders, reserve
from controle_vnc.files.names import portable
from controle_vnc.files.refusals import refusal, refused

logger = logging.getLogger(__name__)

MINIMUM_UID = 1000  # UID_MIN of Debian: below are root and the accounts of the system
NOBODY = 65534  # stands for every user the kernel has no number for


@dataclass(frozen=True)
class Owner:
    """Whose files are."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Person:
    """Someone with files: where they are, and whether that is a home or our own folder."""

    login: str
    owner: Owner
    path: Path
    has_home: bool

    @property
    def word(self) -> bytes:
        """The login as the name of a folder."""
        return portable(self.login.encode())


class Homes:
    """Finds people. `folder`: where each login has a home; empty: the system's accounts.

    Who has no home gets a folder in `kept`, which belongs to us. Whoever was seen with a home is
    noted in `seen`: while the directory or the disk of homes is down, nobody's files go elsewhere.
    """

    def __init__(self, folder: str, kept: Path, seen: Path) -> None:
        self._folder = Path(folder) if folder else None
        self._kept, self._seen = kept, seen
        self.ours = Owner(os.geteuid(), os.getegid())

    @property
    def folder(self) -> str:
        return "" if self._folder is None else str(self._folder)

    def prepare(self) -> None:
        """Make our own folders; raises `OSError`."""
        for folder in (self._kept, self._seen, self._folder):
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def find(self, login: str) -> Person:
        """Who that is; raises `RequestRefusedError`: `unknown_person`, `home_missing`."""
        if "\0" in login:
            raise refused("unknown_person", "not a login")
        if self._folder is not None:
            return Person(login, self.ours, self._folder / _word(login), has_home=True)
        try:
            account = pwd.getpwnam(login)
        except KeyError:
            return self._homeless(login, "has no account any more")
        if account.pw_uid < MINIMUM_UID or account.pw_uid == NOBODY:
            raise refused("unknown_person", f"{login} is an account of the system")
        owner, path = Owner(account.pw_uid, account.pw_gid), Path(account.pw_dir)
        if not _is_home(path, owner):
            return self._homeless(login, f"has no home at {path} any more")
        self._note(login)
        return Person(login, owner, path, has_home=True)

    def _note(self, login: str) -> None:
        try:
            (self._seen / _word(login)).touch(mode=0o600)
        except OSError as error:  # our own disk is full: homes are looked into all the same
            logger.warning("that %s has a home cannot be noted: %s", login, error)

    def _homeless(self, login: str, why: str) -> Person:
        if (self._seen / _word(login)).exists():
            raise refused("home_missing", f"{login} {why}")
        return self.without_home(login)

    def without_home(self, login: str) -> Person:
        """That person, with a folder of ours instead of a home."""
        return Person(login, self.ours, self._kept / _word(login), has_home=False)

    def free(self, person: Person, home: int) -> int:
        """The bytes that the disk of a home has for that person; raises `OSError`."""
        if self._is_with_us(person, home):
            return reserve.left(home)
        disk = os.fstatvfs(home)
        return disk.f_bavail * disk.f_frsize

    def check_room(self, person: Person, home: int, size: int = 0) -> None:
        """See that notes have room beside `size` more; raises `RequestRefusedError`, `OSError`.

        Who has a home has a quota, or a disk that is not ours; files that are ours have neither.
        """
        if self._is_with_us(person, home) and reserve.left(home) <= size:
            raise refused("no_space", "what is left of the disk is for notes")

    def _is_with_us(self, person: Person, home: int) -> bool:
        is_ours = person.owner == self.ours
        return is_ours and os.fstat(home).st_dev == self._kept.stat().st_dev

    @contextmanager
    def opened(self, person: Person) -> Iterator[int]:
        """The home, open; a folder of ours is made. Raises `RequestRefusedError`."""
        is_ours = not person.has_home or self._folder is not None
        try:
            if is_ours:
                person.path.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
            home = os.open(person.path, flags | (os.O_NOFOLLOW if is_ours else 0))
        except OSError as error:
            raise refusal(error) from error
        try:
            if not folders.may_be_of(os.fstat(home), person.owner.uid, self.ours.uid):
                raise refused("not_a_folder", f"{person.path} belongs to somebody else")
            yield home
        finally:
            os.close(home)


def _word(login: str) -> str:
    return os.fsdecode(portable(login.encode()))


def _is_home(path: Path, owner: Owner) -> bool:
    """Whether an account's home is there, and is its own."""
    if not path.is_absolute() or len(path.parts) < 3:  # "/", "/var": no home of a person
        return False
    try:
        status = path.stat()
    except OSError:
        return False
    return path.is_dir() and status.st_uid in {owner.uid, 0}
