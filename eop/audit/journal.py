"""The daemon's journal comes back: its events are stored here, then acknowledged."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from controle_vnc.control.messages import Event
from eop.audit.chain import Entry, append
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
            new += _store(connection, events)
        daemon.acknowledge(max(event.number for event in events))
    return new


def _store(connection: Connection, events: list[Event]) -> int:
    known = _known(connection, (event.number for event in events))
    new = [event for event in events if (event.number, event.at, event.kind) not in known]
    append(
        connection,
        [
            Entry(
                at=event.at,
                kind=event.kind,
                user=event.user,
                session=event.session,
                workstation=event.workstation,
                details=event.details,
                number=event.number,
            )
            for event in new
        ],
    )
    return len(new)


def _known(connection: Connection, numbers: Iterable[int]) -> set[tuple[int, int, str]]:
    """Those of these numbers that are stored, from whatever life of the journal."""
    query = select(audit.c.number, audit.c.at, audit.c.kind).where(audit.c.number.in_(numbers))
    return {(row.number, row.at, row.kind) for row in connection.execute(query)}
