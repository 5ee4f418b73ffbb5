"""Is the chain whole, from the last checkpoint to the head? If not: where, and what is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from eop.audit.chain import COLUMNS, GENESIS, digest, look_of, whom_of
from eop.audit.tables import audit, audit_checkpoint, audit_head, audit_whom

BATCH = 2000  # rows read together
PURGED = "audit_purged"  # the event that every checkpoint has in the chain

CHANGED = "the row is not what it was when it was written"
INSERTED = "the row was not there when the next one was written"

What = Literal["changed", "removed", "inserted", "reordered", "checkpoint", "index"]

_columns = [*(audit.c[name] for name in COLUMNS), audit.c.previous, audit.c.hash, audit.c.look]


@dataclass(frozen=True)
class Damage:
    """The first row at which the chain is broken, what happened to it, and a sentence."""

    row: int
    what: What
    sentence: str


@dataclass(frozen=True)
class Link:
    """A place in the chain: after this row comes the next."""

    id: int
    hash: str


@dataclass(frozen=True)
class Report:
    """What was verified: rows after `start` up to `end`."""

    rows: int
    start: Link
    end: Link
    damage: Damage | None


def verify(
    connection: Connection,
    known: Link | None = None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Walk the chain; `progress` is told how many rows were read.

    `connection` must see one state of the database all along (`Database.snapshot`). `known` is a
    link that was written down earlier: whoever forges the whole chain cannot keep it.
    """
    start, damage = _start(connection)
    walk = _Walk(connection, start)
    if damage is None:
        damage = walk.run(progress) or walk.check_head()
    if damage is None and known is not None:
        damage = _check_known(connection, known, start)
    return Report(walk.rows, start, walk.last, damage)


def _start(connection: Connection) -> tuple[Link, Damage | None]:
    """The last checkpoint, which must be the one whose purging the chain tells of."""
    newest = select(audit_checkpoint).order_by(audit_checkpoint.c.id.desc()).limit(1)
    checkpoint = connection.execute(newest).first()
    told_of = select(audit.c.details).where(audit.c.kind == PURGED)
    told = connection.scalar(told_of.order_by(audit.c.id.desc()).limit(1))
    if checkpoint is None:
        if told is None:
            return Link(0, GENESIS), None
        sentence = "the chain tells of a purge whose checkpoint was removed"
        return Link(0, GENESIS), Damage(_number(told.get("last_id")), "checkpoint", sentence)
    start = Link(checkpoint.last_id, checkpoint.last_hash)
    if told is None:
        sentence = "no event of the chain tells of the checkpoint: it was forged"
    elif (told.get("last_id"), told.get("last_hash")) != (start.id, start.hash):
        sentence = "the checkpoint is not the one that the chain tells of"
    else:
        return start, None
    return start, Damage(start.id, "checkpoint", sentence)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


class _Walk:
    """From link to link; `last` is the last one that held."""

    def __init__(self, connection: Connection, start: Link) -> None:
        self.rows = 0
        self.last = start
        self._before = ""  # the hash before the last
        self._connection = connection
        self._start = start

    def run(self, progress: Callable[[int], None]) -> Damage | None:
        damage = self._check_before_start()
        while damage is None:
            query = select(*_columns).where(audit.c.id > self.last.id).order_by(audit.c.id)
            rows = self._connection.execute(query.limit(BATCH)).all()
            if not rows:
                return None
            damage = self._check_batch(rows)
            progress(self.rows)
        return damage

    def _check_before_start(self) -> Damage | None:
        left = select(audit.c.id).where(audit.c.id <= self._start.id).order_by(audit.c.id).limit(1)
        row = self._connection.scalar(left)
        if row is None:
            return None
        return Damage(
            row, "inserted", "the row stands before the checkpoint, where all were purged"
        )

    def _check_batch(self, rows: Sequence[Row[Any]]) -> Damage | None:
        indexed = self._indexed(rows[0].id, rows[-1].id)
        for row in rows:
            values = row._mapping
            if row.previous != self.last.hash or row.hash != digest(row.previous, values):
                return self._damage(row)
            wanted = {(login, row.at) for login in whom_of(row.details)}
            if row.look != look_of(row.details) or indexed.get(row.id, set()) != wanted:
                return Damage(row.id, "index", "whom the row is about is not what its index says")
            self._before, self.last = self.last.hash, Link(row.id, row.hash)
            self.rows += 1
        return None

    def _indexed(self, first: int, last: int) -> dict[int, set[tuple[str, int]]]:
        query = select(audit_whom.c.audit_id, audit_whom.c.login, audit_whom.c.at)
        query = query.where(audit_whom.c.audit_id.between(first, last))
        found: dict[int, set[tuple[str, int]]] = {}
        for row, login, at in self._connection.execute(query).all():
            found.setdefault(row, set()).add((login, at))
        return found

    def _damage(self, row: Row[Any]) -> Damage:
        """What happened at the first row that does not follow the last one that held."""
        if row.previous == self.last.hash:
            return Damage(row.id, "changed", CHANGED)
        if row.id > self.last.id + 1:
            missing = self.last.id + 1
            return Damage(missing, "removed", f"rows {missing} to {row.id - 1} are missing")
        if row.previous == self._before:
            return Damage(self.last.id, "inserted", INSERTED)
        return self._misplaced(row)

    def _misplaced(self, row: Row[Any]) -> Damage:
        """Of a row that says it follows one that is not before it, nor was."""
        followed = select(audit.c.id).where(audit.c.hash == row.previous).limit(1)
        of = self._connection.scalar(followed)
        if of is not None:
            return Damage(row.id, "reordered", f"the row was written after row {of}")
        after = select(audit.c.previous).where(audit.c.id > row.id).order_by(audit.c.id).limit(1)
        if self._connection.scalar(after) == self.last.hash:
            return Damage(row.id, "inserted", INSERTED)
        if row.hash == digest(row.previous, row._mapping) and self.last != self._start:
            sentence = "the row was replaced: the next one was written after another"
            return Damage(self.last.id, "changed", sentence)
        return Damage(row.id, "changed", CHANGED)

    def check_head(self) -> Damage | None:
        """Whether the last row is the one that was written last."""
        head = self._connection.execute(select(audit_head)).first()
        if head is None:
            return Damage(self.last.id, "removed", "the head of the chain is missing")
        if head.last_id > self.last.id:
            missing = self.last.id + 1
            return Damage(missing, "removed", f"rows {missing} to {head.last_id} are missing")
        if head.last_id < self.last.id:
            sentence = "the row was not written by the program: the head of the chain is before it"
            return Damage(head.last_id + 1, "inserted", sentence)
        if head.last_hash != self.last.hash:
            return Damage(self.last.id, "changed", "the head of the chain has another last row")
        return None


def _check_known(connection: Connection, known: Link, start: Link) -> Damage | None:
    if known.id < start.id:
        return Damage(known.id, "removed", "the row that was noted has been purged since")
    found = connection.scalar(select(audit.c.hash).where(audit.c.id == known.id))
    if known.id == start.id:
        found = start.hash
    if found == known.hash:
        return None
    what: What = "removed" if found is None else "changed"
    return Damage(known.id, what, "the row is not the one that was noted: the chain was rewritten")
