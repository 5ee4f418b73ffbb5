"""The pages of watching: choosing a room or class, the wall, one screen."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from controle_vnc.control.messages import Workstation
from eop.aaa import guard
from eop.aaa.access import Directory, require_known_room, visible_rooms
from eop.aaa.policy import Target, may
from eop.directory import users
from eop.errors import DaemonDownError, RefusedError
from eop.i18n import by_name
from eop.observation import rewind, seating
from eop.services import services

DEMO = "demo"  # the kind of a workstation that is drawn, because no VNC server was there

blueprint = Blueprint("observation_pages", __name__, url_prefix="/observe")


@dataclass(frozen=True)
class Place:
    """What a wall shows: a room, or a class."""

    kind: str
    name: str

    @property
    def query(self) -> str:
        return urlencode({self.kind: self.name})


def asked_place() -> Place | None:
    """The room or class named in the address; exactly one of them counts."""
    given = [Place(kind, request.args[kind]) for kind in ("room", "class") if kind in request.args]
    return given[0] if len(given) == 1 and given[0].name else None


@blueprint.get("/")
@guard.page_required("observe")
def choose() -> str:
    """The rooms and classes one may watch."""
    who, parts = guard.who(), services()
    try:
        rooms, down = visible_rooms(who, parts.daemon.rooms()), False
    except DaemonDownError:
        rooms, down = [], True
    classes = Directory(parts.database).visible_classes(who)
    return render_template(
        "choose.html", section="observe", rooms=rooms, classes=classes, down=down
    )


@blueprint.get("/wall")
@guard.page_required("observe")
def wall() -> Any:
    """Every screen of a room or class."""
    place = asked_place()
    if place is None:
        raise RefusedError("unknown_room")
    listed = workstations_of(place)
    if not may(guard.who(), "tile", _target(place)).allowed:
        return guard.denied_page("grant")
    return render_template(
        "wall.html",
        section="observe",
        place=place,
        names=names_of(listed),
        demonstration=any(one.kind == DEMO for one in listed),
    )


@blueprint.get("/screen/<workstation_id>")
@guard.page_required("observe")
def screen(workstation_id: str) -> Any:
    """One screen, to watch or to control."""
    place = asked_place()
    shown = services().daemon.workstation(workstation_id[:64])
    target = Directory(services().database).target(shown)
    if not may(guard.who(), "view", target).allowed:
        return guard.denied_page("grant")
    place = place or Place("room", shown.room)
    listed = workstations_of(place)
    before, after = neighbours(listed, shown.id)
    names_hidden = request.args.get("names") == "hidden"
    return render_template(
        "screen.html",
        section="observe",
        links=place.query + ("&names=hidden" if names_hidden else ""),
        place=place,
        shown=shown,
        names_hidden=names_hidden,
        titles=_titles([*listed, shown], names_hidden),
        before=before,
        after=after,
        clipboard=services().shared.CLIPBOARD,
        may_control=may(guard.who(), "control", target).allowed,
        may_rewind=rewind.is_offered(target),
    )


def _titles(listed: list[Workstation], names_hidden: bool) -> dict[str, str]:
    """What each is called, by its id: who sits there, or the workstation's own name."""
    if names_hidden:
        return {one.id: one.name for one in listed}
    names = names_of(listed)
    return {one.id: names.get(one.user or "") or one.user or one.name for one in listed}


def _target(place: Place) -> Target:
    if place.kind == "room":
        return Target(place.name)
    return Target(classes=frozenset({place.name}))


def workstations_of(place: Place) -> list[Workstation]:
    """The workstations of a place that one may see, in the wall's order; refuses unknown places."""
    daemon, directory = services().daemon, Directory(services().database)
    if place.kind == "room":
        require_known_room(place.name, daemon.rooms())
        listed = daemon.workstations(room=place.name)
    else:
        listed = daemon.workstations(users=directory.students("tile", place.name))
    named = by_name(directory.visible(guard.who(), listed))
    if place.kind != "room":
        return named
    with services().database.read() as connection:
        order = seating.find(connection, place.name).order()
    return sorted(named, key=lambda one: order.get(one.id, len(order)))


def neighbours(
    listed: list[Workstation], workstation_id: str
) -> tuple[Workstation | None, Workstation | None]:
    """The workstations before and after one, in the order of the wall."""
    ids = [one.id for one in listed]
    if workstation_id not in ids:
        return None, None
    place = ids.index(workstation_id)
    before = listed[place - 1] if place else None
    return before, listed[place + 1] if place + 1 < len(listed) else None


def names_of(listed: list[Workstation]) -> dict[str, str]:
    """Login → name to show, of those who sit there and are in the directory."""
    with services().database.read() as connection:
        found = [users.find(connection, one.user) for one in listed if one.user]
    return {user.login: user.name for user in found if user}
