"""Files of new passwords, kept only where a teacher asked for one: his alone, and for a day.

`<folder>/<owner>/mot-de-passe_9_4_0.csv` (the time of day), folders 0700, files 0600.
"""

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from controle_vnc import settings as shared
from eop.errors import NotFoundError, RefusedError

KEPT_SECONDS = 24 * 3600  # time to fetch it: what lies about longer is a leak to come
MAX_FILES = 50  # of one person at a time
PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
MAX_NAME_CHARACTERS = 64

_NAME = re.compile(r"mot-de-passe_\d{1,2}_\d{1,2}_\d{1,2}(_\d{1,2})?\.csv")
_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
_MARK = "\ufeff"  # by which spreadsheets know UTF-8


@dataclass(frozen=True)
class Kept:
    """A file that waits to be fetched, and until when (ms)."""

    name: str
    until_ms: int


def folder() -> Path:
    """Where they are, on the host of the site."""
    return shared.home() / "var/lib/eop/passwords"


def owner_of(user_id: int, created_ms: int) -> str:
    """The folder of a user: the number of one who is gone may be given again, to another."""
    return f"{user_id}-{created_ms}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The text of a file; the last column is a password."""
    return head(heads) + "".join(row(cells) for cells in rows)


def head(heads: Sequence[str]) -> str:
    """The beginning of a file."""
    return _MARK + _line(heads)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would carry it out."""
    return text.startswith(_FORMULA_BEGINNINGS)


def row(cells: Sequence[str]) -> str:
    """One line; the last cell is a password, and stands as it was given.

    Before what a spreadsheet would carry out as a formula stands an apostrophe, save there: whoever
    writes a file refuses such a password beforehand (`is_formula`), for it would be another one.
    """
    *others, password = cells
    safe = [f"'{one}" if is_formula(one) else one for one in others]
    return _line([*safe, password])


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue()


class Growing:
    """A file that gets its rows one by one; each is written when `add` returns."""

    def __init__(self, path: Path, raw: io.FileIO, now_ms: int) -> None:
        self.name = path.name
        self.has_rows = False
        self._path = path
        self._raw = raw
        self._now_ms = now_ms

    def add(self, text: str) -> None:
        """Write rows; raises `RefusedError("file_failed")`."""
        try:
            self._write(text)
        except OSError as error:
            raise RefusedError("file_failed", detail=str(error)) from error
        self.has_rows = True

    def drop(self) -> None:
        """Delete it: half of a list is none. Where it cannot be, it goes after a day."""
        with suppress(OSError):  # a disk that is only read by now
            self._path.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[self._raw.write(data) or 0 :]
        os.utime(self._raw.fileno(), (self._now_ms / 1000, self._now_ms / 1000))


@contextmanager
def begun(owner: str, beginning: str, now_ms: int) -> Iterator[Growing]:
    """A new file of an owner that grows, gone again where it got no row; what it got stays.

    Raises `RefusedError`: `file_failed`, `too_many_files`, before anything else is done.
    """
    try:
        path, raw = _new(owner, now_ms)
    except OSError as error:
        raise RefusedError("file_failed", detail=str(error)) from error
    with raw:
        file = Growing(path, raw, now_ms)
        try:
            file.add(beginning)
            file.has_rows = False
            yield file
        finally:
            if not file.has_rows:
                file.drop()


def _new(owner: str, now_ms: int) -> tuple[Path, io.FileIO]:
    moment = datetime.fromtimestamp(now_ms / 1000).astimezone()
    stem = f"mot-de-passe_{moment.hour}_{moment.minute}_{moment.second}"
    place = _own(owner)
    place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    for one in (place.parent, place):
        one.chmod(PRIVATE_FOLDER)
    if len(list(place.iterdir())) >= MAX_FILES:
        raise RefusedError("too_many_files")
    for number in range(1, MAX_FILES + 1):
        path = place / (f"{stem}.csv" if number == 1 else f"{stem}_{number}.csv")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        except FileExistsError:
            continue
        return path, io.FileIO(handle, "w")
    raise RefusedError("too_many_files")


def listed(owner: str, now_ms: int) -> list[Kept]:
    """The files of a user, the newest first; those whose time is over are gone."""
    purge_one(_own(owner), now_ms)
    found = [(_modified(one), one.name) for one in _files(_own(owner))]
    return [Kept(name, int((at + KEPT_SECONDS) * 1000)) for at, name in sorted(found, reverse=True)]


def read(owner: str, name: str) -> bytes:
    """What a file holds; raises `NotFoundError`."""
    try:
        return _path(owner, name).read_bytes()
    except OSError as error:
        raise NotFoundError("there is no such file any more") from error


def remove(owner: str, name: str) -> None:
    """Delete a file, if it is still there; raises `NotFoundError` for what is no name of one."""
    _path(owner, name).unlink(missing_ok=True)


def purge(now_ms: int) -> None:
    """Delete every file whose time is over."""
    if folder().is_dir():
        for place in folder().iterdir():
            purge_one(place, now_ms)


def purge_one(place: Path, now_ms: int) -> None:
    for file in _files(place):
        if now_ms / 1000 - _modified(file) >= KEPT_SECONDS:
            file.unlink(missing_ok=True)


def _files(place: Path) -> list[Path]:
    return [one for one in place.iterdir() if one.is_file()] if place.is_dir() else []


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # another request has just deleted it
        return 0.0


def _own(owner: str) -> Path:
    return folder() / owner


def _path(owner: str, name: str) -> Path:
    if not _NAME.fullmatch(name[: MAX_NAME_CHARACTERS + 1]):
        raise NotFoundError("there is no such file")
    return _own(owner) / name
