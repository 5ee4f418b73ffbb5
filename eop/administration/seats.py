"""Whoever gets another login keeps his workstation: controle-vnc is told until it has heard.

What is queued is carried out in its order, one after the other; whatever has been told already
changes nothing when it is told again.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress

from sqlalchemy import Connection, delete, insert, select

from controle_vnc.control.messages import SaveWorkstation, Workstation
from eop.administration.import_lock import ImportRunningError, only_import
from eop.daemon import Daemon
from eop.database import Database
from eop.directory.tables import renamed_login
from eop.errors import DaemonDownError, RefusedError

ASIDE = "~"  # no login: whose turn it is in a ring waits there

logger = logging.getLogger(__name__)


def in_order(logins: Mapping[str, str]) -> list[tuple[str, str]]:
    """Login → its new one, as steps of which none leads to a login that is still someone's.

    A ring is opened at one place, by way of `ASIDE`.
    """
    wanted = {after: before for before, after in logins.items()}

    def chain(free: str) -> Iterator[tuple[str, str]]:
        while free in wanted:
            before = wanted.pop(free)
            yield before, free
            free = before

    steps = [step for end in logins.values() if end not in logins for step in chain(end)]
    while wanted:
        after, before = wanted.popitem()
        steps += [(before, ASIDE), *chain(before), (ASIDE, after)]
    return steps


def queue(connection: Connection, logins: Mapping[str, str], by: str) -> None:
    """Have it told that these logins changed, once the caller's transaction is committed."""
    rows = [{"before": before, "after": after, "by": by} for before, after in in_order(logins)]
    if rows:
        connection.execute(insert(renamed_login), rows)


def repeat(database: Database, daemon: Daemon) -> None:
    """Tell what is queued; an import that runs does so itself. Raises `DaemonDownError`."""
    with database.read() as connection:
        waits = connection.execute(select(renamed_login.c.id).limit(1)).first()
    if waits:
        with suppress(ImportRunningError), only_import(0):
            deliver_or_raise(database, daemon)


def deliver_or_raise(database: Database, daemon: Daemon) -> list[str]:
    """Tell what is queued; a sentence for each workstation that is refused.

    Only for who holds the lock of imports: told by two at once, steps would pass each other.
    Raises `DaemonDownError`; what the daemon did not hear stays queued.
    """
    with database.read() as connection:
        queued = connection.execute(select(renamed_login).order_by(renamed_login.c.id)).all()
    if not queued:
        return []
    seats: dict[str, list[Workstation]] = {}
    for one in daemon.workstations():
        seats.setdefault(one.user or "", []).append(one)
    refused: list[str] = []
    for row in queued:
        moved = seats.pop(row.before, [])
        if moved:  # from here on the steps before would no longer change nothing
            _forget_before(database, row.id)
        refused += [why for one in moved if (why := _seat(daemon, one, row.after, row.by))]
        seats.setdefault(row.after, []).extend(moved)
    _forget_before(database, queued[-1].id + 1)
    return refused


def _seat(daemon: Daemon, one: Workstation, user: str, by: str) -> str:
    """Have someone else sit there; why that is refused, or nothing."""
    request = SaveWorkstation(
        name=one.name, room=one.room, address=one.address, user=user, replace=True, by=by
    )
    try:
        daemon.save(request)
    except DaemonDownError:
        raise
    except RefusedError as error:
        logger.warning("%s does not get its new user: %s", one.name, error)
        return f"{one.name}: {error}"
    return ""


def _forget_before(database: Database, number: int) -> None:
    with database.write() as connection:
        connection.execute(delete(renamed_login).where(renamed_login.c.id < number))
