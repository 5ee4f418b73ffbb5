"""Sign-ons on their way: which a browser has begun, kept in a signed cookie, each walked once."""

import re
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import IntegrityError

from eop.aaa.session import Keys
from eop.aaa.tables import sign_on_state

COOKIE = "eop_sign_on"
LIVES_SECONDS = 10 * 60  # to type a password and a second factor at the server
MOST = 4  # one for each window in which someone signs in at once; the oldest gives way
STATE_BYTES = 32
MAX_NEXT_CHARACTERS = 400  # four of them, signed, are below the 4096 bytes of a cookie
MAX_COOKIE_CHARACTERS = 4096

_STATE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Departure:
    """A sign-on that a browser has begun at the server `name`, and the page it shall open."""

    name: str
    state: str
    asked: str
    ends_at: int


class DepartureCookie:
    """What the cookie holds, newest first; nobody else can make one."""

    def __init__(self, session_key: str) -> None:
        self._serializer: Any = URLSafeSerializer(session_key, salt="eop.sign_on")

    def read(self, cookie: str, now_ms: int) -> list[Departure]:
        """What is still on its way; nothing where the cookie is not ours."""
        if not cookie or len(cookie) > MAX_COOKIE_CHARACTERS:
            return []
        try:
            found = [Departure(**one) for one in self._serializer.loads(cookie)]
        except (BadData, TypeError):
            return []
        return [one for one in found if one.ends_at > now_ms]

    def written(self, listed: list[Departure]) -> str:
        """The cookie's new value."""
        return str(self._serializer.dumps([asdict(one) for one in listed[:MOST]]))


def new(name: str, asked: str, home: str, now_ms: int) -> Departure:
    """A sign-on that begins now; a page with too long an address gives way to `home`."""
    kept = asked if len(asked) <= MAX_NEXT_CHARACTERS else home
    state = secrets.token_urlsafe(STATE_BYTES)
    return Departure(name, state, kept, now_ms + LIVES_SECONDS * 1000)


def find(listed: list[Departure], name: str, state: str) -> Departure | None:
    """The one that came back, if this browser began it at that server."""
    if not _STATE.fullmatch(state):
        return None
    return next((one for one in listed if (one.name, one.state) == (name, state)), None)


def use(connection: Connection, keys: Keys, came: Departure) -> bool:
    """Whether it comes back for the first time; from now on it has."""
    row = {"id": keys.derived("state", came.state), "ends_at": came.ends_at}
    try:
        with connection.begin_nested():
            connection.execute(insert(sign_on_state).values(row))
    except IntegrityError:
        return False
    return True


def purge(connection: Connection, now_ms: int) -> None:
    """Forget those that are refused for their age by now."""
    connection.execute(delete(sign_on_state).where(sign_on_state.c.ends_at <= now_ms))
