"""Sessions: kept by the server, named by a random id of which only a keyed hash is stored."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from eop.directory.substitutes import TemporaryGrant
from eop.directory.users import User
from eop.errors import RefusedError

TOKEN_BYTES = 32
TOUCH_SECONDS = 60  # the last use is written once a minute, not at every request

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Keys:
    """What is derived from `SESSION_KEY`.

    Changing that key ends every session and makes every second factor unreadable.
    """

    def __init__(self, session_key: str) -> None:
        self._key = session_key.encode()

    def session_id(self, token: str) -> str:
        """What is stored of a session's token."""
        return self.derived("session", token)

    def csrf_token(self, token: str) -> str:
        """What a page of that session sends back with every change."""
        return self.derived("csrf", token)

    def login_key(self, login: str) -> str:
        """What is stored of a login that failed: a password may have been typed there."""
        return self.derived("login", login)

    def device_mark(self, device: str, login: str) -> str:
        """What a device's cookie carries for a login that has signed in on it."""
        return self.derived("device", f"{device}:{login}")

    def derived(self, purpose: str, text: str) -> str:
        """A keyed hash (64 hexadecimal digits) of `text`, for one purpose alone."""
        message = f"{purpose}:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()

    def cipher(self, purpose: str) -> Fernet:
        """What encrypts for one purpose alone, under a key derived by HKDF-SHA256."""
        derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=f"eop {purpose}".encode())
        return Fernet(base64.urlsafe_b64encode(derivation.derive(self._key)))


@dataclass(frozen=True)
class Lifetime:
    """For how long a session lives, and for how long unused (0: no limit)."""

    absolute_ms: int
    idle_ms: int


@dataclass(frozen=True)
class Beginning:
    """What a new session is made of.

    `application` is the one that has it for itself (empty: shared by all); `ticket` a hash of what
    the single sign-on server calls it; `parent` the session it ends with, not later than `until`.
    """

    user_id: int
    login: str
    authenticator: str
    address: str
    browser: str = ""
    application: str = ""
    ticket: str | None = None
    parent: str | None = None
    until: int | None = None


@dataclass(frozen=True)
class Session:
    """A live session; `id` is the hash, the token itself is only in the browser."""

    id: str
    login: str
    seen_at: int
    ends_at: int
    created_at: int = 0
    authenticator: str = ""
    address: str = ""
    browser: str = ""
    application: str = ""
    parent: str | None = None


class Found(NamedTuple):
    """A live session, whose it is, and what he is granted for some days, the longest first."""

    session: Session
    user: User
    temporary: tuple[TemporaryGrant, ...]


class Sessions(Protocol):
    """Where sessions are kept. `connection` is the caller's transaction on the site's database.

    Every end queues a revocation in that transaction: `eop.aaa.revocations` tells it.
    """

    keys: Keys
    lifetime: Lifetime

    def start(
        self, connection: Connection, beginning: Beginning, now_ms: int
    ) -> tuple[str, Session]:
        """A new session: the token for the browser, and what is kept.

        Raises `RefusedError("signed_out")` where its parent is over.
        """

    def find(self, connection: Connection, session_id: str, now_ms: int) -> Session | None:
        """The live session of that id."""

    def find_with_user(self, connection: Connection, session_id: str, now_ms: int) -> Found | None:
        """The live session of that id and whose it is: asked at every request."""

    def live(self, connection: Connection, now_ms: int) -> list[Session]:
        """Every live session, the oldest first."""

    def of_user(self, connection: Connection, user_id: int, now_ms: int) -> list[Session]:
        """The live sessions of one user, the oldest first."""

    def of_ticket(self, connection: Connection, ticket: str) -> list[str]:
        """The ids of sessions that a single sign-on server began under that (hashed) name."""

    def touch(self, connection: Connection, session_id: str, now_ms: int) -> None:
        """Write down that a session is in use, and with it the one it was made from."""

    def end(self, connection: Connection, session_ids: Iterable[str], now_ms: int) -> int:
        """End sessions and those made from them; how many of them there were."""

    def end_all(self, connection: Connection, user_id: int, now_ms: int) -> int:
        """End every session of one user."""

    def end_expired(self, connection: Connection, now_ms: int) -> int:
        """End sessions whose time is over, or that nobody used for too long."""

    def close(self) -> None:
        """Let go of what was opened."""


def is_token(text: str | None) -> bool:
    """Whether a cookie's value can be one of ours at all."""
    return text is not None and _TOKEN.fullmatch(text) is not None


def new_token() -> str:
    """The token of a new session: 256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def made_of(beginning: Beginning, session_id: str, lifetime: Lifetime, now_ms: int) -> Session:
    """The session that begins now; one made from another never outlives it."""
    ends_at = now_ms + lifetime.absolute_ms
    return Session(
        id=session_id,
        login=beginning.login,
        seen_at=now_ms,
        ends_at=ends_at if beginning.until is None else min(ends_at, beginning.until),
        created_at=now_ms,
        authenticator=beginning.authenticator,
        address=beginning.address,
        browser=beginning.browser,
        application=beginning.application,
        parent=beginning.parent,
    )


def ended_parent() -> RefusedError:
    """What `start` raises where the session to make one from is over."""
    return RefusedError("signed_out", detail="the session it is made from is over")
