"""Open lessons, one a teacher; several teachers may have one in the same room.

A lesson that ended while something could not be released is kept without its teacher until it is.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from eop.directory import users
from eop.directory.tables import user
from eop.errors import NotFoundError, RefusedError
from eop.lessons.presets import Preset
from eop.lessons.tables import lesson
from eop.restraints import Place

ID_BYTES = 8
MAX_ID_CHARACTERS = 16
MAX_LISTED = 500  # more lessons at once than a school has rooms

_OWNER: ColumnElement[str] = func.coalesce(user.c.login, lesson.c.login)
_ROWS = select(lesson, _OWNER.label("owner"), func.coalesce(user.c.name, _OWNER).label("name"))
_ROWS = _ROWS.outerjoin(user, lesson.c.user_id == user.c.id)
# asked for every page of a teacher: made once
_OF_LOGIN: Select[Any] = _ROWS.where(
    user.c.login == bindparam("login"), lesson.c.until_at > bindparam("now")
)


@dataclass(frozen=True)
class Lesson:
    """Whose lesson, where, since and until when (ms since 1970), and the preset it began with.

    `ended_at`: it ended then, and something is still to be released. `has_teacher`: the account is
    there.
    """

    id: str
    login: str
    name: str
    place: Place
    started_at: int
    until_at: int
    preset: Preset | None = None
    ended_at: int | None = None
    has_teacher: bool = True


def of_teacher(connection: Connection, login: str, now_ms: int) -> Lesson | None:
    """The lesson a teacher has open; one whose hours are over is none."""
    row = connection.execute(_OF_LOGIN, {"login": login, "now": now_ms}).first()
    return None if row is None else _lesson(row)


def open_at(connection: Connection, now_ms: int) -> list[Lesson]:
    """Every open lesson, the oldest first."""
    query = _ROWS.where(lesson.c.until_at > now_ms, lesson.c.user_id.is_not(None))
    query = query.order_by(lesson.c.started_at, lesson.c.id).limit(MAX_LISTED)
    return [_lesson(row) for row in connection.execute(query)]


def over_at(connection: Connection, now_ms: int, login: str | None = None) -> list[Lesson]:
    """Those that must be ended: whose hours are over, that have lost their teacher, or that left
    something in force; of one teacher or of all.
    """
    query = _ROWS.where((lesson.c.until_at <= now_ms) | lesson.c.user_id.is_(None))
    if login is not None:
        query = query.where(login == _OWNER)
    return [_lesson(row) for row in connection.execute(query.limit(MAX_LISTED))]


def add(  # noqa: PLR0913 - the columns of a lesson
    connection: Connection,
    login: str,
    place: Place,
    preset: Preset | None,
    now_ms: int,
    until_ms: int,
) -> Lesson:
    """Open a lesson; raises `RefusedError("lesson_open")` where the teacher has one."""
    owner = users.get(connection, login)
    lesson_id = secrets.token_hex(ID_BYTES)
    values = {
        "id": lesson_id,
        "user_id": owner.id,
        "login": login,
        "room": place.room,
        "class_name": place.class_name,
        "started_at": now_ms,
        "until_at": until_ms,
        "preset": None if preset is None else preset.kept(),
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(lesson).values(values))
    except IntegrityError as error:
        raise RefusedError("lesson_open") from error
    return Lesson(lesson_id, login, owner.name, place, now_ms, until_ms, preset)


def get(connection: Connection, lesson_id: str) -> Lesson:
    """Any open lesson by its id; raises `NotFoundError`."""
    query = _ROWS.where(lesson.c.id == lesson_id[:MAX_ID_CHARACTERS], lesson.c.ended_at.is_(None))
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("there is no such lesson")
    return _lesson(row)


def close(connection: Connection, ended: Lesson, now_ms: int, *, is_released: bool) -> bool:
    """End one; whether it was open until now. Kept without its teacher unless it is released."""
    was_open = connection.execute(
        update(lesson)
        .where(lesson.c.id == ended.id, lesson.c.ended_at.is_(None))
        .values(ended_at=now_ms, user_id=None, login=ended.login)
    )
    if is_released:
        connection.execute(delete(lesson).where(lesson.c.id == ended.id))
    return bool(was_open.rowcount)


def forget_ended(connection: Connection, login: str, place: Place) -> None:
    """A new lesson of this teacher there ends what an earlier one left in force."""
    connection.execute(
        delete(lesson).where(
            lesson.c.ended_at.is_not(None),
            lesson.c.login == login,
            lesson.c.room.is_not_distinct_from(place.room),
            lesson.c.class_name.is_not_distinct_from(place.class_name),
        )
    )


def _lesson(row: Row[Any]) -> Lesson:
    kept = row.preset
    if kept is not None:
        kept = Preset(kept["name"], kept["sites_rule"], tuple(kept["sites"]), kept["lock_text"])
    place = Place(row.room, row.class_name)
    return Lesson(
        row.id, row.owner, row.name, place, row.started_at, row.until_at, kept, row.ended_at,
        has_teacher=row.user_id is not None,
    )  # fmt: skip
