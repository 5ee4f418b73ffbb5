"""The root pages: /login, /logout, /eoleauth and /ping."""

from urllib.parse import quote

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import door_page, guard, login, revocations, sign_on, steps
from eop.aaa.login import Credentials, SignedIn
from eop.aaa.passwords import MAX_BYTES
from eop.aaa.steps import Pending
from eop.addresses import public_origin
from eop.errors import RefusedError
from eop.services import services

STEP_PAGE = "/login/step"
MAX_TYPED_LOGIN = 256  # longer than any login, short enough to be shown again

blueprint = Blueprint("aaa", __name__)


@blueprint.get("/login")
def login_page() -> AnyResponse:
    """The form; who is signed in already goes on.

    With one sign-on server alone the way leads there, but after signing out (`out`) and for who
    asks for the form (`local`).
    """
    asked = guard.safe_next(request.args.get("next"))
    if g.identity is not None:
        return redirect(asked, 303)
    if request.args.get("local") == "1":
        return door_page.shown(asked, form=True)
    parts = services()
    if parts.site.SINGLE_SIGN_ON_ONLY and "out" not in request.args:
        server = parts.door.single_sign_on[0]
        return door_page.onward(f"/login/{server.name}?next={quote(asked)}", server.label)
    return door_page.shown(asked)


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
    if g.identity is None:
        return redirect("/login", 303)
    return make_response(render_template("signout.html"))


@blueprint.post("/logout")
def logout_form() -> AnyResponse:
    """End the session and close its screens; and that at the sign-on server, if so set."""
    parts = services()
    out = "/login?out=1" if parts.site.SINGLE_SIGN_ON_ONLY else "/login"
    further = None
    if g.session is not None:
        guard.require_csrf()
        login.sign_out(parts.door, g.session, parts.now_ms())
        _deliver()
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


@blueprint.get("/eoleauth")
def eoleauth() -> Response:
    """The login of who is signed in, as plain text; nothing and 401 for others."""
    if g.identity is None:
        return _text("", 401)
    return _text(g.identity.login)


@blueprint.get("/ping")
def ping() -> Response:
    """Says that the site answers."""
    return _text("pong")


@blueprint.get("/")
def home() -> AnyResponse:
    """The server's own root leads to the site."""
    return redirect(services().site.MOUNT_POINT + "/", 303)


@blueprint.get("/documents")
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
