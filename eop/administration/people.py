"""The pages of people: a list to search, and one person."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard, people, throttle
from eop.aaa.people import Desk, Rights
from eop.aaa.sentences import STATES
from eop.administration import forms
from eop.directory import people as directory
from eop.directory import substitutes, users
from eop.directory.people import Wanted
from eop.directory.users import LOCAL, ROLES, User
from eop.errors import N_, InvalidError
from eop.i18n import role_name
from eop.services import services

PATH = "/admin/people"
DONE = {
    "changed": N_("The account was changed. Whoever was signed in with it signs in anew."),
    "disabled": N_("The account is disabled, its sessions have ended."),
    "enabled": N_("The account is enabled again."),
    "ended": N_("Its sessions have ended, what was open is closed."),
    "unlocked": N_("The account is unlocked."),
}

blueprint = Blueprint("administration_people", __name__, url_prefix=PATH)


@blueprint.get("")
@guard.page_required("manage_people")
def page() -> str:
    """Accounts, fifty at a time."""
    parts = services()
    wanted = Wanted(
        text=request.args.get("text", "")[: directory.MAX_TEXT_CHARACTERS],
        role=request.args.get("role", "")[:20],
        source=request.args.get("source", "")[:16],
        state=request.args.get("state", "")[:16],
    )
    with parts.database.read() as connection:
        found = directory.search(connection, wanted, forms.number(request.args.get("page")))
        open_sessions = {
            one.login: len(parts.door.sessions.of_user(connection, one.id, parts.now_ms()))
            for one in found.people
        }
        sources = directory.sources(connection)
    return render_template(
        "admin_people.html",
        section="admin",
        wanted=wanted,
        found=found,
        first=(found.page - 1) * directory.A_PAGE + 1,
        open_sessions=open_sessions,
        sources=[(one, one) for one in sources],
        **_words(),
    )


@blueprint.get("/<login>")
@guard.page_required("manage_people")
def person(login: str) -> AnyResponse:
    """One account, and what may be done with it."""
    return _person(login)


@blueprint.post("/<login>")
@guard.page_required("manage_people")
def change(login: str) -> AnyResponse:
    """Name, role and grants of a local account."""
    rights = Rights(
        name=forms.field("name"),
        role=forms.field("role"),
        rooms=forms.names("rooms"),
        classes=forms.names("classes"),
        heads=forms.names("heads") if "heads" in request.form else None,
    )
    try:
        people.change(_desk(login), rights)
    except InvalidError as error:
        return _person(login, forms.sentence(error), 422)
    return _go_on(login, "changed")


@blueprint.post("/<login>/state")
@guard.page_required("manage_people")
def state(login: str) -> AnyResponse:
    """Disable a local account (`active=no`), or enable it."""
    is_active = forms.field("active") == "yes"
    try:
        people.set_state(_desk(login), is_active)
    except InvalidError as error:
        return _person(login, forms.sentence(error), 422)
    return _go_on(login, "enabled" if is_active else "disabled")


@blueprint.post("/<login>/sessions")
@guard.page_required("manage_people")
def end_sessions(login: str) -> AnyResponse:
    """Sign someone out everywhere."""
    people.end_sessions(_desk(login))
    return _go_on(login, "ended")


@blueprint.post("/<login>/unlock")
@guard.page_required("manage_people")
def unlock(login: str) -> AnyResponse:
    """Lift the locks that wrong passwords brought."""
    people.unlock(_desk(login))
    return _go_on(login, "unlocked")


def _words() -> dict[str, Any]:
    """Roles and states, as people call them."""
    words = {state: gettext(word) for state, word in STATES.items()}
    return {
        "words": words,
        "states": list(words.items()),
        "roles": [(role, role_name(role)) for role in ROLES],
    }


def _desk(login: str) -> Desk:
    parts = services()
    return Desk(parts.door, guard.who().login, login[: users.MAX_LOGIN_CHARACTERS], parts.now_ms())


def _go_on(login: str, done: str) -> AnyResponse:
    return forms.go_on(f"{PATH}/{users.canonical_login(login)}", done)


def _person(login: str, error: str = "", status: int = 200) -> AnyResponse:
    parts = services()
    now_ms = parts.now_ms()
    with parts.database.read() as connection:
        shown: User = users.get(connection, login[: users.MAX_LOGIN_CHARACTERS])
        more: dict[str, Any] = {
            "sessions": parts.door.sessions.of_user(connection, shown.id, now_ms),
            "locked_until": throttle.locked_until(
                connection, parts.door.keys.login_key(shown.login), now_ms
            ),
            "temporary": substitutes.open_at(connection, now_ms, shown.login),
        }
    html = render_template(
        "admin_person.html",
        section="admin",
        shown=shown,
        is_local=shown.source == LOCAL,
        **_words(),
        form=request.form if error else None,
        error=error,
        done=forms.done(DONE),
        **more,
    )
    return make_response(html, status)
