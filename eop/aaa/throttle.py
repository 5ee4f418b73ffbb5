"""Failed sign-ins are counted here, whatever the authenticator, and survive restarts."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from eop.aaa.tables import sign_in_failure, sign_in_lock
from eop.errors import RefusedError

FAILURES_A_LOCK = 5  # of one login from one address
LOCK_SECONDS = 30 * 60
FAILURES_AN_ADDRESS = 60  # of any login: a whole school may share one address
FAILURES_A_LOGIN = 50  # from any address: beyond it is no longer one person mistyping
WINDOW_SECONDS = 30 * 60
MAX_ADDRESS_CHARACTERS = 64


@dataclass(frozen=True)
class Attempt:
    """One try: a keyed hash of the login (a password may be typed there), and an address."""

    login: str
    address: str
    now_ms: int


def check(connection: Connection, attempt: Attempt) -> None:
    """Raise `RefusedError` (`locked`, `throttled`) where no try is allowed now."""
    until = connection.scalar(
        select(func.max(sign_in_lock.c.until)).where(
            sign_in_lock.c.login == attempt.login,
            sign_in_lock.c.address.in_([attempt.address, ""]),
            sign_in_lock.c.until > attempt.now_ms,
        )
    )
    if until is not None:
        raise RefusedError("locked", retry_after=_seconds(until - attempt.now_ms))
    since = attempt.now_ms - WINDOW_SECONDS * 1000
    recent = (sign_in_failure.c.address == attempt.address, sign_in_failure.c.at > since)
    # the window opens again when the newest failure but FAILURES_AN_ADDRESS - 1 leaves it
    edge = connection.scalar(
        select(sign_in_failure.c.at)
        .where(*recent)
        .order_by(sign_in_failure.c.at.desc())
        .offset(FAILURES_AN_ADDRESS - 1)
        .limit(1)
    )
    if edge is not None:
        raise RefusedError("throttled", retry_after=_seconds(edge - since))


def failed(connection: Connection, attempt: Attempt) -> None:
    """Count a failure, and lock when it is one too many."""
    connection.execute(
        insert(sign_in_failure).values(
            login=attempt.login, address=attempt.address, at=attempt.now_ms
        )
    )
    same_login = sign_in_failure.c.login == attempt.login
    here = sign_in_failure.c.address == attempt.address
    if _count(connection, attempt, same_login, here) >= FAILURES_A_LOCK:
        _lock(connection, attempt, attempt.address)
    if _count(connection, attempt, same_login) >= FAILURES_A_LOGIN:
        _lock(connection, attempt, "")


def _count(connection: Connection, attempt: Attempt, *conditions: object) -> int:
    since = attempt.now_ms - WINDOW_SECONDS * 1000
    query = select(func.count()).select_from(sign_in_failure).where(sign_in_failure.c.at > since)
    for condition in conditions:
        query = query.where(condition)  # type: ignore[arg-type]
    return connection.scalar(query) or 0


def _lock(connection: Connection, attempt: Attempt, address: str) -> None:
    """Lock a login from one address, or from all (`""`)."""
    same = (sign_in_lock.c.login == attempt.login, sign_in_lock.c.address == address)
    connection.execute(delete(sign_in_lock).where(*same))
    until = attempt.now_ms + LOCK_SECONDS * 1000
    connection.execute(
        insert(sign_in_lock).values(login=attempt.login, address=address, until=until)
    )


def succeeded(connection: Connection, attempt: Attempt) -> None:
    """A right password forgives what the same login failed from the same address."""
    connection.execute(
        delete(sign_in_failure).where(
            sign_in_failure.c.login == attempt.login,
            sign_in_failure.c.address == attempt.address,
        )
    )


def clear(connection: Connection, login: str) -> None:
    """Forget failures and locks of one login (its keyed hash), from everywhere."""
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.login == login))
    connection.execute(delete(sign_in_lock).where(sign_in_lock.c.login == login))


def purge(connection: Connection, now_ms: int) -> None:
    """Drop what no longer counts."""
    since = now_ms - WINDOW_SECONDS * 1000
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.at <= since))
    connection.execute(delete(sign_in_lock).where(sign_in_lock.c.until <= now_ms))


def _seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // 1000))
