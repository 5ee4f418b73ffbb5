"""The pages of lessons: starting and ending one, who is in, the presets, and the bar's parts."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard
from eop.aaa.access import Directory
from eop.aaa.policy import Target, may
from eop.directory.classes import SchoolClass
from eop.errors import N_, DaemonDownError, ExistsError, InvalidError, NotFoundError, RefusedError
from eop.lessons import own, presets, shown, sites, store
from eop.lessons.presets import Preset
from eop.replies import in_words
from eop.restraints import MAX_KEY_CHARACTERS, Place
from eop.services import services

PATH = "/lessons/"
PRESETS = "/lessons/presets"
MAX_FIELD_CHARACTERS = 64  # of a room, a class, an id
# of a form: MAX_SITES names of that length would be longer than any body
MAX_SITES_CHARACTERS = 32 * 1024
DONE = {
    "saved": N_("The preset is kept."),
    "removed": N_("The preset is removed."),
}

blueprint = Blueprint("lesson_pages", __name__, url_prefix="/lessons")


@blueprint.get("/")
@guard.page_required("observe")
def page() -> AnyResponse:
    """The open lesson with who is in and who is missing; or the form that starts one."""
    return _page()


@blueprint.post("/")
@guard.page_required("observe")
def start() -> AnyResponse:
    """Start a lesson, and go to its wall."""
    place = Place(_field("room") or None, _field("class") or None)
    if place == Place():
        return _page(gettext("Choose a room, a class, or both."), 422)
    try:
        own.begin(place, _number("preset"))
    except RefusedError as error:
        if error.code == "lesson_open":  # in another tab: the page shows it
            return redirect(_address(PATH), 303)
        raise
    return redirect(_address(f"/observe/wall?{shown.wall_query(place)}"), 303)


@blueprint.get("/end")
@guard.page_required("observe")
def confirm() -> AnyResponse:
    """Asks before the lesson ends, and says what is released."""
    lesson = shown.now()
    if lesson is None:
        return redirect(_address(PATH), 303)
    return make_response(render_template("lesson_end.html", section="lesson", lesson=lesson))


@blueprint.post("/end")
@guard.page_required("observe")
def end() -> AnyResponse:
    """End the lesson that the page showed, and go home, where it says what was released."""
    try:
        released = own.finish(_field("lesson"))
    except NotFoundError:  # in another tab, or by itself: that is what was wanted
        return redirect(_address(PATH), 303)
    told = f"/?lesson=ended&released={released.total}"
    return redirect(_address(told + ("&failed=1" if released.failed else "")), 303)


@blueprint.get("/bar")
@guard.page_required("observe")
def bar() -> AnyResponse:
    """The parts of the bar that change; where no lesson is open any more, they say so."""
    return make_response(render_template("_lesson_parts.html", lesson=shown.now()))


@blueprint.post("/in-force/<kind>")
@guard.page_required("observe")
def change(kind: str) -> AnyResponse:
    """Lift something that is in force (`do=lift`), or take it over; back to where one was."""
    lesson, parts, key = shown.now(), services(), request.form.get("key", "")[:MAX_KEY_CHARACTERS]
    if lesson is None:
        return redirect(_address(PATH), 303)
    restraint, means = parts.restraints.of(kind), shown.house().means(parts.now_ms())
    if request.form.get("do") == "lift":
        restraint.lift(means, guard.who(), lesson.lesson.place, key)
    else:
        restraint.take_over(means, guard.who(), lesson.lesson.place, key)
    return redirect(guard.safe_next(request.form.get("next")), 303)


@blueprint.get("/presets")
@guard.page_required("observe")
def list_presets() -> AnyResponse:
    """One's own presets, and a form for another."""
    return _presets_page(Preset(""))


@blueprint.get("/presets/<int:number>")
@guard.page_required("observe")
def show_preset(number: int) -> AnyResponse:
    """One preset, to be changed."""
    with services().database.read() as connection:
        found = presets.get(connection, guard.who().login, min(number, own.MAX_NUMBER))
    return _presets_page(found)


@blueprint.post("/presets")
@guard.page_required("observe")
def save_preset() -> AnyResponse:
    """Keep a new preset, or change one."""
    sent = Preset(
        name=request.form.get("name", "")[: presets.MAX_NAME_CHARACTERS + 1],
        sites_rule=_field("sites_rule"),
        sites=_names(request.form.get("sites", "")[:MAX_SITES_CHARACTERS]),
        lock_text=request.form.get("lock_text", "")[: presets.MAX_LOCK_CHARACTERS + 1],
        id=_number("id") or 0,
    )
    try:
        own.keep(sent)
    except InvalidError as error:
        return _presets_page(sent, in_words(error), 422)
    except ExistsError:
        return _presets_page(sent, gettext("You have a preset of that name already."), 409)
    return redirect(_address(f"{PRESETS}?done=saved"), 303)


@blueprint.post("/presets/<int:number>/remove")
@guard.page_required("observe")
def remove_preset(number: int) -> AnyResponse:
    """Forget a preset."""
    own.forget(number)
    return redirect(_address(f"{PRESETS}?done=removed"), 303)


def _page(error: str = "", status: int = 200) -> AnyResponse:
    lesson, parts, who = shown.now(), services(), guard.who()
    more: dict[str, Any] = {}
    if lesson is None:
        more = _choices()
    with parts.database.read() as connection:
        mine = presets.of_teacher(connection, who.login)
        open_now = store.open_at(connection, parts.now_ms())
    html = render_template(
        "lesson.html",
        section="lesson",
        lesson=lesson,
        presets=mine,
        held=[one for one in open_now if one.login != who.login and _is_mine(one.place)],
        hours=parts.site.LESSON_HOURS,
        chosen=request.form if request.method == "POST" else request.args,
        error=error,
        done=_done(),
        shown=shown,
        **more,
    )
    return make_response(html, status)


def _choices() -> dict[str, Any]:
    """The rooms and classes in which one may give a lesson."""
    parts, who = services(), guard.who()
    try:
        rooms = [one.name for one in parts.daemon.rooms()]
        down = False
    except DaemonDownError:
        rooms, down = [], True  # the page says so; a class is chosen without the daemon
    groups: list[SchoolClass] = Directory(parts.database).classes
    allowed = [one for one in groups if _may_teach(Place(class_name=one.name))]
    return {
        "rooms": [one for one in rooms if may(who, "lesson", Target(one)).allowed],
        "classes": allowed,
        "down": down,
    }


def _is_mine(place: Place) -> bool:
    """Whether a colleague's lesson is where one may give one, too."""
    return (place.room is not None and _may_teach(Place(place.room))) or (
        place.class_name is not None and _may_teach(Place(class_name=place.class_name))
    )


def _may_teach(place: Place) -> bool:
    group = frozenset({place.class_name}) if place.class_name else frozenset()
    return may(guard.who(), "lesson", Target(place.room, group)).allowed


def _presets_page(shown_preset: Preset, error: str = "", status: int = 200) -> AnyResponse:
    with services().database.read() as connection:
        mine = presets.of_teacher(connection, guard.who().login)
    html = render_template(
        "lesson_presets.html",
        section="lesson",
        presets=mine,
        preset=shown_preset,
        error=error,
        done=_done(),
        limits={"name": presets.MAX_NAME_CHARACTERS, "lock": presets.MAX_LOCK_CHARACTERS},
        most={"presets": presets.MAX_PRESETS, "sites": sites.MAX_SITES},
    )
    return make_response(html, status)


def _done() -> str:
    sentence = DONE.get(request.args.get("done", ""))
    return str(gettext(sentence)) if sentence else ""


def _field(name: str) -> str:
    return request.form.get(name, "")[:MAX_FIELD_CHARACTERS].strip()


def _number(name: str) -> int | None:
    text = _field(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _address(path: str) -> str:
    return services().site.MOUNT_POINT + path


def _names(text: str) -> tuple[str, ...]:
    """Names of sites: one a line, or several; a line of other words stays whole to be shown."""
    names: list[str] = []
    for line in text.splitlines():
        words = line.replace(",", " ").replace(";", " ").split()
        names += words if all("." in word for word in words) else [line.strip()]
    return tuple(names)
