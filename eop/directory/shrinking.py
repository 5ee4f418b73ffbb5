"""Whose rights an import takes away, in whole or in part: their sessions end with it. Pure.

Rights that grow need nothing: they are read anew with every request.
"""

from collections.abc import Iterable, Mapping

from eop.directory.people_plan import PersonStep
from eop.directory.plan import Plan
from eop.directory.stored import OF_CLASSES, Grant, Stored, StoredClass, StoredPerson
from eop.directory.users import ACTIVE, EVERYTHING

ANY_ROOM: Grant = ("room", EVERYTHING)
ANY_CLASS: Grant = ("class", EVERYTHING)

Seats = tuple[frozenset[str], frozenset[str]]
"""The classes of a student before an import, and after it."""


def losers(stored: Stored, plan: Plan) -> set[int]:
    """The accounts, of every source, whose open sessions must end.

    They are closed, deleted, named otherwise (a journal must not call one by another's name), of
    another role, lose a room or a class, or a student whom they saw by his class.
    """
    steps = {step.stored.id: step for step in plan.people if step.stored}
    lost_seats = _lost_seats(stored.classes, plan)
    found: set[int] = set()
    for one in stored.people:
        step = steps.get(one.id)
        others = one.given | one.lent
        before = _renamed(one.granted | others, plan.names)
        after = _renamed((step.granted if step else one.granted) | others, plan.names)
        sees_rooms = ANY_ROOM in after
        if (
            (step is not None and _is_another(one, step))
            or before - after
            or (not sees_rooms and _loses_a_student(after, lost_seats))
        ):
            found.add(one.id)
    return found


def _is_another(one: StoredPerson, step: PersonStep) -> bool:
    """Whether the account is closed, or no longer what it was when someone signed in."""
    if step.state != ACTIVE or "deleted" in step.kinds or step.login != one.login:
        return True
    return step.person is not None and step.person.role != one.role


def _lost_seats(classes: Iterable[StoredClass], plan: Plan) -> set[Seats]:
    """Of everyone who leaves a class; those who go the same way count once."""
    before: dict[str, set[str]] = {}
    for one in classes:
        for login in one.students:
            seat = plan.names.get(one.name, one.name)
            before.setdefault(plan.logins.get(login, login), set()).add(seat)
    left: dict[str, set[str]] = {}
    entered: dict[str, set[str]] = {}
    for step in plan.classes:
        for login in step.before - step.after:
            left.setdefault(login, set()).add(step.shown)
        for login in step.after - step.before:
            entered.setdefault(login, set()).add(step.shown)
    return {
        (frozenset(before[one]), frozenset(before[one] - left[one] | entered.get(one, set())))
        for one in left
    }


def _loses_a_student(grants: frozenset[Grant], seats: Iterable[Seats]) -> bool:
    watched = {name for kind, name in grants if kind == "class"}
    for before, after in seats:
        if ANY_CLASS in grants:
            if not after:
                return True
        elif before & watched and not after & watched:
            return True
    return False


def _renamed(grants: frozenset[Grant], names: Mapping[str, str]) -> frozenset[Grant]:
    """Grants of classes by the names these will have."""
    return frozenset(
        (kind, names.get(value, value)) if kind in OF_CLASSES else (kind, value)
        for kind, value in grants
    )
