"""`eopctl screens`: close all screens at once, and allow them again."""

import time
from typing import Any

import click

from eop.audit.console import at_the_console
from eop.cli.output import FAILED, json_option, tell
from eop.cli.site import open_daemon, open_database


@click.group()
def screens() -> None:
    """Close all screens at once, and allow them again."""


@screens.command()
@json_option
@click.pass_context
def close(ctx: click.Context, as_json: bool) -> None:
    """Close every screen and wall, and refuse new ones until "eopctl screens open"."""
    _turn(ctx, True, as_json)


@screens.command("open")
@json_option
@click.pass_context
def open_again(ctx: click.Context, as_json: bool) -> None:
    """Allow screens and walls again; pages that wait for them show them by themselves."""
    _turn(ctx, False, as_json)


def _turn(ctx: click.Context, closed: bool, as_json: bool) -> None:
    from eop.aaa import switches

    with open_database() as (database, _), open_daemon() as daemon:
        state = switches.turn(database, closed, at_the_console(), int(time.time() * 1000))
        told = switches.tell(database, daemon)
    value = {"closed": state.closed, "at": state.at, "by": state.by, "ended": told}
    text = "all screens are closed" if closed else "screens may be opened"
    if closed and told is not None:
        text += f"; {told} were open"
    if told is None:
        text += "; controle-vnc did not hear it yet: the worker tells it as soon as it answers"
    tell(value, text, as_json=as_json)
    if told is None:
        ctx.exit(FAILED)


@screens.command()
@json_option
def status(as_json: bool) -> None:
    """Say whether all screens are closed, since when and by whom, and how many are open."""
    from eop.aaa import switches
    from eop.directory import days
    from eop.errors import DaemonDownError

    with open_database() as (database, _), open_daemon() as daemon:
        with database.read() as connection:
            state = switches.screens(connection)
        try:
            known: Any = daemon.status()
        except DaemonDownError:
            known = None
    value = {
        "closed": state.closed,
        "at": state.at,
        "by": state.by,
        "screens": known.screens if known else None,
        "walls": known.walls if known else None,
        "heard": known.screens_closed == state.closed if known else None,
    }
    text = "screens may be opened"
    if state.closed:
        text = f"all screens are closed since {days.told(state.at)} by {state.by}"
    if known is None:
        text += "; controle-vnc does not answer"
    else:
        text += f"; open now: {known.screens} screens, {known.walls} walls"
    tell(value, text, as_json=as_json)
