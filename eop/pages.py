"""The home page, and keeping how a user likes the pages."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop import i18n
from eop.aaa import guard
from eop.aaa.access import Directory, visible_rooms
from eop.aaa.policy import may
from eop.directory import users
from eop.errors import DaemonDownError, InvalidError
from eop.languages import LANGUAGES
from eop.services import services

SYSTEM_THEME = "system"  # the form's word for "as the browser says"
_SWITCH = {True: "on", False: "off"}

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@guard.page_required(None)
def home() -> AnyResponse:
    """What one can do; a student's documents are all that he has here."""
    if may(g.identity, "own_documents").reason == "self":
        return redirect(services().site.MOUNT_POINT + "/eleve/documents", 303)
    return _home()


@guard.page_required("observe")
def _home() -> AnyResponse:
    """The functions, and the rooms and classes one was given."""
    who, parts = guard.who(), services()
    try:
        rooms, down = visible_rooms(who, parts.daemon.rooms()), False
    except DaemonDownError:
        rooms, down = [], True  # the page says so; classes are known without the daemon
    classes = Directory(parts.database).visible_classes(who)
    return make_response(
        render_template("home.html", section="home", rooms=rooms, classes=classes, down=down)
    )


@blueprint.post("/preferences")
@guard.page_required("sign_in")
def preferences() -> AnyResponse:
    """Keep a theme, a language, or the switch of single keys; go back to the page that sent it.

    A script, which sends the session's token in the header, stays where it is.
    """
    who = guard.who()
    theme = request.form.get("theme", who.theme or SYSTEM_THEME)
    language = request.form.get("language", who.language)
    single_keys = request.form.get("single_keys", _SWITCH[who.single_keys])
    known_theme = theme in (SYSTEM_THEME, *users.THEMES)
    if not known_theme or (language is not None and language not in LANGUAGES):
        raise InvalidError("no such theme or language")
    if single_keys not in _SWITCH.values():
        raise InvalidError("single keys are on or off")
    with services().database.write() as connection:
        users.set_preferences(
            connection,
            g.session.login,
            language=language,
            theme=None if theme == SYSTEM_THEME else theme,
            single_keys=single_keys == _SWITCH[True],
        )
    if guard.CSRF_HEADER in request.headers:
        return make_response("", 204)
    answer = redirect(guard.safe_next(request.form.get("next")), 303)
    return i18n.remember(_response(answer), language) if language else answer


def _response(answer: AnyResponse) -> Response:
    return make_response(answer)
