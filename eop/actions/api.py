"""The API of acting: POST actions, one result for each workstation.

Every action needs EOP's own agent on the workstation. A workstation known by its VNC server alone
has none, so each allowed action answers `ok: false` and says so; no other result exists yet.
"""

from typing import Any

import marshmallow as ma
from flask import g
from flask_babel import gettext
from marshmallow import validate

from controle_vnc.control.messages import Workstation
from eop.aaa import guard
from eop.aaa.access import Directory
from eop.aaa.policy import may
from eop.audit.chain import Entry, append
from eop.rest import Call, Line, calls, declare
from eop.services import services

MAX_ID = 64
MAX_WORKSTATIONS = 500  # as many as a class may have students
ACTION_NAME = r"[a-z][a-z0-9_]{0,39}"

blueprint = calls("actions", "Act on workstations.")


class ActionBody(ma.Schema):
    """What to do, to whom, and with what."""

    workstations = ma.fields.List(
        Line(MAX_ID), required=True, validate=validate.Length(1, MAX_WORKSTATIONS)
    )
    action = ma.fields.String(required=True, validate=validate.Regexp(rf"\A{ACTION_NAME}\Z"))
    arguments = ma.fields.Dict(keys=ma.fields.String(), load_default=dict)


class ResultReply(ma.Schema):
    """How it went on one workstation."""

    workstation = ma.fields.String()
    ok = ma.fields.Boolean()
    message = ma.fields.String()


class ActionReply(ma.Schema):
    """The results, in the order of the request."""

    results = ma.fields.List(ma.fields.Nested(ResultReply))


@declare(
    blueprint,
    Call("POST", "/actions", "observe", body=ActionBody, reply=ActionReply, refusals=(503,)),
)
def actions(body: dict[str, Any]) -> dict[str, Any]:
    """Do one thing on several workstations. Without an agent on them, none can be carried out."""
    wanted = body["workstations"]
    listed = services().daemon.workstations(ids=sorted(set(wanted)))
    known = {one.id: one for one in listed}
    directory = Directory(services().database)
    _record(body["action"], list(known.values()))
    return {
        "results": [
            {"workstation": name, "ok": False, "message": _outcome(known.get(name), directory)}
            for name in wanted
        ]
    }


def _record(action: str, workstations: list[Workstation]) -> None:
    """Keep that it was tried, once for each workstation; its arguments are nobody's business."""
    now_ms = services().now_ms()
    entries = []
    for one in workstations:
        details = {"action": action, "ok": False, "workstation": one.name, "room": one.room}
        if one.user:
            details["watched"] = "_".join(one.user.split())
        entries.append(Entry(now_ms, "action", g.session.login, g.session.id, one.id, details))
    with services().database.write() as connection:
        append(connection, entries)


def _outcome(workstation: Workstation | None, directory: Directory) -> str:
    if workstation is None:
        return str(gettext("There is no such workstation."))
    if not may(guard.who(), "act", directory.target(workstation)).allowed:
        return str(gettext("You were not given this room or class."))
    return str(
        gettext(
            "%(name)s cannot do this: this workstation has no agent, only a VNC server.",
            name=workstation.name,
        )
    )
