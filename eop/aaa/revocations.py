"""Ended sessions, and those that lost a right, are told to controle-vnc until it has heard."""

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


def queue_viewers(connection: Connection, session_ids: Iterable[str], now_ms: int) -> None:
    """Have closed what these sessions have open; they live on and ask for tickets anew."""
    rows = [{"session": one, "queued_at": now_ms, "is_over": False} for one in session_ids]
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
            query = select(revocation).order_by(revocation.c.id)
            queued = connection.execute(query.limit(MAX_A_REQUEST)).all()
        if not queued:
            return
        over = {row.session for row in queued if row.is_over}
        if over:
            daemon.revoke(sorted(over))
        if changed := {row.session for row in queued} - over:
            daemon.close_viewers(sorted(changed))
        with database.write() as connection:
            told = [row.id for row in queued]
            connection.execute(delete(revocation).where(revocation.c.id.in_(told)))
