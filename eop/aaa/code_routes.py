"""The door of an application whose sign-in service is under another host name.

`/login` sends the browser there with a state value that is also kept in a cookie; it comes back to
`/session` with a code, for which the application begins a session of its own.
"""

import hmac
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import codes, cookies, guard, login, revocations
from eop.aaa.codes import Wanted
from eop.aaa.cookies import STATE_COOKIE
from eop.aaa.login import SignedIn
from eop.aaa.membership import current
from eop.aaa.session import is_token, new_token
from eop.addresses import public_origin
from eop.errors import RefusedError
from eop.services import services

STATE_SECONDS = 600  # from asking for a page to having signed in: a password is looked for

blueprint = Blueprint("code", __name__)


@blueprint.get("/login")
def login_page() -> AnyResponse:
    """On to the sign-in service; who is signed in already goes on."""
    asked = guard.safe_next(request.args.get("next"))
    if g.identity is not None:
        return redirect(asked, 303)
    # tabs opened together share one state, else only the last of them would come back
    state = cookies.token(STATE_COOKIE, current().scope) or new_token()
    arguments = {"application": _address(), "state": state, "next": asked}
    answer = make_response(redirect(f"{current().aaa_url}/login?{urlencode(arguments)}", 303))
    cookies.give(answer, cookies.name(STATE_COOKIE, current().scope), state, STATE_SECONDS)
    return answer


@blueprint.get("/session")
def session() -> AnyResponse:
    """Back from the sign-in service: the code becomes a session."""
    asked = guard.safe_next(request.args.get("next"))
    try:
        signed_in = _redeemed(request.args.get("code", ""), request.args.get("state", ""))
    except RefusedError:
        if g.identity is None:
            raise
        return redirect(asked, 303)  # another tab was quicker
    if g.token is not None:
        revocations.deliver(services().database, services().daemon)
    answer = guard.set_cookies(_response(redirect(asked, 303)), signed_in)
    cookies.take_back(answer, cookies.name(STATE_COOKIE, current().scope))
    return answer


def _redeemed(code: str, state: str) -> SignedIn:
    """A session for a code of this browser; raises `RefusedError`, and the code is used up."""
    own = cookies.token(STATE_COOKIE, current().scope)
    if own is None or not hmac.compare_digest(own.encode(), state.encode("utf-8", "replace")):
        raise RefusedError("sign_in_state")
    if not is_token(code):
        raise RefusedError("sign_in_code")
    parts, asked, now_ms = services(), Wanted(_address(), own), services().now_ms()
    with parts.database.write() as connection:
        parent = codes.redeem(connection, parts.door.keys, code, asked, now_ms)
        try:
            if parent is None:
                raise RefusedError("sign_in_code")
            return login.sign_in_from(parts.door, connection, parent, guard.visit(), now_ms)
        except RefusedError as error:
            refused = error  # the code stays used up: no rollback
    raise refused


def _address() -> str:
    """This application's, as the sign-in service knows it."""
    return public_origin(services().site, services().shared) + current().mount_point


def _response(answer: AnyResponse) -> Response:
    return make_response(answer)
