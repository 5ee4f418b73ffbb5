"""Taking the steps that are due after the password; the last one gives the session."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from eop.aaa import accounts, login, second_factor, steps, throttle
from eop.aaa.login import Arrival, Door, SignedIn, Visit
from eop.aaa.password_policy import PasswordRefusedError, Problem
from eop.aaa.steps import Pending, Step
from eop.audit import events
from eop.directory import users
from eop.errors import RefusedError

PROVING: tuple[steps.Kind, ...] = ("second_factor", "enrol")  # after which the factor is proven

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Walker:
    """Who takes a step: the token of his cookie, and from where."""

    door: Door
    token: str
    visit: Visit
    now_ms: int


@dataclass(frozen=True)
class Taken:
    """What a step led to, the page asked for, and recovery codes to be shown this once."""

    outcome: SignedIn | Pending
    following: str
    recovery_codes: tuple[str, ...] = ()


def look(walker: Walker) -> Step:
    """The step, to show its form; raises `RefusedError("step_over")`."""
    with walker.door.database.read() as connection:
        return steps.find(connection, walker.door.keys, walker.token, walker.now_ms)


def take_code(walker: Walker, typed: str) -> Taken:
    """The code of the second factor, or a recovery code.

    Raises `RefusedError`: `wrong_code`, `locked`, `throttled`, `step_over`, `second_factor_lost`.
    """

    def take(connection: Connection, step: Step) -> Taken:
        attempt = login.attempt_of(walker.door, step.user.login, walker.visit, walker.now_ms)
        throttle.check(connection, attempt)
        login.prove_factor(walker.door, connection, attempt, step.user, typed)
        return _go_on(walker, connection, step)

    return _take(walker, "second_factor", take)


def take_password(walker: Walker, password: str, again: str) -> Taken:
    """Another password of one's own.

    Raises `PasswordRefusedError`, `RefusedError`.
    """
    door, step = walker.door, look(walker)
    if step.kind != "must_change":
        raise RefusedError("step_over")
    try:
        if password != again:
            raise PasswordRefusedError(Problem("differ"))
        prepared = accounts.prepare_own(door.database, door.passwords, step.user, password)
    except PasswordRefusedError:
        with door.database.write() as connection:
            steps.failed(connection, steps.find(connection, door.keys, walker.token, walker.now_ms))
        raise

    def take(connection: Connection, step: Step) -> Taken:
        accounts.store_own(connection, step.user, prepared, walker.now_ms)
        door.sessions.end_all(connection, step.user.id, walker.now_ms)
        return _go_on(walker, connection, step)

    return _take(walker, "must_change", take)


def take_enrolment(walker: Walker, typed: str) -> Taken:
    """The first code of a new second factor; raises `RefusedError`: `wrong_code`, `step_over`."""
    door = walker.door

    def take(connection: Connection, step: Step) -> Taken:
        if step.user.has_second_factor:  # it is not replaced by who knows the password alone
            raise RefusedError("step_over")
        matching = second_factor.step_of(step.key, typed, walker.now_ms)
        if matching is None:
            raise RefusedError("wrong_code")
        codes = accounts.enrol(connection, door.keys, step.user, step.key, matching)
        events.record(
            connection, "second_factor_enrolled", walker.now_ms, user=step.user.login,
            details={"address": throttle.counted(walker.visit.address)},
        )  # fmt: skip
        return replace(_go_on(walker, connection, step), recovery_codes=tuple(codes))

    return _take(walker, "enrol", take)


def _take(walker: Walker, kind: steps.Kind, take: Callable[[Connection, Step], Taken]) -> Taken:
    """Take a step in one transaction; one that was failed is counted in it."""
    door = walker.door
    with door.database.write() as connection:
        step = steps.find(connection, door.keys, walker.token, walker.now_ms)
        if step.kind != kind:
            raise RefusedError("step_over")
        if step.user.state != users.ACTIVE:
            raise RefusedError(f"account_{step.user.state}")
        try:
            return take(connection, step)
        except RefusedError as error:
            refused = error  # what was counted is kept: no rollback
            steps.failed(connection, step)
    logger.info("the step %s was refused from %s: %s", kind, walker.visit.address, refused)
    raise refused


def _go_on(walker: Walker, connection: Connection, step: Step) -> Taken:
    """The step is over: the next one, or the session."""
    steps.end(connection, step)
    visit = walker.visit
    if visit.application != step.application:
        # the page of steps is at the root; the session there is not the one that is replaced
        visit = replace(visit, application=step.application, old_token=None)
    arrival = Arrival(
        user=users.get(connection, step.user.login),  # as the step has left it
        who=step.who,
        visit=visit,
        now_ms=walker.now_ms,
        ticket=step.ticket,
        following=step.following,
        # one may have been enrolled elsewhere since this step was begun
        is_factor_proven=step.is_factor_proven or step.kind in PROVING,
    )
    return Taken(login.go_on(walker.door, connection, arrival), step.following)
