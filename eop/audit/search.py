"""Searching the audit page by page, newest first; each page costs the same wherever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, union

from eop.audit.tables import audit, audit_whom
from eop.directory.tables import user
from eop.directory.users import canonical_login

PAGE_ROWS = 50
MAX_PERSONS = 20  # whose name holds what was typed; who means more types more

Part = Literal["any", "who", "whom"]


class Cursor(NamedTuple):
    """A row's place in the order of pages."""

    at: int
    id: int


OLDEST = Cursor(0, 0)
"""After it comes the oldest page."""


@dataclass(frozen=True)
class Criteria:
    """What is looked for; what is empty or `None` does not matter. Times in ms since 1970.

    `persons` are logins: of who did it, of whom it is about, or of either (`part`).
    """

    persons: tuple[str, ...] | None = None
    part: Part = "any"
    kinds: tuple[str, ...] = ()
    workstations: tuple[str, ...] | None = None
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True)
class Page:
    """Rows, the newest first, and the cursors of the pages beside (`None`: there is none)."""

    rows: list[Row[Any]]
    older: Cursor | None
    newer: Cursor | None


def search(
    connection: Connection,
    criteria: Criteria,
    *,
    before: Cursor | None = None,
    after: Cursor | None = None,
    limit: int = PAGE_ROWS,
) -> Page:
    """The page before a cursor, after it, or the newest.

    Each kind or workstation is read from its own index up to the length of a page, then they are
    put in order: however much there is of one, the page costs no more.
    """
    is_upward = after is not None
    cursor = after or before
    places = _places(criteria, cursor, is_upward=is_upward, limit=limit + 1)
    found = connection.execute(places).all()
    is_more, found = len(found) > limit, found[:limit]
    rows = _rows(connection, [place.id for place in found])
    if not rows:
        return Page([], None, None)
    first, last = (Cursor(row.at, row.id) for row in (rows[0], rows[-1]))
    has_older = cursor != OLDEST if is_upward else is_more
    has_newer = is_more if is_upward else cursor is not None
    return Page(rows, last if has_older else None, first if has_newer else None)


def _rows(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    query = select(audit).where(audit.c.id.in_(ids))
    return list(connection.execute(query.order_by(audit.c.at.desc(), audit.c.id.desc())))


def _places(
    criteria: Criteria, cursor: Cursor | None, *, is_upward: bool, limit: int
) -> Select[Any]:
    """Times and ids of one page, its first row first."""

    def ordered(query: Select[Any], at: ColumnElement[int], id_: ColumnElement[int]) -> Select[Any]:
        if is_upward:
            return query.order_by(at, id_).limit(limit)
        return query.order_by(at.desc(), id_.desc()).limit(limit)

    parts = []
    for source in _sources(criteria):
        at, id_, base = source
        query = base.where(*_within(criteria, at), *_beyond(cursor, at, id_, is_upward=is_upward))
        parts.append(ordered(query, at, id_).subquery())
    if not parts:
        return select(audit.c.at, audit.c.id).where(audit.c.id < 0)
    together = union(*(select(part.c.at, part.c.id) for part in parts)).subquery()
    return ordered(select(together.c.at, together.c.id), together.c.at, together.c.id)


_Source = tuple[ColumnElement[int], ColumnElement[int], Select[Any]]


def _sources(criteria: Criteria) -> list[_Source]:
    """One query for each index that must be read."""
    rows = select(audit.c.at, audit.c.id)
    of_kind = [audit.c.kind.in_(criteria.kinds)] if criteria.kinds else []
    there = (
        [] if criteria.workstations is None else [audit.c.workstation.in_(criteria.workstations)]
    )
    if criteria.persons is not None:
        sources: list[_Source] = []
        if criteria.part != "whom":
            who = rows.where(_one_of(audit.c.user, criteria.persons), *of_kind, *there)
            sources.append((audit.c.at, audit.c.id, who))
        if criteria.part != "who":
            sources.append(_about(criteria.persons, [*of_kind, *there]))
        return sources
    if there:
        return [
            (audit.c.at, audit.c.id, rows.where(audit.c.workstation == one, *of_kind))
            for one in criteria.workstations or ()
        ]
    if criteria.kinds:
        return [
            (audit.c.at, audit.c.id, rows.where(audit.c.kind == kind)) for kind in criteria.kinds
        ]
    return [(audit.c.at, audit.c.id, rows)]


def _one_of(column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """One value is compared, so that its index gives the order, too; few are sorted."""
    return column == values[0] if len(values) == 1 else column.in_(values)


def _about(persons: Sequence[str], conditions: list[ColumnElement[bool]]) -> _Source:
    query = select(audit_whom.c.at, audit_whom.c.audit_id.label("id"))
    if conditions:
        query = query.join(audit, audit.c.id == audit_whom.c.audit_id).where(*conditions)
    if len(persons) > 1:
        query = query.distinct()  # an event may be about two of them
    query = query.where(_one_of(audit_whom.c.login, persons))
    return audit_whom.c.at, audit_whom.c.audit_id, query


def _within(criteria: Criteria, at: ColumnElement[int]) -> list[ColumnElement[bool]]:
    conditions = []
    if criteria.from_ms is not None:
        conditions.append(at >= criteria.from_ms)
    if criteria.until_ms is not None:
        conditions.append(at < criteria.until_ms)
    return conditions


def _beyond(
    cursor: Cursor | None, at: ColumnElement[int], id_: ColumnElement[int], *, is_upward: bool
) -> list[ColumnElement[bool]]:
    """After the cursor in the direction of reading; the first condition is for the index."""
    if cursor is None:
        return []
    if is_upward:
        return [at >= cursor.at, or_(at > cursor.at, and_(at == cursor.at, id_ > cursor.id))]
    return [at <= cursor.at, or_(at < cursor.at, and_(at == cursor.at, id_ < cursor.id))]


def persons_of(connection: Connection, text: str) -> tuple[str, ...]:
    """The logins somebody may mean: the login itself, and users whose name holds the text."""
    login = canonical_login(text)
    name = user.c.name.icontains(text.strip(), autoescape=True)
    query = select(user.c.login).where(name).order_by(user.c.login).limit(MAX_PERSONS)
    return tuple(dict.fromkeys([login, *connection.scalars(query)]))


def count(connection: Connection, criteria: Criteria, most: int) -> int:
    """How many rows there are, counted up to one more than `most`."""
    parts = [
        base.where(*_within(criteria, at)).limit(most + 1).subquery()
        for at, _, base in _sources(criteria)
    ]
    if not parts:
        return 0
    together = union(*(select(part.c.at, part.c.id) for part in parts)).subquery()
    bounded = select(together.c.id).limit(most + 1).subquery()
    return connection.scalar(select(func.count()).select_from(bounded)) or 0
