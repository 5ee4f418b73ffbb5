"""The API of seating plans: GET and PUT the plan of a room."""

from typing import Any

import marshmallow as ma
from flask import g
from marshmallow import validate

from eop.aaa import guard
from eop.aaa.access import Directory, require_known_room
from eop.aaa.policy import Target, may
from eop.directory import users
from eop.observation import seating
from eop.observation.api import MAX_NAME
from eop.observation.seating import MAX_COLUMNS, MAX_ROWS, MAX_VERSION, Plan, Seat
from eop.rest import Call, Line, calls, declare
from eop.services import services

MAX_SEATS = MAX_COLUMNS * MAX_ROWS
RULE = "/rooms/<path:room>/plan"  # a room may be called "B/12"

blueprint = calls("seating", "Where the workstations of a room stand.")


def _number(most: int, least: int = 1) -> ma.fields.Integer:
    return ma.fields.Integer(required=True, strict=True, validate=validate.Range(least, most))


class SeatBody(ma.Schema):
    """A workstation's id and its place: column 1 is on the left, row 1 farthest from the desk."""

    workstation = Line(MAX_NAME, required=True)
    column = _number(MAX_COLUMNS)
    row = _number(MAX_ROWS)


class PlanBody(ma.Schema):
    """A whole plan, and the version it was made from (0: there was none)."""

    version = _number(MAX_VERSION, least=0)
    columns = _number(MAX_COLUMNS)
    rows = _number(MAX_ROWS)
    aisles = ma.fields.List(
        _number(MAX_COLUMNS - 1),
        load_default=list,
        validate=validate.Length(max=MAX_COLUMNS - 1),
        metadata={"description": "the columns after which there is an aisle"},
    )
    seats = ma.fields.List(
        ma.fields.Nested(SeatBody), required=True, validate=validate.Length(max=MAX_SEATS)
    )


class PlanReply(ma.Schema):
    """The newest plan: version 0 and no place where nobody has saved one."""

    room = ma.fields.String()
    version = ma.fields.Integer()
    columns = ma.fields.Integer()
    rows = ma.fields.Integer()
    aisles = ma.fields.List(ma.fields.Integer())
    seats = ma.fields.List(ma.fields.Nested(SeatBody))
    saved_at = ma.fields.Integer(allow_none=True, metadata={"description": "ms since 1970"})
    saved_by = ma.fields.String(allow_none=True, metadata={"description": "a name to show"})
    may_change = ma.fields.Boolean()


@declare(blueprint, Call("GET", RULE, "observe", reply=PlanReply, refusals=(404, 503)))
def plan(room: str) -> dict[str, Any]:
    """The seating plan of a room; of its seats those of workstations one may see."""
    parts = services()
    require_known_room(room, parts.daemon.rooms())
    listed = parts.daemon.workstations(room=room)
    visible = Directory(parts.database).visible(guard.who(), listed)
    if not visible:
        guard.require("tile", Target(room))
    with parts.database.read() as connection:
        found = seating.find(connection, room)
    return _described(room, found.of({one.id for one in visible}))


@declare(
    blueprint,
    Call("PUT", RULE, "observe", body=PlanBody, reply=PlanReply, refusals=(404, 409, 503)),
)
def save_plan(body: dict[str, Any], room: str) -> dict[str, Any]:
    """Save the seating plan of a room for all who teach there.

    409 where someone else has saved one meanwhile. Workstations that are not in the room (any
    more) are left out.
    """
    parts = services()
    require_known_room(room, parts.daemon.rooms())
    guard.require("act", Target(room))
    wanted = Plan(
        columns=body["columns"],
        rows=body["rows"],
        aisles=tuple(body["aisles"]),
        seats=tuple(Seat(**seat) for seat in body["seats"]),
        version=body["version"],
        at=parts.now_ms(),
        by=g.session.login,
    )
    seating.check(wanted)
    wanted = wanted.of({one.id for one in parts.daemon.workstations(room=room)})
    with parts.database.write() as connection:
        saved = seating.save(connection, room, wanted)
    return _described(room, saved)


def _described(room: str, found: Plan) -> dict[str, Any]:
    return {
        "room": room,
        "version": found.version,
        "columns": found.columns,
        "rows": found.rows,
        "aisles": found.aisles,
        "seats": found.seats,
        "saved_at": found.at,
        "saved_by": _name(found.by) if found.by else None,
        "may_change": may(guard.who(), "act", Target(room)).allowed,
    }


def _name(login: str) -> str:
    with services().database.read() as connection:
        found = users.find(connection, login)
    return found.name if found else login
