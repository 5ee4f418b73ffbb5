"""What is on in a room and off elsewhere: set by an administrator, told to controle-vnc.

Every change is later than the one before, whatever the clock says, so that controle-vnc can tell
which is the newest.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from eop.aaa import switches
from eop.aaa.policy import Action, Circumstances, Target
from eop.audit import events
from eop.daemon import Daemon
from eop.database import Database, upsert
from eop.directory.tables import room_setting
from eop.errors import InvalidError, RefusedError

REWIND = "rewind"
NAMES = (REWIND,)
ON, OFF = "on", "off"
MAX_ROOM_CHARACTERS = 64
MAX_ROOMS = 2000  # told at once; controle-vnc knows no more workstations
MAX_BY_CHARACTERS = 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """One setting of one room; since when (ms since 1970) and by whom."""

    room: str
    name: str
    is_on: bool
    at: int
    by: str


def listed(connection: Connection) -> list[Setting]:
    """Every setting that was ever touched, by room."""
    rows = connection.execute(select(room_setting).order_by(room_setting.c.room))
    return [Setting(row.room, row.name, row.value == ON, row.at, row.by) for row in rows]


def is_on(connection: Connection, room: str | None, name: str) -> bool:
    """Whether it is on in that room; off unless somebody switched it on."""
    query = select(room_setting.c.value).where(
        room_setting.c.room == room, room_setting.c.name == name
    )
    return connection.scalar(query) == ON


def circumstances(connection: Connection, action: Action, target: Target) -> Circumstances:
    """What policy must know of the moment to allow `action` there."""
    return Circumstances(
        screens_closed=switches.screens(connection).closed,
        rewinds=action == REWIND and is_on(connection, target.room, REWIND),
    )


def change(database: Database, room: str, name: str, value: bool, by: str, now_ms: int) -> bool:  # noqa: PLR0913 - what, where, who, when
    """Switch a setting of a room on or off; whether that changed anything.

    Raises `InvalidError`.
    """
    if name not in NAMES:
        raise InvalidError(f"{name[:MAX_ROOM_CHARACTERS]!r} is no setting; there is: {NAMES[0]}")
    if not room or len(room) > MAX_ROOM_CHARACTERS or not room.isprintable():
        raise InvalidError(f"a room has 1 to {MAX_ROOM_CHARACTERS} printable characters")
    with database.write() as connection:
        if is_on(connection, room, name) == value:
            return False
        touched = {one.room: one.at for one in listed(connection) if one.name == name}
        if room not in touched and len(touched) >= MAX_ROOMS:
            raise InvalidError(f"at most {MAX_ROOMS} rooms have settings")
        at = max(now_ms, max(touched.values(), default=0) + 1)
        values = {"value": ON if value else OFF, "at": at, "by": by[:MAX_BY_CHARACTERS]}
        upsert(connection, room_setting, {"room": room, "name": name}, values)
        details = {"room": room, "setting": name}
        kind = "room_setting_on" if value else "room_setting_off"
        events.record(connection, kind, now_ms, user=by, details=details)
    return True


def rename(connection: Connection, before: str, after: str, now_ms: int) -> None:
    """Have what is set in a room follow its new name, and nothing of another hold there.

    It counts as a change, so that controle-vnc takes the new names.
    """
    newest = connection.scalar(select(func.max(room_setting.c.at)))
    if newest is None:
        return
    connection.execute(delete(room_setting).where(room_setting.c.room == after))
    moved = update(room_setting).where(room_setting.c.room == before)
    connection.execute(moved.values(room=after, at=max(now_ms, newest + 1)))


def tell_or_raise(database: Database, daemon: Daemon) -> None:
    """Tell controle-vnc in which rooms the last minutes are kept."""
    with database.read() as connection:
        found = [one for one in listed(connection) if one.name == REWIND]
    rooms = [one.room for one in found if one.is_on]
    daemon.keep_rewind(rooms, max((one.at for one in found), default=0))


def tell(database: Database, daemon: Daemon) -> bool:
    """The same; False when it did not hear: the worker tells it every second."""
    try:
        tell_or_raise(database, daemon)
    except RefusedError as error:
        logger.warning("the settings of rooms wait for controle-vnc: %s", error)
        return False
    return True
