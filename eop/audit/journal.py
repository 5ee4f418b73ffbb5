"""The daemon's journal comes back: its events are stored here, then acknowledged."""

from sqlalchemy import Connection, insert, select

from controle_vnc.control.messages import Event
from eop.audit.tables import audit
from eop.daemon import Daemon
from eop.database import Database

MAX_PULLS = 20  # of 500 events each; the rest waits for the next round


def pull(database: Database, daemon: Daemon) -> int:
    """Store what the daemon has journalled; returns how many events were new.

    An event is acknowledged, and then forgotten there, after it is committed here: one that is
    pulled twice is stored once.
    """
    new = 0
    for _ in range(MAX_PULLS):
        events = daemon.events(after=0)
        if not events:
            break
        with database.write() as connection:
            new += sum(_store(connection, event) for event in events)
        daemon.acknowledge(max(event.number for event in events))
    return new


def _store(connection: Connection, event: Event) -> bool:
    same = (audit.c.number == event.number, audit.c.at == event.at, audit.c.kind == event.kind)
    if connection.scalar(select(audit.c.id).where(*same)) is not None:
        return False
    connection.execute(
        insert(audit).values(
            number=event.number,
            at=event.at,
            kind=event.kind,
            user=event.user,
            session=event.session,
            workstation=event.workstation,
            details=event.details,
        )
    )
    return True
