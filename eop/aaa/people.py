"""An administrator looks after accounts: each change is written down and ends its sessions.

Whoever changes something has it told to controle-vnc afterwards (`revocations.deliver`).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from eop.aaa import throttle
from eop.aaa.login import Door
from eop.audit import events
from eop.directory import people, users
from eop.directory.users import ACTIVE, LOCAL, NewUser, User
from eop.errors import N_, InvalidError

DISABLED = "disabled"


@dataclass(frozen=True)
class Desk:
    """Who looks after whom, when."""

    door: Door
    by: str
    login: str
    now_ms: int


@dataclass(frozen=True)
class Rights:
    """What an administrator may change of a local account."""

    name: str
    role: str
    rooms: tuple[str, ...]
    classes: tuple[str, ...]
    heads: tuple[str, ...] | None = None


def change(desk: Desk, rights: Rights) -> User:
    """Give a local account another name, role or grants; raises `InvalidError`."""
    with desk.door.database.write() as connection:
        before = _local(connection, desk)
        if rights.role != before.role:
            _check_not_the_last(connection, desk, before)
        new = NewUser(
            before.login, rights.role, rights.name, None, rights.rooms, rights.classes,
            heads=rights.heads,
        )  # fmt: skip
        after = users.change(connection, new)
        details = _difference(before, after)
        if details:
            desk.door.sessions.end_all(connection, after.id, desk.now_ms)
            _record(connection, desk, "account_changed", details)
    return after


def set_state(desk: Desk, is_active: bool) -> User:
    """Disable a local account, or enable it again; raises `InvalidError`."""
    with desk.door.database.write() as connection:
        before = _local(connection, desk)
        if not is_active:
            _check_not_the_last(connection, desk, before)
        after = users.set_state(connection, before.login, ACTIVE if is_active else DISABLED)
        if after.state != before.state:
            desk.door.sessions.end_all(connection, after.id, desk.now_ms)
            kind = "account_enabled" if is_active else "account_disabled"
            _record(connection, desk, kind, {})
    return after


def end_sessions(desk: Desk) -> int:
    """Sign someone out everywhere; how many sessions ended."""
    with desk.door.database.write() as connection:
        stored = users.get(connection, desk.login)
        ended = desk.door.sessions.end_all(connection, stored.id, desk.now_ms)
        if ended:
            _record(connection, desk, "sessions_ended", {"sessions": ended})
    return ended


def unlock(desk: Desk) -> None:
    """Forget wrong passwords and lift the locks they brought."""
    with desk.door.database.write() as connection:
        stored = users.get(connection, desk.login)
        throttle.clear(connection, desk.door.keys.login_key(stored.login))
        _record(connection, desk, "account_unlocked", {})


def _local(connection: Connection, desk: Desk) -> User:
    stored = users.get(connection, desk.login)
    if stored.source != LOCAL:
        raise InvalidError(
            N_("%(login)s is kept by the source “%(source)s”: change it there."),
            login=stored.login,
            source=stored.source,
        )
    return stored


def _check_not_the_last(connection: Connection, desk: Desk, before: User) -> None:
    if before.login == desk.by:
        raise InvalidError(N_("Another administrator changes your own role and state."))
    if before.role == "administrator" and not people.other_administrators(connection, before.login):
        raise InvalidError(
            N_("%(login)s is the last active local administrator."), login=before.login
        )


def _difference(before: User, after: User) -> dict[str, Any]:
    """What has changed: name → [before, after]."""
    pairs = {
        "name": (before.name, after.name),
        "role": (before.role, after.role),
        "rooms": (list(before.rooms), list(after.rooms)),
        "classes": (list(before.classes), list(after.classes)),
        "heads": (list(before.heads), list(after.heads)),
    }
    return {name: [old, new] for name, (old, new) in pairs.items() if old != new}


def _record(connection: Connection, desk: Desk, kind: str, details: dict[str, Any]) -> None:
    login = users.canonical_login(desk.login)
    details = {"login": login, **details}
    events.record(connection, kind, desk.now_ms, user=desk.by, details=details)
