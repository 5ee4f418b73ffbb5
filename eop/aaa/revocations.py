"""Ended sessions are told to controle-vnc: at once, and again until it has heard."""

import logging
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from eop.aaa.tables import revocation
from eop.daemon import Daemon
from eop.database import Database
from eop.errors import RefusedError

MAX_A_REQUEST = 1000  # far below the largest message

logger = logging.getLogger(__name__)


def queue(connection: Connection, session_ids: Iterable[str], now_ms: int) -> None:
    """Have it told that these sessions are over, once the caller's transaction is committed."""
    rows = [{"session": one, "queued_at": now_ms} for one in session_ids]
    if rows:
        connection.execute(insert(revocation), rows)


def deliver(database: Database, daemon: Daemon) -> bool:
    """Tell what is queued; False when the daemon did not hear: the worker tries again."""
    if daemon.is_elsewhere:
        return False
    try:
        deliver_or_raise(database, daemon)
    except RefusedError as error:
        logger.warning("revocations wait for controle-vnc: %s", error)
        return False
    return True


def deliver_or_raise(database: Database, daemon: Daemon) -> None:
    """Tell every queued revocation; what the daemon does not hear stays queued."""
    while True:
        with database.read() as connection:
            query = select(revocation.c.id, revocation.c.session).order_by(revocation.c.id)
            queued = connection.execute(query.limit(MAX_A_REQUEST)).all()
        if not queued:
            return
        daemon.revoke(sorted({row.session for row in queued}))
        with database.write() as connection:
            told = [row.id for row in queued]
            connection.execute(delete(revocation).where(revocation.c.id.in_(told)))
