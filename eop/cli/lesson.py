"""`eopctl lesson`: lessons that are open, and ending them."""

import time
from typing import Any

import click

from eop.audit.console import at_the_console
from eop.cli.output import PARTIAL, json_option, table, tell
from eop.cli.site import open_daemon, open_database


@click.group()
def lesson() -> None:
    """Lessons that are open, and ending them."""


@lesson.command("list")
@json_option
def list_lessons(as_json: bool) -> None:
    """List the open lessons."""
    from eop.directory import days
    from eop.lessons import store

    with open_database() as (database, _), database.read() as connection:
        found = store.open_at(connection, int(time.time() * 1000))
    rows = [
        [
            one.login, one.place.class_name or "-", one.place.room or "-",
            days.told(one.started_at), days.told(one.until_at),
        ]
        for one in found
    ]  # fmt: skip
    text = table(["teacher", "class", "room", "since", "ends by itself"], rows)
    tell([_described(one) for one in found], text, as_json=as_json)


@lesson.command()
@click.argument("teacher", required=False)
@click.option("--all", "everybody", is_flag=True, help="The lessons of all teachers.")
@json_option
def end(teacher: str | None, everybody: bool, as_json: bool) -> int | None:
    """End the lesson of TEACHER, or all of them, and release what they set.

    Exit code 3 where something could not be released.
    """
    from eop.directory.users import canonical_login
    from eop.errors import NotFoundError
    from eop.lessons import running, store
    from eop.lessons.running import House
    from eop.services import restraints

    if bool(teacher) == everybody:
        raise click.UsageError("name a teacher, or say --all")
    now_ms = int(time.time() * 1000)
    with open_database() as (database, _), open_daemon() as daemon:
        with database.read() as connection:
            found = store.open_at(connection, now_ms)
        login = canonical_login(teacher or "")
        chosen = [one for one in found if everybody or one.login == login]
        if teacher and not chosen:
            raise NotFoundError(f"{teacher!r} has no lesson open")
        house = House(database, daemon, restraints())
        by = at_the_console()
        ended = [(one, running.end(house, one, now_ms, why="console", by=by)) for one in chosen]
    results = [
        {**_described(one), "released": released.counts, "failed": list(released.failed)}
        for one, released in ended
    ]
    lines = [
        f"ended the lesson of {one.login}"
        + (f"; could not be released: {', '.join(released.failed)}" if released.failed else "")
        for one, released in ended
    ]
    tell(results, "\n".join(lines) or "no lesson is open", as_json=as_json)
    return PARTIAL if any(released.failed for _, released in ended) else None


def _described(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "teacher": one.login,
        "name": one.name,
        "class": one.place.class_name,
        "room": one.place.room,
        "since": one.started_at,
        "until": one.until_at,
        "preset": one.preset.name if one.preset else None,
    }
