"""Reading a CSV file of workstations: what it would change, and every line that is wrong."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controle_vnc.control.messages import MAX_WORKSTATIONS_A_REQUEST, SaveWorkstation, Workstation
from eop.audit.console import at_the_console
from eop.cli.output import read_password
from eop.errors import RefusedError

if TYPE_CHECKING:
    from eop.daemon import Daemon

MAX_FILE_BYTES = 1024 * 1024
MAX_ROWS = MAX_WORKSTATIONS_A_REQUEST  # controle-vnc keeps no more
MAX_ERRORS = 50  # the first ones are enough to see what is wrong
MAX_NAME_CHARACTERS = 64
MAX_ADDRESS_CHARACTERS = 300
MAX_PASSWORD_CHARACTERS = 256

COLUMNS = ("name", "room", "vnc", "password", "password_file", "user")
REQUIRED = ("name", "room", "vnc")


@dataclass(frozen=True)
class Row:
    """One line of the file, checked. `password` None keeps the stored one."""

    name: str
    room: str
    address: str
    password: str | None
    user: str | None


@dataclass(frozen=True)
class Change:
    """What a row would do: `add`, `change` or `keep`; `line` says it to people."""

    row: Row
    change: str
    line: str


class _LineError(Exception):
    """One line is wrong."""


def plan(file: Path, daemon: "Daemon") -> tuple[list[Change], list[str]]:
    """The changes the file asks for, and its errors, each with its line number."""
    rows, errors = read(file)
    stored = {one.name: one for one in daemon.workstations()}
    return [_change(row, stored.get(row.name)) for row in rows], errors


def read(file: Path) -> tuple[list[Row], list[str]]:
    """The rows of the file and its errors; raises a usage error for what is no such file."""
    reader = csv.reader(io.StringIO(text := _text(file)), delimiter=_delimiter(text), strict=True)
    heads = [head.strip().lower() for head in next(reader, [])]
    _check_heads(heads, file)
    rows: list[Row] = []
    errors: list[str] = []
    seen: set[str] = set()
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) >= MAX_ROWS:
                raise click.UsageError(f"{file}: more than {MAX_ROWS} workstations")
            try:
                rows.append(_row(heads, cells, file.parent, seen))
            except _LineError as error:
                errors.append(f"line {reader.line_num}: {error}")
            if len(errors) >= MAX_ERRORS:
                errors.append("further errors are not listed")
                break
    except csv.Error as error:
        errors.append(f"line {reader.line_num}: {error}")
    return rows, errors


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise click.UsageError(f"{file}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file}: not UTF-8") from error


def _delimiter(text: str) -> str:
    """French spreadsheets write semicolons."""
    first = text.split("\n", 1)[0]
    return ";" if first.count(";") > first.count(",") else ","


def _check_heads(heads: list[str], file: Path) -> None:
    unknown = [head for head in heads if head not in COLUMNS]
    missing = [name for name in REQUIRED if name not in heads]
    if unknown or missing or len(set(heads)) != len(heads):
        raise click.UsageError(
            f"{file}: the first line must name the columns {', '.join(REQUIRED)} and may name "
            "password or password_file, and user"
        )


def _row(heads: list[str], cells: list[str], folder: Path, seen: set[str]) -> Row:
    if len(cells) != len(heads):
        raise _LineError(f"{len(cells)} cells for {len(heads)} columns")
    given = dict(zip(heads, cells, strict=True))
    name = _checked(given["name"], "name", MAX_NAME_CHARACTERS)
    if name in seen:
        raise _LineError(f"{name} is there twice")
    seen.add(name)
    user = given.get("user", "").strip()
    return Row(
        name=name,
        room=_checked(given["room"], "room", MAX_NAME_CHARACTERS),
        address=_checked_address(given["vnc"]),
        password=_password(given, folder),
        user=_checked(user, "user", MAX_NAME_CHARACTERS) if user else None,
    )


def _checked(text: str, what: str, longest: int) -> str:
    text = text.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise _LineError(f"{what}: 1 to {longest} printable characters")
    return text


def _checked_address(text: str) -> str:
    """The form of an address; controle-vnc itself has the last word."""
    text = _checked(text, "vnc", MAX_ADDRESS_CHARACTERS)
    if text.startswith("unix:/"):
        return text
    host, colon, port = text.rpartition(":")
    right = bool(host) and bool(colon) and port.isascii() and port.isdigit() and len(port) <= 5
    if not right or not 1 <= int(port) <= 65535 or any(sign.isspace() for sign in host):
        raise _LineError(f"vnc: {text!r} must be host:port, [v6]:port or unix:/path")
    return text


def _password(given: dict[str, str], folder: Path) -> str | None:
    password, file = given.get("password", ""), given.get("password_file", "").strip()
    if password and file:
        raise _LineError("either password or password_file")
    if file:
        try:
            password = read_password(folder / file)
        except click.UsageError as error:
            raise _LineError(error.message) from error
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise _LineError(f"password: at most {MAX_PASSWORD_CHARACTERS} characters")
    return password or None


def _change(row: Row, stored: Workstation | None) -> Change:
    if stored is None:
        return Change(
            row, "add", f"+ {row.name}  {row.room}  {row.address}  {row.user or ''}".rstrip()
        )
    differences = [
        f"{what} {old or '-'} → {new or '-'}"
        for what, old, new in (
            ("room", stored.room, row.room),
            ("vnc", stored.address, row.address),
            ("user", stored.user, row.user),
        )
        if old != new
    ]
    if row.password is not None:
        differences.append("password set")  # the stored one is not shown, so not compared
    if not differences:
        return Change(row, "keep", f"= {row.name}")
    return Change(row, "change", f"~ {row.name}  {', '.join(differences)}")


def carry_out(changes: list[Change], daemon: "Daemon") -> list[str]:
    """Save what is added or changed; a sentence for each that controle-vnc refused."""
    failed = []
    for change in changes:
        if change.change == "keep":
            continue
        row = change.row
        request = SaveWorkstation(
            name=row.name,
            room=row.room,
            address=row.address,
            password=row.password,
            user=row.user,
            replace=True,
            by=at_the_console(),
        )
        try:
            daemon.save(request)
        except RefusedError as error:
            failed.append(f"{row.name}: {error}")
    return failed
