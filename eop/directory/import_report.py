"""A plan as it is kept and shown: counts, and bounded lists of what happens to whom. Pure."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from eop.directory.class_plan import ClassStep
from eop.directory.people_plan import PERSON_KINDS, PersonStep
from eop.directory.plan import Plan
from eop.directory.room_plan import RoomChange
from eop.directory.snapshot import Snapshot
from eop.directory.stored import Grant
from eop.directory.users import HEAD

MAX_LISTED = 50  # of each kind: what one reads; the counts are exact
MAX_NAMES = 10  # of students in one line
MAX_WARNINGS = 20
MAX_TEXT = 300  # of a sentence that a source made

CLASS_KINDS = ("class_new", "class_renamed", "class_changed", "class_removed")
KINDS = (*PERSON_KINDS[:-2], "moved", *PERSON_KINDS[-2:], *CLASS_KINDS, "room")
"""Everything that may happen, in the order in which it is told."""

Line = dict[str, Any]
"""`name`, `label` and `changes`: a list of what, before, after."""


def of(plan: Plan, snapshot: Snapshot, rooms: list[RoomChange]) -> dict[str, Any]:
    """What `import_run.summary` holds of a plan."""
    groups: dict[str, list[Line]] = {
        kind: [_person(step) for step in plan.people if kind in step.kinds] for kind in PERSON_KINDS
    }
    groups["moved"] = [
        {"name": login, "label": "", "changes": [["classes", _few(left), _few(entered)]]}
        for login, (left, entered) in plan.moved.items()
    ]
    for kind in CLASS_KINDS:
        groups[kind] = [_class(step) for step in plan.classes if kind in step.kinds]
    groups["room"] = [_room(change) for change in rooms]
    conflicts = [
        {"what": one.what, "name": one.name, "code": one.code, "detail": one.detail[:MAX_TEXT]}
        for one in plan.conflicts
    ]
    return {
        "people": len(snapshot.people),
        "classes": len(snapshot.groups),
        "counts": {kind: len(groups[kind]) for kind in KINDS if groups[kind]},
        "groups": {kind: groups[kind][:MAX_LISTED] for kind in KINDS if groups[kind]},
        "conflicts": {"count": len(conflicts), "listed": conflicts[:MAX_LISTED]},
        "warnings": {
            "count": len(plan.warnings),
            "listed": [text[:MAX_TEXT] for text in plan.warnings[:MAX_WARNINGS]],
        },
        "brakes": [
            {"code": one.code, "name": one.name, "lost": one.lost, "of": one.of}
            for one in plan.brakes[:MAX_WARNINGS]
        ],
        "confirmable": plan.can_be_confirmed(),
        "digest": digest(plan),
    }


def digest(plan: Plan) -> str:
    """The same for plans that change the same: a confirmation is for what was shown."""
    people = [[step.login, sorted(step.kinds)] for step in plan.people]
    classes = [
        [step.shown, sorted(step.before - step.after), sorted(step.after - step.before)]
        for step in plan.classes
    ]
    text = json.dumps([plan.source, people, classes])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def roles(plan: Plan) -> list[str]:
    """Who gets or loses a role other than student's: what an audit must tell by name."""
    found = []
    for step in plan.people:
        if step.person is None:
            continue
        before, after = step.stored.role if step.stored else "", step.person.role
        if after != before and {before, after} - {"", "student"}:
            found.append(f"{step.login}: {before or '-'} → {after}")
    return found[:MAX_LISTED]


def _person(step: PersonStep) -> Line:
    person, was = step.person, step.stored
    label = person.name if person else was.name if was else ""
    changes: list[list[str]] = []
    if was is None:
        changes.append(["role", "", person.role if person else ""])
        changes += _granted(frozenset(), step.granted)
        return {"name": step.login, "label": label, "changes": changes}
    pairs = [("login", was.login, step.login), ("state", was.state, step.state)]
    if person is None:
        pairs.append(("source", "", "gone"))
    else:
        pairs += [("name", was.name, person.name), ("role", was.role, person.role)]
        # a list of changes is kept, and read by many: it says that a date changed, never which
        dated = bool(person.birth_date) and person.birth_date != was.birth_date
        pairs += [("birth_date", "", "…" if dated else "")]
    changes += [[what, before, after] for what, before, after in pairs if before != after]
    changes += _granted(was.granted, step.granted)
    return {"name": was.login, "label": label, "changes": changes}


def _granted(before: frozenset[Grant], after: frozenset[Grant]) -> list[list[str]]:
    changes = []
    for kind, what in (("room", "rooms"), ("class", "classes"), (HEAD, "heads")):
        had = {value for one, value in before if one == kind}
        has = {value for one, value in after if one == kind}
        if had != has:
            changes.append([what, _few(had), _few(has)])
    return changes


def _class(step: ClassStep) -> Line:
    changes = []
    if step.stored and step.name and step.stored.name != step.name:
        changes.append(["name", step.stored.name, step.name])
    if step.before != step.after:
        changes.append(["students", str(len(step.before)), str(len(step.after))])
    if step.stored and step.name:
        left, entered = step.before - step.after, step.after - step.before
        if left or entered:
            changes.append(["members", _few(left), _few(entered)])
    return {"name": step.shown, "label": "", "changes": changes}


def _room(change: RoomChange) -> Line:
    was = change.workstation
    pairs = (("room", was.room, change.room), ("user", was.user or "", change.user or ""))
    changes = [[what, before, after] for what, before, after in pairs if before != after]
    return {"name": was.name, "label": "", "changes": changes}


def _few(names: Iterable[str]) -> str:
    """The first names, and a sign that there are more."""
    found = sorted(names)
    more = [f"… ({len(found)})"] if len(found) > MAX_NAMES else []
    return ", ".join([*found[:MAX_NAMES], *more])
