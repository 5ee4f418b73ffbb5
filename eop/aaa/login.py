"""The one path of every sign-in: throttle, who, policy, session."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from eop.aaa import devices, throttle
from eop.aaa import identity as identities
from eop.aaa.authenticators.base import (
    Authenticator,
    AuthenticatorDownError,
    SingleSignOn,
    Trouble,
    Who,
)
from eop.aaa.identity import Identity
from eop.aaa.policy import may
from eop.aaa.session import Beginning, Keys, Lifetime, Session, Sessions
from eop.aaa.throttle import Attempt
from eop.audit import events
from eop.database import Database
from eop.directory import users
from eop.directory.users import User
from eop.errors import RefusedError

MAX_BROWSER_CHARACTERS = 200  # of what a browser calls itself

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Door:
    """What the path needs of the site."""

    database: Database
    sessions: Sessions
    authenticators: Sequence[Authenticator]
    single_sign_on: Sequence[SingleSignOn] = ()

    @property
    def keys(self) -> Keys:
        return self.sessions.keys

    @property
    def lifetime(self) -> Lifetime:
        return self.sessions.lifetime


@dataclass(frozen=True)
class Credentials:
    """What was typed."""

    login: str
    password: str


@dataclass(frozen=True)
class Visit:
    """From where someone signs in, and into what.

    `device` is the cookie of `eop.aaa.devices`; `application` the one that gets the session for
    itself (empty: all share it); the session of `old_token` ends: no id is kept over a sign-in.
    """

    address: str
    device: str = ""
    browser: str = ""
    application: str = ""
    old_token: str | None = None


@dataclass(frozen=True)
class SignedIn:
    """A new session: its token goes into the cookie and nowhere else; so does the device."""

    identity: Identity
    session: Session
    token: str
    device: str


def sign_in(door: Door, typed: Credentials, visit: Visit, now_ms: int) -> SignedIn:
    """Sign someone in by login and password.

    Raises `RefusedError`: `wrong`, `locked`, `throttled`, `busy`, `directory_down`, `denied`, or
    `account_…` where the password was right and the account does not open.
    """
    attempt = _attempt(door, typed.login, visit, now_ms)
    with door.database.read() as connection:
        throttle.check(connection, attempt)
    answer, is_down = _first_answer(door.authenticators, typed)
    with door.database.write() as connection:
        throttle.check(connection, attempt)  # others may have failed while we computed
        try:
            if not isinstance(answer, Who):
                raise _refusal(connection, attempt, answer, typed.login, is_down)
            throttle.succeeded(connection, attempt)
            return _admit(door, connection, answer, visit, now_ms)
        except RefusedError as error:
            refused = error  # what was counted and recorded is kept: no rollback
    logger.info("sign-in refused from %s: %s", visit.address, refused)
    raise refused


def sign_in_as(door: Door, who: Who, visit: Visit, now_ms: int) -> SignedIn:
    """Sign in whom a single sign-on server has proven; raises `RefusedError` as `sign_in`."""
    with door.database.write() as connection:
        try:
            return _admit(door, connection, who, visit, now_ms)
        except RefusedError as error:
            refused = error
    logger.info("sign-in by %s refused from %s: %s", who.authenticator, visit.address, refused)
    raise refused


def _attempt(door: Door, login: str, visit: Visit, now_ms: int) -> Attempt:
    typed = users.canonical_login(login)
    return Attempt(
        login=door.keys.login_key(typed),
        address=throttle.counted(visit.address),
        now_ms=now_ms,
        device=devices.known(door.keys, visit.device, typed),
    )


def _first_answer(
    authenticators: Sequence[Authenticator], typed: Credentials
) -> tuple[Who | Trouble | None, bool]:
    """The first answer that is not "no"; and whether one of those asked was down."""
    is_down = False
    for authenticator in authenticators:
        try:
            answer = authenticator.authenticate(typed.login, typed.password)
        except AuthenticatorDownError as error:
            logger.error("the authenticator %s does not work: %s", authenticator.name, error)
            is_down = True
            continue
        if answer is not None:
            return answer, is_down
    return None, is_down


def _refusal(
    connection: Connection, attempt: Attempt, trouble: Trouble | None, login: str, is_down: bool
) -> RefusedError:
    """What a failed sign-in is told; counted and recorded."""
    user = users.find(connection, trouble.login if trouble else login)
    reason = trouble.code if trouble else "directory_down" if is_down else "wrong"
    events.record_failure(
        connection, user.login if user else "", attempt.address, reason, attempt.now_ms
    )
    if trouble is not None and trouble.is_proven:
        return RefusedError(f"account_{trouble.code}")
    if is_down and users.password_of(connection, login) is None:
        # nothing here can be guessed, and who knows his password shall not be locked out
        return RefusedError("directory_down")
    throttle.failed(connection, attempt)
    return RefusedError("wrong")


def _admit(door: Door, connection: Connection, who: Who, visit: Visit, now_ms: int) -> SignedIn:
    """A session for who is proven, if policy lets him in."""
    user = users.find(connection, who.login)
    if user is None or user.state != users.ACTIVE:
        code = "account_unknown" if user is None else f"account_{user.state}"
        address = throttle.counted(visit.address)
        login = user.login if user else ""
        events.record_failure(connection, login, address, code.removeprefix("account_"), now_ms)
        raise RefusedError(code)
    identity = identities.of_user(user)
    if not may(identity, "sign_in").allowed:
        raise RefusedError("denied")
    return _begin(door, connection, user, who, visit, now_ms)


def _begin(  # noqa: PLR0913 - everything a session is made of
    door: Door, connection: Connection, user: User, who: Who, visit: Visit, now_ms: int
) -> SignedIn:
    if visit.old_token is not None:
        door.sessions.end(connection, [door.keys.session_id(visit.old_token)], now_ms)
    beginning = Beginning(
        user_id=user.id,
        login=user.login,
        authenticator=who.authenticator,
        address=visit.address[: throttle.MAX_ADDRESS_CHARACTERS],
        browser=visit.browser[:MAX_BROWSER_CHARACTERS],
        application=visit.application,
        ticket=door.keys.derived("ticket", who.ticket) if who.ticket else None,
    )
    token, session = door.sessions.start(connection, beginning, now_ms)
    events.record(
        connection, "signed_in", now_ms, user=session.login, session=session.id,
        details={"authenticator": who.authenticator, "address": beginning.address},
    )  # fmt: skip
    device = devices.remembered(door.keys, visit.device, user.login)
    return SignedIn(identities.of_user(user), session, token, device)


def sign_out(door: Door, session: Session, now_ms: int) -> None:
    """End one session; its revocation is queued in the same transaction."""
    with door.database.write() as connection:
        door.sessions.end(connection, [session.id], now_ms)
        events.record(connection, "signed_out", now_ms, user=session.login, session=session.id)
