"""Events of the site itself: who signed in and out."""

from sqlalchemy import Connection, insert

from eop.aaa.session import Session
from eop.audit.tables import audit


def record(connection: Connection, kind: str, session: Session, now_ms: int) -> None:
    """Keep one event, in the transaction of what it tells."""
    connection.execute(
        insert(audit).values(
            at=now_ms, kind=kind, user=session.login, session=session.id, details={}
        )
    )
