"""Changes of accounts: whoever is changed signs in anew, and open screens close."""

from sqlalchemy import Connection

from eop.aaa import passwords, throttle
from eop.aaa.session import Sessions
from eop.audit import events
from eop.audit.console import at_the_console
from eop.database import Database
from eop.directory import classes, users
from eop.directory.classes import SchoolClass
from eop.directory.users import NewUser, User


def add(database: Database, new: NewUser, now_ms: int) -> User:
    """Store a new user."""
    with database.write() as connection:
        added = users.add(connection, new, now_ms)
        _record_user(connection, "account_added", added, now_ms)
        return added


def change(database: Database, sessions: Sessions, new: NewUser, now_ms: int) -> User:
    """Give a user another role, name, password or other grants."""
    with database.write() as connection:
        changed = users.change(connection, new)
        sessions.end_all(connection, changed.id, now_ms)
        throttle.clear(connection, sessions.keys.login_key(changed.login))
        _record_user(connection, "account_changed", changed, now_ms)
        return changed


def set_password(
    database: Database, sessions: Sessions, login: str, password: str, now_ms: int
) -> None:
    """Give a user another password; locks are lifted."""
    hashed = passwords.hashed(password)
    with database.write() as connection:
        users.set_password(connection, login, hashed)
        sessions.end_all(connection, users.get(connection, login).id, now_ms)
        throttle.clear(connection, sessions.keys.login_key(users.canonical_login(login)))
        events.record(
            connection, "password_set", now_ms, user=at_the_console(),
            details={"login": users.canonical_login(login)},
        )  # fmt: skip


def remove(database: Database, sessions: Sessions, login: str, now_ms: int) -> User:
    """Forget a user."""
    with database.write() as connection:
        sessions.end_all(connection, users.get(connection, login).id, now_ms)
        removed = users.remove(connection, login)
        _record_user(connection, "account_removed", removed, now_ms)
        return removed


def save_class(
    database: Database,
    sessions: Sessions,
    name: str,
    logins: list[str],
    now_ms: int,
    *,
    replace: bool,
) -> SchoolClass:
    """Store a class; where it existed, those who watched by it sign in anew."""
    with database.write() as connection:
        existed = classes.find(connection, name) is not None
        saved = classes.save(connection, name, logins, replace=replace)
        _record_class(connection, "class_saved", saved.name, now_ms)
        if existed:
            for user in users.list_all(connection):
                if name in user.classes or users.EVERYTHING in user.classes:
                    sessions.end_all(connection, user.id, now_ms)
        return saved


def remove_class(database: Database, sessions: Sessions, name: str, now_ms: int) -> None:
    """Forget a class; those who watched by it sign in anew."""
    with database.write() as connection:
        classes.remove(connection, name)
        _record_class(connection, "class_removed", name, now_ms)
        for user in users.list_all(connection):
            if name in user.classes or users.EVERYTHING in user.classes:
                sessions.end_all(connection, user.id, now_ms)


def _record_user(connection: Connection, kind: str, user: User, now_ms: int) -> None:
    details = {
        "login": user.login, "role": user.role, "rooms": user.rooms, "classes": user.classes,
    }  # fmt: skip
    events.record(connection, kind, now_ms, user=at_the_console(), details=details)


def _record_class(connection: Connection, kind: str, name: str, now_ms: int) -> None:
    events.record(connection, kind, now_ms, user=at_the_console(), details={"class": name})
