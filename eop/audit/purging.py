"""Old events are removed from the beginning of the chain; a checkpoint says up to where."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from eop.audit.chain import Entry, append
from eop.audit.tables import audit, audit_checkpoint
from eop.audit.verification import PURGED
from eop.database import Database

BATCH = 2000  # rows removed in one transaction: a sign-in waits some milliseconds for it
MAX_BATCHES = 500  # of one run: a million rows; the rest is for the next
DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Purged:
    """How many rows were removed, and the last of them (0: none)."""

    removed: int = 0
    last_id: int = 0


def purge(database: Database, days: int, by: str, now_ms: int) -> Purged:
    """Remove events older than `days` days; `by` is who wants it. 0 days keep everything."""
    done = Purged()
    for _ in range(MAX_BATCHES if days else 0):
        with database.write() as connection:
            batch = _purge_batch(connection, days, by, now_ms)
        if not batch.removed:
            break
        done = Purged(done.removed + batch.removed, batch.last_id)
    return done


def due(connection: Connection, days: int, now_ms: int) -> Purged:
    """What `purge` would remove."""
    if not days:
        return Purged()
    last_id = _last_old(connection, now_ms - days * DAY_MS, now_ms)
    if last_id is None:
        return Purged()
    count = connection.scalar(select(func.count(audit.c.id)).where(audit.c.id <= last_id))
    return Purged(count or 0, last_id)


def _last_old(connection: Connection, until_ms: int, now_ms: int) -> int | None:
    """The last row of the beginning that is old throughout: what comes after must stay linked.

    A row from the future (the clock was wrong) keeps nothing from being removed.
    """
    young = select(func.min(audit.c.id)).where(audit.c.at.between(until_ms, now_ms))
    first_young = connection.scalar(young)
    last = select(func.max(audit.c.id))
    if first_young is not None:
        last = last.where(audit.c.id < first_young)
    found: int | None = connection.scalar(last)
    return found


def _purge_batch(connection: Connection, days: int, by: str, now_ms: int) -> Purged:
    last_old = _last_old(connection, now_ms - days * DAY_MS, now_ms)
    if last_old is None:
        return Purged()
    query = select(audit.c.id, audit.c.hash).where(audit.c.id <= last_old).order_by(audit.c.id)
    rows = connection.execute(query.limit(BATCH)).all()
    if not rows:
        return Purged()
    last, removed = rows[-1], len(rows)
    connection.execute(delete(audit).where(audit.c.id <= last.id))
    link = {"last_id": last.id, "last_hash": last.hash, "removed": removed}
    connection.execute(insert(audit_checkpoint).values(at=now_ms, by=by[:64], **link))
    append(connection, [Entry(now_ms, PURGED, by, details={**link, "days": days})])
    return Purged(removed, last.id)
