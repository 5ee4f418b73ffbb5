"""Rooms and classes granted for some time: what a substitute teacher may see, and until when."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select

from eop.directory import users
from eop.directory.tables import temporary_grant, user
from eop.directory.users import MAX_GRANT_CHARACTERS, checked_line
from eop.errors import N_, InvalidError, NotFoundError

DAY_MS = 24 * 3600 * 1000
MAX_DAYS = 31  # a longer absence is another year's plan: an ordinary grant
LONGEST_MS = MAX_DAYS * DAY_MS + 3600 * 1000  # in a month in which the clock is set back
MAX_DAYS_AHEAD = 366  # so that a mistyped year is seen
MAX_OPEN = 50  # grants of one person that are valid or will be: rooms and classes of a week
MAX_LISTED = 500  # of all persons; a page that is longer is not read
MAX_GIVER_CHARACTERS = 64
ROLES = ("teacher", "head_teacher")  # who teaches: for others a grant would mean nothing

Kind = Literal["room", "class"]

_KEPT = (
    temporary_grant.c.kind, temporary_grant.c.value, temporary_grant.c.from_at,
    temporary_grant.c.until_at, temporary_grant.c.given_by, temporary_grant.c.id,
)  # fmt: skip

# asked at every request: made once, it costs a quarter
_VALID: Select[Any] = (
    select(*_KEPT)
    .where(
        temporary_grant.c.user_id == bindparam("user"),
        temporary_grant.c.from_at <= bindparam("now"),
        temporary_grant.c.until_at > bindparam("now"),
    )
    .order_by(temporary_grant.c.until_at.desc(), temporary_grant.c.id)
)


@dataclass(frozen=True)
class TemporaryGrant:
    """One room or class (`*`: all of them), granted from and until (ms since 1970), by whom.

    `login` and `name` are of who has it; empty where that is known anyway (`grants_at`).
    """

    kind: Kind
    value: str
    from_at: int
    until_at: int
    given_by: str
    id: int = 0
    login: str = ""
    name: str = ""


@dataclass(frozen=True)
class Substitution:
    """What is given to one person at once."""

    login: str
    rooms: tuple[str, ...]
    classes: tuple[str, ...]
    from_at: int
    until_at: int
    given_by: str


def grants_at(connection: Connection, user_id: int, now_ms: int) -> tuple[TemporaryGrant, ...]:
    """What one user is granted at this moment, the longest first."""
    values = {"user": user_id, "now": now_ms}
    return tuple(_grant(row) for row in connection.execute(_VALID, values))


def open_at(connection: Connection, now_ms: int, login: str | None = None) -> list[TemporaryGrant]:
    """Everything that is granted now or will be, by person and beginning; of one or of all."""
    query = _query().where(temporary_grant.c.until_at > now_ms)
    if login is not None:
        query = query.where(user.c.login == users.canonical_login(login))
    query = query.order_by(user.c.login, temporary_grant.c.from_at, temporary_grant.c.id)
    return [_grant(row) for row in connection.execute(query.limit(MAX_LISTED))]


def over_at(connection: Connection, at_ms: int) -> list[TemporaryGrant]:
    """What has ended by then and is still kept, the oldest first."""
    query = _query().where(temporary_grant.c.until_at <= at_ms)
    query = query.order_by(temporary_grant.c.until_at, temporary_grant.c.id).limit(MAX_LISTED)
    return [_grant(row) for row in connection.execute(query)]


def give(connection: Connection, given: Substitution, now_ms: int) -> list[TemporaryGrant]:
    """Store what a substitute gets; raises `InvalidError`, `NotFoundError`.

    Where the same room or class is granted for overlapping times, both hold: the later end counts.
    """
    who = users.get(connection, given.login)
    if who.role not in ROLES:
        raise InvalidError(N_("%(login)s does not teach: a substitute does."), login=who.login)
    _check_times(given, now_ms)
    values = [("room", one) for one in given.rooms] + [("class", one) for one in given.classes]
    wanted = sorted(
        {(kind, checked_line(value, kind, MAX_GRANT_CHARACTERS)) for kind, value in values}
    )
    if not wanted:
        raise InvalidError(N_("Name a room, a class, or an absent teacher who has some."))
    _check_number(connection, who.id, len(wanted), now_ms)
    rows = [
        {
            "user_id": who.id,
            "kind": kind,
            "value": value,
            "from_at": given.from_at,
            "until_at": given.until_at,
            "given_by": given.given_by[:MAX_GIVER_CHARACTERS],
        }
        for kind, value in wanted
    ]
    added = insert(temporary_grant).returning(temporary_grant.c.id)
    numbers = connection.scalars(added, rows).all()
    query = _query().where(temporary_grant.c.id.in_(numbers)).order_by(temporary_grant.c.id)
    return [_grant(row) for row in connection.execute(query)]


def take(connection: Connection, grant_id: int) -> TemporaryGrant:
    """Forget one grant and give what it was; raises `NotFoundError`."""
    row = connection.execute(_query().where(temporary_grant.c.id == grant_id)).first()
    if row is None:
        raise NotFoundError(f"there is no temporary grant {grant_id}")
    connection.execute(delete(temporary_grant).where(temporary_grant.c.id == grant_id))
    return _grant(row)


def _check_times(given: Substitution, now_ms: int) -> None:
    if given.until_at <= given.from_at or given.until_at <= now_ms:
        raise InvalidError(N_("The end must be after the beginning, and in the future."))
    if given.until_at - max(given.from_at, now_ms) > LONGEST_MS:
        raise InvalidError(N_("At most %(days)s days; give a lasting grant."), days=MAX_DAYS)
    if given.from_at > now_ms + MAX_DAYS_AHEAD * DAY_MS:
        raise InvalidError(N_("It must begin within %(days)s days."), days=MAX_DAYS_AHEAD)


def _check_number(connection: Connection, user_id: int, more: int, now_ms: int) -> None:
    kept = select(func.count()).where(
        temporary_grant.c.user_id == user_id, temporary_grant.c.until_at > now_ms
    )
    if (connection.scalar(kept) or 0) + more > MAX_OPEN:
        raise InvalidError(
            N_("One person has at most %(most)s rooms and classes for some days."), most=MAX_OPEN
        )


def _query() -> Select[Any]:
    """Grants, and whose they are."""
    return select(*_KEPT, user.c.login, user.c.name).join(
        user, temporary_grant.c.user_id == user.c.id
    )


def _grant(row: Row[Any]) -> TemporaryGrant:
    return TemporaryGrant(**row._mapping)
