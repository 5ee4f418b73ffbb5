"""The API of looking back: from when pictures of a screen are kept, and one of them.

Each look is in the audit before its picture goes out: whose screen, and which minute of it.
"""

from typing import Any

import marshmallow as ma
from flask import Response, g
from sqlalchemy import Connection, select

from controle_vnc.control.messages import Workstation
from eop.aaa import guard, room_settings
from eop.aaa.access import Directory
from eop.aaa.policy import Target, may
from eop.audit import events
from eop.audit.looks import REWOUND
from eop.audit.tables import audit
from eop.observation.api import MAX_NAME
from eop.rest import Call, calls, declare
from eop.services import services

KEPT_SECONDS = 300  # as controle-vnc keeps them
MINUTE_MS = 60_000  # one event for each minute that is looked at, not for each picture of it
TOLD_MS = (KEPT_SECONDS + 60) * 1000  # an older event cannot be of a picture that is still kept

blueprint = calls("rewind", "The last five minutes of a screen.")


class SpanReply(ma.Schema):
    """A picture was on the screen from `at` until `until`; `null`: it still is."""

    at = ma.fields.Integer()
    until = ma.fields.Integer(allow_none=True)


class TimesReply(ma.Schema):
    """Times in ms since 1970; between two spans nothing was captured."""

    now = ma.fields.Integer()
    seconds = ma.fields.Integer()
    pictures = ma.fields.List(ma.fields.Nested(SpanReply))


def is_offered(target: Target) -> bool:
    """Whether who is signed in may look back there now."""
    with services().database.read() as connection:
        circumstances = room_settings.circumstances(connection, "rewind", target)
    return may(g.identity, "rewind", target, circumstances).allowed


@declare(
    blueprint,
    Call(
        "GET",
        "/workstations/<workstation_id>/rewind",
        "observe",
        reply=TimesReply,
        refusals=(404, 503),
    ),
)
def times(workstation_id: str) -> dict[str, Any]:
    """From when until when pictures of the last five minutes are kept."""
    workstation, target = _asked(workstation_id)
    with guard.allowed_now("rewind", target):
        kept = services().daemon.rewind_times(workstation.id)
    pictures = [{"at": one.at, "until": one.until} for one in kept.pictures]
    return {"now": kept.now, "seconds": KEPT_SECONDS, "pictures": pictures}


@declare(
    blueprint,
    Call(
        "GET",
        # more digits than moments have until the year 2286
        "/workstations/<workstation_id>/rewind/<int(max=9999999999999):moment>",
        "observe",
        refusals=(404, 503),
    ),
)
def picture(workstation_id: str, moment: int) -> Response:
    """A JPEG of what the screen showed at a moment (ms since 1970)."""
    workstation, target = _asked(workstation_id)
    with guard.allowed_now("rewind", target):
        kept = services().daemon.rewind_picture(workstation.id, moment)
        _write_down(workstation, moment)
    response = Response(kept.jpeg, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "no-store"
    return response


def _asked(workstation_id: str) -> tuple[Workstation, Target]:
    """The workstation, of which the screen as it is now may be viewed, too."""
    workstation = services().daemon.workstation(workstation_id[:MAX_NAME])
    target = Directory(services().database).target(workstation)
    guard.require("view", target)
    return workstation, target


def _write_down(workstation: Workstation, moment: int) -> None:
    """Have this minute of the screen in the audit, once for a session."""
    parts = services()
    now = parts.now_ms()
    with parts.database.write() as connection:
        if _is_written(connection, workstation.id, moment, now):
            return
        begins = moment - moment % MINUTE_MS
        details: dict[str, Any] = {
            "name": guard.who().name,
            "workstation": workstation.name,
            "room": workstation.room,
            "from": begins,
            "to": max(moment, min(begins + MINUTE_MS, now)),
        }
        if workstation.user:
            details["watched"] = "_".join(workstation.user.split())
        events.record(
            connection,
            REWOUND,
            now,
            user=guard.who().login,
            session=g.session.id,
            workstation=workstation.id,
            details=details,
        )


def _is_written(connection: Connection, workstation: str, moment: int, now: int) -> bool:
    query = select(audit.c.details).where(
        audit.c.workstation == workstation,
        audit.c.at > now - TOLD_MS,
        audit.c.kind == REWOUND,
        audit.c.session == g.session.id,
    )
    found = connection.scalars(query)
    return any(one["from"] <= moment <= one["to"] for one in found)
