"""Our cookies: their names, what they may do, and which one counts when several come.

A `__Host-` name is taken by a browser over TLS alone, from this host alone, so that no neighbour
under the same domain can slip one in. Without TLS of several cookies of one name the first
counts that can be a token at all: who can set cookies there can do worse.
"""

from flask import Response, request

from eop.aaa import session as sessions
from eop.addresses import is_tls
from eop.services import services

SESSION_COOKIE = "eop_session"
DEVICE_COOKIE = "eop_device"
STATE_COOKIE = "eop_state"
STEP_COOKIE = "eop_step"  # of who is between his password and his session
SECURE_PREFIX = "__Host-"


def name(plain: str, scope: str = "") -> str:
    """The name of one of our cookies in this request; `scope`: the application it belongs to."""
    scoped = f"{plain}_{scope}" if scope else plain
    return SECURE_PREFIX + scoped if is_tls(services().site) else scoped


def token(plain: str, scope: str = "") -> str | None:
    """The first value of that name that can be a token of ours."""
    values = request.cookies.getlist(name(plain, scope))
    return next((value for value in values if sessions.is_token(value)), None)


def give(response: Response, full_name: str, value: str, seconds: int | None) -> None:
    """Set a cookie that no script reads and no other site's form sends; None: it ends with the
    browser."""
    response.set_cookie(
        full_name,
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=is_tls(services().site),
        samesite="Lax",
    )


def take_back(response: Response, full_name: str) -> None:
    """Have the browser forget a cookie."""
    give(response, full_name, "", 0)
