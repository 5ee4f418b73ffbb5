"""Where the workstations of a room stand: one plan for all who teach there.

A plan is a grid of places, seen from the teacher's desk at its foot: column 1 is on the left, row 1
the farthest. An aisle runs between two columns. A workstation without a seat is not placed yet.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from eop.audit import events
from eop.directory import rooms
from eop.errors import InvalidError, RefusedError
from eop.observation.tables import seating_plan

rooms.follow(seating_plan.c.room)

MAX_COLUMNS = 20  # with as many rows: the largest hall, whose plan fits into one call
MAX_ROWS = 20
MAX_VERSION = 2**31 - 2  # what the column holds, and one more


@dataclass(frozen=True, order=True)
class Seat:
    """A place and which workstation (its id) stands there."""

    row: int
    column: int
    workstation: str


@dataclass(frozen=True)
class Plan:
    """The plan of a room; version 0 is one that nobody has saved: it has no place at all.

    `aisles` are the columns after which there is one; `at` (ms since 1970) and `by` (a login) are
    of who saved it.
    """

    columns: int = 0
    rows: int = 0
    aisles: tuple[int, ...] = ()
    seats: tuple[Seat, ...] = ()
    version: int = 0
    at: int | None = None
    by: str = ""

    def of(self, workstations: Collection[str]) -> "Plan":
        """The same without the seats of others."""
        kept = tuple(seat for seat in self.seats if seat.workstation in workstations)
        return replace(self, seats=kept)

    def order(self) -> dict[str, int]:
        """Workstation → its rank, row by row."""
        return {seat.workstation: rank for rank, seat in enumerate(sorted(self.seats))}


def check(plan: Plan) -> None:
    """Raise `InvalidError` where the plan holds something twice, or something outside its grid."""
    if not (1 <= plan.columns <= MAX_COLUMNS and 1 <= plan.rows <= MAX_ROWS):
        raise InvalidError(f"a plan has 1 to {MAX_COLUMNS} columns and 1 to {MAX_ROWS} rows")
    if len(set(plan.aisles)) < len(plan.aisles):
        raise InvalidError("there is one aisle between two columns")
    if any(not 1 <= after < plan.columns for after in plan.aisles):
        raise InvalidError("an aisle is between two columns")
    if any(
        not (1 <= seat.column <= plan.columns and 1 <= seat.row <= plan.rows) for seat in plan.seats
    ):
        raise InvalidError("a seat is outside the plan")
    if len({(seat.column, seat.row) for seat in plan.seats}) < len(plan.seats):
        raise InvalidError("two workstations stand at one place")
    if len({seat.workstation for seat in plan.seats}) < len(plan.seats):
        raise InvalidError("a workstation stands at two places")


def find(connection: Connection, room: str) -> Plan:
    """The newest plan of a room."""
    row = connection.execute(select(seating_plan).where(seating_plan.c.room == room)).first()
    if row is None:
        return Plan()
    return Plan(
        columns=row.columns,
        rows=row.rows,
        aisles=tuple(row.aisles),
        seats=tuple(Seat(*seat) for seat in row.seats),
        version=row.version,
        at=row.at,
        by=row.by,
    )


def save(connection: Connection, room: str, plan: Plan) -> Plan:
    """Keep a checked plan in the place of the version it was made from; gives it with its own.

    Refuses `plan_changed` where another was saved meanwhile.
    """
    values = {
        "version": plan.version + 1,
        "columns": plan.columns,
        "rows": plan.rows,
        "aisles": sorted(plan.aisles),
        "seats": [[seat.row, seat.column, seat.workstation] for seat in sorted(plan.seats)],
        "at": plan.at,
        "by": plan.by,
    }
    if plan.version == 0:
        _add(connection, room, values)
    else:
        change = update(seating_plan).where(
            seating_plan.c.room == room, seating_plan.c.version == plan.version
        )
        if connection.execute(change.values(values)).rowcount == 0:
            raise RefusedError("plan_changed")
    details = {"room": room, "version": plan.version + 1, "seats": len(plan.seats)}
    events.record(connection, "plan_saved", plan.at or 0, user=plan.by, details=details)
    return find(connection, room)


def _add(connection: Connection, room: str, values: dict[str, object]) -> None:
    try:
        with connection.begin_nested():
            connection.execute(insert(seating_plan).values(room=room, **values))
    except IntegrityError as error:  # another was quicker
        raise RefusedError("plan_changed") from error
