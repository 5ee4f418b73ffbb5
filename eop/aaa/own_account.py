"""What one does to one's own account: password, second factor, sessions elsewhere."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection

from eop.aaa import accounts, login, passwords, second_factor, throttle
from eop.aaa.authenticators.base import Who
from eop.aaa.login import Arrival, Door, SignedIn, Visit
from eop.aaa.password_policy import PasswordRefusedError, Problem
from eop.aaa.session import Session
from eop.audit import events
from eop.directory import users
from eop.directory.users import User
from eop.errors import RefusedError

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owner:
    """Someone signed in, at his own account."""

    door: Door
    session: Session
    visit: Visit
    now_ms: int

    def user(self, connection: Connection) -> User:
        return users.get(connection, self.session.login)

    def record(self, connection: Connection, kind: str, **details: object) -> None:
        events.record(
            connection, kind, self.now_ms,
            user=self.session.login, session=self.session.id, details=details,
        )  # fmt: skip


@dataclass(frozen=True)
class NewPassword:
    """What was typed into the form."""

    current: str
    password: str
    again: str


@dataclass(frozen=True)
class Enrolment:
    """What was typed into that of a second factor; `sealed` is the key that the page carried."""

    sealed: str
    code: str
    password: str = ""
    code_before: str = ""


@dataclass(frozen=True)
class Overview:
    """What the page shows."""

    user: User
    has_password: bool
    recovery_codes_left: int
    sessions: list[Session]


def overview(owner: Owner) -> Overview:
    """The account as it is now; sessions made from another one of the list are part of that one."""
    with owner.door.database.read() as connection:
        user = owner.user(connection)
        found = owner.door.sessions.of_user(connection, user.id, owner.now_ms)
        ids = {one.id for one in found}
        return Overview(
            user=user,
            has_password=users.password_of(connection, user.login) is not None,
            recovery_codes_left=second_factor.recovery_codes_left(connection, user.id),
            sessions=[one for one in found if one.parent not in ids],
        )


def change_password(owner: Owner, typed: NewPassword) -> SignedIn | None:
    """Another password: every session ends, and this one goes on under a new token.

    None where this session is another authenticator's: it ends like the others, for its server
    could not end the new one. Raises `PasswordRefusedError`, `RefusedError`: `wrong_password`,
    `locked`, `throttled`.
    """
    door = owner.door
    with door.database.read() as connection:
        user = owner.user(connection)
    current = _checked_password(owner, typed.current)
    if typed.password != typed.again:
        raise PasswordRefusedError(Problem("differ"))
    prepared = accounts.prepare_own(door.database, door.passwords, user, typed.password)
    with door.database.write() as connection:
        throttle.check(connection, _attempt(owner))
        if not users.is_password(connection, user.login, current):
            raise RefusedError("wrong_password")  # somebody else was faster
        accounts.store_own(connection, user, prepared, owner.now_ms)
        throttle.succeeded(connection, _attempt(owner))
        door.sessions.end_all(connection, user.id, owner.now_ms)
        if owner.session.authenticator != users.LOCAL:
            return None
        visit = replace(owner.visit, application=owner.session.application, old_token=None)
        arrival = Arrival(user, Who(user.login, users.LOCAL), visit, owner.now_ms)
        return login.begin_session(door, connection, arrival)


def enrol(owner: Owner, typed: Enrolment) -> list[str]:
    """Enrol a new second factor; one that there is needs a code of its own. Recovery codes.

    A local password is asked, too: an open session may be anybody's who sits there. Raises
    `RefusedError`: `wrong_password`, `wrong_code`, `step_over`, `locked`, `throttled`,
    `second_factor_lost`.
    """
    if _has_password(owner):
        _checked_password(owner, typed.password)

    def work(connection: Connection) -> list[str]:
        keys, user = owner.door.keys, owner.user(connection)
        key = second_factor.unsealed(keys, user.id, typed.sealed, owner.now_ms)
        if key is None:
            raise RefusedError("step_over")
        step = second_factor.step_of(key, typed.code, owner.now_ms)
        if step is None:
            raise RefusedError("wrong_code")
        if user.has_second_factor:
            _take(owner, connection, user, typed.code_before)
        codes = accounts.enrol(connection, keys, user, key, step)
        address = throttle.counted(owner.visit.address)
        owner.record(connection, "second_factor_enrolled", address=address)
        return codes

    return _guarded(owner, work)


def remove_second_factor(owner: Owner, typed: str) -> None:
    """Go without a second factor; raises `RefusedError`: `wrong_code`, `factor_required`, …"""

    def work(connection: Connection) -> None:
        user = owner.user(connection)
        if user.role in owner.door.second_factor.required_roles:
            raise RefusedError("factor_required")
        _take(owner, connection, user, typed)
        second_factor.remove(connection, user.id)
        owner.record(connection, "second_factor_removed")

    _guarded(owner, work)


def renew_recovery_codes(owner: Owner, typed: str) -> list[str]:
    """Ten new recovery codes; raises `RefusedError`: `wrong_code`, …"""

    def work(connection: Connection) -> list[str]:
        user = owner.user(connection)
        _take(owner, connection, user, typed)
        codes = second_factor.renew_recovery_codes(connection, owner.door.keys, user.id)
        owner.record(connection, "recovery_codes_renewed")
        return codes

    return _guarded(owner, work)


def end_session(owner: Owner, session_id: str) -> bool:
    """Sign out one session of one's own; False where it is over already, or another's."""
    sessions = owner.door.sessions
    with owner.door.database.write() as connection:
        user = owner.user(connection)
        known = {one.id for one in sessions.of_user(connection, user.id, owner.now_ms)}
        if session_id not in known:
            return False
        sessions.end(connection, [session_id], owner.now_ms)
        owner.record(connection, "session_ended", ended=session_id)
        return True


def end_others(owner: Owner) -> int:
    """Sign out everywhere else: every session but this one and those made from it."""
    sessions, here = owner.door.sessions, owner.session.id
    with owner.door.database.write() as connection:
        found = sessions.of_user(connection, owner.user(connection).id, owner.now_ms)
        others = [one.id for one in found if here not in (one.id, one.parent)]
        ended = sessions.end(connection, others, owner.now_ms)
        owner.record(connection, "other_sessions_ended", ended=ended)
        return ended


def _attempt(owner: Owner) -> throttle.Attempt:
    return login.attempt_of(owner.door, owner.session.login, owner.visit, owner.now_ms)


def _take(owner: Owner, connection: Connection, user: User, typed: str) -> None:
    login.prove_factor(owner.door, connection, _attempt(owner), user, typed)


def _has_password(owner: Owner) -> bool:
    with owner.door.database.read() as connection:
        return users.password_of(connection, owner.session.login) is not None


def _checked_password(owner: Owner, typed: str) -> str:
    """The hash that one's own password matches; no transaction is open while it is computed.

    Raises `RefusedError`: `wrong_password`, `locked`, `throttled`.
    """
    with owner.door.database.read() as connection:
        stored = users.password_of(connection, owner.session.login)
        throttle.check(connection, _attempt(owner))
    if passwords.matches(stored, typed) and stored is not None:
        return stored
    _count_wrong_password(owner)
    raise RefusedError("wrong_password")


def _count_wrong_password(owner: Owner) -> None:
    attempt = _attempt(owner)
    with owner.door.database.write() as connection:
        throttle.check(connection, attempt)  # others may have failed while we computed
        login.count_failure(connection, attempt, owner.session.login, "wrong_password")


def _guarded(owner: Owner, work: Callable[[Connection], T]) -> T:
    """Do it in one transaction, unless too much has failed; what is counted in it is kept."""
    with owner.door.database.write() as connection:
        throttle.check(connection, _attempt(owner))
        try:
            return work(connection)
        except RefusedError as error:
            refused = error
    logger.info("a change of %s's own account was refused: %s", owner.session.login, refused)
    raise refused
