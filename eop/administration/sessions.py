"""The page of sessions: everybody's, and ending one or all of a person (as `eopctl session`)."""

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, g, render_template, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from eop import moments
from eop.aaa import browsers, guard, people
from eop.aaa.people import Desk
from eop.aaa.session import Session
from eop.administration import forms
from eop.audit import events
from eop.directory import users
from eop.errors import N_
from eop.services import services

PATH = "/admin/sessions"
A_PAGE = 50
MAX_TEXT_CHARACTERS = 64
MAX_ID_CHARACTERS = 64  # a hash in hexadecimal

DONE = {
    "ended": N_("The session has ended, what was open by it is closed."),
    "all": N_("All sessions of this person have ended, what was open is closed."),
    "gone": N_("It had ended already."),
}

blueprint = Blueprint("administration_sessions", __name__, url_prefix=PATH)


@dataclass(frozen=True)
class Shown:
    """One session as the page tells it; `count`: how many this person has open."""

    id: str
    login: str
    name: str
    browser: str
    address: str
    since: str
    seen: str
    ends: str
    application: str
    authenticator: str
    count: int
    is_own: bool


@blueprint.get("")
@guard.page_required("manage_sessions")
def page() -> str:
    """Open sessions, the last used first, fifty at a time."""
    parts = services()
    text = request.args.get("text", "")[:MAX_TEXT_CHARACTERS].strip()
    with parts.database.read() as connection:
        live = parts.door.sessions.live(connection, parts.now_ms())
        names = users.names(connection, {one.login for one in live})
        found = [one for one in live if _fits(one, names, text.casefold())]
    found.sort(key=lambda one: (-one.seen_at, one.login, one.id))
    pages = max(1, -(-len(found) // A_PAGE))
    number = min(forms.number(request.args.get("page")), pages)
    counts = Counter(one.login for one in live)
    return render_template(
        "admin_sessions.html",
        section="admin",
        text=text,
        listed=[
            _shown(one, names, counts[one.login])
            for one in found[(number - 1) * A_PAGE : number * A_PAGE]
        ],
        total=len(found),
        people=len({one.login for one in found}),
        page=number,
        pages=pages,
        first=(number - 1) * A_PAGE + 1,
        done=forms.done(DONE),
    )


@blueprint.post("/end")
@guard.page_required("manage_sessions")
def end() -> AnyResponse:
    """End one session; its open screens close."""
    parts, by = services(), guard.who().login
    id_, now_ms = forms.field("session")[:MAX_ID_CHARACTERS], services().now_ms()
    with parts.database.write() as connection:
        found = parts.door.sessions.find(connection, id_, now_ms)
        if found is not None:
            parts.door.sessions.end(connection, [found.id], now_ms)
            _record(connection, found, by, now_ms)
    return _go_on("ended" if found is not None else "gone")


@blueprint.post("/end-all")
@guard.page_required("manage_sessions")
def end_all() -> AnyResponse:
    """End every session of one person."""
    parts, login = services(), forms.field("login")[: users.MAX_LOGIN_CHARACTERS]
    ended = people.end_sessions(Desk(parts.door, guard.who().login, login, parts.now_ms()))
    return _go_on("all" if ended else "gone")


def _record(connection: Connection, ended: Session, by: str, now_ms: int) -> None:
    """As `eopctl session revoke` writes it down."""
    events.record(
        connection, "session_revoked", now_ms, user=by, session=ended.id,
        details={"login": ended.login},
    )  # fmt: skip


def _go_on(done: str) -> AnyResponse:
    text = forms.field("text")[:MAX_TEXT_CHARACTERS]
    return forms.go_on(PATH + forms.query(text=text), done)


def _fits(one: Session, names: dict[str, str], text: str) -> bool:
    return text in f"{one.login}\n{names.get(one.login, '')}\n{one.address}".casefold()


def _shown(one: Session, names: dict[str, str], count: int) -> Shown:
    now_ms = services().now_ms()
    return Shown(
        id=one.id,
        login=one.login,
        name=names.get(one.login, one.login),
        browser=browsers.in_words(one.browser),
        address=one.address,
        since=moments.told_lately(one.created_at, now_ms),
        seen=moments.told_lately(one.seen_at, now_ms),
        ends=moments.told_lately(one.ends_at, now_ms),
        application=one.application,
        authenticator=one.authenticator,
        count=count,
        is_own=one.id == g.session.id,
    )
