"""The one path of every sign-in: throttle, who, policy, session."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from eop.aaa import devices, endings, keeper, second_factor, steps, throttle
from eop.aaa import identity as identities
from eop.aaa.authenticators.base import (
    Authenticator,
    AuthenticatorDownError,
    SingleSignOn,
    Trouble,
    Who,
)
from eop.aaa.identity import Identity
from eop.aaa.password_policy import PasswordPolicy
from eop.aaa.policy import may
from eop.aaa.second_factor import SecondFactor
from eop.aaa.session import Beginning, Keys, Lifetime, Session, Sessions
from eop.aaa.steps import Pending
from eop.aaa.throttle import Attempt, Limits
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
    limits: Limits = Limits()
    passwords: PasswordPolicy = PasswordPolicy()
    second_factor: SecondFactor = SecondFactor()

    @property
    def keys(self) -> Keys:
        return self.sessions.keys

    @property
    def lifetime(self) -> Lifetime:
        return self.sessions.lifetime


@dataclass(frozen=True)
class Credentials:
    """What was typed; `code` is that of the second factor, where it was asked for at once."""

    login: str
    password: str
    code: str = ""


@dataclass(frozen=True)
class Visit:
    """From where someone signs in, and into what.

    `device` is the cookie of `eop.aaa.devices`; `application` the one that gets the session for
    itself (empty: all share it); the session of `old_token` ends: no id is kept over a sign-in.
    `parent` is the session that this one is made from.
    """

    address: str
    device: str = ""
    browser: str = ""
    application: str = ""
    old_token: str | None = None
    parent: Session | None = None


@dataclass(frozen=True)
class SignedIn:
    """A new session: its token goes into the cookie and nowhere else; so does the device."""

    identity: Identity
    session: Session
    token: str
    device: str


@dataclass(frozen=True)
class Arrival:
    """Someone who is proven and may sign in, on his way to a session.

    `ticket` is a hash of what a single sign-on server calls it, `following` the page asked for.
    """

    user: User
    who: Who
    visit: Visit
    now_ms: int
    ticket: str | None = None
    following: str = ""
    is_factor_proven: bool = False


def sign_in(door: Door, typed: Credentials, visit: Visit, now_ms: int) -> SignedIn | Pending:
    """Sign someone in by login and password, or begin the step that is due after it.

    Raises `RefusedError`: `wrong`, `wrong_code`, `locked`, `throttled`, `busy`, `directory_down`,
    `denied`, `kept_here`, `kept_elsewhere`, or `account_…` where the password was right and the
    account does not open.
    """
    as_typed = attempt_of(door, typed.login, visit, now_ms)
    with door.database.read() as connection:
        throttle.check(connection, as_typed)
    asked = _ask(door.authenticators, typed)
    with door.database.write() as connection:
        throttle.check(connection, as_typed)  # others may have failed while we computed
        try:
            attempt = _of_person(door, connection, as_typed, asked, visit)
            if not isinstance(asked.answer, Who) or _is_overtaken(connection, asked.answer):
                raise _refusal(connection, attempt, asked, typed.login)
            arrival = _admitted(door, connection, asked.answer, visit, now_ms)
            if typed.code and arrival.user.has_second_factor:
                prove_factor(door, connection, attempt, arrival.user, typed.code)
                arrival = replace(arrival, is_factor_proven=True)
            outcome = go_on(door, connection, arrival)
            if isinstance(outcome, SignedIn):  # what was typed may not be the login itself
                throttle.succeeded(connection, as_typed)
            return outcome
        except RefusedError as error:
            refused = error  # what was counted and recorded is kept: no rollback
    logger.info("sign-in refused from %s: %s", visit.address, refused)
    raise refused


def sign_in_as(door: Door, who: Who, visit: Visit, now_ms: int) -> SignedIn | Pending:
    """Sign in whom a single sign-on server has proven; raises `RefusedError` as `sign_in`."""
    with door.database.write() as connection:
        try:
            arrival = _admitted(door, connection, who, visit, now_ms)
            endings.check(connection, arrival.ticket, now_ms)
            return go_on(door, connection, arrival)
        except RefusedError as error:
            refused = error
    logger.info("sign-in by %s refused from %s: %s", who.authenticator, visit.address, refused)
    raise refused


def go_on(door: Door, connection: Connection, arrival: Arrival) -> SignedIn | Pending:
    """A session, or the next step that is due before there is one."""
    kind = steps.due(door, connection, arrival)
    if kind is not None:
        return steps.begin(door, connection, arrival, kind)
    # a right password alone forgives nothing: who has guessed it goes on guessing codes
    throttle.succeeded(
        connection, attempt_of(door, arrival.user.login, arrival.visit, arrival.now_ms)
    )
    return begin_session(door, connection, arrival)


def prove_factor(
    door: Door, connection: Connection, attempt: Attempt, user: User, code: str
) -> None:
    """Take the code of a second factor; a wrong one counts as a failure.

    Raises `RefusedError`: `wrong_code`, `second_factor_lost`.
    """
    kind = second_factor.accept(connection, door.keys, user.id, code, attempt.now_ms)
    if not kind:
        count_failure(connection, attempt, user.login, "wrong_code", is_proven=True)
        raise RefusedError("wrong_code")
    if kind == "recovery":
        left = second_factor.recovery_codes_left(connection, user.id)
        events.record(
            connection, "recovery_code_used", attempt.now_ms, user=user.login,
            details={"address": attempt.address, "left": left},
        )  # fmt: skip


def count_failure(
    connection: Connection, attempt: Attempt, login: str, reason: str, *, is_proven: bool = False
) -> None:
    """Count and record a failure of a user, or of nobody who is known (an empty login)."""
    _record_refusal(connection, attempt, login, reason, is_proven=is_proven)
    if throttle.failed(connection, attempt) and login:
        details = {"login": login, "address": attempt.address}
        events.record(connection, "sign_in_locked", attempt.now_ms, details=details)


def _record_refusal(
    connection: Connection, attempt: Attempt, login: str, reason: str, *, is_proven: bool = False
) -> None:
    events.record_failure(
        connection, login, attempt.address, reason, attempt.now_ms, is_proven=is_proven
    )


def sign_in_from(
    door: Door, connection: Connection, parent_id: str, visit: Visit, now_ms: int
) -> SignedIn:
    """A session made from a live one, for one application; it ends with that one.

    Raises `RefusedError`: `signed_out`, `denied`.
    """
    found = door.sessions.find_with_user(connection, parent_id, now_ms)
    if found is None or found.user.state != users.ACTIVE:
        raise RefusedError("signed_out")
    parent, user = found.session, found.user
    if not may(identities.of_user(user), "sign_in").allowed:
        raise RefusedError("denied")
    who = Who(user.login, parent.authenticator)
    return begin_session(
        door, connection, Arrival(user, who, replace(visit, parent=parent), now_ms)
    )


def attempt_of(door: Door, login: str, visit: Visit, now_ms: int) -> Attempt:
    """What is counted of one try."""
    typed = users.canonical_login(login)
    return Attempt(
        login=door.keys.login_key(typed),
        address=throttle.counted(visit.address),
        now_ms=now_ms,
        device=devices.known(door.keys, visit.device, typed),
        limits=door.limits,
    )


@dataclass(frozen=True)
class Asked:
    """The first answer that is not "no"; whether a server was down; whether another one judged."""

    answer: Who | Trouble | None
    is_down: bool
    was_judged: bool


def _ask(authenticators: Sequence[Authenticator], typed: Credentials) -> Asked:
    """Ask each until one knows who it is."""
    is_down = was_judged = False
    guessed: Trouble | None = None
    for authenticator in authenticators:
        try:
            answer = authenticator.authenticate(typed.login, typed.password)
        except AuthenticatorDownError as error:
            logger.error("the authenticator %s does not work: %s", authenticator.name, error)
            is_down = True
            continue
        if isinstance(answer, Who) or (answer is not None and answer.code != "wrong"):
            return Asked(answer, is_down, was_judged=True)
        guessed = answer or guessed
        was_judged |= authenticator.name != users.LOCAL
    return Asked(guessed, is_down, was_judged)


def _of_person(
    door: Door, connection: Connection, typed: Attempt, asked: Asked, visit: Visit
) -> Attempt:
    """The try, counted for whom it was whatever was typed (a directory may know several names).

    Raises `RefusedError` as `throttle.check`.
    """
    if asked.answer is None:
        return typed
    attempt = attempt_of(door, asked.answer.login, visit, typed.now_ms)
    try:
        throttle.check(connection, attempt)
    except RefusedError:
        throttle.failed_here(connection, typed)  # or the directory would be asked without end
        raise
    return attempt


def _is_overtaken(connection: Connection, who: Who) -> bool:
    """Whether the local password was changed since it was compared."""
    return who.hashed is not None and not users.is_password(connection, who.login, who.hashed)


def _refusal(connection: Connection, attempt: Attempt, asked: Asked, login: str) -> RefusedError:
    """What a failed sign-in is told; counted and recorded."""
    trouble = asked.answer if isinstance(asked.answer, Trouble) else None
    user = users.find(connection, trouble.login if trouble else login)
    reason = trouble.code if trouble else "directory_down" if asked.is_down else "wrong"
    known = user.login if user else ""
    if trouble is not None and trouble.is_proven:
        _record_refusal(connection, attempt, known, reason, is_proven=True)
        return RefusedError(f"account_{trouble.code}")
    if asked.is_down and not asked.was_judged:
        # who knows his password is not locked out; nor do locks tell who has one here
        _record_refusal(connection, attempt, known, reason)
        throttle.failed_here(connection, attempt)
    else:
        count_failure(connection, attempt, known, reason)
    return RefusedError("directory_down" if asked.is_down else "wrong")


def _admitted(door: Door, connection: Connection, who: Who, visit: Visit, now_ms: int) -> Arrival:
    """Who is proven, if the directory and policy let him in."""
    user = users.find(connection, who.login)
    if user is not None and users.lift_passed_lock(connection, user.id, who.authenticator):
        user = users.find(connection, who.login)
        events.record(
            connection, "account_unlocked", now_ms, user=who.login,
            details={"login": who.login, "by": who.authenticator},
        )  # fmt: skip
    code = _closed(door, connection, user, who)
    if user is None or code:
        login, address = user.login if user else "", throttle.counted(visit.address)
        reason = code.removeprefix("account_")
        events.record_failure(connection, login, address, reason, now_ms, is_proven=True)
        raise RefusedError(code)
    ticket = door.keys.derived("ticket", who.ticket) if who.ticket else None
    return Arrival(user, who, visit, now_ms, ticket)


def _closed(door: Door, connection: Connection, user: User | None, who: Who) -> str:
    """Why who is proven is not let in: the code of the refusal, or nothing."""
    if user is None:
        return "account_unknown"
    stored = users.password_of(connection, user.login)
    asked = [one.name for one in door.authenticators]
    if code := keeper.refusal(user, stored, who.authenticator, asked):
        return code
    if user.state != users.ACTIVE:
        return f"account_{user.state}"
    return "" if may(identities.of_user(user), "sign_in").allowed else "denied"


def begin_session(door: Door, connection: Connection, arrival: Arrival) -> SignedIn:
    """A new session under a new token, in place of the browser's old one; recorded."""
    user, visit, now_ms = arrival.user, arrival.visit, arrival.now_ms
    if visit.old_token is not None:
        door.sessions.end(connection, [door.keys.session_id(visit.old_token)], now_ms)
    beginning = Beginning(
        user_id=user.id,
        login=user.login,
        authenticator=arrival.who.authenticator,
        address=visit.address[: throttle.MAX_ADDRESS_CHARACTERS],
        browser=visit.browser[:MAX_BROWSER_CHARACTERS],
        application=visit.application,
        ticket=arrival.ticket,
        parent=visit.parent.id if visit.parent else None,
        until=visit.parent.ends_at if visit.parent else None,
    )
    token, session = door.sessions.start(connection, beginning, now_ms)
    events.record(
        connection, "signed_in", now_ms, user=session.login, session=session.id,
        details={
            "authenticator": session.authenticator, "address": session.address,
            "application": session.application,
        },
    )  # fmt: skip
    device = devices.remembered(door.keys, visit.device, user.login)
    return SignedIn(identities.of_user(user), session, token, device)


def sign_out(door: Door, session: Session, now_ms: int, *, everywhere: bool = True) -> None:
    """End one session; its revocation is queued in the same transaction.

    `everywhere`: the one it was made from ends, too, and with that all that were.
    """
    over = session.parent if everywhere and session.parent else session.id
    with door.database.write() as connection:
        door.sessions.end(connection, [over], now_ms)
        events.record(connection, "signed_out", now_ms, user=session.login, session=session.id)
