"""Who opened what, numbered and on disk before it happens, until the site has fetched it."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from controle_vnc.control.messages import MAX_EVENTS_A_PULL, Event
from controle_vnc.errors import JournalError
from controle_vnc.store import begin, connect

MAX_WAITING = 1_000_000  # about 500 MB: years of a site that never fetches them
MAX_DETAIL_BYTES = 4096  # a few names and figures, written in any alphabet
MAX_FIELD_CHARACTERS = 128
MAX_PULL_BYTES = 512 * 1024  # half of a message's limit: the sizes are estimates

_journal = sa.Table(
    "journal",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger),
    sa.Column("kind", sa.String),
    sa.Column("user", sa.String),
    sa.Column("session", sa.String),
    sa.Column("workstation", sa.String),
    sa.Column("details", sa.Text),
)

_insert = sa.insert(_journal)


@dataclass(frozen=True)
class Entry:
    """An event before it has a number; `at` in ms since 1970, `details` as JSON."""

    at: int
    kind: str
    user: str
    session: str
    workstation: str | None
    details: str


class Journal:
    """Blocking, safe between threads: `Clerk` writes it for async code."""

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, limit: int = MAX_WAITING
    ) -> None:
        self._engine = connect(path, durable=True)
        self._clock, self._limit = clock, limit
        self._lock = threading.Lock()
        self._waiting = self._count()

    def close(self) -> None:
        self._engine.dispose()

    def entry(
        self,
        kind: str,
        user: str,
        session: str,
        workstation: str | None,
        details: dict[str, str | int],
    ) -> "Entry":
        """An event that happens now, to be written; raises `JournalError` where it is too large."""
        text = json.dumps(details)
        longest = max(len(field) for field in (kind, user, session, workstation or ""))
        if len(text) > MAX_DETAIL_BYTES or longest > MAX_FIELD_CHARACTERS:
            raise JournalError("the event is too large for the journal")
        return Entry(int(self._clock() * 1000), kind, user, session, workstation, text)

    def write(self, entries: Sequence["Entry"]) -> list[int]:
        """Write all of `entries`, or none; gives their numbers once they are on disk.

        Raises `JournalError`.
        """
        with self._lock:
            if self._waiting + len(entries) > self._limit:
                raise JournalError(f"the journal is full: {self._waiting} events wait for the site")
            try:
                with begin(self._engine) as connection:
                    done = [connection.execute(_insert, asdict(entry)) for entry in entries]
            except sa.exc.SQLAlchemyError as error:
                raise JournalError(f"the journal cannot be written: {error}") from error
            self._waiting += len(entries)
        return [_number(result) for result in done]

    def after(self, number: int, limit: int = MAX_EVENTS_A_PULL) -> list[Event]:
        """The events after `number`, oldest first, at most `limit` of them."""
        wanted = (
            sa.select(_journal)
            .where(_journal.c.number > number)
            .order_by(_journal.c.number)
            .limit(max(0, min(limit, MAX_EVENTS_A_PULL)))
        )
        with begin(self._engine) as connection:
            rows = connection.execute(wanted).all()
        events, size = [], 0
        for row in rows:
            size += sum(len(str(field).encode()) for field in row)
            if size > MAX_PULL_BYTES:
                break
            events.append(
                Event(
                    number=row.number,
                    at=row.at,
                    kind=row.kind,
                    user=row.user,
                    session=row.session,
                    workstation=row.workstation,
                    details=json.loads(row.details),
                )
            )
        return events

    def acknowledge(self, up_to: int) -> int:
        """Forget the events up to this number: they are kept elsewhere. Gives their number."""
        with self._lock:
            with begin(self._engine) as connection:
                result = connection.execute(sa.delete(_journal).where(_journal.c.number <= up_to))
            self._waiting = self._count()
        return int(result.rowcount)

    def waiting(self) -> int:
        """How many events the site has not acknowledged."""
        return self._waiting

    def _count(self) -> int:
        with begin(self._engine) as connection:
            return int(connection.execute(sa.select(sa.func.count(_journal.c.number))).scalar_one())


def _number(result: sa.CursorResult[Any]) -> int:
    key = result.inserted_primary_key
    if key is None:
        raise JournalError("the journal gave no number")
    return int(key[0])
