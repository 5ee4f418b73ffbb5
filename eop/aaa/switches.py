"""The switch that closes all screens: set by an administrator, told to controle-vnc.

Two rows, the last closing and the last opening; the later one holds. Every order is later than
the one before, whatever the clock says, so that controle-vnc can tell which is the newest.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from eop.aaa.tables import switch
from eop.audit import events
from eop.daemon import Daemon
from eop.database import Database, upsert
from eop.errors import RefusedError

CLOSED = "screens_closed"
OPENED = "screens_opened"
MAX_BY_CHARACTERS = 64

# asked for every page: made once
_NEWEST = (
    select(switch)
    .where(or_(switch.c.name == CLOSED, switch.c.name == OPENED))
    .order_by(switch.c.at.desc())
    .limit(1)
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Screens:
    """Whether all screens are closed; since when (ms since 1970; 0: ever) and by whom."""

    closed: bool = False
    at: int = 0
    by: str = ""


def screens(connection: Connection) -> Screens:
    """The state of the switch."""
    row = connection.execute(_NEWEST).first()
    return Screens() if row is None else Screens(row.name == CLOSED, row.at, row.by)


def turn(database: Database, closed: bool, by: str, now_ms: int) -> Screens:
    """Close all screens or allow them again; where that is so already, nothing changes."""
    with database.write() as connection:
        before = screens(connection)
        if before.closed == closed:
            return before
        after = Screens(closed, max(now_ms, before.at + 1), by[:MAX_BY_CHARACTERS])
        name = CLOSED if closed else OPENED
        upsert(connection, switch, {"name": name}, {"at": after.at, "by": after.by})
        events.record(connection, name, now_ms, user=by)
        return after


def tell_or_raise(database: Database, daemon: Daemon) -> int:
    """Tell controle-vnc the state; how many viewers are told to close."""
    with database.read() as connection:
        state = screens(connection)
    return daemon.switch_screens(state.closed, state.at)


def tell(database: Database, daemon: Daemon) -> int | None:
    """The same; None when it did not hear: the worker tells it every second."""
    try:
        return tell_or_raise(database, daemon)
    except RefusedError as error:
        logger.warning("the switch of all screens waits for controle-vnc: %s", error)
        return None
