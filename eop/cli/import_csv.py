"""A CSV file of workstations for `eopctl`: the page's rules, and passwords in files beside it."""

from pathlib import Path

import click

from eop.administration import workstation_csv
from eop.administration.workstation_csv import File
from eop.administration.workstation_plan import Change
from eop.cli.output import read_password
from eop.errors import InvalidError

MAX_FILE_BYTES = 1024 * 1024  # ten times what a browser may send
SIGNS = {"add": "+", "change": "~", "keep": "="}


def read(file: Path) -> File:
    """The lines of the file; raises a usage error for what is no such file."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise click.UsageError(f"{file}: larger than {MAX_FILE_BYTES} bytes")

    def password_of(name: str) -> str:
        try:
            return read_password(file.parent / name)
        except click.UsageError as error:
            raise InvalidError(error.message) from error

    try:
        return workstation_csv.read(workstation_csv.decoded(data), password_of)
    except InvalidError as error:
        raise click.UsageError(f"{file}: {error}") from error


def errors(file: File) -> list[str]:
    """Every line that is wrong, in words."""
    found = [f"line {one.line}: {one.why}" for one in file.wrong]
    return [*found, "further errors are not listed"] if file.has_more_errors else found


def in_words(change: Change) -> str:
    """What a line would do, for people; a password is only said to be set."""
    row = change.row
    if change.kind == "add":
        told = f"{row.room}  {row.address}  {change.user or ''}"
    else:
        told = ", ".join(
            "password set"
            if one.field == "password"
            else f"{one.field} {one.before or '-'} → {one.after or '-'}"
            for one in change.differences
        )
    return f"{SIGNS[change.kind]} {row.name}  {told}".rstrip()
