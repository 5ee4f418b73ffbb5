"""Who looked at whose screen: what each person may read of himself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select

from eop.audit.search import Criteria, Cursor, search
from eop.audit.tables import audit

REWOUND = "rewind_looked"  # at what a screen showed some minutes before
OPENINGS = ("screen_opened", "wall_opened", "wall_shown", REWOUND)
STARTED = "service_started"  # of controle-vnc: whatever it showed before had ended
ENDS = ("screen_closed", "screen_refused", "wall_closed")

How = Literal["tile", "view", "control", "rewind"]
Ended = Literal["closed", "refused", "open", "unknown"]


@dataclass(frozen=True)
class Look:
    """One look at somebody: who, how, from when until when (ms since 1970, `None`: see `ended`).

    Of a look back (`rewind`), these are the times that were looked at.
    """

    at: int
    user: str
    name: str
    how: How
    place: str
    workstation: str
    ended: Ended
    until: int | None = None


@dataclass(frozen=True)
class LookPage:
    """Looks, the newest first, and the cursors of the pages beside."""

    looks: list[Look]
    older: Cursor | None
    newer: Cursor | None


def at(
    connection: Connection,
    login: str,
    lasting_ms: int,
    now_ms: int,
    *,
    before: Cursor | None = None,
    after: Cursor | None = None,
) -> LookPage:
    """Who looked at the screen of `login`; a session lives for `lasting_ms` at most."""
    mine = Criteria(persons=(login,), part="whom", kinds=OPENINGS)
    page = search(connection, mine, before=before, after=after)
    ends = _ends(connection, [row.look for row in page.rows if row.look])
    oldest_open = max(_last_start(connection), now_ms - lasting_ms + 1)
    looks = [_look(row, ends.get(row.look), row.at >= oldest_open) for row in page.rows]
    return LookPage(looks, page.older, page.newer)


def _last_start(connection: Connection) -> int:
    query = select(func.max(audit.c.at)).where(audit.c.kind == STARTED)
    return connection.scalar(query) or 0


def _ends(connection: Connection, looks: Sequence[str]) -> dict[str, Any]:
    query = select(audit.c.look, audit.c.at, audit.c.kind).where(
        audit.c.look.in_(looks), audit.c.kind.in_(ENDS)
    )
    return {row.look: row for row in connection.execute(query)}


def _look(row: Row[Any], end: Any, may_last: bool) -> Look:
    details = row.details
    at, until = row.at, end.at if end is not None else None
    ended: Ended = "open" if may_last else "unknown"
    if end is not None:
        ended = "refused" if end.kind == "screen_refused" else "closed"
    how: How = "tile"
    if row.kind == "screen_opened":
        how = "control" if details.get("mode") == "control" else "view"
    elif row.kind == REWOUND:
        how, ended = "rewind", "closed"
        at, until = details.get("from", row.at), details.get("to", row.at)
    return Look(
        at=at,
        user=row.user,
        name=str(details.get("name") or row.user),
        how=how,
        place=str(details.get("room") or details.get("class") or ""),
        workstation=str(details.get("workstation") or ""),
        ended=ended,
        until=until,
    )
