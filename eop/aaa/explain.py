"""Answers "may USER do ACTION to TARGET, and why" from what is stored now."""

from dataclasses import dataclass
from typing import Any

from eop.aaa import identity as identities
from eop.aaa import room_settings
from eop.aaa.access import Directory
from eop.aaa.policy import ACTIONS, Action, Decision, Target, may
from eop.daemon import Daemon
from eop.database import Database
from eop.directory import substitutes, users
from eop.directory.users import User
from eop.errors import N_, InvalidError, NotFoundError

MAX_TARGET_CHARACTERS = 80  # a kind and the longest name
KINDS = ("room", "class", "workstation")


@dataclass(frozen=True)
class Question:
    """Who, what, and to what: `room:…`, `class:…`, `workstation:…` (name or id), or nothing."""

    login: str
    action: str
    target: str = ""


@dataclass(frozen=True)
class Explanation:
    """The answer, and what it was made from."""

    user: User
    action: Action
    target: Target | None
    decision: Decision


def explain(database: Database, daemon: Daemon, asked: Question, now_ms: int) -> Explanation:
    """Ask the policy, as a request at this moment would.

    Raises `InvalidError`, `NotFoundError`; `RefusedError` where controle-vnc must be asked for a
    workstation and does not answer.
    """
    if asked.action not in ACTIONS:
        raise InvalidError(
            N_("%(text)s is no action; actions: %(actions)s"),
            text=repr(asked.action[:80]),
            actions=", ".join(ACTIONS),
        )
    action: Action = asked.action
    target = _target(database, daemon, asked.target) if asked.target else None
    with database.read() as connection:
        user = users.get(connection, asked.login[:256])
        temporary = substitutes.grants_at(connection, user.id, now_ms)
        circumstances = room_settings.circumstances(connection, action, target or Target())
    identity = identities.of_user(user, temporary)
    return Explanation(user, action, target, may(identity, action, target, circumstances))


def described(answer: Explanation, sentence: str) -> dict[str, Any]:
    """The answer for machines."""
    target = answer.target
    return {
        "user": answer.user.login,
        "role": answer.user.role,
        "action": answer.action,
        "target": None
        if target is None
        else {"room": target.room, "classes": sorted(target.classes)},
        "allowed": answer.decision.allowed,
        "reason": answer.decision.reason,
        "arguments": dict(answer.decision.arguments),
        "sentence": sentence,
    }


def _target(database: Database, daemon: Daemon, text: str) -> Target:
    kind, _, name = text.partition(":")
    if kind not in KINDS or not name or len(text) > MAX_TARGET_CHARACTERS:
        raise InvalidError(
            N_("%(text)s is no target; write room:S12, class:3eB or workstation:pc-01"),
            text=repr(text[:MAX_TARGET_CHARACTERS]),
        )
    if kind == "room":
        return Target(name)
    if kind == "class":
        return Target(classes=frozenset({name}))
    for one in daemon.workstations():
        if name in (one.id, one.name):
            return Directory(database).target(one)
    raise NotFoundError(f"there is no workstation {name!r}")
