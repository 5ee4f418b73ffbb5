"""The page of rooms: their workstations, who is given them, and renaming one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from controle_vnc.control.messages import SaveWorkstation, Workstation
from eop.aaa import guard
from eop.administration import forms, workstation_plan, workstation_words
from eop.administration.workstation_fields import is_line
from eop.audit import events
from eop.directory import rooms, users
from eop.directory.rooms import MAX_ROOM_CHARACTERS, Given
from eop.directory.users import EVERYTHING
from eop.errors import N_, DaemonDownError, InvalidError, NotFoundError, RefusedError
from eop.i18n import by_name
from eop.replies import told, told_in_full
from eop.services import services

PATH = "/admin/rooms"
DONE = {"renamed": N_("The room was renamed; workstations and rights have followed.")}

blueprint = Blueprint("administration_rooms", __name__, url_prefix=PATH)


@dataclass(frozen=True)
class Room:
    """A room: how many workstations, how many of them are not well, and to whom it is given."""

    name: str
    workstations: int
    answering: int
    troubles: int
    given: list[Given]


@blueprint.get("")
@guard.page_required("manage_workstations")
def page() -> AnyResponse:
    """Every room there is, and every room that is given to somebody."""
    try:
        known, error = services().daemon.workstations(), ""
    except DaemonDownError as down:
        known, error = [], str(told(down))
    found, everywhere = _rooms(known)
    html = render_template(
        "admin_rooms.html",
        section="admin",
        rooms=found,
        everywhere=everywhere,
        error=error,
        done=forms.done(DONE),
    )
    return make_response(html, 503 if error else 200)


@blueprint.get("/rename")
@guard.page_required("manage_workstations")
def rename_page() -> AnyResponse:
    """Asks for the new name, and says what follows."""
    return _rename_page(request.args.get("room", "")[:MAX_ROOM_CHARACTERS])


@blueprint.post("/rename")
@guard.page_required("manage_workstations")
def rename() -> AnyResponse:
    """Rename a room: its workstations move, and what was given and is kept of it follows."""
    before, after = forms.field("room")[:MAX_ROOM_CHARACTERS], forms.field("name")
    try:
        _rename(before, after, forms.field("agreed"))
    except _AskError as error:
        return _rename_page(before, after, status=422, holders=error.names)
    except InvalidError as error:
        return _rename_page(before, after, forms.sentence(error), 422)
    except DaemonDownError as error:
        return _rename_page(before, after, told(error), 503)
    except RefusedError as error:
        return _rename_page(before, after, told_in_full(error), 502)
    return forms.go_on(PATH, "renamed")


class _AskError(Exception):
    """The new name was given to people who would see these workstations, too."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("people were given the new name")
        self.names = names


def _rename(before: str, after: str, agreed: str) -> None:
    """Raises `InvalidError`, `NotFoundError`, `RefusedError`; `_AskError` unless it was agreed.

    Workstations move first. Where what follows was cut off (controle-vnc was too slow to answer),
    the same again does the rest.
    """
    parts, by = services(), guard.who().login
    _check(before, after)
    known = parts.daemon.workstations()
    ours = [one for one in known if one.room == before]
    with parts.database.read() as connection:
        if not ours and not rooms.is_named(connection, before):
            raise NotFoundError(f"there is no room {before!r}")
        is_taken = bool(ours) or rooms.is_named(connection, after)
        given = rooms.given(connection, parts.now_ms())
    if is_taken and any(one.room == after for one in known):
        raise InvalidError(
            N_("There is a room “%(room)s” already: move workstations there one by one, or by a "
               "CSV file."),
            room=after,
        )  # fmt: skip
    both = {one.login for one in given.get(before, [])}
    holders = [one.name for one in given.get(after, []) if one.login not in both]
    if holders and agreed != after:
        raise _AskError(holders)
    if ours:
        changes = [_moved(one, after, by) for one in ours]
        parts.daemon.save_all(changes, by, workstation_plan.SAVE_SECONDS)
    with parts.database.write() as connection:
        followed = rooms.rename(connection, before, after)
        details = {
            "before": before, "room": after, "workstations": len(ours), "grants": followed,
        }  # fmt: skip
        events.record(
            connection, "room_renamed", parts.now_ms(), user=by, session=g.session.id,
            details=details,
        )  # fmt: skip


def _check(before: str, after: str) -> None:
    if not is_line(after, MAX_ROOM_CHARACTERS):
        raise InvalidError(
            N_("The room has 1 to %(most)s printable characters."), most=MAX_ROOM_CHARACTERS
        )
    if before == after:
        raise InvalidError(N_("This is its name already."))
    if EVERYTHING in (before, after):
        raise InvalidError(N_("“*” stands for every room: no room can be called so."))


def _moved(one: Workstation, room: str, by: str) -> SaveWorkstation:
    return SaveWorkstation(
        id=one.id, name=one.name, room=room, address=one.address, user=one.user, by=by
    )


def _rooms(known: list[Workstation]) -> tuple[list[Room], list[Given]]:
    """Rooms by name, and those to whom every room is given."""
    with services().database.read() as connection:
        given = rooms.given(connection, services().now_ms())
    everywhere = given.pop(EVERYTHING, [])
    states: dict[str, list[str]] = {}
    for one in known:
        states.setdefault(one.room, []).append(one.state)
    names = by_name(states.keys() | given.keys(), "")
    return [_room(name, states.get(name, []), given.get(name, [])) for name in names], everywhere


def _room(name: str, states: list[Any], given: list[Given]) -> Room:
    return Room(
        name,
        len(states),
        sum(one in workstation_words.WELL for one in states),
        sum(one in workstation_words.FAULTS for one in states),
        given,
    )


def _rename_page(
    room: str, typed: str = "", error: str = "", status: int = 200, holders: Sequence[str] = ()
) -> AnyResponse:
    try:
        known = services().daemon.workstations(room=room)
    except DaemonDownError as down:
        known, error = [], error or str(told(down))
    with services().database.read() as connection:
        given = rooms.given(connection, services().now_ms()).get(room, [])
    if not known and not given and not error:
        raise NotFoundError(f"there is no room {room!r}")
    html = render_template(
        "admin_room_rename.html",
        section="admin",
        room=room,
        typed=typed or room,
        count=len(known),
        given=given,
        imported=sorted({one.source for one in given if one.until is None} - {users.LOCAL}),
        error=error,
        holders=holders,
        done="",
        longest=MAX_ROOM_CHARACTERS,
    )
    return make_response(html, status)
