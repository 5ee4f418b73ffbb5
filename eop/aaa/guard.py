"""Who is asking, for every request; and the decorators that let only the right ones in."""

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import quote

from flask import Flask, Response, abort, g, make_response, redirect, render_template, request

from eop.aaa import devices, steps
from eop.aaa import identity as identities
from eop.aaa import session as sessions
from eop.aaa.identity import Identity
from eop.aaa.login import SignedIn, Visit
from eop.aaa.policy import Action, Target, may
from eop.addresses import is_own_origin
from eop.directory import users
from eop.errors import RefusedError
from eop.services import services

SESSION_COOKIE = "eop_session"
DEVICE_COOKIE = "eop_device"
STEP_COOKIE = "eop_step"  # of who is between his password and his session
SECURE_PREFIX = "__Host-"  # a browser then takes it from https of this host alone
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
FROM_SERVERS = {"sign_on.told"}  # endpoints no browser calls: they know neither origin nor cookie
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
MAX_BODY_BYTES = 64 * 1024  # forms and JSON; files will have their own way in
MAX_NEXT_CHARACTERS = 2000

F = TypeVar("F", bound=Callable[..., Any])


def init_app(app: Flask) -> None:
    """Before each request: bounds, origin, then the session of the cookie into `flask.g`."""
    # a chunked body is cut off at this limit, in silence: one byte more shows that it was
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY_BYTES
    app.before_request(_load)


def _load() -> None:
    g.identity, g.session, g.csrf_token, g.token = None, None, "", None
    if (request.endpoint or "").endswith("static"):
        return
    if (request.content_length or 0) > MAX_BODY_BYTES:
        abort(413)
    if request.endpoint in FROM_SERVERS:
        return
    if request.method not in SAFE_METHODS:
        origin = request.headers.get("Origin")
        if origin is not None and not is_own_origin(origin, services().site, services().shared):
            raise RefusedError("origin")
    token = request.cookies.get(_cookie_name(SESSION_COOKIE))
    if token is not None and sessions.is_token(token):
        _load_session(token)


def _load_session(token: str) -> None:
    parts = services()
    now_ms, door = parts.now_ms(), parts.door
    session_id = door.keys.session_id(token)
    with parts.database.read() as connection:
        session = door.sessions.find(connection, session_id, now_ms)
        if session is None:
            return
        user = users.get(connection, session.login)
    if now_ms - session.seen_at >= sessions.TOUCH_SECONDS * 1000:
        with parts.database.write() as connection:
            door.sessions.touch(connection, session_id, now_ms)
    g.identity, g.session, g.token = identities.of_user(user), session, token
    g.csrf_token = door.keys.csrf_token(token)


def _cookie_name(name: str) -> str:
    return SECURE_PREFIX + name if request.is_secure else name


def device() -> str:
    """The cookie of `eop.aaa.devices`, or nothing."""
    return cookie(DEVICE_COOKIE)


def visit() -> Visit:
    """From where this request signs in."""
    browser = request.headers.get("User-Agent", "")
    return Visit(
        address=request.remote_addr or "",
        device=device(),
        browser="".join(letter for letter in browser if letter.isprintable()),
        old_token=g.token,
    )


def cookie(name: str) -> str:
    """One of our cookies, or nothing."""
    return request.cookies.get(_cookie_name(name), "")


def set_cookies(response: Response, signed_in: SignedIn) -> Response:
    """Give the browser a session's token, which ends with the browser, and the device's name."""
    set_cookie(response, SESSION_COOKIE, signed_in.token, None)
    set_cookie(response, DEVICE_COOKIE, signed_in.device, devices.KNOWN_SECONDS)
    return response


def set_cookie(response: Response, name: str, value: str, seconds: int | None) -> None:
    """Give the browser a cookie that scripts and other sites' forms do not get."""
    response.set_cookie(
        _cookie_name(name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=request.is_secure,
        samesite="Lax",
    )


def set_step_cookie(response: Response, token: str) -> Response:
    """Give the browser the token of the step that is due."""
    set_cookie(response, STEP_COOKIE, token, steps.STEP_SECONDS)
    return response


def clear_step_cookie(response: Response) -> Response:
    """Take the token of a step back: it is over."""
    set_cookie(response, STEP_COOKIE, "", 0)
    return response


def step_token() -> str:
    """The token of the step that is due, or nothing."""
    return cookie(STEP_COOKIE)


def clear_cookie(response: Response) -> Response:
    """Take the session's token back; the device is still known."""
    set_cookie(response, SESSION_COOKIE, "", 0)
    return response


def who() -> Identity:
    """The signed-in user of this request; raises `RefusedError("signed_out")`."""
    if g.identity is None:
        raise RefusedError("signed_out")
    return cast(Identity, g.identity)


def require_csrf() -> None:
    """Refuse a change without its session's token, in the header or in the form."""
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.mimetype == "application/x-www-form-urlencoded":
        given = request.form.get(CSRF_FIELD)
    wanted = g.csrf_token.encode()
    if not wanted or not hmac.compare_digest((given or "").encode("utf-8", "replace"), wanted):
        raise RefusedError("csrf")


def require(action: Action, target: Target | None = None) -> None:
    """Refuse what policy does not allow; the code says why."""
    decision = may(g.identity, action, target)
    if not decision.allowed:
        raise RefusedError("denied" if decision.reason == "role" else decision.reason)


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


def page_required(action: Action) -> Callable[[F], F]:
    """A page for those who may do `action`: others sign in first, or read why not."""

    def decorate(view: F) -> F:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if g.identity is None:
                return redirect(login_address(), 303)
            if request.method not in SAFE_METHODS:
                require_csrf()
            decision = may(g.identity, action)
            if not decision.allowed:
                return denied_page(decision.reason)
            return view(*args, **kwargs)

        return cast(F, guarded)

    return decorate


def denied_page(reason: str) -> Response:
    """The page for who is signed in but may not enter."""
    response = make_response(render_template("denied.html", reason=reason))
    response.status_code = 403
    return response


def login_address() -> str:
    """The sign-in page, which leads back to the page that was asked for."""
    if request.method not in SAFE_METHODS:
        return "/login"  # what was sent is lost: its address takes no GET
    asked = request.script_root + request.full_path.rstrip("?")
    return "/login?next=" + quote(asked, safe="/")


def safe_next(text: str | None) -> str:
    """A path of this server to go on to after signing in: `text`, or the home page."""
    home = services().site.MOUNT_POINT + "/"
    if not text or len(text) > MAX_NEXT_CHARACTERS or not text.isascii():
        return home
    if not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return home
    return text
