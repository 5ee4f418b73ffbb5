"""What is on in a room and off elsewhere: set by an administrator, told to controle-vnc.

Every change is later than the one before, whatever the clock says, so that controle-vnc can tell
which is the newest.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, select

from eop.aaa import switches
from eop.aaa.policy import Action, Circumstances, Target
from eop.audit import events
from eop.daemon import Daemon
from eop.database import Database, upsert
from eop.directory import rooms
from eop.directory.tables import room_setting
from eop.errors import InvalidError, RefusedError

rooms.follow(room_setting.c.room)

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


def tell_or_raise(database: Database, daemon: Daemon, now_ms: int) -> None:
    """Tell controle-vnc in which rooms the last minutes are kept.

    `now_ms` is read before the settings are: what is told as of then is overtaken by every later
    change, and overtakes what was told before, whatever the table has lost meanwhile.
    """
    with database.read() as connection:
        found = [one for one in listed(connection) if one.name == REWIND]
    kept = [one.room for one in found if one.is_on]
    daemon.keep_rewind(kept, max([now_ms, *(one.at for one in found)]))


def tell(database: Database, daemon: Daemon, now_ms: int) -> bool:
    """The same; False when it did not hear: the worker tells it every second."""
    try:
        tell_or_raise(database, daemon, now_ms)
    except RefusedError as error:
        logger.warning("the settings of rooms wait for controle-vnc: %s", error)
        return False
    return True
