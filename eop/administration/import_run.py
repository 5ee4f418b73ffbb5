"""One run of an import, from the source to the outcome that is kept."""

import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from controle_vnc.control.messages import SaveWorkstation
from eop.aaa import adoption, revocations
from eop.administration import import_audit, import_store, seats
from eop.administration.import_lock import GRACE_SECONDS, only_import
from eop.administration.import_store import (
    ANYTHING,
    BRAKED,
    DONE,
    FAILED,
    PARTLY,
    PLANNED,
    RUNNING,
    Order,
    Run,
)
from eop.audit import events
from eop.directory import import_report, importer, plan, sources
from eop.directory.people_plan import Rules
from eop.directory.plan import Plan
from eop.directory.room_plan import RoomChange, plan_rooms
from eop.directory.school import MAX_PEOPLE
from eop.directory.snapshot import Snapshot, SourceError
from eop.directory.stored import Stored
from eop.errors import DaemonDownError, EopError, RefusedError
from eop.services import Services

NOTE_SECONDS = 1.0  # how often the number of entries read is kept for who waits
MAX_ROOM_ERRORS = 20
MAX_PLANS = 5  # an account changed by hand while one is made, and it is made anew
MAX_ERROR_CHARACTERS = 2000

Progress = Callable[[int], None]
Summary = dict[str, Any]

logger = logging.getLogger(__name__)


def _silent(_count: int) -> None:
    return


def preview(parts: Services, order: Order, progress: Progress = _silent) -> Summary:
    """What an import would change now; nothing is written. Raises `SourceError`."""
    snapshot = _read(parts, order, progress)
    with parts.database.read() as connection:
        made = plan.make(order.source, snapshot, importer.read(connection), _rules(parts, order))
    rooms, error = _planned_rooms(parts, snapshot, made)
    return {**import_report.of(made, snapshot, rooms), "room_errors": error}


def run(parts: Services, order: Order, progress: Progress = _silent) -> Run:
    """Import at once; raises `ImportRunningError`. What goes wrong is the run's outcome."""
    with only_import():
        with parts.database.write() as connection:
            number = import_store.add(connection, order, RUNNING, parts.now_ms())
        return _carried_out(parts, number, order, progress)


def run_queued(parts: Services, number: int, wait_seconds: float = GRACE_SECONDS) -> Run | None:
    """Carry out what was asked for, once no other import runs; None where it was done before."""
    with only_import(wait_seconds):
        with parts.database.write() as connection:
            if not import_store.take(connection, number):
                return None
            taken = import_store.find(connection, number)
        assert taken is not None  # noqa: S101 - it was there in the same transaction
        return _carried_out(parts, number, taken.order, _silent)


def fail(parts: Services, number: int, order: Order, why: str) -> None:
    """Keep that a run failed, and why; one that is over stays as it is."""
    with parts.database.write() as connection:
        found = import_store.find(connection, number)
        if found is None or found.is_over:
            return
        summary = {"error": why[:MAX_ERROR_CHARACTERS]}
        import_store.change(connection, number, order, FAILED, summary)
        details = {"run": number, "source": order.source, "error": why[:MAX_ERROR_CHARACTERS]}
        events.record(connection, "import_failed", parts.now_ms(), user=order.by, details=details)
    logger.error("the import from %s failed: %s", order.source, why)


def _carried_out(parts: Services, number: int, order: Order, progress: Progress) -> Run:
    try:
        _import(parts, number, order, _Noting(parts, number, order, progress))
    except EopError as error:
        fail(parts, number, order, str(error))
    except SQLAlchemyError as error:
        logger.exception("import")
        fail(parts, number, order, f"the database failed ({type(error).__name__}); see eop.log")
    except Exception:
        fail(parts, number, order, "the program failed; see eop.log")
        raise
    with parts.database.read() as connection:
        ended = import_store.find(connection, number)
    assert ended is not None  # noqa: S101 - only a hundred newer runs push it out
    return ended


class _Noting:
    """Passes progress on, and keeps it with the run for who waits elsewhere."""

    def __init__(self, parts: Services, number: int, order: Order, progress: Progress) -> None:
        self._parts, self._number, self._order = parts, number, order
        self._progress = progress
        self._noted_at = time.monotonic()

    def __call__(self, count: int) -> None:
        self._progress(count)
        if time.monotonic() - self._noted_at < NOTE_SECONDS:
            return
        self._noted_at = time.monotonic()
        with self._parts.database.write() as connection:
            import_store.change(connection, self._number, self._order, RUNNING, {"read": count})


def _import(parts: Services, number: int, order: Order, progress: Progress) -> None:
    if order.dry_run:
        summary = preview(parts, order, progress)
        with parts.database.write() as connection:
            import_store.change(connection, number, order, PLANNED, summary)
        return
    snapshot = _read(parts, order, progress)
    for _ in range(MAX_PLANS):
        with parts.database.snapshot() as connection:
            stored = importer.read(connection)
        made = plan.make(order.source, snapshot, stored, _rules(parts, order))
        outcome = _store(parts, number, order, snapshot, stored, made)
        if outcome is not None:
            break
    else:
        raise EopError("accounts were changed again and again meanwhile; try again")
    if outcome != BRAKED:
        revocations.deliver(parts.database, parts.daemon)
        _move_workstations(parts, number, order, snapshot, made, outcome)


def _store(  # noqa: PLR0913 - what was decided, and by what
    parts: Services, number: int, order: Order, snapshot: Snapshot, stored: Stored, made: Plan
) -> str | None:
    """Carry out a plan in one transaction, which others wait for: it is made before.

    The outcome; None where what is stored is no longer what the plan was made of.
    """
    summary, now_ms = import_report.of(made, snapshot, []), parts.now_ms()
    with parts.database.write() as connection:
        if importer.read(connection, is_held=True) != stored:
            return None
        if made.brakes and not _is_confirmed(made, order):
            outcome = BRAKED
        else:
            outcome = PARTLY if made.conflicts else DONE
            sessions = parts.door.sessions
            ended = importer.apply(connection, stored, made, sessions, now_ms)
            if order.source in parts.site.AUTHENTICATORS:  # it proves who they are by itself
                ended += adoption.forget_passwords(connection, made.adopted, sessions, now_ms)
            summary["signed_out"] = ended
            seats.queue(connection, made.logins, order.by)
        import_store.change(connection, number, order, outcome, summary)
        counts = summary["counts"]
        import_audit.record(connection, number, order, outcome, made, counts, now_ms)
    return outcome


def _read(parts: Services, order: Order, progress: Progress) -> Snapshot:
    """What the source says, if it is no more than can be a school."""
    snapshot = sources.make(order.source, parts.site).read(progress)
    if max(len(snapshot.people), len(snapshot.groups)) > MAX_PEOPLE:
        raise SourceError(f"the source names more than {MAX_PEOPLE} people or classes")
    return snapshot


def _rules(parts: Services, order: Order) -> Rules:
    site = parts.site
    return Rules(site.IMPORT_BRAKE, site.IMPORT_DELETE_DAYS, order.adopt, parts.now_ms())


def _is_confirmed(made: Plan, order: Order) -> bool:
    if not made.can_be_confirmed():
        return False
    return order.confirmed in (ANYTHING, import_report.digest(made))


def _planned_rooms(
    parts: Services, snapshot: Snapshot, made: Plan
) -> tuple[list[RoomChange], list[str]]:
    """The workstations to change, and a sentence where they cannot be known."""
    if not snapshot.rooms and not made.logins:
        return [], []
    try:
        known = parts.daemon.workstations()
    except RefusedError as error:
        return [], [f"rooms: {error}"]
    return plan_rooms(snapshot.rooms, made.logins, known), []


def _move_workstations(  # noqa: PLR0913 - everything that was decided before
    parts: Services, number: int, order: Order, snapshot: Snapshot, made: Plan, outcome: str
) -> None:
    """Tell controle-vnc about rooms and logins; what it does not take makes the run partial."""
    changes, errors = _planned_rooms(parts, snapshot, made)
    errors = errors or _tell(parts, order, snapshot)
    if not changes and not errors:
        return
    with parts.database.write() as connection:
        kept = import_store.find(connection, number)
        if kept is None:
            return
        rooms = import_report.of(made, snapshot, changes)
        summary = {**kept.summary, "counts": rooms["counts"], "groups": rooms["groups"]}
        summary["room_errors"] = errors[:MAX_ROOM_ERRORS]
        import_store.change(connection, number, order, PARTLY if errors else outcome, summary)


def _tell(parts: Services, order: Order, snapshot: Snapshot) -> list[str]:
    """Tell controle-vnc who is called otherwise now, then which rooms it has; what went wrong."""
    try:
        errors = seats.deliver_or_raise(parts.database, parts.daemon)
        known = parts.daemon.workstations() if snapshot.rooms else []
    except DaemonDownError as error:
        return [f"workstations: {error}"]
    for change in plan_rooms(snapshot.rooms, {}, known):
        was = change.workstation
        request = SaveWorkstation(
            name=was.name, room=change.room, address=was.address, user=change.user, replace=True,
            by=order.by,
        )  # fmt: skip
        try:
            parts.daemon.save(request)
        except DaemonDownError as error:
            return [*errors, f"{was.name} and those after it: {error}"]
        except RefusedError as error:
            errors.append(f"{was.name}: {error}")
    return errors
