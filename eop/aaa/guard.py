"""Who is asking, for every request; and the decorators that let only the right ones in."""

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import quote

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
)

from eop.aaa import cookies, devices, login, revocations, room_settings, steps
from eop.aaa import identity as identities
from eop.aaa import session as sessions
from eop.aaa.cookies import DEVICE_COOKIE, SESSION_COOKIE, STEP_COOKIE
from eop.aaa.identity import Identity
from eop.aaa.login import SignedIn, Visit
from eop.aaa.membership import Membership, current, join
from eop.aaa.policy import Action, Decision, Target, may
from eop.addresses import is_own_origin
from eop.directory import substitutes, users
from eop.errors import RefusedError
from eop.services import services

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
FROM_SERVERS = {"sign_on.told"}  # endpoints no browser calls: they know neither origin nor cookie
# asked by an open page itself: nobody need be there for it
UNATTENDED = {
    "lesson_pages.bar", "observation.workstation", "rewind.picture", "rewind.times", "server.ping",
}  # fmt: skip
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
MAX_BODY_BYTES = 64 * 1024  # forms and JSON; a view that takes files says so: `takes_up_to`
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
MAX_NEXT_CHARACTERS = 2000
OWN_PAGES = "EOP_PAGES"  # set in the configuration of applications that have our templates

F = TypeVar("F", bound=Callable[..., Any])


def init_app(app: Flask, member: Membership) -> None:
    """Before each request: origin, then the session of this member's cookie into `flask.g`."""
    join(app, member)
    app.before_request(_load)


def limit_bodies(app: Flask) -> None:
    """Refuse more than a form of ours or a call needs."""
    # a chunked body is cut off at this limit, in silence: one byte more shows that it was
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.before_request(_limit)


def _limit() -> None:
    if b"%00" in request.query_string:  # nothing of ours has a zero byte, and PostgreSQL takes none
        abort(400)
    view = current_app.view_functions.get(request.endpoint or "")
    most = getattr(view, "max_body_bytes", MAX_BODY_BYTES)
    if most != MAX_BODY_BYTES:
        request.max_content_length, request.max_form_memory_size = most + 1, most
    if (request.content_length or 0) > most:
        abort(413)


def takes_up_to(most_bytes: int) -> Callable[[F], F]:
    """A view whose requests may be larger than a form: for files; the outermost decorator."""

    def decorate(view: F) -> F:
        view.max_body_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return decorate


def _load() -> None:
    g.identity, g.session, g.csrf_token, g.token = None, None, "", None
    if (request.endpoint or "").endswith("static"):
        return
    if request.endpoint in FROM_SERVERS:
        return
    if request.method not in SAFE_METHODS:
        origin = request.headers.get("Origin")
        if origin is not None and not is_own_origin(origin, services().site, services().shared):
            raise RefusedError("origin")
    token = cookies.token(SESSION_COOKIE, current().scope)
    if token is not None:
        _load_session(token)


def _load_session(token: str) -> None:
    """Who has this token; a session of another application opens nothing here."""
    parts = services()
    now_ms, door = parts.now_ms(), parts.door
    session_id = door.keys.session_id(token)
    with parts.database.single() as connection:
        found = door.sessions.find_with_user(connection, session_id, now_ms)
    if found is None:
        return
    session, user, temporary = found
    if session.application != current().scope or user.state != users.ACTIVE:
        return
    is_old = now_ms - session.seen_at >= sessions.TOUCH_SECONDS * 1000
    if is_old and request.endpoint not in UNATTENDED:
        with parts.database.write() as connection:
            door.sessions.touch(connection, session_id, now_ms)
    g.identity, g.session, g.token = identities.of_user(user, temporary), session, token
    g.csrf_token = door.keys.csrf_token(token)


def device() -> str:
    """The cookie of `eop.aaa.devices`, or nothing."""
    return request.cookies.get(cookies.name(DEVICE_COOKIE), "")


def visit() -> Visit:
    """From where this request signs in."""
    browser = request.headers.get("User-Agent", "")
    return Visit(
        address=request.remote_addr or "",
        device=device(),
        browser="".join(letter for letter in browser if letter.isprintable()),
        application=current().scope,
        old_token=g.token,
    )


def set_cookies(response: Response, signed_in: SignedIn) -> Response:
    """Give the browser a session's token, which ends with the browser, and the device's name."""
    name = cookies.name(SESSION_COOKIE, signed_in.session.application)
    cookies.give(response, name, signed_in.token, None)
    cookies.give(response, cookies.name(DEVICE_COOKIE), signed_in.device, devices.KNOWN_SECONDS)
    return response


def set_step_cookie(response: Response, token: str) -> Response:
    """Give the browser the token of the step that is due."""
    cookies.give(response, cookies.name(STEP_COOKIE), token, steps.STEP_SECONDS)
    return response


def clear_step_cookie(response: Response) -> Response:
    """Take the token of a step back: it is over."""
    cookies.take_back(response, cookies.name(STEP_COOKIE))
    return response


def step_token() -> str:
    """The token of the step that is due, or nothing."""
    return cookies.token(STEP_COOKIE) or ""


def clear_cookie(response: Response) -> Response:
    """Take the session's token back; the device is still known."""
    cookies.take_back(response, cookies.name(SESSION_COOKIE, current().scope))
    return response


def sign_out() -> None:
    """End the session of this request and close its screens."""
    parts = services()
    everywhere = current().ends_everywhere
    login.sign_out(parts.door, g.session, parts.now_ms(), everywhere=everywhere)
    revocations.deliver(parts.database, parts.daemon)


def who() -> Identity:
    """The signed-in user of this request; raises `RefusedError("signed_out")`."""
    if g.identity is None:
        raise RefusedError("signed_out")
    return cast(Identity, g.identity)


def require_csrf() -> None:
    """Refuse a change without its session's token, in the header or in the form."""
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.mimetype in FORMS:
        given = request.form.get(CSRF_FIELD)
    wanted = g.csrf_token.encode()
    if not wanted or not hmac.compare_digest((given or "").encode("utf-8", "replace"), wanted):
        raise RefusedError("csrf")


def require(action: Action, target: Target | None = None) -> None:
    """Refuse what policy does not allow; the code says why."""
    _obey(may(g.identity, action, target))


@contextmanager
def allowed_now(action: Action, target: Target) -> Iterator[None]:
    """Give a ticket only where policy allows it at this moment, and still does once it is given.

    While all screens are closed it allows none. A right for some days may end, or be taken back,
    while the ticket is made: then what was opened with it closes. (Whoever loses a lasting right
    loses his session, for which controle-vnc makes no ticket any more.)
    """
    parts = services()
    with parts.database.read() as connection:
        circumstances = room_settings.circumstances(connection, action, target)
    decision = may(g.identity, action, target, circumstances)
    _obey(decision)
    yield
    if not decision.reason.startswith("temporary_"):
        return
    with parts.database.read() as connection:
        user = users.get(connection, g.session.login)
        temporary = substitutes.grants_at(connection, user.id, parts.now_ms())
    decision = may(identities.of_user(user, temporary), action, target)
    if not decision.allowed:
        parts.daemon.close_viewers([g.session.id])
    _obey(decision)


def _obey(decision: Decision) -> None:
    if not decision.allowed:
        told = {"signed_out", "grant", "switched_off", "rewind_off"}
        raise RefusedError(decision.reason if decision.reason in told else "denied")


def call_required(action: Action | None) -> Callable[[F], F]:
    """An API call for those who may do `action` (`None`: for everyone signed in)."""

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            who()
            if request.method not in SAFE_METHODS:
                require_csrf()
            if action is not None:
                require(action)
            return view(*args, **kwargs)

        return cast(F, guarded)

    return decorate


def page_required(action: Action | None) -> Callable[[F], F]:
    """A page for those who may do `action` (`None`: for everyone signed in).

    Others sign in first, or read why not.
    """

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if g.identity is None:
                return redirect(login_address(), 303)
            if request.method not in SAFE_METHODS:
                require_csrf()
            if action is not None:
                decision = may(g.identity, action)
                if not decision.allowed:
                    return _denied(decision.reason)
            return view(*args, **kwargs)

        return cast(F, guarded)

    return decorate


def _denied(reason: str) -> Response:
    """The site's own page, or what another application makes of it."""
    if current_app.config.get(OWN_PAGES):
        return denied_page(reason)
    raise RefusedError("denied")


def denied_page(reason: str) -> Response:
    """The page for who is signed in but may not enter."""
    response = make_response(render_template("denied.html", reason=reason))
    response.status_code = 403
    return response


def login_address() -> str:
    """The sign-in page, which leads back to the page that was asked for."""
    door = f"{current().door}/login"
    if request.method not in SAFE_METHODS:
        return door  # what was sent is lost: its address takes no GET
    asked = request.script_root + request.full_path.rstrip("?")
    return f"{door}?next=" + quote(asked, safe="/")


def safe_next(text: str | None) -> str:
    """A path of this server to go on to after signing in: `text`, or the home page."""
    if not text or len(text) > MAX_NEXT_CHARACTERS or not text.isascii():
        return current().home
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return current().home
    return text
