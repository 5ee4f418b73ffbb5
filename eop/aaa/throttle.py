"""Failed sign-ins are counted here, whatever the authenticator, and survive restarts.

Each is counted at a place: an address, or a device on which the same login has signed in before.
Whoever fails elsewhere, or from the same address, does not lock such a device out.
"""

import ipaddress
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from eop.aaa.tables import sign_in_failure, sign_in_lock
from eop.database import upsert
from eop.errors import RefusedError

ATTEMPTS = 5  # failures of one login at one place, then it is locked there
HOLDOFF_SECONDS = 30 * 60
EVERYWHERE_TIMES = 10  # as many failures at any place: that is no longer one person mistyping
FAILURES_AN_ADDRESS = 60  # of any login: a whole school may share one address
WINDOW_SECONDS = 30 * 60  # in which those of an address count
IPV6_PREFIX = 64  # what one subscriber has at least, to take any address from
MAX_ADDRESS_CHARACTERS = 64
NOBODY = ""  # the login of failures that count for none
EVERYWHERE = ""  # the place of a lock that all but known devices are under


@dataclass(frozen=True)
class Limits:
    """How many failures of a login lock it, and for how long; so long they are counted, too."""

    attempts: int = ATTEMPTS
    holdoff_ms: int = HOLDOFF_SECONDS * 1000


@dataclass(frozen=True)
class Attempt:
    """One try: a keyed hash of the login (a password may be typed there), and from where.

    `device` is one that this login is known on, or empty.
    """

    login: str
    address: str
    now_ms: int
    device: str = ""
    limits: Limits = Limits()

    @property
    def place(self) -> str:
        return self.device or self.address


def counted(address: str) -> str:
    """What counts as one address: of IPv6 its network, for nobody has only one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:MAX_ADDRESS_CHARACTERS]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), IPV6_PREFIX), strict=False))


def check(connection: Connection, attempt: Attempt) -> None:
    """Raise `RefusedError` (`locked`, `throttled`) where no try is allowed now."""
    places = [attempt.place] if attempt.device else [attempt.place, EVERYWHERE]
    until = connection.scalar(
        select(func.max(sign_in_lock.c.until)).where(
            sign_in_lock.c.login == attempt.login,
            sign_in_lock.c.place.in_(places),
            sign_in_lock.c.until > attempt.now_ms,
        )
    )
    if until is not None:
        raise RefusedError("locked", retry_after=_seconds(until - attempt.now_ms))
    since = attempt.now_ms - WINDOW_SECONDS * 1000
    recent = (sign_in_failure.c.place == attempt.place, sign_in_failure.c.at > since)
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


def failed(connection: Connection, attempt: Attempt) -> bool:
    """Count a failure, and lock when it is one too many; whether it was."""
    _alone(connection, attempt.login)
    _keep(connection, attempt, attempt.login)
    same_login = sign_in_failure.c.login == attempt.login
    here = sign_in_failure.c.place == attempt.place
    attempts = attempt.limits.attempts
    places = []
    if _count(connection, attempt, same_login, here) >= attempts:
        places.append(attempt.place)
    if _count(connection, attempt, same_login) >= attempts * EVERYWHERE_TIMES:
        places.append(EVERYWHERE)
    for place in places:
        _lock(connection, attempt, place)
    return bool(places)


def failed_here(connection: Connection, attempt: Attempt) -> None:
    """Count a failure at its place alone: no login is locked by it."""
    _keep(connection, attempt, NOBODY)


def _alone(connection: Connection, login: str) -> None:
    """Have failures of one login counted one after the other, until this transaction ends.

    On PostgreSQL none of those that come at once would see the others; SQLite writes one by one.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(login))))


def _keep(connection: Connection, attempt: Attempt, login: str) -> None:
    values = {"login": login, "place": attempt.place, "at": attempt.now_ms}
    connection.execute(insert(sign_in_failure).values(**values))


def _count(connection: Connection, attempt: Attempt, *conditions: object) -> int:
    since = attempt.now_ms - attempt.limits.holdoff_ms
    query = select(func.count()).select_from(sign_in_failure).where(sign_in_failure.c.at > since)
    for condition in conditions:
        query = query.where(condition)  # type: ignore[arg-type]
    return connection.scalar(query) or 0


def _lock(connection: Connection, attempt: Attempt, place: str) -> None:
    """Lock a login at one place, or everywhere."""
    key = {"login": attempt.login, "place": place}
    until = attempt.now_ms + attempt.limits.holdoff_ms
    upsert(connection, sign_in_lock, key, {"until": until})


def succeeded(connection: Connection, attempt: Attempt) -> None:
    """A right password forgives what the same login failed at the same place."""
    connection.execute(
        delete(sign_in_failure).where(
            sign_in_failure.c.login == attempt.login,
            sign_in_failure.c.place == attempt.place,
        )
    )


def clear(connection: Connection, login: str) -> None:
    """Forget failures and locks of one login (its keyed hash), from everywhere."""
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.login == login))
    connection.execute(delete(sign_in_lock).where(sign_in_lock.c.login == login))


def purge(connection: Connection, now_ms: int, limits: Limits = Limits()) -> None:
    """Drop what no longer counts."""
    since = now_ms - max(WINDOW_SECONDS * 1000, limits.holdoff_ms)
    connection.execute(delete(sign_in_failure).where(sign_in_failure.c.at <= since))
    connection.execute(delete(sign_in_lock).where(sign_in_lock.c.until <= now_ms))


def _seconds(milliseconds: int) -> int:
    return max(1, -(-milliseconds // 1000))


def locked_until(connection: Connection, login: str, now_ms: int) -> int | None:
    """When the last lock of a login (its keyed hash) ends, at whatever place; None without one."""
    query = select(func.max(sign_in_lock.c.until)).where(
        sign_in_lock.c.login == login, sign_in_lock.c.until > now_ms
    )
    until: int | None = connection.scalar(query)
    return until
