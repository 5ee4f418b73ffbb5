"""The page that says in which rooms the last five minutes of a screen can be looked at."""

from dataclasses import dataclass

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard, room_settings
from eop.aaa.access import require_known_room
from eop.aaa.room_settings import REWIND, Setting
from eop.administration import forms
from eop.errors import N_, DaemonDownError
from eop.services import services

PATH = "/admin/rewind"
DONE = {
    "on": N_("From now on the last five minutes are kept in this room."),
    "off": N_("Nothing is kept in this room any more, and what was kept is forgotten."),
    "waiting": N_("This is kept, and told to controle-vnc as soon as it answers."),
}

blueprint = Blueprint("administration_rewind", __name__, url_prefix=PATH)


@dataclass(frozen=True)
class RoomLine:
    """A room, how many workstations it has (`None`: it is not known now), and its setting."""

    name: str
    workstations: int | None
    setting: Setting | None


@blueprint.get("")
@guard.page_required("set_rooms")
def page() -> str:
    """Every room, and whether its last minutes are kept."""
    parts = services()
    with parts.database.read() as connection:
        found = {one.room: one for one in room_settings.listed(connection) if one.name == REWIND}
    try:
        known, down = {one.name: len(one.workstations) for one in parts.daemon.rooms()}, False
    except DaemonDownError:
        known, down = {}, True
    names = sorted(known.keys() | {one.room for one in found.values() if one.is_on})
    rooms = [RoomLine(name, known.get(name), found.get(name)) for name in names]
    done = forms.done(DONE)
    return render_template("admin_rewind.html", section="admin", rooms=rooms, down=down, done=done)


@blueprint.post("")
@guard.page_required("set_rooms")
def switch() -> AnyResponse:
    """Switch it on (`value=on`) or off in one room."""
    parts = services()
    room, value = forms.field("room"), forms.field("value") == room_settings.ON
    if value:
        require_known_room(room, parts.daemon.rooms())
    by = guard.who().login
    room_settings.change(parts.database, room, REWIND, value, by, parts.now_ms())
    if not room_settings.tell(parts.database, parts.daemon, parts.now_ms()):
        return forms.go_on(PATH, "waiting")
    return forms.go_on(PATH, "on" if value else "off")
