"""The runs of imports as they are kept: asked for, going on, over."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from eop.directory.tables import import_run

QUEUED, RUNNING = "queued", "running"
PLANNED, DONE, PARTLY, BRAKED, FAILED = "planned", "done", "partly", "braked", "failed"
OPEN = (QUEUED, RUNNING)
SCHEDULE, COMMAND = "(schedule)", "(eopctl)"  # who asked; no login has brackets
ANYTHING = "*"  # a confirmation of whatever the brake may find
KEPT_RUNS = 100  # three months of daily imports; they name people, so no more are kept
MAX_QUEUED = 5  # nobody waits for more


@dataclass(frozen=True)
class Order:
    """What is asked for. `confirmed`: the digest of what the brake showed, `ANYTHING`, or ""."""

    source: str
    by: str
    dry_run: bool = False
    confirmed: str = ""
    adopt: bool = False


@dataclass(frozen=True)
class Run:
    """One run; `outcome` is one of the words above, `summary` what `import_report` makes."""

    id: int
    at: int
    by: str
    source: str
    outcome: str
    summary: dict[str, Any]

    @property
    def is_over(self) -> bool:
        return self.outcome not in OPEN

    @property
    def order(self) -> Order:
        """What was asked for."""
        return Order(source=self.source, by=self.by, **self.summary.get("order", {}))


def add(connection: Connection, order: Order, outcome: str, now_ms: int) -> int:
    """A new run, and the oldest forgotten; its number."""
    result = connection.execute(
        insert(import_run).values(
            at=now_ms, by=order.by, source=order.source, outcome=outcome,
            summary=_with_order(order, {}),
        )
    )  # fmt: skip
    assert result.inserted_primary_key is not None  # noqa: S101 - an insert of one row
    number: int = result.inserted_primary_key[0]
    connection.execute(delete(import_run).where(import_run.c.id <= number - KEPT_RUNS))
    return number


def change(
    connection: Connection, number: int, order: Order, outcome: str, summary: dict[str, Any]
) -> None:
    """Keep how far a run is, or how it ended."""
    values = {"outcome": outcome, "summary": _with_order(order, summary)}
    connection.execute(update(import_run).where(import_run.c.id == number).values(values))


def _with_order(order: Order, summary: dict[str, Any]) -> dict[str, Any]:
    asked = {"dry_run": order.dry_run, "confirmed": order.confirmed, "adopt": order.adopt}
    return {**summary, "order": asked}


def take(connection: Connection, number: int) -> bool:
    """Let a queued run begin; False where another process was first."""
    of_run = (import_run.c.id == number, import_run.c.outcome == QUEUED)
    result = connection.execute(update(import_run).where(*of_run).values(outcome=RUNNING))
    return result.rowcount == 1


def find(connection: Connection, number: int) -> Run | None:
    """The run of that number."""
    row = connection.execute(select(import_run).where(import_run.c.id == number)).first()
    return _run(row) if row else None


def recent(connection: Connection, most: int) -> list[Run]:
    """The newest runs first."""
    query = select(import_run).order_by(import_run.c.id.desc()).limit(most)
    return [_run(row) for row in connection.execute(query)]


def last_of(connection: Connection, source: str) -> Run | None:
    """The newest run of a source that was to change something."""
    of_source = select(import_run).where(import_run.c.source == source)
    rows = connection.execute(of_source.order_by(import_run.c.id.desc()))
    runs = (_run(row) for row in rows)
    return next((run for run in runs if not run.order.dry_run), None)


def in_state(connection: Connection, outcome: str) -> list[Run]:
    """The runs that are queued, or running, the oldest first."""
    query = select(import_run).where(import_run.c.outcome == outcome).order_by(import_run.c.id)
    return [_run(row) for row in connection.execute(query)]


def scheduled_since(connection: Connection, source: str, since_ms: int) -> list[Run]:
    """What the schedule has begun of a source since then, the oldest first."""
    query = select(import_run).where(
        import_run.c.source == source, import_run.c.by == SCHEDULE, import_run.c.at >= since_ms
    )
    return [_run(row) for row in connection.execute(query.order_by(import_run.c.id))]


def count_open(connection: Connection) -> int:
    """How many are queued or running."""
    query = select(func.count()).select_from(import_run).where(import_run.c.outcome.in_(OPEN))
    return connection.scalar(query) or 0


def _run(row: Row[Any]) -> Run:
    return Run(**row._mapping)
