"""Sessions in the site's own database."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from eop.aaa.revocations import queue
from eop.aaa.session import Beginning, Keys, Lifetime, Session, new_token
from eop.aaa.tables import session
from eop.directory.tables import user

_COLUMNS = (
    session.c.id, user.c.login, session.c.seen_at, session.c.ends_at, session.c.created_at,
    session.c.authenticator, session.c.address, session.c.browser, session.c.application,
    session.c.parent,
)  # fmt: skip


class SqlSessions:
    """`eop.aaa.session.Sessions` in rows; those of a removed user go with him."""

    def __init__(self, keys: Keys, lifetime: Lifetime) -> None:
        self.keys = keys
        self.lifetime = lifetime

    def start(
        self, connection: Connection, beginning: Beginning, now_ms: int
    ) -> tuple[str, Session]:
        token = new_token()
        made = Session(
            id=self.keys.session_id(token),
            login=beginning.login,
            seen_at=now_ms,
            ends_at=now_ms + self.lifetime.absolute_ms,
            created_at=now_ms,
            authenticator=beginning.authenticator,
            address=beginning.address,
            browser=beginning.browser,
            application=beginning.application,
            parent=beginning.parent,
        )
        values = {
            column.name: getattr(made, column.name)
            for column in _COLUMNS
            if column.table is session
        }
        connection.execute(
            insert(session).values(user_id=beginning.user_id, ticket=beginning.ticket, **values)
        )
        return token, made

    def find(self, connection: Connection, session_id: str, now_ms: int) -> Session | None:
        row = connection.execute(self._live(now_ms).where(session.c.id == session_id)).first()
        return _session(row) if row else None

    def live(self, connection: Connection, now_ms: int) -> list[Session]:
        rows = connection.execute(self._live(now_ms).order_by(session.c.created_at))
        return [_session(row) for row in rows]

    def of_user(self, connection: Connection, user_id: int, now_ms: int) -> list[Session]:
        query = self._live(now_ms).where(session.c.user_id == user_id)
        return [_session(row) for row in connection.execute(query.order_by(session.c.created_at))]

    def of_ticket(self, connection: Connection, ticket: str) -> list[str]:
        query = select(session.c.id).where(session.c.ticket == ticket)
        return list(connection.scalars(query))

    def _live(self, now_ms: int) -> Select[Any]:
        query = (
            select(*_COLUMNS)
            .join(user, session.c.user_id == user.c.id)
            .where(session.c.ends_at > now_ms)
        )
        if not self.lifetime.idle_ms:
            return query
        return query.where(session.c.seen_at > now_ms - self.lifetime.idle_ms)

    def touch(self, connection: Connection, session_id: str, now_ms: int) -> None:
        connection.execute(update(session).where(session.c.id == session_id).values(seen_at=now_ms))

    def end(self, connection: Connection, session_ids: Iterable[str], now_ms: int) -> int:
        wanted = list(session_ids)
        children = select(session.c.id).where(session.c.parent.in_(wanted))
        over = list(dict.fromkeys([*wanted, *connection.scalars(children)]))
        connection.execute(delete(session).where(session.c.id.in_(over)))
        queue(connection, over, now_ms)
        return len(over)

    def end_all(self, connection: Connection, user_id: int, now_ms: int) -> int:
        ids = connection.scalars(select(session.c.id).where(session.c.user_id == user_id)).all()
        return self.end(connection, ids, now_ms)

    def end_expired(self, connection: Connection, now_ms: int) -> int:
        over = [session.c.ends_at <= now_ms]
        if self.lifetime.idle_ms:
            over.append(session.c.seen_at <= now_ms - self.lifetime.idle_ms)
        ids = connection.scalars(select(session.c.id).where(or_(*over))).all()
        return self.end(connection, ids, now_ms)


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)
