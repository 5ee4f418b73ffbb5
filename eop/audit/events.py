"""Events of the site itself: who signed in and out, who tried to, and what was changed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

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


def record_failure(
    connection: Connection, login: str, address: str, reason: str, now_ms: int
) -> None:
    """Keep a sign-in that failed, unless its address has failed too often in this minute.

    `login` is that of a user or empty: a password may be typed in its place.
    """
    of_address = (
        audit.c.kind == "sign_in_failed",
        audit.c.details["address"].as_string() == address,
    )
    kept = select(func.count()).where(*of_address, audit.c.at > now_ms - 60_000)
    if (connection.scalar(kept) or 0) >= FAILURES_A_MINUTE:
        return
    record(
        connection, "sign_in_failed", now_ms, user=login,
        details={"address": address, "reason": reason},
    )  # fmt: skip
