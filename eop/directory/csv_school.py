"""The CSV files of a small school: people, classes and rooms, as spreadsheets write them. Pure.

Columns may be named in English or in French, in any order; `;` or `,` between them. Several classes
or rooms in one cell have `|` or `,` between them.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from eop.directory.school import Complaints, FieldError, Gathering
from eop.directory.snapshot import Snapshot, SourceError

MAX_COLUMNS = 100  # a whole export of a school's software has fewer
PROGRESS_ROWS = 100

_PEOPLE = {
    "id": "id", "identifiant interne": "id", "numéro": "id", "numero": "id",
    "login": "login", "identifiant": "login", "utilisateur": "login",
    "name": "name", "nom complet": "name", "nom affiché": "name",
    "last_name": "last", "last name": "last", "nom": "last", "nom de famille": "last",
    "first_name": "first", "first name": "first", "prénom": "first", "prenom": "first",
    "role": "role", "rôle": "role", "profil": "role", "fonction": "role",
    "classes": "classes", "class": "classes", "classe": "classes",
    "rooms": "rooms", "room": "rooms", "salles": "rooms", "salle": "rooms",
    "state": "state", "état": "state", "etat": "state",
    "heads": "heads", "head teacher of": "heads", "professeur principal de": "heads",
    "birth_date": "birth_date", "birth date": "birth_date", "date de naissance": "birth_date",
    "né(e) le": "birth_date",
}  # fmt: skip
_CLASSES = {
    "id": "id", "identifiant interne": "id",
    "name": "name", "class": "name", "nom": "name", "classe": "name",
    "students": "students", "student": "students", "élèves": "students", "eleves": "students",
    "élève": "students", "eleve": "students",
}  # fmt: skip
_ROOMS = {
    "host": "host", "workstation": "host", "poste": "host",
    "room": "room", "salle": "room",
}  # fmt: skip
"""Heading of a column → what it is."""

_BETWEEN = re.compile(r"[|,]")


@dataclass(frozen=True)
class _Row:
    """The cells of a line by what they are, and that line's number."""

    line: int
    cells: dict[str, str]

    def list_of(self, column: str) -> list[str]:
        parts = _BETWEEN.split(self.cells.get(column, ""))
        return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True)
class _Table:
    """One kind of file: its columns, which must be there, and what to do with a row."""

    headings: dict[str, str]
    required: tuple[str, ...]
    take: Callable[[Gathering, _Row], None]


def parse(texts: Mapping[str, str], progress: Callable[[int], None]) -> Snapshot:
    """What the files say; `texts` maps the names of `TABLES` to their content.

    Raises `SourceError` with the file, line and column of each wrong value.
    """
    gathered, complaints = Gathering(), Complaints()
    for name, text in texts.items():
        _read(name, text, gathered, complaints, progress)
    complaints.raise_any()
    progress(gathered.count)
    return gathered.snapshot()


def _read(
    name: str,
    text: str,
    gathered: Gathering,
    complaints: Complaints,
    progress: Callable[[int], None],
) -> None:
    table = TABLES[name]
    try:
        for row in _rows(name, text, table):
            try:
                table.take(gathered, row)
            except FieldError as error:
                complaints.add(f"{name}, line {row.line}, column {error.field}", error)
            if row.line % PROGRESS_ROWS == 0:
                progress(gathered.count)
    except SourceError as error:
        complaints.add(name, error)


def _rows(name: str, text: str, table: _Table) -> Iterator[_Row]:
    """The rows that hold anything; raises `SourceError` where the file is no table at all."""
    text, skipped = _without_hint(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        columns = _columns(next(reader, []), table)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _Row(reader.line_num + skipped, _by_column(cells, columns))
    except csv.Error as error:
        raise SourceError(f"line {reader.line_num + skipped}: {error}") from error
    except FieldError as error:
        raise SourceError(f"line {reader.line_num + skipped}: {error}") from error


def _without_hint(text: str) -> tuple[str, int]:
    """The text without a first line `sep=;`, which spreadsheets write for each other."""
    first, _, rest = text.partition("\n")
    return (rest, 1) if first.strip().lower().startswith("sep=") else (text, 0)


def _delimiter(text: str) -> str:
    """French spreadsheets write semicolons."""
    first = text.split("\n", 1)[0]
    return ";" if first.count(";") > first.count(",") else ","


def _columns(heads: list[str], table: _Table) -> list[str]:
    """What each column is, "" for those that are not ours; raises `SourceError`."""
    if len(heads) > MAX_COLUMNS:
        raise SourceError(f"line 1: more than {MAX_COLUMNS} columns")
    columns = [table.headings.get(" ".join(head.lower().split()), "") for head in heads]
    if "last" in columns and "first" not in columns and "name" not in columns:
        columns[columns.index("last")] = "name"
    if "last" in columns and "first" in columns:
        columns = ["" if column == "name" else column for column in columns]
        named = [*columns, "name"]
    else:
        named = columns
    missing = [column for column in table.required if column not in named]
    if missing:
        raise SourceError(f"line 1: no column is called {' or '.join(missing)}")
    twice = next((one for one in columns if one and columns.count(one) > 1), None)
    if twice:
        raise SourceError(f"line 1: two columns are {twice}")
    return columns


def _by_column(cells: list[str], columns: list[str]) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise FieldError("", f"{len(cells)} cells for {len(columns)} columns")
    row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
    if "last" in columns and "first" in columns:
        row["name"] = f"{row.get('first', '')} {row.get('last', '')}".strip()
    return row


def _take_person(gathered: Gathering, row: _Row) -> None:
    given = {"login": "", "name": "", "role": "", **row.cells}
    heads = row.list_of("heads") if "heads" in row.cells else None
    gathered.add_person(given, row.list_of("classes"), row.list_of("rooms"), heads)


def _take_class(gathered: Gathering, row: _Row) -> None:
    cells = row.cells
    gathered.add_class(cells.get("id", ""), cells.get("name", ""), row.list_of("students"))


def _take_room(gathered: Gathering, row: _Row) -> None:
    gathered.add_room(row.cells.get("host", ""), row.cells.get("room", ""))


TABLES = {
    "people.csv": _Table(_PEOPLE, ("login", "name", "role"), _take_person),
    "classes.csv": _Table(_CLASSES, ("name",), _take_class),
    "rooms.csv": _Table(_ROOMS, ("host", "room"), _take_room),
}
"""File → what is in it."""
