"""Rooms in the site's own tables: who is given them, and what follows when one is renamed.

Which rooms there are, controle-vnc alone knows: a room is what its workstations say.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, delete, literal, select, update

from eop.directory.tables import temporary_grant, user, user_grant
from eop.directory.users import EVERYTHING

MAX_ROOM_CHARACTERS = 64
KIND = "room"

_following: list[tuple[Column[Any], bool]] = []


@dataclass(frozen=True)
class Given:
    """A person to whom a room is given; `until` (ms): for some days; `source`: who gave it."""

    login: str
    name: str
    source: str
    until: int | None = None


def follow(column: Column[Any], *, leftovers_give_way: bool = True) -> None:
    """Have this column follow when a room is renamed: for tables that name rooms.

    Where such a table keeps something of each room, what it holds of a room that is no more gives
    way to the one that takes its name.
    """
    _following.append((column, leftovers_give_way))


def given(connection: Connection, now_ms: int) -> dict[str, list[Given]]:
    """Room → to whom it is given now, by name; `*` stands for every room."""
    lasting = select(user.c.login, user.c.name, user_grant.c.value, user_grant.c.source).join(
        user, user_grant.c.user_id == user.c.id
    )
    found: dict[str, list[Given]] = {}
    for row in connection.execute(lasting.where(user_grant.c.kind == KIND)):
        found.setdefault(row.value, []).append(Given(row.login, row.name, row.source))
    lent = select(
        user.c.login, user.c.name, temporary_grant.c.value, temporary_grant.c.given_by,
        temporary_grant.c.until_at,
    ).join(user, temporary_grant.c.user_id == user.c.id)  # fmt: skip
    open_ = (
        temporary_grant.c.kind == KIND,
        temporary_grant.c.from_at <= now_ms,
        temporary_grant.c.until_at > now_ms,
    )
    for login, name, value, by, until in connection.execute(lent.where(*open_)):
        found.setdefault(value, []).append(Given(login, name, by, until))
    for people in found.values():
        people.sort(key=lambda one: (one.name.casefold(), one.login, one.until or 0))
    return found


def is_named(connection: Connection, room: str) -> bool:
    """Whether it was given to anybody, or anything is kept of it."""
    of_room = (
        (user_grant.c.kind == KIND) & (user_grant.c.value == room),
        (temporary_grant.c.kind == KIND) & (temporary_grant.c.value == room),
        *(column == room for column, gives_way in _following if gives_way),
    )
    queries = (select(literal(1)).where(one).limit(1) for one in of_room)
    return any(connection.scalar(query) for query in queries)


def rename(connection: Connection, before: str, after: str) -> int:
    """Have everything that names the room name it otherwise; how many grants followed."""
    if EVERYTHING in (before, after) or before == after:
        return 0
    of_room = (user_grant.c.kind == KIND, user_grant.c.value == before)
    has_both = select(user_grant.c.user_id).where(
        user_grant.c.kind == KIND, user_grant.c.value == after
    )
    doubled = connection.execute(
        delete(user_grant).where(*of_room, user_grant.c.user_id.in_(has_both))
    )
    lasting = connection.execute(update(user_grant).where(*of_room).values(value=after))
    lent = connection.execute(
        update(temporary_grant)
        .where(temporary_grant.c.kind == KIND, temporary_grant.c.value == before)
        .values(value=after)
    )
    for column, gives_way in _following:
        table: Any = column.table
        if gives_way:
            connection.execute(delete(table).where(column == after))
        connection.execute(update(table).where(column == before).values({column: after}))
    return sum(int(done.rowcount) for done in (doubled, lasting, lent))
