"""Sessions: kept here, named by a random id of which only a keyed hash is stored."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select, update

from eop.aaa.tables import revocation, session
from eop.directory.tables import user

TOKEN_BYTES = 32
TOUCH_SECONDS = 60  # the last use is written once a minute, not at every request

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Keys:
    """What is derived from `SESSION_KEY`; changing that key ends every session."""

    def __init__(self, session_key: str) -> None:
        self._key = session_key.encode()

    def session_id(self, token: str) -> str:
        """What is stored of a session's token."""
        return self._derived("session", token)

    def csrf_token(self, token: str) -> str:
        """What a page of that session sends back with every change."""
        return self._derived("csrf", token)

    def login_key(self, login: str) -> str:
        """What is stored of a login that failed: a password may have been typed there."""
        return self._derived("login", login)

    def device_mark(self, device: str, login: str) -> str:
        """What a device's cookie carries for a login that has signed in on it."""
        return self._derived("device", f"{device}:{login}")

    def _derived(self, purpose: str, text: str) -> str:
        message = f"{purpose}:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Lifetime:
    """For how long a session lives, and for how long unused (0: no limit)."""

    absolute_ms: int
    idle_ms: int


@dataclass(frozen=True)
class Session:
    """A live session; `id` is the hash, the token itself is only in the browser."""

    id: str
    login: str
    seen_at: int
    ends_at: int


@dataclass(frozen=True)
class Beginning:
    """What a new session is made of."""

    user_id: int
    authenticator: str
    address: str


def start(
    connection: Connection, keys: Keys, beginning: Beginning, lifetime: Lifetime, now_ms: int
) -> tuple[str, Session]:
    """A new session: the token for the browser, and what is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    login = connection.scalar(select(user.c.login).where(user.c.id == beginning.user_id))
    made = Session(keys.session_id(token), str(login), now_ms, now_ms + lifetime.absolute_ms)
    connection.execute(
        insert(session).values(
            id=made.id,
            user_id=beginning.user_id,
            authenticator=beginning.authenticator,
            address=beginning.address,
            created_at=now_ms,
            seen_at=now_ms,
            ends_at=made.ends_at,
        )
    )
    return token, made


def is_token(text: str | None) -> bool:
    """Whether a cookie's value can be one of ours at all."""
    return text is not None and _TOKEN.fullmatch(text) is not None


def find(
    connection: Connection, session_id: str, lifetime: Lifetime, now_ms: int
) -> Session | None:
    """The live session of that id."""
    row = connection.execute(_live(lifetime, now_ms).where(session.c.id == session_id)).first()
    return Session(row.id, row.login, row.seen_at, row.ends_at) if row else None


def live(connection: Connection, lifetime: Lifetime, now_ms: int) -> list[Session]:
    """Every live session."""
    rows = connection.execute(_live(lifetime, now_ms).order_by(session.c.created_at))
    return [Session(row.id, row.login, row.seen_at, row.ends_at) for row in rows]


def _live(lifetime: Lifetime, now_ms: int):  # type: ignore[no-untyped-def]
    query = (
        select(session.c.id, user.c.login, session.c.seen_at, session.c.ends_at)
        .join(user, session.c.user_id == user.c.id)
        .where(session.c.ends_at > now_ms)
    )
    return query.where(session.c.seen_at > now_ms - lifetime.idle_ms) if lifetime.idle_ms else query


def touch(connection: Connection, session_id: str, now_ms: int) -> None:
    """Write down that a session is in use."""
    connection.execute(update(session).where(session.c.id == session_id).values(seen_at=now_ms))


def end(connection: Connection, session_ids: Iterable[str], now_ms: int) -> int:
    """End sessions: rows deleted and revocations queued, in the caller's one transaction."""
    ended = 0
    for session_id in session_ids:
        connection.execute(delete(session).where(session.c.id == session_id))
        connection.execute(insert(revocation).values(session=session_id, queued_at=now_ms))
        ended += 1
    return ended


def end_all(connection: Connection, user_id: int, now_ms: int) -> int:
    """End every session of one user."""
    ids = connection.scalars(select(session.c.id).where(session.c.user_id == user_id)).all()
    return end(connection, ids, now_ms)


def end_expired(connection: Connection, lifetime: Lifetime, now_ms: int) -> int:
    """End sessions whose time is over, or that nobody used for too long."""
    over = [session.c.ends_at <= now_ms]
    if lifetime.idle_ms:
        over.append(session.c.seen_at <= now_ms - lifetime.idle_ms)
    ids = connection.scalars(select(session.c.id).where(or_(*over))).all()
    return end(connection, ids, now_ms)
