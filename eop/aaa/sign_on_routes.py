"""Single sign-on: /login/NAME there, /login/NAME/callback back, and the server's own sign-out."""

import time
from urllib.parse import parse_qsl

from flask import Blueprint, Response, abort, g, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import cookies, departures, door_page, guard, revocations, routes, sign_on, throttle
from eop.aaa.authenticators.base import SingleSignOn, Trip
from eop.aaa.departures import Departure, DepartureCookie
from eop.aaa.login import SignedIn
from eop.aaa.rate import Pace, Rate
from eop.aaa.steps import Pending
from eop.addresses import public_origin
from eop.errors import RefusedError
from eop.services import services

MAX_TOLD_BYTES = 16 * 1024  # a message of one sign-out has some hundred
MAX_TOLD_FIELDS = 8
MAX_ARGUMENTS = 16
# a school that goes home is told at once; a stranger who guesses tickets is slowed down
TOLD_PACE = Pace(burst=300, per_second=10)
FORM = "application/x-www-form-urlencoded"

blueprint = Blueprint("sign_on", __name__)

_told_rate = Rate(TOLD_PACE)


@blueprint.get("/login/<name>")
def begin(name: str) -> AnyResponse:
    """Send the browser to the sign-on server; who is signed in already goes on."""
    server = _server(name)
    asked = guard.safe_next(request.args.get("next"))
    if g.identity is not None:
        return redirect(asked, 303)
    parts = services()
    going = departures.new(name, asked, guard.safe_next(None), parts.now_ms())
    try:
        address = sign_on.begin(server, _trip(going))
    except RefusedError as error:
        return door_page.shown(asked, refused=error)
    listed = _listed(parts.now_ms())
    return _keep(routes.redirected(address), [going, *listed])


@blueprint.get("/login/<name>/callback")
def finish(name: str) -> AnyResponse:
    """Who came back is signed in, or reads why not."""
    server, parts = _server(name), services()
    listed = _cookie().read(
        request.cookies.get(cookies.name(departures.COOKIE), ""), parts.now_ms()
    )
    came = departures.find(listed, name, request.args.get("state", ""))
    if came is None:
        # costs nothing, and any page can send a browser here: not counted as a failure
        return door_page.shown(guard.safe_next(None), refused=RefusedError("sign_on_expired"))
    left = [one for one in listed if one != came]
    asked = guard.safe_next(came.asked)
    try:
        signed_in = _signed_in(server, came)
    except RefusedError as error:
        return _keep(door_page.shown(asked, refused=error), left)
    return _keep(routes.entered(signed_in, asked), left)


def _signed_in(server: SingleSignOn, came: Departure) -> SignedIn | Pending:
    if len(request.args) > MAX_ARGUMENTS:
        raise RefusedError("sign_on_refused")
    door = services().door
    sign_on.use(door, came)
    return sign_on.finish(door, server, _trip(came), request.args.to_dict(), guard.visit())


# CAS servers tell it at the address the browser came back to, unless they were given another
@blueprint.post("/login/<name>")
@blueprint.post("/login/<name>/callback", endpoint="told")
def told(name: str) -> Response:
    """A sign-on server tells that a sign-in is over: its sessions and their screens close.

    200 and nothing more, whether it was one of ours or not.
    """
    server, parts = _server(name), services()
    address = throttle.counted(request.remote_addr or "")
    if not _told_rate.allows(address, time.monotonic()):
        return _empty(429)
    if request.mimetype != FORM:
        return _empty(415)
    body = request.stream.read(MAX_TOLD_BYTES + 1)
    if len(body) > MAX_TOLD_BYTES:
        return _empty(413)
    form = _fields(body)
    ended = None
    if form is not None:
        ended = sign_on.ended(parts.door, server, form, address, parts.now_ms())
    if ended is None:
        return _empty(400)
    if ended:
        revocations.deliver(parts.database, parts.daemon)
    return _empty(200)


def _fields(body: bytes) -> dict[str, str] | None:
    """The fields of a form, none of them twice; None where that cannot be read."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True,
            max_num_fields=MAX_TOLD_FIELDS, errors="strict",
        )  # fmt: skip
    except ValueError:
        return None
    found = dict(pairs)
    return found if len(found) == len(pairs) else None


def _server(name: str) -> SingleSignOn:
    found = next((one for one in services().door.single_sign_on if one.name == name), None)
    return found or abort(404)


def _trip(going: Departure) -> Trip:
    parts = services()
    origin = public_origin(parts.site, parts.shared)
    callback = f"{origin}/login/{going.name}/callback"
    return sign_on.trip(parts.door.keys, going, callback, parts.now_ms())


def _cookie() -> DepartureCookie:
    return DepartureCookie(services().site.SESSION_KEY)


def _listed(now_ms: int) -> list[Departure]:
    """The sign-ons that this browser has begun."""
    value = request.cookies.get(cookies.name(departures.COOKIE), "")
    return _cookie().read(value, now_ms)


def _keep(response: Response, listed: list[Departure]) -> Response:
    """Give the browser the sign-ons that are on their way, for as long as the newest may be."""
    seconds = departures.LIVES_SECONDS if listed else 0
    value = _cookie().written(listed) if listed else ""
    cookies.give(response, cookies.name(departures.COOKIE), value, seconds)
    return response


def _empty(status: int) -> Response:
    response = make_response("", status)
    response.mimetype = "text/plain"
    if status == 429:
        response.headers["Retry-After"] = "1"
    return response
