"""Which worker walks the jobs: one row, renewed by its holder; another takes it when he is gone."""

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from eop.documents.tables import document_lease

LEASE_MS = 10_000  # after a kill -9 another waits that long; renewing three times fits into it
_ROW = 1


def take(connection: Connection, owner: str, now_ms: int) -> bool:
    """Take the lease, or renew one's own; False where another holds it."""
    values = {"owner": owner, "until_at": now_ms + LEASE_MS}
    of_row = document_lease.c.id == _ROW
    is_free = or_(document_lease.c.owner == owner, document_lease.c.until_at <= now_ms)
    # a clock that was set back must not keep everybody out for longer than a lease is
    is_odd = document_lease.c.until_at > now_ms + 2 * LEASE_MS
    change = update(document_lease).where(of_row, or_(is_free, is_odd)).values(values)
    if connection.execute(change).rowcount:
        return True
    if connection.scalar(select(document_lease.c.id).where(of_row)) is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(insert(document_lease).values(id=_ROW, **values))
    except IntegrityError:  # another was quicker
        return False
    return True


def give_up(connection: Connection, owner: str) -> None:
    """Let another take it at once."""
    of_owner = document_lease.c.owner == owner
    connection.execute(update(document_lease).where(of_owner).values(until_at=0))
