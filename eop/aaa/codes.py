"""One-time codes: how an application under another host name gets a session of its own.

A code is bound to the application's address, to a state value that the application put in the
browser's own cookie (nobody can be signed in as somebody else by a link), and to the session it is
made from. Only a hash over all three is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from eop.aaa.session import Keys, is_token, new_token
from eop.aaa.tables import sign_in_code
from eop.errors import RefusedError

CODE_SECONDS = 60  # two redirects of one browser; a slow line needs a few
MAX_CODES_A_SESSION = 30  # a browser that opens all its tabs again asks for one each


@dataclass(frozen=True)
class Wanted:
    """For which application (its address), and the state that it gave the browser."""

    application: str
    state: str


def wanted(arguments: Mapping[str, str], allowed: list[str]) -> Wanted | None:
    """What the address of a request asks for, if it asks for a code at all.

    Raises `RefusedError`: `application_unknown`, `sign_in_state`.
    """
    application = arguments.get("application")
    if application is None:
        return None
    if application not in allowed:
        raise RefusedError("application_unknown")
    state = arguments.get("state", "")
    if not is_token(state):
        raise RefusedError("sign_in_state")
    return Wanted(application, state)


def issue(connection: Connection, keys: Keys, session_id: str, asked: Wanted, now_ms: int) -> str:
    """A new code made from that session; raises `RefusedError("throttled")`."""
    purge(connection, now_ms)
    of_session = select(func.count()).where(sign_in_code.c.session == session_id)
    if (connection.scalar(of_session) or 0) >= MAX_CODES_A_SESSION:
        raise RefusedError("throttled", retry_after=CODE_SECONDS)
    code = new_token()
    connection.execute(
        insert(sign_in_code).values(
            id=_stored(keys, code, asked),
            session=session_id,
            application=asked.application,
            ends_at=now_ms + CODE_SECONDS * 1000,
        )
    )
    return code


def redeem(connection: Connection, keys: Keys, code: str, asked: Wanted, now_ms: int) -> str | None:
    """The session that the code was made from; the code is used up."""
    used = (
        delete(sign_in_code)
        .where(sign_in_code.c.id == _stored(keys, code, asked))
        .returning(sign_in_code.c.session, sign_in_code.c.application, sign_in_code.c.ends_at)
    )
    row = connection.execute(used).first()
    if row is None or row.ends_at <= now_ms or row.application != asked.application:
        return None
    return str(row.session)


def purge(connection: Connection, now_ms: int) -> None:
    """Forget codes that nobody used in time."""
    connection.execute(delete(sign_in_code).where(sign_in_code.c.ends_at <= now_ms))


def _stored(keys: Keys, code: str, asked: Wanted) -> str:
    return keys.derived("code", f"{code} {asked.state} {asked.application}")
