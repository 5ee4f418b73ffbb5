"""The page of substitute teachers: who gets what, and until when."""

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard, substitution
from eop.aaa.access import Directory
from eop.administration import forms
from eop.directory import days, people, substitutes
from eop.directory.substitutes import Substitution
from eop.errors import N_, DaemonDownError, InvalidError, NotFoundError
from eop.services import services

PATH = "/admin/substitutes"
DONE = {
    "given": N_("The rights are given; they end by themselves."),
    "removed": N_("The right was taken back; what was open by it closes."),
}

blueprint = Blueprint("administration_substitutes", __name__, url_prefix=PATH)


@blueprint.get("")
@guard.page_required("substitute")
def page() -> AnyResponse:
    """What is given now or will be, and a form for more."""
    return _page()


@blueprint.post("")
@guard.page_required("substitute")
def give() -> AnyResponse:
    """Give one person rooms and classes."""
    parts = services()
    try:
        given = _given(parts.now_ms())
        substitution.give(parts.database, given, parts.now_ms())
    except NotFoundError:
        return _page(gettext("There is no such account."), 422)
    except InvalidError as error:
        return _page(forms.sentence(error), 422)
    return forms.go_on(PATH, "given")


@blueprint.post("/<int:number>/remove")
@guard.page_required("substitute")
def remove(number: int) -> AnyResponse:
    """Take one of them back at once."""
    parts, by = services(), guard.who().login
    substitution.remove(parts.database, parts.door.sessions, number, by, parts.now_ms())
    return forms.go_on(PATH, "removed")


def _given(now_ms: int) -> Substitution:
    rooms, classes = forms.names("rooms"), forms.names("classes")
    if absent := forms.field("absent"):
        with services().database.read() as connection:
            more_rooms, more_classes = substitution.copied(connection, absent)
        rooms, classes = (*rooms, *more_rooms), (*classes, *more_classes)
    first = forms.field("from") or days.today(now_ms)
    return Substitution(
        login=forms.field("login"),
        rooms=rooms,
        classes=classes,
        from_at=max(now_ms, days.begin(first)),
        until_at=days.end(forms.field("until") or first),
        given_by=guard.who().login,
    )


def _page(error: str = "", status: int = 200) -> AnyResponse:
    parts = services()
    now_ms = parts.now_ms()
    with parts.database.read() as connection:
        given = substitutes.open_at(connection, now_ms)
        teachers = people.of_roles(connection, substitutes.ROLES)
    try:
        rooms = [room.name for room in parts.daemon.rooms()]
    except DaemonDownError:
        rooms = []  # the page says that rooms cannot be listed
    html = render_template(
        "admin_substitutes.html",
        section="admin",
        given=given,
        teachers=teachers,
        rooms=rooms,
        classes=[one.name for one in Directory(parts.database).classes],
        chosen=(set(forms.names("rooms")), set(forms.names("classes"))),
        today=days.today(now_ms),
        now_ms=now_ms,
        form=request.form,
        error=error,
        done=forms.done(DONE),
    )
    return make_response(html, status)
