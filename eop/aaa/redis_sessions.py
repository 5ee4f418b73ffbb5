"""Sessions in Redis: each a key that expires by itself, so that several hosts can share them."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import Connection

from eop.aaa import redis_scripts as scripts
from eop.aaa.redis_line import Line
from eop.aaa.revocations import queue
from eop.aaa.session import (
    Beginning,
    Found,
    Keys,
    Lifetime,
    Session,
    ended_parent,
    made_of,
    new_token,
)
from eop.directory import granted
from eop.directory.granted import Holder
from eop.errors import SessionsDownError

CONNECT_SECONDS = 1.0  # it is on this machine or the next one
ANSWER_SECONDS = 1.0  # a page waits for it: better told soon that it cannot be had
RETRIES = 1  # a connection kept from before Redis was restarted is opened anew
MAX_OWNERS = 4096  # sessions of whom a process remembers whose they are: 1 MiB
PREFIX_DIGITS = 16  # sites with keys of their own can share one Redis

logger = logging.getLogger(__name__)


class RedisSessions:
    """`eop.aaa.session.Sessions` in Redis; only the revocations go through the caller's database.

    A session ends in Redis before the caller's transaction is committed: where that fails, the
    session is over all the same, and its screens close when nobody renews their lease.
    """

    def __init__(self, keys: Keys, lifetime: Lifetime, client: "redis.Redis") -> None:
        self.keys = keys
        self.lifetime = lifetime
        self._client: Any = client  # its types know neither bytes from text nor now from later
        self._prefix = f"eop:{{{keys.derived('store', 'sessions')[:PREFIX_DIGITS]}}}:"
        self._line = Line(client)
        self._owners: dict[str, int] = {}  # id of a session → whose it was when last asked for
        self._start = self._client.register_script(scripts.START)
        self._touch = self._client.register_script(scripts.TOUCH)
        self._end = self._client.register_script(scripts.END)
        self._is_down = False

    def start(
        self, connection: Connection, beginning: Beginning, now_ms: int
    ) -> tuple[str, Session]:
        token = new_token()
        made = made_of(beginning, self.keys.session_id(token), self.lifetime, now_ms)
        ticket, parent = beginning.ticket or "", beginning.parent or ""
        fields = asdict(made) | {"user_id": beginning.user_id, "ticket": ticket, "parent": parent}
        pairs = [part for pair in fields.items() for part in pair]
        remaining = made.ends_at - now_ms
        arguments = [
            self._prefix, made.id, self._life(remaining), remaining, beginning.user_id, ticket,
            parent, *pairs,
        ]  # fmt: skip
        with self._asking():
            if not self._start([self._key(made.id)], arguments):
                raise ended_parent()
            if parent:
                self._touch([self._key(parent)], self._use(parent, now_ms))
        return token, made

    def _life(self, remaining: int) -> int:
        return min(remaining, self.lifetime.idle_ms or remaining)

    def _key(self, session_id: str) -> str:
        return f"{self._prefix}session:{session_id}"

    def find(self, connection: Connection, session_id: str, now_ms: int) -> Session | None:
        return self._found(session_id, self._read([session_id])[0], now_ms)

    def find_with_user(self, connection: Connection, session_id: str, now_ms: int) -> Found | None:
        """While Redis answers, its user is read: whose it was when it was last asked for.

        That is a guess. Only Redis says whose it is, and whether it lives.
        """
        guessed = self._owners.get(session_id)

        def look() -> Holder | None:
            return granted.find_by_id(connection, guessed, now_ms) if guessed is not None else None

        with self._asking():
            fields, holder = self._line.hash_while(self._key(session_id), look)
        found = self._found(session_id, fields, now_ms)
        if found is None:
            self._owners.pop(session_id, None)
            return None
        owner = int(fields["user_id"])
        if owner != guessed:
            holder = granted.find_by_id(connection, owner, now_ms)
            self._remember(session_id, owner)
        if holder is None:
            return None
        return Found(replace(found, login=holder.user.login), *holder)

    def _remember(self, session_id: str, user_id: int) -> None:
        if len(self._owners) >= MAX_OWNERS:
            self._owners.clear()
        self._owners[session_id] = user_id

    def live(self, connection: Connection, now_ms: int) -> list[Session]:
        return self._living(self._members("sessions"), now_ms)

    def of_user(self, connection: Connection, user_id: int, now_ms: int) -> list[Session]:
        return self._living(self._members(f"user:{user_id}"), now_ms)

    def of_ticket(self, connection: Connection, ticket: str) -> list[str]:
        named = self._members(f"ticket:{ticket}")
        return [one for one, fields in zip(named, self._read(named), strict=True) if fields]

    def touch(self, connection: Connection, session_id: str, now_ms: int) -> None:
        with self._asking():
            self._touch([self._key(session_id)], self._use(session_id, now_ms))

    def _use(self, session_id: str, now_ms: int) -> list[Any]:
        return [self._prefix, session_id, now_ms, self.lifetime.idle_ms]

    def end(self, connection: Connection, session_ids: Iterable[str], now_ms: int) -> int:
        wanted = list(dict.fromkeys(session_ids))
        if not wanted:
            return 0
        with self._asking():
            over = self._end([self._key(wanted[0])], [self._prefix, *wanted])
        queue(connection, dict.fromkeys([*wanted, *over]), now_ms)
        return len(over)

    def end_all(self, connection: Connection, user_id: int, now_ms: int) -> int:
        return self.end(connection, self._members(f"user:{user_id}"), now_ms)

    def end_expired(self, connection: Connection, now_ms: int) -> int:
        """Those that Redis dropped were still in the set of all: they are revoked now."""
        known = self._members("sessions")
        living = {one.id for one in self._living(known, now_ms)}
        return self.end(connection, [one for one in known if one not in living], now_ms)

    def _members(self, name: str) -> list[str]:
        with self._asking():
            return sorted(self._client.smembers(self._prefix + name))

    def _read(self, session_ids: list[str]) -> list[dict[str, str]]:
        with self._asking():
            if len(session_ids) == 1:
                return [self._line.hash_at(self._key(session_ids[0]))]
            pipeline = self._client.pipeline(transaction=False)
            for one in session_ids:
                pipeline.hgetall(self._key(one))
            found: list[dict[str, str]] = pipeline.execute()
            return found

    def _living(self, session_ids: list[str], now_ms: int) -> list[Session]:
        read = zip(session_ids, self._read(session_ids), strict=True)
        found = [self._found(one, fields, now_ms) for one, fields in read]
        return sorted((one for one in found if one), key=lambda one: one.created_at)

    def _found(self, session_id: str, fields: dict[str, str], now_ms: int) -> Session | None:
        """The session of a hash, if it is the one asked for and lives by this clock, too."""
        if not fields:
            return None
        try:
            found = Session(
                id=fields["id"],
                login=fields["login"],
                seen_at=int(fields["seen_at"]),
                ends_at=int(fields["ends_at"]),
                created_at=int(fields["created_at"]),
                authenticator=fields["authenticator"],
                address=fields["address"],
                browser=fields["browser"],
                application=fields["application"],
                parent=fields["parent"] or None,
            )
            if found.id != session_id:
                raise ValueError("it is another one")
        except (KeyError, ValueError) as error:
            logger.error("a session in the store cannot be read: %r", error)
            return None
        idle_ms = self.lifetime.idle_ms
        is_used = not idle_ms or found.seen_at > now_ms - idle_ms
        return found if found.ends_at > now_ms and is_used else None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What Redis cannot answer is told in the site's words, and written down once."""
        try:
            yield
        except RedisError as error:
            if not self._is_down:
                logger.error("the session store does not answer: %s", error)
            self._is_down = True
            raise SessionsDownError(f"the session store does not answer: {error}") from error
        if self._is_down:
            self._is_down = False
            logger.warning("the session store answers again")

    def close(self) -> None:
        self._client.close()


def connect(url: str, password: str | None) -> "redis.Redis":
    """A client of the Redis at `url` (redis://, rediss://, unix://); nothing is opened yet."""
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), RETRIES),
    }
    if password is not None:
        options["password"] = password
    made: redis.Redis = redis.Redis.from_url(url, **options)
    return made
