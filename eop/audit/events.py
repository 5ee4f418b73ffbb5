"""Events of the site itself: who signed in and out, and who tried to."""

from sqlalchemy import Connection, func, insert, select

from eop.aaa.session import Session
from eop.audit.tables import audit

FAILURES_A_MINUTE = 10  # kept of one address: enough to see a guesser, too few to fill the disk


def record(connection: Connection, kind: str, session: Session, now_ms: int) -> None:
    """Keep one event, in the transaction of what it tells."""
    connection.execute(
        insert(audit).values(
            at=now_ms, kind=kind, user=session.login, session=session.id, details={}
        )
    )


def record_failure(connection: Connection, login: str, address: str, now_ms: int) -> None:
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
    connection.execute(
        insert(audit).values(
            at=now_ms, kind="sign_in_failed", user=login, session="", details={"address": address}
        )
    )
