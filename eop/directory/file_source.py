"""A file as the source of people: one JSON file, or a folder of CSV files, for small schools."""

from collections.abc import Callable
from pathlib import Path

from eop.directory import csv_school, json_school
from eop.directory.snapshot import Snapshot, SourceError

MAX_FILE_BYTES = 8 * 1024 * 1024  # twenty thousand people with long lines
PEOPLE, CLASSES, ROOMS = "people.csv", "classes.csv", "rooms.csv"
OTHERS_MAY_WRITE = 0o002


class FileSource:
    """People, classes and rooms of `path`: a JSON file, or a folder with `people.csv`.

    `classes.csv` and `rooms.csv` may be absent. One wrong line makes the whole source unusable.
    """

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, progress: Callable[[int], None]) -> Snapshot:
        """All of it; raises `SourceError` that names file, line and column."""
        _refuse_open_to_all(self._path)
        if not self._path.is_dir():
            return json_school.parse(_text(self._path), self._path.name, progress)
        texts = {PEOPLE: _text(self._path / PEOPLE)}
        for name in (CLASSES, ROOMS):
            if (self._path / name).exists():
                texts[name] = _text(self._path / name)
        return csv_school.parse(texts, progress)


def _refuse_open_to_all(path: Path) -> None:
    """Whoever may write there may make himself an administrator."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    if mode & OTHERS_MAY_WRITE:
        raise SourceError(f"{path}: everyone may write there; run: chmod o-w {path}")


def _text(path: Path) -> str:
    _refuse_open_to_all(path)
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise SourceError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceError(
            f"{path.name}, line {line}: not UTF-8; in a spreadsheet save it as “CSV UTF-8”"
        ) from error
