"""What an import leaves in the audit: its counts, and by name whoever it changed."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection

from eop.administration.import_store import BRAKED, Order
from eop.audit import events
from eop.audit.chain import Entry, append
from eop.directory import import_report
from eop.directory.people_plan import PersonStep
from eop.directory.plan import Plan
from eop.directory.stored import Grant

MAX_TOLD = 20  # of classes that made the brake stop
MAX_WORDS = 20  # in one line: whoever gets five hundred classes has several
MAX_LINES = 200  # in one event
MAX_BYTES = 24 * 1024  # of its lines: well below what an event may have

Line = tuple[str, str]
"""A login, and what became of it."""


def record(  # noqa: PLR0913 - what an event is made of
    connection: Connection,
    number: int,
    order: Order,
    outcome: str,
    plan: Plan,
    counts: dict[str, int],
    now_ms: int,
) -> None:
    """Keep how a run ended, in the transaction of what it changed."""
    details: dict[str, Any] = {"run": number, "source": order.source, **counts}
    if outcome == BRAKED:
        brakes = [f"{brake.code} {brake.name}: {brake.lost} of {brake.of}" for brake in plan.brakes]
        events.record(
            connection, "import_braked", now_ms, user=order.by,
            details={**details, "brakes": brakes[:MAX_TOLD]},
        )  # fmt: skip
        return
    details |= {
        "conflicts": len(plan.conflicts),
        "roles": import_report.roles(plan),
        "confirmed": int(bool(plan.brakes)),
        "adopt": int(order.adopt),
    }
    events.record(connection, "people_imported", now_ms, user=order.by, details=details)
    parts = (
        {
            "run": number,
            "source": order.source,
            "login": " ".join(dict.fromkeys(login for login, _ in part)),
            "changes": [f"{login}: {text}" for login, text in part],
        }
        for part in in_parts(lines(plan))
    )
    append(connection, [Entry(now_ms, "people_changed", order.by, details=one) for one in parts])


def lines(plan: Plan) -> Iterator[Line]:
    """Everybody whose account, role, rooms or classes change."""
    seats: dict[str, list[str]] = {}
    for step in plan.classes:
        for sign, logins in (("-", step.before - step.after), ("+", step.after - step.before)):
            for login in logins:
                seats.setdefault(login, []).append(f"{sign}seat {step.shown}")
    for one in plan.people:
        yield from _lines(one.login, [*_words(one), *sorted(seats.pop(one.login, []))])
    for login, words in sorted(seats.items()):
        yield from _lines(login, sorted(words))


def in_parts(found: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines, as many together as one event can have."""
    part: list[Line] = []
    size = 0
    for login, text in found:
        cost = len(login.encode()) * 2 + len(text.encode())
        if part and (len(part) == MAX_LINES or size + cost > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append((login, text))
        size += cost
    if part:
        yield part


def _lines(login: str, words: list[str]) -> Iterator[Line]:
    for first in range(0, len(words), MAX_WORDS):
        yield login, ", ".join(words[first : first + MAX_WORDS])


def _words(step: PersonStep) -> list[str]:
    was, person = step.stored, step.person
    words = sorted(step.kinds - {"changed"})
    if was and was.login != step.login:
        words.append(f"was {was.login}")
    before, after = was.role if was else "", person.role if person else was.role if was else ""
    if before != after:
        words.append(f"role {before or '-'} → {after}")
    had: frozenset[Grant] = was.granted if was else frozenset()
    has: frozenset[Grant] = frozenset() if "deleted" in step.kinds else step.granted
    words += [f"-{kind} {value}" for kind, value in sorted(had - has)]
    return words + [f"+{kind} {value}" for kind, value in sorted(has - had)]
