"""A CSV file of workstations: its lines, what is wrong with each, and the file for a spreadsheet.

Pure: bytes in, rows and sentences out.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from controle_vnc.control.messages import MAX_WORKSTATIONS_A_REQUEST, Workstation
from eop.administration import workstation_fields as fields
from eop.administration.workstation_fields import Typed
from eop.errors import N_, InvalidError

MAX_FILE_BYTES = 96 * 1024  # some 2,000 lines; with its form it passes nginx's 128 KiB
MAX_ROWS = MAX_WORKSTATIONS_A_REQUEST  # controle-vnc keeps no more
MAX_ERRORS = 50  # the first ones are enough to see what is wrong
BOM = "\ufeff"  # without it spreadsheets read accents wrongly
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would carry out such a cell

COLUMNS = {
    "name": ("name", "nom", "poste"),
    "room": ("room", "salle"),
    "address": ("address", "adresse", "vnc"),
    "port": ("port",),
    "password": ("password", "mot de passe"),
    "user": ("user", "utilisateur", "identifiant"),
    "vnc_user": ("vnc_user", "vnc user", "utilisateur vnc"),
    "trust": ("trust", "confiance"),
}
"""Column → how its head may be spelled; `vnc` is that of `eopctl workstation import`."""

REQUIRED = ("name", "room", "address")
_PARTS = re.compile(r"[;\n]\s*")  # where a spreadsheet of another country begins a cell
PASSWORD_FILE = "password_file"  # noqa: S105 - the name of a column
EXPORTED = ("name", "room", "address", "port", "user", "vnc_user", "trust")


@dataclass(frozen=True)
class Row:
    """One line that is right. What is None was not in the file: the stored one stays."""

    line: int
    name: str
    room: str
    address: str
    password: str | None
    user: str | None
    vnc_user: str | None = None
    trust: str | None = None


@dataclass(frozen=True)
class Wrong:
    """A line that is not, and why."""

    line: int
    why: InvalidError


@dataclass(frozen=True)
class File:
    """What a file holds; `has_more_errors`: others are not listed."""

    rows: list[Row]
    wrong: list[Wrong]
    has_more_errors: bool = False


PasswordOf = Callable[[str], str]


def text_of(data: bytes) -> str:
    """The text of a file from a browser; raises `InvalidError`."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidError(
            N_("The file is larger than %(most)s KiB: split it, or use eopctl workstation import."),
            most=MAX_FILE_BYTES // 1024,
        )
    return decoded(data)


def decoded(data: bytes) -> str:
    """The text of a file; raises `InvalidError`."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(N_("The file is not UTF-8: save it as “CSV UTF-8”.")) from error


def read(text: str, password_of: PasswordOf | None = None) -> File:
    """The lines of a file; raises `InvalidError` for what is no such file at all.

    With `password_of` there may be a column `password_file`: it gives the password in the file of
    that name, or raises `InvalidError`.
    """
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    rows: list[Row] = []
    wrong: list[Wrong] = []
    try:
        heads = _heads(next(reader, []), password_of is not None)
        names: dict[str, int] = {}
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) + len(wrong) >= MAX_ROWS:
                raise InvalidError(N_("The file has more than %(most)s lines."), most=MAX_ROWS)
            made = _Line(reader.line_num, heads, cells).made(names, password_of)
            rows += [made] if isinstance(made, Row) else []
            wrong += made if isinstance(made, list) else []
    except csv.Error as error:
        why = N_("The line cannot be read as CSV (%(why)s).")
        wrong.append(Wrong(reader.line_num, InvalidError(why, why=str(error)[:80])))
    return File(rows, wrong[:MAX_ERRORS], len(wrong) > MAX_ERRORS)


def export(workstations: Iterable[Workstation]) -> Iterator[str]:
    """The file of these workstations, line by line, without passwords; `read` takes it back."""
    yield BOM + ",".join(EXPORTED) + "\r\n"
    for one in workstations:
        host, port = fields.split(one.address)
        line = io.StringIO()
        sign_in = (one.vnc_user or "", one.trust or "")
        cells = (one.name, one.room, host, port, one.user or "", *sign_in)
        csv.writer(line).writerow([_cell(cell) for cell in cells])
        yield line.getvalue()


def _delimiter(text: str) -> str:
    """French spreadsheets write semicolons."""
    first = text.split("\n", 1)[0]
    return ";" if first.count(";") > first.count(",") else ","


def _heads(cells: list[str], has_files: bool) -> list[str]:
    """The column of each head; raises `InvalidError`."""
    spelled = {spelling: column for column, all_ in COLUMNS.items() for spelling in all_}
    spelled |= {PASSWORD_FILE: PASSWORD_FILE} if has_files else {}
    heads = [spelled.get(cell.strip().lower(), "") for cell in cells]
    if not all(heads) or len(set(heads)) != len(heads) or not set(REQUIRED) <= set(heads):
        raise InvalidError(
            N_("The first line must name the columns name, room and address, and may name port, "
               "password, user, vnc_user and trust.")
        )  # fmt: skip
    return heads


@dataclass(frozen=True)
class _Line:
    number: int
    heads: list[str]
    cells: list[str]

    def made(self, names: dict[str, int], password_of: PasswordOf | None) -> Row | list[Wrong]:
        """What the line says, or everything that is wrong with it; `names` are those before."""
        if len(self.cells) != len(self.heads):
            why = N_("%(cells)s cells for %(columns)s columns.")
            return [self._wrong(why, cells=len(self.cells), columns=len(self.heads))]
        pairs = zip(self.heads, self.cells, strict=True)
        given = {head: _plain(head, cell) for head, cell in pairs}
        found: list[Wrong] = []
        file = given.pop(PASSWORD_FILE, "")
        if file and password_of is not None:
            try:
                given["password"] = _the_only(given.get("password", ""), password_of, file)
            except InvalidError as error:
                found.append(Wrong(self.number, error))
        typed = Typed(**given)
        found += [Wrong(self.number, why) for why in fields.problems(typed).values()]
        if typed.name and typed.name in names:
            why = N_("%(name)s is in line %(line)s already.")
            found.append(self._wrong(why, name=typed.name[:64], line=names[typed.name]))
        names.setdefault(typed.name, self.number)
        if found:
            return found
        return Row(
            line=self.number,
            name=typed.name,
            room=typed.room,
            address=typed.endpoint,
            password=typed.password or None,
            user=typed.user if "user" in given else None,
            vnc_user=typed.vnc_user if "vnc_user" in given else None,
            trust=fields.normal_trust(typed.trust) if typed.trust else None,
        )

    def _wrong(self, text: str, **arguments: str | int) -> Wrong:
        return Wrong(self.number, InvalidError(text, **arguments))


def _the_only(password: str, password_of: PasswordOf, file: str) -> str:
    if password:
        raise InvalidError("Either password or password_file.")
    return password_of(file)


def _plain(head: str, cell: str) -> str:
    """What a cell says: a password as it is, else without blanks and without `_cell`'s mark."""
    if head == "password":
        return cell
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and _is_formula(cell.lstrip("'")) else cell


def _cell(text: str) -> str:
    """Marked where a spreadsheet would carry it out, or where it looks marked already."""
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    """Whether it is one, or a spreadsheet of another country takes a part for a cell that is."""
    return any(part.startswith(FORMULAS) for part in _PARTS.split(text))
