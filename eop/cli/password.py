"""`eopctl password`: new passwords for the students of a class, into a file of one's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eop.cli.output import DONE, FAILED, PARTIAL, json_option, read_password, table, tell
from eop.errors import InvalidError

if TYPE_CHECKING:
    from eop.passwords.changing import Done
    from eop.passwords.students import Student
    from eop.services import Services

# the kinds of eop.passwords.making; repeated so that --help needs no database library
KINDS = ("random", "birth", "name", "same")
PRIVATE = 0o600
HEADS = ("last name", "first name", "login", "class", "password")


@click.group()
def password() -> None:
    """New passwords for the students of a class; `eopctl user passwd` changes one."""


@password.command("class")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), default="random", show_default=True)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=False),
    help="Its first line is the password of --kind same.",
)
@click.option(
    "--student", "logins", multiple=True, help="Only this one of the class; may be repeated."
)
@click.option(
    "--change/--no-change",
    default=True,
    help="Whether it must be changed at the first sign-in; by default it must.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=False),
    required=True,
    help="The CSV file to write the passwords to; it must not be there yet, and is mode 0600.",
)
@json_option
def of_class(**options: Any) -> int:
    """Give the students of the class NAME new passwords, locally or in the directory.

    They are in the file alone, never in what the command prints. Exit code 3: some were refused.
    """
    if (options["kind"] == "same") != (options["password_file"] is not None):
        raise click.UsageError("--password-file goes with --kind same, and with no other")
    typed = read_password(options["password_file"]) if options["password_file"] else ""
    with open_services() as parts:
        done = _changed(parts, options, typed)
    return _told(done, options)


def _changed(parts: "Services", options: dict[str, Any], typed: str) -> "list[Done]":
    from eop.aaa import revocations
    from eop.audit.console import at_the_console
    from eop.passwords import changing, files
    from eop.passwords.changing import ObstaclesError, Order
    from eop.passwords.students import birth_dates

    with parts.database.read() as connection:
        chosen = _chosen(connection, options)
        births = birth_dates(connection, [one.id for one in chosen])
    order = Order(options["kind"], options["change"], typed, in_file=True)
    try:
        planned = changing.plan(parts.door.passwords, chosen, births, order)
    except ObstaclesError as error:
        lines = [f"{sentence} {', '.join(one.login for one in of)}" for sentence, of in error.found]
        raise InvalidError("nothing was changed:\n" + "\n".join(lines)) from error
    office, done = changing.office(parts, at_the_console()), []
    # each is written before the next is set: who is stopped knows those that are
    with _private(options["output"]) as file:
        file.write(files.head(HEADS))
        for ended in office.one_by_one(planned, must_change=options["change"]):
            done.append(ended)
            if not ended.code:
                file.write(files.row(_cells(ended, options["name"])))
                file.flush()
    revocations.deliver(parts.database, parts.daemon)
    return done


def _chosen(connection: Any, options: dict[str, Any]) -> "list[Student]":
    from eop.passwords import students

    found = students.in_order(students.of_class(connection, options["name"]), "last", "")
    wanted = set(options["logins"])
    unknown = wanted - {one.login for one in found}
    if unknown:
        raise InvalidError(
            f"no student of the class {options['name']!r}: {', '.join(sorted(unknown))}"
        )
    chosen = [one for one in found if not wanted or one.login in wanted]
    if not chosen:
        raise InvalidError(f"no student of the class {options['name']!r} has an account here")
    return chosen


@contextmanager
def _private(path: Path) -> Iterator[Any]:
    """A new file that only its owner reads."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError as error:
        raise click.UsageError(f"{path}: it is there already; give another name") from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        yield file


def _cells(done: "Done", name: str) -> list[str]:
    student = done.student
    return [student.parts.last, student.parts.first, student.login, name, done.password]


def _told(done: "list[Done]", options: dict[str, Any]) -> int:
    refused = [one for one in done if one.code]
    changed = len(done) - len(refused)
    value = {
        "class": options["name"],
        "kind": options["kind"],
        "output": str(options["output"]),
        "changed": [
            {"login": one.student.login, "must_change": one.must_change}
            for one in done
            if not one.code
        ],
        "refused": [
            {"login": one.student.login, "code": one.code, "reason": one.reason()}
            for one in refused
        ],
    }
    text = f"changed {changed} of {len(done)} passwords; they are in {options['output']}"
    if refused:
        rows = [[one.student.login, one.reason()] for one in refused]
        text += "\n" + table(["refused", "why"], rows)
    unnoted = [one.student.login for one in done if not one.is_noted]
    if unnoted:
        text += f"\nsessions that are open stay so, see the log: {', '.join(unnoted)}"
    tell(value, text, as_json=options["as_json"])
    return DONE if not refused else PARTIAL if changed else FAILED


@contextmanager
def open_services() -> "Iterator[Services]":
    """The site's parts, as its pages have them."""
    from controle_vnc import settings as shared_settings
    from eop import services
    from eop import settings as site_settings

    parts = services.make(site_settings.load(), shared_settings.load())
    try:
        parts.database.check()
        yield parts
    finally:
        parts.close()
