"""The one path of every sign-in: throttle, who, policy, session."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from eop.aaa import devices, throttle
from eop.aaa import identity as identities
from eop.aaa import session as sessions
from eop.aaa.authenticators.base import Authenticator, Who
from eop.aaa.identity import Identity
from eop.aaa.policy import may
from eop.aaa.session import Beginning, Keys, Lifetime, Session
from eop.audit import events
from eop.database import Database
from eop.directory import users
from eop.errors import RefusedError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Door:
    """What the path needs of the site."""

    database: Database
    keys: Keys
    lifetime: Lifetime
    authenticators: Sequence[Authenticator]


@dataclass(frozen=True)
class Credentials:
    """What was typed, and from where; `device` is the cookie of `eop.aaa.devices`."""

    login: str
    password: str
    address: str
    device: str = ""


@dataclass(frozen=True)
class SignedIn:
    """A new session: its token goes into the cookie and nowhere else; so does the device."""

    identity: Identity
    session: Session
    token: str
    device: str


def sign_in(
    door: Door, credentials: Credentials, now_ms: int, old_token: str | None = None
) -> SignedIn:
    """Sign someone in; raises `RefusedError`: `wrong`, `locked`, `throttled`, `denied`, `busy`.

    The session of `old_token`, if any, ends: a browser never keeps an id over a sign-in.
    """
    typed = users.canonical_login(credentials.login)
    attempt = throttle.Attempt(
        login=door.keys.login_key(typed),
        address=throttle.counted(credentials.address),
        now_ms=now_ms,
        device=devices.known(door.keys, credentials.device, typed),
    )
    with door.database.read() as connection:
        throttle.check(connection, attempt)
    who = _first_answer(door.authenticators, credentials)
    with door.database.write() as connection:
        throttle.check(connection, attempt)  # others may have failed while we computed
        user = users.find(connection, who.login) if who else None
        if who is None or user is None:
            throttle.failed(connection, attempt)
            tried = users.find(connection, typed)
            events.record_failure(connection, tried.login if tried else "", attempt.address, now_ms)
        else:
            throttle.succeeded(connection, attempt)
            identity = identities.of_user(user)
            if may(identity, "sign_in").allowed:
                if old_token is not None:
                    sessions.end(connection, [door.keys.session_id(old_token)], now_ms)
                address = credentials.address[: throttle.MAX_ADDRESS_CHARACTERS]
                beginning = Beginning(user.id, who.authenticator, address)
                token, session = sessions.start(
                    connection, door.keys, beginning, door.lifetime, now_ms
                )
                events.record(connection, "signed_in", session, now_ms)
                device = devices.remembered(door.keys, credentials.device, typed)
                return SignedIn(identity, session, token, device)
    logger.info("sign-in refused from %s", credentials.address)
    raise RefusedError("wrong" if who is None or user is None else "denied")


def _first_answer(authenticators: Sequence[Authenticator], typed: Credentials) -> Who | None:
    for authenticator in authenticators:
        who = authenticator.authenticate(typed.login, typed.password)
        if who is not None:
            return who
    return None


def sign_out(door: Door, session: Session, now_ms: int) -> None:
    """End one session; its revocation is queued in the same transaction."""
    with door.database.write() as connection:
        sessions.end(connection, [session.id], now_ms)
        events.record(connection, "signed_out", session, now_ms)
