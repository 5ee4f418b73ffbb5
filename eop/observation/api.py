"""The API of watching: GET rooms, classes and workstations, POST tickets and retries."""

from typing import Any

import marshmallow as ma
from flask import g
from marshmallow import validate

from controle_vnc.control.messages import Mode, Ticket, Viewer, Workstation
from eop.aaa import guard
from eop.aaa.access import Directory, require_known_room, visible_rooms
from eop.aaa.policy import Target
from eop.addresses import GATEWAY_PATH, gateway_url
from eop.observation.reasons import sentence
from eop.rest import Call, Line, calls, declare
from eop.services import services

MAX_NAME = 64  # of a room, a class or an id

blueprint = calls("observation", "Rooms, workstations and tickets.")


class RoomReply(ma.Schema):
    """A room and the ids of its workstations."""

    name = ma.fields.String()
    workstations = ma.fields.List(ma.fields.String())


class ClassReply(ma.Schema):
    """A class and the logins of its students."""

    name = ma.fields.String()
    students = ma.fields.List(ma.fields.String())


class WorkstationQuery(ma.Schema):
    """Both conditions must hold where both are given."""

    room = Line(MAX_NAME)
    class_ = Line(MAX_NAME, data_key="class")

    @ma.pre_load
    def forget_empty(self, query: Any, **_: Any) -> dict[str, str]:
        """`?room=&class=3eB` asks for no room."""
        return {name: value for name, value in query.items() if value}


class ControllerReply(ma.Schema):
    """Who controls a workstation."""

    login = ma.fields.String()
    name = ma.fields.String()


class WorkstationReply(ma.Schema):
    """A workstation and how it is; `reason` is a sentence, `reason_code` is stable."""

    id = ma.fields.String()
    name = ma.fields.String()
    room = ma.fields.String()
    state = ma.fields.String()
    user = ma.fields.String(allow_none=True)
    kind = ma.fields.String()
    checked_at = ma.fields.Integer(allow_none=True)
    reason_code = ma.fields.String(allow_none=True)
    reason = ma.fields.String(allow_none=True)
    controllers = ma.fields.List(ma.fields.Nested(ControllerReply))


class TicketBody(ma.Schema):
    """A screen (workstation, mode) or a wall (room or class)."""

    kind = ma.fields.String(required=True, validate=validate.OneOf(["screen", "wall"]))
    workstation = Line(MAX_NAME)
    mode = ma.fields.String(validate=validate.OneOf(["view", "control"]))
    room = Line(MAX_NAME)
    class_ = Line(MAX_NAME, data_key="class")

    @ma.validates_schema
    def check_kind(self, body: dict[str, str], **_: Any) -> None:
        """Exactly the fields of the kind, and one of room and class."""
        given = set(body) - {"kind"}
        if body.get("kind") == "screen":
            _complain({"workstation", "mode"} - given, "missing")
            _complain(given - {"workstation", "mode"}, "not for a screen")
        elif body.get("kind") == "wall":
            _complain(given - {"room", "class_"}, "not for a wall")
            if len(given) != 1:
                raise ma.ValidationError("either a room or a class", "room")


def _complain(names: set[str], words: str) -> None:
    if names:
        raise ma.ValidationError({name.rstrip("_"): [words] for name in sorted(names)})


class TicketReply(ma.Schema):
    """A ticket, good once and for some seconds, and where to take it.

    Of a screen also the login of whose it is: `null` where nobody sits.
    """

    ticket = ma.fields.String()
    path = ma.fields.String()
    url = ma.fields.String()
    expires_in = ma.fields.Integer()
    user = ma.fields.String(allow_none=True)


@declare(blueprint, Call("GET", "/rooms", "observe", reply=RoomReply(many=True), refusals=(503,)))
def rooms() -> list[Any]:
    """The rooms one was granted."""
    return list(visible_rooms(guard.who(), services().daemon.rooms()))


@declare(blueprint, Call("GET", "/classes", "observe", reply=ClassReply(many=True)))
def classes() -> list[Any]:
    """The classes one was granted."""
    return list(Directory(services().database).visible_classes(guard.who()))


@declare(
    blueprint,
    Call(
        "GET",
        "/workstations",
        "observe",
        query=WorkstationQuery,
        reply=WorkstationReply(many=True),
        refusals=(404, 422, 503),
    ),
)
def workstations(query: dict[str, str]) -> list[dict[str, Any]]:
    """Workstations one may see; those not looked at for a minute are looked at meanwhile."""
    daemon, directory = services().daemon, Directory(services().database)
    room, students = query.get("room"), None
    if room is not None:
        require_known_room(room, daemon.rooms())
    if "class_" in query:
        students = directory.students("tile", query["class_"])
    listed = daemon.workstations(room=room, users=students, refresh=True)
    visible = directory.visible(guard.who(), listed)
    if room is not None and not visible:
        guard.require("tile", Target(room))
    return [_described(one) for one in visible]


@declare(
    blueprint,
    Call(
        "GET",
        "/workstations/<workstation_id>",
        "observe",
        reply=WorkstationReply,
        refusals=(404, 503),
    ),
)
def workstation(workstation_id: str) -> dict[str, Any]:
    """One workstation that one may see."""
    found = services().daemon.workstation(workstation_id[:MAX_NAME])
    guard.require("tile", Directory(services().database).target(found))
    return _described(found)


def _described(one: Workstation) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "room": one.room,
        "state": one.state,
        "user": one.user,
        "kind": one.kind,
        "checked_at": one.checked_at,
        "reason_code": one.reason.code if one.reason else None,
        "reason": sentence(one.reason),
        "controllers": [{"login": who.login, "name": who.name} for who in one.controllers],
    }


@declare(
    blueprint,
    Call(
        "POST", "/tickets", "observe", body=TicketBody, reply=TicketReply, refusals=(404, 502, 503)
    ),
)
def tickets(body: dict[str, str]) -> dict[str, Any]:
    """A ticket for one screen or one wall."""
    shown: dict[str, Any] = {}
    if body["kind"] == "screen":
        ticket = _screen_ticket(body)
        # looked at after the ticket was made: it opens nothing once somebody else sits there
        shown["user"] = services().daemon.workstation(body["workstation"]).user
    else:
        ticket = _wall_ticket(body)
    return shown | {
        "ticket": ticket.ticket,
        "path": GATEWAY_PATH,
        "url": gateway_url(services().site, services().shared),
        "expires_in": ticket.expires_in,
    }


def _viewer() -> Viewer:
    identity = guard.who()
    return Viewer(
        session=g.session.id, ends_at=g.session.ends_at, user=identity.login, name=identity.name
    )


def _screen_ticket(body: dict[str, str]) -> Ticket:
    daemon = services().daemon
    workstation = daemon.workstation(body["workstation"])
    mode: Mode = "control" if body["mode"] == "control" else "view"
    with guard.allowed_now(mode, Directory(services().database).target(workstation)):
        return daemon.screen_ticket(_viewer(), workstation.id, mode)


def _wall_ticket(body: dict[str, str]) -> Ticket:
    daemon = services().daemon
    if "room" in body:
        require_known_room(body["room"], daemon.rooms())
        with guard.allowed_now("tile", Target(body["room"])):
            return daemon.wall_ticket(_viewer(), body["room"], None)
    students = Directory(services().database).students("tile", body["class_"])
    with guard.allowed_now("tile", Target(classes=frozenset({body["class_"]}))):
        return daemon.wall_ticket(_viewer(), None, students, body["class_"])


@declare(
    blueprint,
    Call(
        "POST",
        "/workstations/<workstation_id>/retry",
        "observe",
        status=204,
        refusals=(404, 503),
    ),
)
def retry(workstation_id: str) -> None:
    """Try a workstation again at once, whatever it was waiting for."""
    daemon = services().daemon
    workstation = daemon.workstation(workstation_id[:MAX_NAME])
    guard.require("tile", Directory(services().database).target(workstation))
    daemon.retry(workstation.id)
