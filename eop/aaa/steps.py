"""What is still due after the password: a second factor, another password, or to enrol a factor.

Until all are done there is no session, only a step: a row named by a random token (of which a keyed
hash is stored), for a few minutes, taken once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import Connection, delete, insert, select, update

from eop.aaa import second_factor
from eop.aaa.authenticators.base import Who
from eop.aaa.session import Keys, is_token, new_token
from eop.aaa.tables import sign_in_step
from eop.directory import users
from eop.directory.users import User
from eop.errors import RefusedError

if TYPE_CHECKING:
    from eop.aaa.login import Arrival, Door

Kind = Literal["second_factor", "must_change", "enrol"]

STEP_SECONDS = 600  # to find the phone, or to think of a password
MAX_CODES = 5  # wrong ones a step
MAX_PASSWORDS = 20  # refused ones a step: each may cost a tenth of a second
MAX_A_USER = 8  # steps at once; who knows a password fills no table with them

_TRIES: dict[Kind, int] = {
    "second_factor": MAX_CODES,
    "must_change": MAX_PASSWORDS,
    "enrol": MAX_CODES,
}


@dataclass(frozen=True)
class Pending:
    """Someone is proven, and a step is due: its token goes into a cookie and nowhere else."""

    step: Kind
    token: str
    login: str


@dataclass(frozen=True)
class Step:
    """A step that was begun; `key` is the one to enrol, `following` the page asked for."""

    id: str
    user: User
    kind: Kind
    who: Who
    ticket: str | None
    application: str
    failures: int
    following: str
    key: str = ""
    is_factor_proven: bool = False


def due(door: "Door", connection: Connection, arrival: "Arrival") -> Kind | None:
    """What someone must do before he has a session; the second factor comes first."""
    user, now_ms = arrival.user, arrival.now_ms
    if user.has_second_factor and not arrival.is_factor_proven:
        return "second_factor"
    if arrival.who.authenticator == users.LOCAL:
        since = users.password_since(connection, user.id)
        if user.must_change or door.passwords.is_over(since, now_ms):
            return "must_change"
    if not user.has_second_factor and user.role in door.second_factor.required_roles:
        return "enrol"
    return None


def begin(door: "Door", connection: Connection, arrival: "Arrival", kind: Kind) -> Pending:
    """Store a step."""
    token, user_id = new_token(), arrival.user.id
    older = connection.scalars(
        select(sign_in_step.c.id)
        .where(sign_in_step.c.user_id == user_id)
        .order_by(sign_in_step.c.ends_at.desc())
        .offset(MAX_A_USER - 1)
    ).all()
    connection.execute(delete(sign_in_step).where(sign_in_step.c.id.in_(older)))
    key = second_factor.new_key() if kind == "enrol" else None
    connection.execute(
        insert(sign_in_step).values(
            id=_id_of(door.keys, token),
            user_id=user_id,
            step=kind,
            authenticator=arrival.who.authenticator,
            ticket=arrival.ticket,
            application=arrival.visit.application,
            secret=second_factor.encrypted(door.keys, key) if key else None,
            is_factor_proven=arrival.is_factor_proven,
            next=arrival.following,
            ends_at=arrival.now_ms + STEP_SECONDS * 1000,
        )
    )
    return Pending(kind, token, arrival.user.login)


def find(connection: Connection, keys: Keys, token: str, now_ms: int) -> Step:
    """The step of a token, its row locked; raises `RefusedError("step_over")`."""
    if not is_token(token):
        raise RefusedError("step_over")
    row = connection.execute(
        select(sign_in_step)
        .where(sign_in_step.c.id == _id_of(keys, token), sign_in_step.c.ends_at > now_ms)
        .with_for_update()
    ).first()
    if row is None:
        raise RefusedError("step_over")
    user = users.get_by_id(connection, row.user_id)
    return Step(
        id=row.id,
        user=user,
        kind=cast(Kind, row.step),
        who=Who(user.login, row.authenticator),
        ticket=row.ticket,
        application=row.application,
        failures=row.failures,
        following=row.next,
        key=second_factor.decrypted(keys, row.secret) if row.secret else "",
        is_factor_proven=row.is_factor_proven,
    )


def lead_to(connection: Connection, keys: Keys, token: str, following: str) -> None:
    """Keep the page that was asked for."""
    named = sign_in_step.c.id == _id_of(keys, token)
    connection.execute(update(sign_in_step).where(named).values(next=following))


def failed(connection: Connection, step: Step) -> None:
    """Count a wrong answer; the step is over when it is one too many."""
    if step.failures + 1 >= _TRIES[step.kind]:
        end(connection, step)
    named = sign_in_step.c.id == step.id
    connection.execute(update(sign_in_step).where(named).values(failures=step.failures + 1))


def end(connection: Connection, step: Step) -> None:
    """Forget a step: it was taken, or tried too often."""
    connection.execute(delete(sign_in_step).where(sign_in_step.c.id == step.id))


def drop(connection: Connection, keys: Keys, token: str) -> None:
    """Forget a step that nobody will take."""
    connection.execute(delete(sign_in_step).where(sign_in_step.c.id == _id_of(keys, token)))


def forget_user(connection: Connection, user_id: int) -> None:
    """Forget every step of a user whose password, second factor or state changed."""
    connection.execute(delete(sign_in_step).where(sign_in_step.c.user_id == user_id))


def of_tickets(connection: Connection, tickets: list[str]) -> list[str]:
    """The ids of steps that a single sign-on server began under one of those (hashed) names."""
    wanted = sign_in_step.c.ticket.in_(tickets)
    return list(connection.scalars(select(sign_in_step.c.id).where(wanted)))


def forget(connection: Connection, step_ids: list[str]) -> None:
    """Forget steps whose sign-in is over before they were taken."""
    connection.execute(delete(sign_in_step).where(sign_in_step.c.id.in_(step_ids)))


def purge(connection: Connection, now_ms: int) -> None:
    """Drop those whose time is over."""
    connection.execute(delete(sign_in_step).where(sign_in_step.c.ends_at <= now_ms))


def csrf_token(keys: Keys, token: str) -> str:
    """What the form of a step sends back."""
    return keys.derived("step form", token)


def _id_of(keys: Keys, token: str) -> str:
    return keys.derived("step", token)
