"""Substitute teachers: giving, taking and ending what they may see, written down each time."""

from typing import Any

from sqlalchemy import Connection

from eop.aaa import revocations
from eop.aaa.session import Sessions
from eop.audit import events
from eop.database import Database
from eop.directory import substitutes, users
from eop.directory.substitutes import Substitution, TemporaryGrant


def give(database: Database, given: Substitution, now_ms: int) -> list[TemporaryGrant]:
    """Give rooms and classes for some time; nothing ends by it."""
    with database.write() as connection:
        added = substitutes.give(connection, given, now_ms)
        details = {
            "login": added[0].login,
            "rooms": [one.value for one in added if one.kind == "room"],
            "classes": [one.value for one in added if one.kind == "class"],
            "from": given.from_at,
            "until": given.until_at,
        }
        events.record(connection, "substitute_given", now_ms, user=given.given_by, details=details)
    return added


def copied(connection: Connection, absent: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rooms and classes that an absent teacher was granted; raises `NotFoundError`."""
    found = users.get(connection, absent)
    return found.rooms, found.classes


def remove(
    database: Database, sessions: Sessions, grant_id: int, by: str, now_ms: int
) -> TemporaryGrant:
    """Take one grant back; what is open by it closes, the caller has it told at once."""
    with database.write() as connection:
        taken = substitutes.take(connection, grant_id)
        _close(connection, sessions, taken, now_ms)
        events.record(connection, "substitute_removed", now_ms, user=by, details=_described(taken))
    return taken


def end_over(database: Database, sessions: Sessions, now_ms: int) -> int:
    """Forget grants whose time is over, and close what is open by them; how many there were."""
    with database.read() as connection:
        if not substitutes.over_at(connection, now_ms):
            return 0
    with database.write() as connection:
        over = substitutes.over_at(connection, now_ms)
        for one in over:
            substitutes.take(connection, one.id)
            _close(connection, sessions, one, now_ms)
            events.record(connection, "substitute_ended", now_ms, details=_described(one))
    return len(over)


def _close(connection: Connection, sessions: Sessions, taken: TemporaryGrant, now_ms: int) -> None:
    """Whoever had it stays signed in and opens anew what is still allowed."""
    who = users.find(connection, taken.login)
    if who is not None and taken.from_at <= now_ms:
        alive = sessions.of_user(connection, who.id, now_ms)
        revocations.queue_viewers(connection, [one.id for one in alive], now_ms)


def _described(one: TemporaryGrant) -> dict[str, Any]:
    return {
        "login": one.login,
        one.kind: one.value,
        "until": one.until_at,
        "given_by": one.given_by,
    }
