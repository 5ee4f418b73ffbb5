"""Who may do what: one table, default deny. Pure."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from eop.aaa.identity import Identity

Action = Literal[
    "sign_in", "observe", "tile", "view", "control", "act",
    "account", "administer", "read_audit", "export_audit", "import_people", "manage_people",
    "explain_policy", "substitute", "close_screens",
]  # fmt: skip


class Scope(Enum):
    """How far a right reaches."""

    ANYWHERE = "anywhere"  # needs no target
    GRANTED = "granted"  # only where a room or a class was granted


@dataclass(frozen=True)
class Target:
    """What is to be seen or changed: a room, a class, or a workstation with whom sits there."""

    room: str | None = None
    classes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Decision:
    """Whether, and if not, why: `signed_out`, `role` or `grant`."""

    allowed: bool
    reason: str = ""


_TEACHING: dict[str, Scope] = {
    "sign_in": Scope.ANYWHERE,
    "account": Scope.ANYWHERE,
    "observe": Scope.ANYWHERE,
    "tile": Scope.GRANTED,
    "view": Scope.GRANTED,
    "control": Scope.GRANTED,
    "act": Scope.GRANTED,
}

_OWN: dict[str, Scope] = {"sign_in": Scope.ANYWHERE, "account": Scope.ANYWHERE}

_ADMINISTERING: dict[str, Scope] = dict.fromkeys(
    (
        "administer", "read_audit", "export_audit", "import_people", "manage_people",
        "explain_policy", "substitute", "close_screens",
    ),
    Scope.ANYWHERE,
)  # fmt: skip

RIGHTS: dict[str, dict[str, Scope]] = {
    "student": _OWN,
    "teacher": _TEACHING,
    "head_teacher": _TEACHING,
    "administrator": dict.fromkeys(_TEACHING, Scope.ANYWHERE) | _ADMINISTERING,
    "security_officer": _OWN
    | dict.fromkeys(("administer", "read_audit", "export_audit", "explain_policy"), Scope.ANYWHERE),
}
"""Role → action → how far. What is not here is denied."""


def may(identity: Identity | None, action: Action, target: Target | None = None) -> Decision:
    """Whether someone may do something to something."""
    if identity is None:
        return Decision(False, "signed_out")
    scopes = {RIGHTS.get(role, {}).get(action) for role in identity.roles} - {None}
    if not scopes:
        return Decision(False, "role")
    if Scope.ANYWHERE in scopes:
        return Decision(True)
    if target is not None and _is_granted(identity, target):
        return Decision(True)
    return Decision(False, "grant")


def _is_granted(identity: Identity, target: Target) -> bool:
    if target.room is not None and (identity.sees_every_room or target.room in identity.rooms):
        return True
    if not target.classes:
        return False
    return identity.sees_every_class or bool(target.classes & identity.classes)
