"""Changes of accounts: whoever is changed signs in anew, and open screens close."""

from eop.aaa import passwords, throttle
from eop.aaa.session import Sessions
from eop.database import Database
from eop.directory import classes, users
from eop.directory.classes import SchoolClass
from eop.directory.users import NewUser, User


def add(database: Database, new: NewUser, now_ms: int) -> User:
    """Store a new user."""
    with database.write() as connection:
        return users.add(connection, new, now_ms)


def change(database: Database, sessions: Sessions, new: NewUser, now_ms: int) -> User:
    """Give a user another role, name, password or other grants."""
    with database.write() as connection:
        changed = users.change(connection, new)
        sessions.end_all(connection, changed.id, now_ms)
        throttle.clear(connection, sessions.keys.login_key(changed.login))
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


def remove(database: Database, sessions: Sessions, login: str, now_ms: int) -> User:
    """Forget a user."""
    with database.write() as connection:
        sessions.end_all(connection, users.get(connection, login).id, now_ms)
        return users.remove(connection, login)


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
        if existed:
            for user in users.list_all(connection):
                if name in user.classes or users.EVERYTHING in user.classes:
                    sessions.end_all(connection, user.id, now_ms)
        return saved


def remove_class(database: Database, sessions: Sessions, name: str, now_ms: int) -> None:
    """Forget a class; those who watched by it sign in anew."""
    with database.write() as connection:
        classes.remove(connection, name)
        for user in users.list_all(connection):
            if name in user.classes or users.EVERYTHING in user.classes:
                sessions.end_all(connection, user.id, now_ms)
