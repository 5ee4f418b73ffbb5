"""`eopctl room`: rooms, and what is on in them."""

import time
from typing import Any

import click

from eop.audit.console import at_the_console
from eop.cli.output import FAILED, json_option, table, tell
from eop.cli.site import open_daemon, open_database


@click.group()
def room() -> None:
    """Rooms and their settings; a room comes with its workstations."""


@room.command("list")
@json_option
def list_rooms(as_json: bool) -> None:
    """List every room, how many workstations it has, and what is on there."""
    from eop.aaa import room_settings
    from eop.errors import DaemonDownError

    with open_database() as (database, _), open_daemon() as daemon:
        with database.read() as connection:
            found = room_settings.listed(connection)
        try:
            known: dict[str, Any] = {one.name: len(one.workstations) for one in daemon.rooms()}
        except DaemonDownError:
            known = {}
            click.echo(
                "eopctl: controle-vnc does not answer: rooms without settings lack", err=True
            )
    settings = {one.room: one for one in found if one.name == room_settings.REWIND}
    names = sorted(known.keys() | {one.room for one in settings.values() if one.is_on})
    value: list[dict[str, Any]] = [
        {
            "name": name,
            "workstations": known.get(name),
            "rewind": name in settings and settings[name].is_on,
        }
        for name in names
    ]
    rows = [
        [one["name"], str(one["workstations"] or ""), "on" if one["rewind"] else "off"]
        for one in value
    ]
    tell(value, table(["room", "workstations", "rewind"], rows), as_json=as_json)


@room.command("set")
@click.argument("name")
@click.argument("setting", type=click.Choice(["rewind"]))
@click.argument("value", type=click.Choice(["on", "off"]))
@json_option
@click.pass_context
def set_setting(ctx: click.Context, name: str, setting: str, value: str, as_json: bool) -> None:
    """Switch a setting of a room on or off.

    rewind: the last five minutes of its screens can be looked at. Off unless switched on.
    """
    from eop.aaa import room_settings
    from eop.aaa.access import require_known_room

    is_on = value == room_settings.ON
    with open_database() as (database, _), open_daemon() as daemon:
        if is_on:
            require_known_room(name, daemon.rooms())
        now_ms = int(time.time() * 1000)
        room_settings.change(database, name, setting, is_on, at_the_console(), now_ms)
        heard = room_settings.tell(database, daemon, now_ms)
    text = f"{setting} is {value} in room {name}"
    if not heard:
        text += "; controle-vnc did not hear it yet: the worker tells it as soon as it answers"
    tell({"room": name, setting: is_on, "heard": heard}, text, as_json=as_json)
    if not heard:
        ctx.exit(FAILED)
