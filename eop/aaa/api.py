"""The API's own sign-in: POST, GET and DELETE session."""

from typing import Any

import marshmallow as ma
from flask import after_this_request, g
from marshmallow import validate

from eop.aaa import guard, login, membership, revocations, steps
from eop.aaa.identity import Identity
from eop.aaa.login import Credentials
from eop.aaa.passwords import MAX_BYTES
from eop.aaa.second_factor import MAX_CODE_CHARACTERS
from eop.aaa.steps import Pending
from eop.errors import RefusedError
from eop.rest import OPEN, Call, Line, calls, declare
from eop.services import services

MAX_USERNAME = 256  # longer than any login

blueprint = calls("session", "Sign in and out.")


class SignInBody(ma.Schema):
    """What one signs in with."""

    username = Line(MAX_USERNAME, required=True)
    password = ma.fields.String(required=True, validate=validate.Length(1, MAX_BYTES))
    code = Line(
        MAX_CODE_CHARACTERS,
        load_default="",
        metadata={"description": "of the second factor, where the account has one"},
    )


class SessionReply(ma.Schema):
    """Who is signed in, and the token every change must carry in `X-CSRF-Token`."""

    user = ma.fields.String()
    name = ma.fields.String()
    roles = ma.fields.List(ma.fields.String())
    csrf_token = ma.fields.String()


def _described(identity: Identity, csrf_token: str) -> dict[str, Any]:
    return {
        "user": identity.login,
        "name": identity.name,
        "roles": list(identity.roles),
        "csrf_token": csrf_token,
    }


@declare(
    blueprint,
    Call(
        "POST", "/session", OPEN, body=SignInBody, reply=SessionReply, refusals=(401, 403, 423, 429)
    ),
)
def sign_in(body: dict[str, str]) -> dict[str, Any]:
    """Sign in: sets the session cookie; not where the sign-in service has a host of its own."""
    if where := membership.current().aaa_url:
        raise RefusedError("sign_in_elsewhere", where=where)
    parts = services()
    typed = Credentials(body["username"], body["password"], body["code"])
    signed_in = login.sign_in(parts.door, typed, guard.visit(), parts.now_ms())
    if isinstance(signed_in, Pending):  # the page has the forms for it
        with parts.database.write() as connection:
            steps.drop(connection, parts.door.keys, signed_in.token)
        raise RefusedError("must_change" if signed_in.step == "must_change" else "second_factor")
    if g.token is not None:
        revocations.deliver(parts.database, parts.daemon)
    after_this_request(lambda response: guard.set_cookies(response, signed_in))
    return _described(signed_in.identity, parts.door.keys.csrf_token(signed_in.token))


@declare(blueprint, Call("GET", "/session", None, reply=SessionReply))
def current() -> dict[str, Any]:
    """Who is signed in."""
    return _described(guard.who(), g.csrf_token)


@declare(blueprint, Call("DELETE", "/session", None, status=204))
def sign_out() -> None:
    """Sign out: open screens and walls close."""
    guard.sign_out()
    after_this_request(guard.clear_cookie)
