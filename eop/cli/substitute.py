"""`eopctl substitute`: rooms and classes for some days."""

import time
from datetime import datetime
from typing import Any

import click

from eop.audit.console import at_the_console
from eop.cli.output import json_option, table, tell
from eop.cli.site import open_database


@click.group()
def substitute() -> None:
    """Substitute teachers: rooms and classes for some days."""


@substitute.command()
@click.argument("name")
@click.option("--for", "absent", help="The absent teacher, whose rooms and classes are copied.")
@click.option("--room", "rooms", multiple=True, help="A room; may be repeated.")
@click.option("--class", "classes", multiple=True, help="A class; may be repeated.")
@click.option("--from", "begin", default="", help="YYYY-MM-DD [HH:MM]; now by default.")
@click.option("--until", "end", default="", help="A day, its end included, or a day with HH:MM.")
@json_option
def add(**options: Any) -> None:
    """Give NAME rooms and classes, until the end of today unless --until says another day."""
    from eop.aaa import substitution
    from eop.directory import days
    from eop.directory.substitutes import Substitution

    now_ms = int(time.time() * 1000)
    begin = options["begin"] or datetime.now().astimezone().strftime("%Y-%m-%d")
    with open_database() as (database, _):
        rooms, classes = tuple(options["rooms"]), tuple(options["classes"])
        if options["absent"]:
            with database.read() as connection:
                more_rooms, more_classes = substitution.copied(connection, options["absent"])
            rooms, classes = (*rooms, *more_rooms), (*classes, *more_classes)
        given = Substitution(
            login=options["name"],
            rooms=rooms,
            classes=classes,
            from_at=max(now_ms, days.begin(begin)),
            until_at=days.end(options["end"] or begin),
            given_by=at_the_console(),
        )
        added = substitution.give(database, given, now_ms)
    until = days.told_end(given.until_at)
    text = f"gave {added[0].login} {_words(added)} until {until}"
    tell([_described(one) for one in added], text, as_json=options["as_json"])


def _words(grants: list[Any]) -> str:
    return ", ".join(f"{one.kind} {one.value}" for one in grants)


def _described(one: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "login": one.login,
        "kind": one.kind,
        "value": one.value,
        "from": one.from_at,
        "until": one.until_at,
        "given_by": one.given_by,
    }


@substitute.command("list")
@click.option("--user", "login", help="Of one person alone.")
@json_option
def list_grants(login: str | None, as_json: bool) -> None:
    """List what is given now or will be."""
    from eop.directory import days, substitutes

    with open_database() as (database, _), database.read() as connection:
        found = substitutes.open_at(connection, int(time.time() * 1000), login)
    rows = [
        [
            str(one.id), one.login, f"{one.kind} {one.value}",
            days.told(one.from_at), days.told_end(one.until_at), one.given_by,
        ]
        for one in found
    ]  # fmt: skip
    text = table(["id", "login", "what", "from", "until", "given by"], rows)
    tell([_described(one) for one in found], text, as_json=as_json)


@substitute.command()
@click.argument("number", type=int)
@json_option
def remove(number: int, as_json: bool) -> None:
    """Take back the grant of that id (see "list"); what is open by it closes."""
    from eop.aaa import substitution

    with open_database() as (database, sessions):
        now_ms = int(time.time() * 1000)
        taken = substitution.remove(database, sessions, number, at_the_console(), now_ms)
    text = f"took {taken.kind} {taken.value} from {taken.login}"
    tell(_described(taken), text, as_json=as_json)
