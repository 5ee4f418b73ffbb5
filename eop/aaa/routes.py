"""The pages of signing in and out, and what else is at the root of the server.

`blueprint` is registered at the root, and below the mount point of each application with sessions
of its own.
"""

from urllib.parse import quote, urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import codes, door_page, guard, login, revocations, sign_on, steps
from eop.aaa.codes import Wanted
from eop.aaa.login import Credentials, SignedIn
from eop.aaa.membership import current
from eop.aaa.passwords import MAX_BYTES
from eop.aaa.steps import Pending
from eop.addresses import public_origin
from eop.errors import RefusedError
from eop.services import services

STEP_PAGE = "/login/step"
MAX_TYPED_LOGIN = 256  # longer than any login, short enough to be shown again
MAX_NEXT_THERE = 400  # of another application's page; encoded twice it still fits in ours

blueprint = Blueprint("aaa", __name__)
root = Blueprint("root", __name__)
server = Blueprint("server", __name__)


@blueprint.get("/login")
def login_page() -> AnyResponse:
    """The form; who is signed in already goes on, with a code where an application asks for one.

    With one sign-on server alone the way leads there, but after signing out (`out`) and for who
    asks for the form (`local`).
    """
    parts = services()
    # codes are made of the session that all share, not of an application's own
    wanted = None if current().scope else codes.wanted(request.args, parts.site.APPLICATIONS)
    asked = guard.safe_next(_again(wanted) if wanted else request.args.get("next"))
    if g.identity is not None:
        return redirect(_with_code(wanted) if wanted else asked, 303)
    if request.args.get("local") == "1":
        return door_page.shown(asked, form=True)
    if door_page.is_for_sign_on_alone() and "out" not in request.args:
        server = parts.door.single_sign_on[0]
        return door_page.onward(f"/login/{server.name}?next={quote(asked)}", server.label)
    return door_page.shown(asked)


def _again(wanted: Wanted) -> str:
    """This page's address once more: who has signed in comes back to it for the code."""
    arguments = {"application": wanted.application, "state": wanted.state}
    return "/login?" + urlencode(arguments | {"next": _next_there()})


def _with_code(wanted: Wanted) -> str:
    """Where the application takes its code."""
    parts = services()
    with parts.database.write() as connection:
        code = codes.issue(connection, parts.door.keys, g.session.id, wanted, parts.now_ms())
    arguments = {"code": code, "state": wanted.state, "next": _next_there()}
    return f"{wanted.application}/session?{urlencode(arguments)}"


def _next_there() -> str:
    """The page asked for at the application, which checks it itself."""
    return request.args.get("next", "")[:MAX_NEXT_THERE]


@blueprint.post("/login")
def login_form() -> AnyResponse:
    """Sign in and go on, or say why not."""
    asked = guard.safe_next(request.form.get("next"))
    username = request.form.get("username", "")[:MAX_TYPED_LOGIN]
    password = request.form.get("password", "")
    typed = Credentials(username, password[:MAX_BYTES])
    try:
        if not username or not password:
            raise RefusedError("wrong")
        signed_in = login.sign_in(services().door, typed, guard.visit(), services().now_ms())
    except RefusedError as error:
        return door_page.shown(asked, username=username, refused=error, form=True)
    return entered(signed_in, asked)


def entered(outcome: SignedIn | Pending, asked: str) -> Response:
    """The answer to who has signed in: his cookies, and the page he asked for.

    Where a step is due first, its cookie and its page.
    """
    if isinstance(outcome, Pending):
        parts = services()
        with parts.database.write() as connection:
            steps.lead_to(connection, parts.door.keys, outcome.token, asked)
        return guard.set_step_cookie(redirected(STEP_PAGE), outcome.token)
    if g.token is not None:
        _deliver()
    return guard.set_cookies(redirected(asked), outcome)


@blueprint.get("/logout")
def logout_page() -> AnyResponse:
    """Asks to confirm: a link elsewhere must not sign anyone out."""
    if g.identity is not None:
        return make_response(render_template("signout.html"))
    if current().aaa_url:  # its door leads on to where one may be signed in still
        return make_response(render_template("signed_out.html"))
    return redirect(f"{current().door}/login", 303)


@blueprint.post("/logout")
def logout_form() -> AnyResponse:
    """End the session and close its screens; and that at the sign-on server, if so set."""
    parts = services()
    out = f"{current().door}/{'logout' if current().aaa_url else 'login'}"
    if door_page.is_for_sign_on_alone():
        out += "?out=1"
    further = None
    if g.session is not None:
        guard.require_csrf()
        guard.sign_out()
        if parts.site.SINGLE_SIGN_OUT:
            back = public_origin(parts.site, parts.shared) + out
            further = _further_out(g.session.authenticator, back)
    return guard.clear_cookie(further or redirected(out))


def _further_out(name: str, back: str) -> Response | None:
    """The page that goes on to sign out of the server that signed this session in."""
    door = services().door
    server = next((one for one in door.single_sign_on if one.name == name), None)
    address = sign_on.sign_out_address(server, back) if server else None
    return door_page.onward(address, server.label) if server and address else None


@root.get("/eoleauth")
def eoleauth() -> Response:
    """The login of who is signed in, as plain text; nothing and 401 for others."""
    if g.identity is None:
        return _text("", 401)
    return _text(g.identity.login)


@server.get("/ping")
def ping() -> Response:
    """Says that the site answers."""
    return _text("pong")


@server.get("/")
def home() -> AnyResponse:
    """The server's own root leads to the site."""
    return redirect(current().home, 303)


@server.get("/documents")
def documents() -> AnyResponse:
    """The address of the documented tunnel test."""
    return redirect(services().site.MOUNT_POINT + "/documents/", 303)


def _deliver() -> None:
    revocations.deliver(services().database, services().daemon)


def redirected(address: str) -> Response:
    """See another address, by GET."""
    response = make_response("")
    response.status_code = 303
    response.headers["Location"] = address
    return response


def _text(text: str, status: int = 200) -> Response:
    response = make_response(text, status)
    response.mimetype = "text/plain"
    return response
