"""The API of lessons: start one, see how it is, end it; and the presets of each teacher."""

from typing import Any

import marshmallow as ma
from marshmallow import validate

from eop.aaa import guard
from eop.errors import NotFoundError
from eop.lessons import own, presets, shown, sites
from eop.lessons.presets import Preset
from eop.lessons.shown import Shown
from eop.rest import Call, Line, calls, declare
from eop.restraints import Place, Released
from eop.services import services

MAX_NAME = 64  # of a room or a class

blueprint = calls("lessons", "Lessons, and what teachers prepare for them.")


class PresetBody(ma.Schema):
    """What a lesson begins with. A site is a host name and stands for what is below it, too."""

    name = Line(presets.MAX_NAME_CHARACTERS, required=True)
    sites_rule = ma.fields.String(load_default="any", validate=validate.OneOf(presets.RULES))
    sites = ma.fields.List(
        Line(sites.MAX_HOST_CHARACTERS),
        load_default=list,
        validate=validate.Length(0, sites.MAX_SITES),
    )
    lock_text = ma.fields.String(
        load_default="", validate=validate.Length(0, presets.MAX_LOCK_CHARACTERS)
    )


class PresetReply(PresetBody):
    """A preset with its id."""

    id = ma.fields.Integer()


class LessonBody(ma.Schema):
    """A room, a class, or a class in a room; and the id of a preset."""

    room = Line(MAX_NAME)
    class_ = Line(MAX_NAME, data_key="class")
    preset = ma.fields.Integer(strict=True, validate=validate.Range(1, 2**31 - 1))

    @ma.validates_schema
    def check_place(self, body: dict[str, Any], **_: Any) -> None:
        """A lesson is somewhere."""
        if not {"room", "class_"} & set(body):
            raise ma.ValidationError("a room, a class or both", "room")


class SeatReply(ma.Schema):
    """Somebody; workstation and room are empty where he is signed in nowhere."""

    login = ma.fields.String()
    name = ma.fields.String()
    workstation = ma.fields.String()
    room = ma.fields.String()


class AttendanceReply(ma.Schema):
    """Who is in, who is missing (one signed in elsewhere has that room), who else is there."""

    present = ma.fields.List(ma.fields.Nested(SeatReply))
    absent = ma.fields.List(ma.fields.Nested(SeatReply))
    others = ma.fields.List(ma.fields.Nested(SeatReply))
    expected = ma.fields.Integer(allow_none=True)


class InForceReply(ma.Schema):
    """One restraint: what it says, who set it, since when (ms since 1970)."""

    kind = ma.fields.String()
    key = ma.fields.String()
    text = ma.fields.String()
    by = ma.fields.String()
    since = ma.fields.Integer(attribute="at")
    may_lift = ma.fields.Boolean()
    may_take_over = ma.fields.Boolean()


class ColleagueReply(ma.Schema):
    """Somebody else's lesson in the same room or with the same class."""

    name = ma.fields.String()
    room = ma.fields.String(attribute="place.room", allow_none=True)
    class_ = ma.fields.String(attribute="place.class_name", data_key="class", allow_none=True)
    since = ma.fields.Integer(attribute="started_at")


class LessonReply(ma.Schema):
    """An open lesson; `attendance` is null where controle-vnc does not answer. Times in ms."""

    id = ma.fields.String(attribute="lesson.id")
    room = ma.fields.String(attribute="lesson.place.room", allow_none=True)
    class_ = ma.fields.String(
        attribute="lesson.place.class_name", data_key="class", allow_none=True
    )
    since = ma.fields.Integer(attribute="lesson.started_at")
    until = ma.fields.Integer(attribute="lesson.until_at")
    preset = ma.fields.Nested(PresetBody, attribute="lesson.preset", allow_none=True)
    attendance = ma.fields.Nested(AttendanceReply, allow_none=True)
    in_force = ma.fields.List(ma.fields.Nested(InForceReply))
    colleagues = ma.fields.List(ma.fields.Nested(ColleagueReply))


class EndedReply(ma.Schema):
    """How many restraints of each kind were released, and which kinds could not be."""

    released = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), attribute="counts"
    )
    failed = ma.fields.List(ma.fields.String())


@declare(
    blueprint,
    Call(
        "POST", "/lessons", "observe", body=LessonBody, reply=LessonReply, status=201,
        refusals=(404, 409, 503),
    ),
)  # fmt: skip
def start(body: dict[str, Any]) -> Shown:
    """Start a lesson. Each teacher has one at a time; it ends by itself after `LESSON_HOURS`."""
    place = Place(body.get("room"), body.get("class_"))
    return Shown(own.begin(place, body.get("preset")), guard.who())


@declare(blueprint, Call("GET", "/lessons/current", "observe", reply=LessonReply, refusals=(404,)))
def current() -> Shown:
    """One's own open lesson; 404 where there is none."""
    found = shown.now()
    if found is None:
        raise NotFoundError("no lesson is open")
    return found


@declare(
    blueprint,
    Call("POST", "/lessons/<lesson_id>/end", "observe", reply=EndedReply, refusals=(404,)),
)
def end(lesson_id: str) -> Released:
    """End one's own lesson and release everything that it set."""
    return own.finish(lesson_id)


@declare(blueprint, Call("DELETE", "/lessons/<lesson_id>", "observe", status=204, refusals=(404,)))
def delete(lesson_id: str) -> None:
    """The same, without an answer."""
    own.finish(lesson_id)


@declare(blueprint, Call("GET", "/lessons/presets", "observe", reply=PresetReply(many=True)))
def list_presets() -> list[Preset]:
    """One's own presets, by name."""
    with services().database.read() as connection:
        return presets.of_teacher(connection, guard.who().login)


@declare(
    blueprint,
    Call(
        "POST", "/lessons/presets", "observe", body=PresetBody, reply=PresetReply, status=201,
        refusals=(409,),
    ),
)  # fmt: skip
def add_preset(body: dict[str, Any]) -> Preset:
    """Keep a new preset."""
    return own.keep(_preset(body))


@declare(
    blueprint,
    Call(
        "PUT", "/lessons/presets/<int:number>", "observe", body=PresetBody, reply=PresetReply,
        refusals=(404, 409),
    ),
)  # fmt: skip
def change_preset(body: dict[str, Any], number: int) -> Preset:
    """Change one's own preset. A lesson that began with it goes on with what it had."""
    return own.keep(_preset(body, number))


@declare(
    blueprint,
    Call("DELETE", "/lessons/presets/<int:number>", "observe", status=204, refusals=(404,)),
)
def delete_preset(number: int) -> None:
    """Forget one's own preset."""
    own.forget(number)


def _preset(body: dict[str, Any], number: int = 0) -> Preset:
    return Preset(body["name"], body["sites_rule"], tuple(body["sites"]), body["lock_text"], number)
