"""`eopctl session`: who is signed in, and ending it."""

import time
from typing import TYPE_CHECKING, Any

import click

from eop.cli.output import json_option, table, tell
from eop.cli.site import open_database
from eop.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eop.aaa.session import Session, Sessions

SHOWN_DIGITS = 12  # of an id: enough to tell sessions apart, few enough to copy
MIN_DIGITS = 8  # of an id that is to be ended


@click.group()
def session() -> None:
    """Sessions: who is signed in, from where, and ending it."""


@session.command("list")
@click.option("--user", "login", help="Only those of this user.")
@json_option
def list_sessions(login: str | None, as_json: bool) -> None:
    """List live sessions, the oldest first."""
    now_ms = int(time.time() * 1000)
    with open_database() as (database, sessions), database.read() as connection:
        found = _of(connection, sessions, login, now_ms)
    rows = [
        [one.id[:SHOWN_DIGITS], one.login, one.application or "all", one.authenticator,
         one.address, _minutes(one.seen_at, now_ms), _minutes(one.ends_at, now_ms), one.browser]
        for one in found
    ]  # fmt: skip
    heads = ["session", "user", "for", "by", "from", "used", "ends", "browser"]
    tell([_described(one) for one in found], table(heads, rows), as_json=as_json)


@session.command()
@click.argument("ids", nargs=-1)
@click.option("--user", "login", help="Every session of this user.")
@click.option("--all", "everyone", is_flag=True, help="Every session of everyone.")
@json_option
def revoke(ids: tuple[str, ...], login: str | None, everyone: bool, as_json: bool) -> None:
    """End sessions: by the first digits of their ids, of a user, or all. Open screens close."""
    if sum((bool(ids), login is not None, everyone)) != 1:
        raise click.UsageError("name sessions, or --user LOGIN, or --all")
    from eop.audit import events
    from eop.audit.console import at_the_console

    now_ms = int(time.time() * 1000)
    with open_database() as (database, sessions), database.write() as connection:
        found = _of(connection, sessions, login, now_ms)
        if ids:
            found = [_named(found, one) for one in dict.fromkeys(ids)]
        ended = sessions.end(connection, [one.id for one in found], now_ms)
        for one in found:
            events.record(
                connection, "session_revoked", now_ms, user=at_the_console(), session=one.id,
                details={"login": one.login},
            )  # fmt: skip
    text = "ended 1 session" if ended == 1 else f"ended {ended} sessions"
    tell({"ended": ended, "sessions": [_described(one) for one in found]}, text, as_json=as_json)


def _of(
    connection: "Connection", sessions: "Sessions", login: str | None, now_ms: int
) -> "list[Session]":
    """The live sessions of that user, or of everyone."""
    if login is None:
        return sessions.live(connection, now_ms)
    from eop.directory import users

    return sessions.of_user(connection, users.get(connection, login).id, now_ms)


def _named(found: "list[Session]", digits: str) -> "Session":
    """The one session whose id begins so."""
    if len(digits) < MIN_DIGITS:
        raise InvalidError(f"{digits[:80]!r}: give at least {MIN_DIGITS} digits of a session")
    fitting = [one for one in found if one.id.startswith(digits)]
    if not fitting:
        raise NotFoundError(f"there is no live session {digits[:80]!r}")
    if len(fitting) > 1:
        raise InvalidError(f"{digits[:80]!r} begins several sessions: give more digits")
    return fitting[0]


def _minutes(at: int, now_ms: int) -> str:
    minutes = round((at - now_ms) / 60_000)
    return f"in {minutes} min" if minutes > 0 else f"{-minutes} min ago"


def _described(one: "Session") -> dict[str, Any]:
    return {
        "id": one.id,
        "user": one.login,
        "application": one.application,
        "authenticator": one.authenticator,
        "address": one.address,
        "browser": one.browser,
        "created_at": one.created_at,
        "seen_at": one.seen_at,
        "ends_at": one.ends_at,
        "parent": one.parent,
    }
