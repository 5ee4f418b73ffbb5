"""Changes of accounts: whoever is changed signs in anew, and open screens close."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select

from eop.aaa import passwords, second_factor, steps, throttle
from eop.aaa.password_policy import MAX_HISTORY, PasswordPolicy, Subject
from eop.aaa.session import Keys, Sessions
from eop.aaa.tables import password_history
from eop.audit import events
from eop.audit.console import at_the_console
from eop.database import Database
from eop.directory import classes, users
from eop.directory.classes import SchoolClass
from eop.directory.users import NewUser, User

NAMES_AN_EVENT = 100  # twice as many of the longest logins fit into the details of an event

# what the audit calls it that an account was given a state
_STATED = {
    users.ACTIVE: "account_enabled",
    users.LOCKED: "account_locked",
    "disabled": "account_disabled",
    "expired": "account_expired",
}


@dataclass(frozen=True)
class Terms:
    """How a password is set: by which rules, by whom, and whether it must be changed again."""

    policy: PasswordPolicy = PasswordPolicy()
    by: str = field(default_factory=at_the_console)
    must_change: bool = False
    is_checked: bool = False  # the password, by who sets it


@dataclass(frozen=True)
class Prepared:
    """A password that was checked, as it will be stored; the costly part is over."""

    hashed: str
    history: int


def add(database: Database, new: NewUser, now_ms: int) -> User:
    """Store a new user."""
    with database.write() as connection:
        added = users.add(connection, new, now_ms)
        _record_user(connection, "account_added", added, now_ms)
        return added


def change(database: Database, sessions: Sessions, new: NewUser, now_ms: int) -> User:
    """Give a user another role, name, password or other grants."""
    with database.write() as connection:
        stored = users.get(connection, new.login)
        if new.password is not None:
            _keep_in_history(connection, stored, MAX_HISTORY, now_ms)
            users.date_password(connection, stored.id, now_ms, must_change=new.must_change)
        changed = users.change(connection, new)
        sessions.end_all(connection, changed.id, now_ms)
        steps.forget_user(connection, changed.id)
        throttle.clear(connection, sessions.keys.login_key(changed.login))
        _record_user(connection, "account_changed", changed, now_ms)
        return changed


def check_password(policy: PasswordPolicy, new: NewUser, password: str) -> str:
    """The hash of a password that somebody else chose for a user.

    Raises `PasswordRefusedError`, `RefusedError`.
    """
    policy.check(password, Subject(users.canonical_login(new.login), new.name, new.role))
    return passwords.hash_of(password)


def set_password(  # noqa: PLR0913 - terms may be left out
    database: Database,
    sessions: Sessions,
    login: str,
    password: str,
    now_ms: int,
    terms: Terms | None = None,
) -> None:
    """Give a user another password; locks are lifted, his sessions end."""
    terms = terms or Terms()
    with database.read() as connection:
        user = users.get(connection, login)
    if not terms.is_checked:
        terms.policy.check(password, Subject(user.login, user.name, user.role))
    prepared = Prepared(passwords.hash_of(password), terms.policy.history)
    with database.write() as connection:
        store_password(connection, user, prepared, now_ms)
        users.date_password(connection, user.id, now_ms, must_change=terms.must_change)
        sessions.end_all(connection, user.id, now_ms)
        throttle.clear(connection, sessions.keys.login_key(user.login))
        _record(connection, "password_set", user, terms.by, now_ms)


def password_set_elsewhere(
    database: Database, sessions: Sessions, user: User, by: str, now_ms: int
) -> None:
    """A directory has given a user another password: locks are lifted here, his sessions end."""
    with database.write() as connection:
        sessions.end_all(connection, user.id, now_ms)
        steps.forget_user(connection, user.id)
        throttle.clear(connection, sessions.keys.login_key(user.login))
        _record(connection, "password_set", user, by, now_ms)


def prepare_own(database: Database, policy: PasswordPolicy, user: User, password: str) -> Prepared:
    """Check a password that a user chooses himself; no transaction is open while it is hashed.

    Raises `PasswordRefusedError`, `RefusedError`.
    """
    with database.read() as connection:
        query = (
            select(password_history.c.password)
            .where(password_history.c.user_id == user.id)
            .order_by(password_history.c.id.desc())
            .limit(max(0, policy.history - 1))
        )
        current = users.password_of(connection, user.login)
        used = ([current] if current else []) + list(connection.scalars(query))
    policy.check(password, Subject(user.login, user.name, user.role, tuple(used)))
    return Prepared(passwords.hash_of(password), policy.history)


def store_own(connection: Connection, user: User, prepared: Prepared, now_ms: int) -> None:
    """Store a password that a user chose himself; it need not be changed again."""
    store_password(connection, user, prepared, now_ms)
    users.date_password(connection, user.id, now_ms, must_change=False)
    _record(connection, "password_changed", user, user.login, now_ms)


def store_password(connection: Connection, user: User, prepared: Prepared, now_ms: int) -> None:
    """Store a hash, and the one before in the history; steps that were begun are over."""
    _keep_in_history(connection, user, prepared.history, now_ms)
    users.set_password(connection, user.login, prepared.hashed)
    steps.forget_user(connection, user.id)


def enrol(connection: Connection, keys: Keys, user: User, key: str, step: int) -> list[str]:
    """Store a second factor; steps that were begun without it are over. New recovery codes."""
    steps.forget_user(connection, user.id)
    return second_factor.enrol(connection, keys, user.id, key, step)


def _keep_in_history(connection: Connection, user: User, history: int, now_ms: int) -> None:
    """Keep the current hash among the last; with it, `history` passwords are known."""
    replaced = users.password_of(connection, user.login)
    if replaced is not None:
        values = {"user_id": user.id, "password": replaced, "at": now_ms}
        connection.execute(insert(password_history).values(**values))
    of_user = password_history.c.user_id == user.id
    old = connection.scalars(
        select(password_history.c.id)
        .where(of_user)
        .order_by(password_history.c.id.desc())
        .offset(max(0, history - 1))
    ).all()
    connection.execute(delete(password_history).where(password_history.c.id.in_(old)))


def set_state(database: Database, sessions: Sessions, login: str, state: str, now_ms: int) -> User:
    """Lock an account, or open it again; sessions of one that is not active end."""
    with database.write() as connection:
        changed = users.set_state(connection, login, state)
        if state != users.ACTIVE:
            sessions.end_all(connection, changed.id, now_ms)
            steps.forget_user(connection, changed.id)
        events.record(
            connection, _STATED[state], now_ms, user=at_the_console(),
            details={"login": changed.login},
        )  # fmt: skip
        return changed


def unlock(database: Database, sessions: Sessions, login: str, now_ms: int) -> User:
    """Lift what failures have locked, everywhere, and a lock that was set by hand."""
    with database.write() as connection:
        found = users.get(connection, login)
        throttle.clear(connection, sessions.keys.login_key(found.login))
        if found.state == "locked":
            found = users.set_state(connection, login, users.ACTIVE)
        _record(connection, "account_unlocked", found, at_the_console(), now_ms)
        return found


def open_to_password(database: Database, sessions: Sessions, login: str, now_ms: int) -> None:
    """Let a password alone open an account again, whatever was in its way; open sessions stay."""
    with database.write() as connection:
        found = users.set_state(connection, login, users.ACTIVE)
        users.date_password(connection, found.id, now_ms, must_change=False)
        second_factor.remove(connection, found.id)
        throttle.clear(connection, sessions.keys.login_key(found.login))
        _record(connection, "account_opened", found, at_the_console(), now_ms)


def reset_second_factor(database: Database, sessions: Sessions, login: str, now_ms: int) -> bool:
    """Forget a user's second factor and end his sessions; False where there was none."""
    with database.write() as connection:
        found = users.get(connection, login)
        second_factor.remove(connection, found.id)
        sessions.end_all(connection, found.id, now_ms)
        steps.forget_user(connection, found.id)
        _record(connection, "second_factor_reset", found, at_the_console(), now_ms)
        return found.has_second_factor


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
        existing = classes.find(connection, name)
        saved = classes.save(connection, name, logins, replace=replace)
        _record_members(connection, saved, existing, now_ms)
        if existing is not None:
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


def _record(connection: Connection, kind: str, user: User, by: str, now_ms: int) -> None:
    events.record(connection, kind, now_ms, user=by, details={"login": user.login})


def _record_user(connection: Connection, kind: str, user: User, now_ms: int) -> None:
    details = {
        "login": user.login, "role": user.role, "rooms": user.rooms, "classes": user.classes,
        "heads": user.heads,
    }  # fmt: skip
    events.record(connection, kind, now_ms, user=at_the_console(), details=details)


def _record_class(
    connection: Connection, kind: str, name: str, now_ms: int, **details: object
) -> None:
    details = {"class": name, **details}
    events.record(connection, kind, now_ms, user=at_the_console(), details=details)


def _record_members(
    connection: Connection, saved: SchoolClass, before: SchoolClass | None, now_ms: int
) -> None:
    """Who came into a class and who left it, in as many events as their names need."""
    were, are = set(before.students if before else ()), set(saved.students)
    added, removed = sorted(are - were), sorted(were - are)
    for at in range(0, max(len(added), len(removed), 1), NAMES_AN_EVENT):
        part = slice(at, at + NAMES_AN_EVENT)
        _record_class(
            connection, "class_saved", saved.name, now_ms,
            added=added[part], removed=removed[part],
        )  # fmt: skip
