"""Events of the site itself: who signed in and out, who tried to, and what was changed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from eop.audit.chain import Entry, append
from eop.audit.tables import audit

FAILURES_A_MINUTE = 10  # kept of one address: enough to see a guesser, too few to fill the disk


def record(  # noqa: PLR0913 - the columns of an event
    connection: Connection,
    kind: str,
    now_ms: int,
    *,
    user: str = "",
    session: str = "",
    workstation: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Keep one event, in the transaction of what it tells. `user` is who did it.

    Whom it is about is `login` (or `target`) in `details`. Texts, whole numbers and lists of them
    are kept as they are; everything else as text.
    """
    append(connection, [Entry(now_ms, kind, user, session, workstation, details or {})])


def record_failure(  # noqa: PLR0913 - who failed where and why
    connection: Connection,
    login: str,
    address: str,
    reason: str,
    now_ms: int,
    *,
    is_proven: bool = False,
) -> None:
    """Keep a sign-in that failed, unless its address has failed too often in this minute.

    `login` is that of a user or empty: a password may be typed in its place. Where it was proven
    who it is, guesses from the same address do not hide it: it has a measure of its own. That some
    are left out is kept once a minute.
    """
    at_address = audit.c.details["address"].as_string() == address
    alike = [at_address]
    if is_proven:
        alike += [audit.c.user == login, audit.c.details["reason"].as_string() == reason]
    if _in_this_minute(connection, "sign_in_failed", now_ms, *alike) < FAILURES_A_MINUTE:
        details = {"address": address, "reason": reason}
        record(connection, "sign_in_failed", now_ms, user=login, details=details)
    elif not _in_this_minute(connection, "sign_in_failures_left_out", now_ms, at_address):
        record(connection, "sign_in_failures_left_out", now_ms, details={"address": address})


def _in_this_minute(
    connection: Connection, kind: str, now_ms: int, *alike: ColumnElement[bool]
) -> int:
    kept = select(func.count()).where(audit.c.kind == kind, audit.c.at > now_ms - 60_000, *alike)
    return connection.scalar(kept) or 0
