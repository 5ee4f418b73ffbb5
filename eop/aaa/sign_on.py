"""The path of a single sign-on: one way there and back, and what the server says of its end."""

import logging
from collections.abc import Mapping

from sqlalchemy import Connection

from eop.aaa import departures, endings, login, steps, throttle
from eop.aaa.authenticators.base import AuthenticatorDownError, SingleSignOn, Trip, Who
from eop.aaa.departures import Departure
from eop.aaa.login import Door, SignedIn, Visit
from eop.aaa.session import Keys
from eop.aaa.steps import Pending
from eop.aaa.throttle import Attempt
from eop.audit import events
from eop.errors import RefusedError

logger = logging.getLogger(__name__)


def trip(keys: Keys, going: Departure, callback: str, now_ms: int) -> Trip:
    """The trip of a sign-on: what must not be guessed is derived from its state by our key."""
    return Trip(
        callback=callback,
        state=going.state,
        nonce=keys.derived("nonce", going.state),
        verifier=keys.derived("verifier", going.state),
        now_ms=now_ms,
    )


def begin(server: SingleSignOn, there: Trip) -> str:
    """The address to send the browser to; raises `RefusedError("sign_on_down")`."""
    try:
        return server.begin(there)
    except AuthenticatorDownError as error:
        raise _down(server, error) from error


def finish(
    door: Door, server: SingleSignOn, back: Trip, arguments: Mapping[str, str], visit: Visit
) -> SignedIn | Pending:
    """Sign in who came back, or begin the step that is due first. The caller has used up the trip.

    Raises `RefusedError`: `sign_on_…`, `throttled`, or what `login.sign_in_as` raises.
    """
    attempt = Attempt(
        # counted at the address alone: a login would be locked, and there is none yet
        login=door.keys.login_key(f"state:{back.state}"),
        address=throttle.counted(visit.address),
        now_ms=back.now_ms,
        limits=door.limits,
    )
    with door.database.read() as connection:
        throttle.check(connection, attempt)
    who = _proven(server, back, arguments)
    if who is None:
        with door.database.write() as connection:
            throttle.failed(connection, attempt)
            events.record_failure(connection, "", attempt.address, server.name, back.now_ms)
        logger.info("sign-in by %s refused from %s", server.name, visit.address)
        raise RefusedError("sign_on_refused")
    try:
        return login.sign_in_as(door, who, visit, back.now_ms)
    except RefusedError as error:
        if error.code == "account_unknown":  # there was no password to be right
            raise RefusedError("sign_on_unknown") from error
        raise


def _proven(server: SingleSignOn, back: Trip, arguments: Mapping[str, str]) -> Who | None:
    try:
        return server.finish(back, arguments)
    except AuthenticatorDownError as error:
        raise _down(server, error) from error


def _down(server: SingleSignOn, error: AuthenticatorDownError) -> RefusedError:
    logger.error("the sign-on server %s does not work: %s", server.name, error)
    return RefusedError("sign_on_down")


def use(door: Door, came: Departure) -> None:
    """Raise `RefusedError("sign_on_expired")` where this trip has ended before."""
    with door.database.write() as connection:
        is_first = departures.use(connection, door.keys, came)
    if not is_first:
        raise RefusedError("sign_on_expired")


def ended(
    door: Door, server: SingleSignOn, form: Mapping[str, str], address: str, now_ms: int
) -> int | None:
    """End the sessions that the server itself says are over: how many; None where unreadable."""
    try:
        tickets = server.ended(form, now_ms)
    except AuthenticatorDownError as error:
        logger.error("a sign-out told by %s is not understood: %s", server.name, error)
        return None
    if tickets is None:
        return None
    hashed = [door.keys.derived("ticket", ticket) for ticket in tickets]
    with door.database.write() as connection:
        endings.keep(connection, hashed, now_ms)
        steps.forget(connection, steps.of_tickets(connection, hashed))
        over = _sessions_of(door, connection, hashed)
        if not over:
            return 0  # of a stranger, of who signed out here first, or of who is still on his way
        for session_id in over:
            session = door.sessions.find(connection, session_id, now_ms)
            events.record(
                connection, "signed_out", now_ms, user=session.login if session else "",
                session=session_id, details={"by": server.name, "address": address},
            )  # fmt: skip
        return door.sessions.end(connection, over, now_ms)


def _sessions_of(door: Door, connection: Connection, hashed: list[str]) -> list[str]:
    return [one for ticket in hashed for one in door.sessions.of_ticket(connection, ticket)]


def sign_out_address(server: SingleSignOn, back: str) -> str | None:
    """Where the browser signs out of a server, if it has such a place and answers."""
    try:
        return server.sign_out_address(back)
    except AuthenticatorDownError as error:
        _down(server, error)
        return None
