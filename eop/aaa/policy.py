"""Who may do what to whom: one table, default deny, every decision with its reason. Pure.

Nothing is read here: the identity carries what was granted (and is granted for now), the target
who sits where, the circumstances what holds for everybody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, get_args

from eop.aaa.identity import Identity
from eop.directory.users import ACTIVE, EVERYTHING

Action = Literal[
    "sign_in", "observe", "tile", "view", "control", "act",
    "account", "administer", "read_audit", "export_audit", "import_people", "manage_people",
    "explain_policy", "substitute", "close_screens", "class_passwords", "class_report",
    "rewind", "set_rooms",
    "lesson",
    "manage_workstations", "manage_sessions", "read_settings", "check_health",
    "documents", "distribute", "own_documents", "test_mail",
    "student_password",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = get_args(Action)


class Scope(Enum):
    """How far a right reaches."""

    ANYWHERE = "anywhere"  # needs no target
    OWN = "own"  # what is one's own account
    GRANTED = "granted"  # only where a room or a class was granted, for good or for some time
    LASTING_CLASSES = "lasting_classes"  # only a class that was granted for good, or every class
    HEADED_CLASSES = "headed_classes"  # only a class whose head teacher one is


@dataclass(frozen=True)
class Target:
    """What is to be seen or changed: a room, a class, or a workstation with whom sits there."""

    room: str | None = None
    classes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Circumstances:
    """What holds for everybody now, there."""

    screens_closed: bool = False
    rewinds: bool = False  # the last minutes are kept in the room it is about


@dataclass(frozen=True)
class Decision:
    """Whether, and why: a stable code of `REASONS`, and what its sentence needs."""

    allowed: bool
    reason: str
    arguments: Mapping[str, str | int] = field(default_factory=dict)


REASONS: dict[str, bool] = {
    "anywhere": True,  # role
    "self": True,
    "every_room": True,
    "every_class": True,
    "granted_room": True,  # room
    "granted_class": True,  # class
    "headed_class": True,  # class
    "temporary_room": True,  # room, until (ms since 1970), by
    "temporary_class": True,  # class, until, by
    "signed_out": False,
    "state": False,  # state: the account is not active
    "role": False,  # role
    "grant": False,
    "switched_off": False,  # an administrator has closed all screens
    "rewind_off": False,  # the last minutes are not kept in that room
}
"""Every reason there is, and whether it allows; the comment names its arguments."""

SCREENS: frozenset[Action] = frozenset({"tile", "view", "control", "rewind"})
"""What nobody may while all screens are closed."""

_OWN: dict[Action, Scope] = {"sign_in": Scope.ANYWHERE, "account": Scope.OWN}

_TEACHING: dict[Action, Scope] = {
    **_OWN,
    "observe": Scope.ANYWHERE,
    "tile": Scope.GRANTED,
    "view": Scope.GRANTED,
    "control": Scope.GRANTED,
    "rewind": Scope.GRANTED,
    "act": Scope.GRANTED,
    "lesson": Scope.GRANTED,
    "documents": Scope.ANYWHERE,
    "distribute": Scope.GRANTED,
    # not a substitute: a password lasts longer than his right
    "student_password": Scope.LASTING_CLASSES,
}

# New passwords for the students of a class, and (for a page to come) who looked at their screens.
# A substitute gets neither, nor does whom the class was granted to watch.
_HEADING: dict[Action, Scope] = {
    "class_passwords": Scope.HEADED_CLASSES,
    "class_report": Scope.HEADED_CLASSES,
}

_SUPERVISING: dict[Action, Scope] = {
    "administer": Scope.ANYWHERE,
    "read_audit": Scope.ANYWHERE,
    "export_audit": Scope.ANYWHERE,
    "explain_policy": Scope.ANYWHERE,
}

_ADMINISTERING: dict[Action, Scope] = {
    **_OWN,
    **dict.fromkeys((action for action in ACTIONS if action not in _OWN), Scope.ANYWHERE),
}

RIGHTS: dict[str, dict[Action, Scope]] = {
    "student": _OWN | {"own_documents": Scope.OWN},
    "teacher": _TEACHING,
    "head_teacher": _TEACHING | _HEADING,
    "administrator": _ADMINISTERING,
    "security_officer": _OWN | _SUPERVISING,
}
"""Role → action → how far. What is not here is denied."""


def may(
    identity: Identity | None,
    action: Action,
    target: Target | None = None,
    circumstances: Circumstances | None = None,
) -> Decision:
    """Whether someone may do something to something, and why.

    Without `circumstances` the answer is about the right alone: what one would see on another day.
    """
    decision = _right(identity, action, target or Target())
    is_closed = circumstances is not None and circumstances.screens_closed
    if decision.allowed and is_closed and action in SCREENS:
        return Decision(False, "switched_off")
    is_kept = circumstances is None or circumstances.rewinds
    if decision.allowed and action == "rewind" and not is_kept:
        return Decision(False, "rewind_off")
    return decision


def _right(identity: Identity | None, action: Action, target: Target) -> Decision:
    if identity is None:
        return Decision(False, "signed_out")
    if identity.state != ACTIVE:
        return Decision(False, "state", {"state": identity.state})
    refused = Decision(False, "role", {"role": ", ".join(identity.roles)})
    for role in identity.roles:
        scope = RIGHTS.get(role, {}).get(action)
        if scope is None:
            continue
        decision = _within(identity, role, scope, target)
        if decision.allowed:
            return decision
        refused = decision
    return refused


def _within(identity: Identity, role: str, scope: Scope, target: Target) -> Decision:
    if scope is Scope.ANYWHERE:
        return Decision(True, "anywhere", {"role": role})
    if scope is Scope.OWN:
        return Decision(True, "self")
    return next(_FOUND[scope](identity, target), Decision(False, "grant"))


def _granted(identity: Identity, target: Target) -> Iterator[Decision]:
    """Every grant that reaches the target, the lasting ones first."""
    if target.room is not None:
        if EVERYTHING in identity.rooms:
            yield Decision(True, "every_room")
        if target.room in identity.rooms:
            yield Decision(True, "granted_room", {"room": target.room})
    yield from _lasting_classes(identity, target)
    yield from _temporary(identity, target)


def _lasting_classes(identity: Identity, target: Target) -> Iterator[Decision]:
    if target.classes and EVERYTHING in identity.classes:
        yield Decision(True, "every_class")
    for name in sorted(target.classes & identity.classes):
        yield Decision(True, "granted_class", {"class": name})


def _headed_classes(identity: Identity, target: Target) -> Iterator[Decision]:
    for name in sorted(target.classes & identity.heads):
        yield Decision(True, "headed_class", {"class": name})


def _temporary(identity: Identity, target: Target) -> Iterator[Decision]:
    rooms = {target.room} if target.room is not None else set()
    for one in identity.temporary:
        reached = rooms if one.kind == "room" else target.classes
        if one.value in reached or (one.value == EVERYTHING and reached):
            details: dict[str, str | int] = {
                one.kind: one.value,
                "until": one.until_at,
                "by": one.given_by,
            }
            yield Decision(True, f"temporary_{one.kind}", details)


_FOUND = {
    Scope.GRANTED: _granted,
    Scope.LASTING_CLASSES: _lasting_classes,
    Scope.HEADED_CLASSES: _headed_classes,
}
