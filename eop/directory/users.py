"""Users: what is kept of each, and the rules of their names."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from eop.directory.tables import user, user_grant
from eop.errors import N_, ExistsError, InvalidError, NotFoundError
from eop.languages import LANGUAGES as LANGUAGES  # one may ask here, too

ROLES = ("student", "teacher", "head_teacher", "administrator", "security_officer")
THEMES = ("light", "dark", "contrast")
LOCAL = "local"  # the source of accounts that are kept here alone
ACTIVE = "active"
LOCKED = "locked"  # by hand; a lock that a directory sets passes there, and is kept there
STATES = (ACTIVE, "disabled", "expired", LOCKED)
HEAD_TEACHER = "head_teacher"
HEAD = "head"  # the grant of being the head teacher of a class
EVERYTHING = "*"  # the grant that stands for every room or every class

MAX_LOGIN_CHARACTERS = 64
MAX_NAME_CHARACTERS = 120
MAX_GRANT_CHARACTERS = 64
MAX_GRANTS = 500  # rooms or classes one teacher may be given one by one

_LOGIN = re.compile(rf"[\w.@+-]{{1,{MAX_LOGIN_CHARACTERS}}}")

OWN_COLUMNS = (
    user.c.id, user.c.login, user.c.name, user.c.role, user.c.language, user.c.theme,
    user.c.source, user.c.external_id, user.c.state, user.c.must_change, user.c.single_keys,
    user.c.totp_key.is_not(None).label("has_second_factor"),
)  # fmt: skip
COLUMNS = (*OWN_COLUMNS, user_grant.c.kind, user_grant.c.value)
"""What `of_rows` makes a user from."""

# made once: SQLAlchemy then keeps what it compiled
_GRANTED = select(*COLUMNS).select_from(
    user.outerjoin(user_grant, user_grant.c.user_id == user.c.id)
)
_OF_LOGIN = _GRANTED.where(user.c.login == bindparam("login"))


@dataclass(frozen=True)
class User:
    """A user as others may know it (never the password)."""

    id: int
    login: str
    name: str
    role: str
    rooms: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    language: str | None = None
    theme: str | None = None
    source: str = LOCAL
    external_id: str | None = None
    state: str = ACTIVE
    must_change: bool = False
    single_keys: bool = True  # whether letters and signs alone are shortcuts
    has_second_factor: bool = False


@dataclass(frozen=True)
class NewUser:
    """What `add` needs; `password` is a hash, or None for who signs in elsewhere.

    `heads` are the classes of a head teacher; None where it is not said: then those of `classes`.
    """

    login: str
    role: str
    name: str
    password: str | None
    rooms: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    must_change: bool = False
    heads: tuple[str, ...] | None = None

    @property
    def headed(self) -> tuple[str, ...]:
        """The classes whose head teacher this is: each by its name, and of that role alone."""
        if self.role != HEAD_TEACHER:
            return ()
        told = self.classes if self.heads is None else self.heads
        return tuple(one for one in told if one != EVERYTHING)


def canonical_login(text: str) -> str:
    """The one spelling of a login, whatever was typed; never fails."""
    # no database keeps a zero byte, and PostgreSQL fails where it is asked for one
    return (
        unicodedata.normalize("NFC", text.strip())
        .lower()
        .replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def checked_login(text: str) -> str:
    """The canonical login, or `InvalidError`."""
    login = canonical_login(text)
    if not _LOGIN.fullmatch(login):
        raise InvalidError(
            N_("%(text)s is no login: letters, digits and . @ + - _, at most %(most)s"),
            text=repr(text[:80]),
            most=MAX_LOGIN_CHARACTERS,
        )
    return login


def checked_line(text: str, what: str, longest: int) -> str:
    """Printable text of one line, or `InvalidError`."""
    text = unicodedata.normalize("NFC", text.strip())
    if not text or len(text) > longest or not text.isprintable():
        raise InvalidError(
            N_("%(what)s: 1 to %(longest)s printable characters, not %(text)s"),
            what=what,
            longest=longest,
            text=repr(text[:80]),
        )
    return text


def find(connection: Connection, login: str) -> User | None:
    """The user of that login, with grants."""
    rows = connection.execute(_OF_LOGIN, {"login": canonical_login(login)})
    return of_rows(rows.all())


def of_rows(rows: Sequence[Sequence[Any]]) -> User | None:
    """The user of rows of `COLUMNS`: one for each grant, or one without."""
    if not rows:
        return None
    *own, has_second_factor, _kind, _value = rows[0]
    login, name, role, language, theme, source, external_id, state, must_change = own[1:-1]
    return User(
        id=own[0],
        login=login,
        name=name,
        role=role,
        rooms=tuple(sorted(row[-1] for row in rows if row[-2] == "room")),
        classes=tuple(sorted(row[-1] for row in rows if row[-2] == "class")),
        heads=tuple(sorted(row[-1] for row in rows if row[-2] == HEAD)),
        language=language,
        theme=theme,
        source=source,
        external_id=external_id,
        state=state,
        must_change=must_change,
        single_keys=own[-1],
        has_second_factor=has_second_factor,
    )


def get(connection: Connection, login: str) -> User:
    """The user of that login; raises `NotFoundError`."""
    found = find(connection, login)
    if found is None:
        raise NotFoundError(f"there is no user {login!r}")
    return found


def get_by_id(connection: Connection, user_id: int) -> User:
    """The user of that id; raises `NotFoundError`."""
    login = connection.scalar(select(user.c.login).where(user.c.id == user_id))
    if login is None:
        raise NotFoundError("there is no such user any more")
    return get(connection, login)


def list_all(connection: Connection) -> list[User]:
    """Every user, by login."""
    rows = connection.execute(_GRANTED.order_by(user.c.login, user.c.id))
    by_user = groupby(rows.all(), key=lambda row: row[0])
    return [found for _, of_one in by_user if (found := of_rows(list(of_one))) is not None]


def names(connection: Connection, logins: Iterable[str]) -> dict[str, str]:
    """Login → name to show, of those of these logins that are known."""
    query = select(user.c.login, user.c.name).where(user.c.login.in_(set(logins)))
    return {row.login: row.name for row in connection.execute(query)}


def password_of(connection: Connection, login: str) -> str | None:
    """The stored hash of a user's password, if there are such a user and a password."""
    query = select(user.c.password).where(user.c.login == canonical_login(login))
    stored: str | None = connection.scalar(query)
    return stored


def password_since(connection: Connection, user_id: int) -> int:
    """Since when a user has his password (ms); where that is not known, since he was added."""
    since = func.coalesce(user.c.password_at, user.c.created_at)
    return connection.scalar(select(since).where(user.c.id == user_id)) or 0


def created_at(connection: Connection, user_id: int) -> int:
    """When a user was added (ms): with the id it names him for ever, which the id alone does not.

    Raises `NotFoundError`.
    """
    found = connection.scalar(select(user.c.created_at).where(user.c.id == user_id))
    if found is None:
        raise NotFoundError("there is no such user any more")
    return int(found)


def add(connection: Connection, new: NewUser, now_ms: int) -> User:
    """Store a user and its grants; raises `ExistsError`, `InvalidError`."""
    login, values = _checked(new)
    if find(connection, login) is not None:
        raise ExistsError(f"the user {login!r} exists already")
    since = now_ms if new.password is not None else None
    row = {**values, "must_change": new.must_change, "password_at": since}
    result = connection.execute(insert(user).values(login=login, created_at=now_ms, **row))
    assert result.inserted_primary_key is not None  # noqa: S101 - an insert of one row
    set_grants(connection, result.inserted_primary_key[0], new.rooms, new.classes, new.headed)
    return get(connection, login)


def change(connection: Connection, new: NewUser) -> User:
    """Give a stored user these values and grants; a password of None keeps the stored one."""
    login, values = _checked(new)
    stored = get(connection, login)
    if new.password is None:
        del values["password"]
    connection.execute(update(user).where(user.c.id == stored.id).values(**values))
    set_grants(connection, stored.id, new.rooms, new.classes, new.headed)
    return get(connection, login)


def _checked(new: NewUser) -> tuple[str, dict[str, str | None]]:
    if new.role not in ROLES:
        raise InvalidError(f"{new.role!r} is no role; roles: {', '.join(ROLES)}")
    name = checked_line(new.name, "name", MAX_NAME_CHARACTERS)
    return checked_login(new.login), {"name": name, "role": new.role, "password": new.password}


def set_grants(
    connection: Connection,
    user_id: int,
    rooms: Iterable[str],
    classes: Iterable[str],
    heads: Iterable[str] = (),
) -> None:
    """Replace what a user was granted by hand; what a source grants is changed there alone."""
    wanted = {("room", value) for value in checked_grants("room", rooms)}
    wanted |= {("class", value) for value in checked_grants("class", classes)}
    wanted |= {(HEAD, value) for value in checked_grants("class", heads)}
    of_user = user_grant.c.user_id == user_id
    connection.execute(delete(user_grant).where(of_user, user_grant.c.source == LOCAL))
    kept = select(user_grant.c.kind, user_grant.c.value).where(of_user)
    wanted -= {(row.kind, row.value) for row in connection.execute(kept)}
    if wanted:
        rows = [{"user_id": user_id, "kind": kind, "value": one} for kind, one in sorted(wanted)]
        connection.execute(insert(user_grant), rows)


def checked_grants(kind: str, values: Iterable[str]) -> frozenset[str]:
    """The names of rooms or classes to grant, each once; or `InvalidError`."""
    wanted = frozenset(checked_line(value, kind, MAX_GRANT_CHARACTERS) for value in values)
    if len(wanted) > MAX_GRANTS:
        raise InvalidError(
            N_("more than %(most)s grants; give “*”, which stands for all"), most=MAX_GRANTS
        )
    return wanted


def set_password(connection: Connection, login: str, hashed: str) -> None:
    """Store another hash of a user's password; it is as old as before."""
    stored = get(connection, login)
    connection.execute(update(user).where(user.c.id == stored.id).values(password=hashed))


def is_password(connection: Connection, login: str, hashed: str) -> bool:
    """Whether this hash is still the stored one; it stays so until the transaction ends."""
    query = select(user.c.password).where(user.c.login == canonical_login(login))
    return connection.scalar(query.with_for_update()) == hashed


def renew_password(connection: Connection, login: str, before: str, renewed: str) -> bool:
    """Store another hash of the same password; False where it is another password by now."""
    same = (user.c.login == canonical_login(login), user.c.password == before)
    return connection.execute(update(user).where(*same).values(password=renewed)).rowcount == 1


def date_password(connection: Connection, user_id: int, now_ms: int, *, must_change: bool) -> None:
    """Write down that a user has a new password, and whether he must change it."""
    values = {"password_at": now_ms, "must_change": must_change}
    connection.execute(update(user).where(user.c.id == user_id).values(**values))


def set_state(connection: Connection, login: str, state: str) -> User:
    """Store whether an account opens; said here, it is no longer what an import said."""
    if state not in STATES:
        raise InvalidError(f"{state!r} is no state; states: {', '.join(STATES)}")
    stored = get(connection, login)
    connection.execute(
        update(user).where(user.c.id == stored.id).values(state=state, source_state=ACTIVE)
    )
    return get(connection, login)


def lift_passed_lock(connection: Connection, user_id: int, source: str) -> bool:
    """Open an account that an import found locked, now that its keeper has let the person in.

    False where it was locked here, or is kept by another source.
    """
    was_theirs = (
        user.c.state == LOCKED, user.c.source_state == LOCKED, user.c.source == source,
    )  # fmt: skip
    lifted = connection.execute(
        update(user)
        .where(user.c.id == user_id, *was_theirs)
        .values(state=ACTIVE, source_state=ACTIVE)
    )
    return lifted.rowcount == 1


def set_preferences(
    connection: Connection,
    login: str,
    *,
    language: str | None,
    theme: str | None,
    single_keys: bool,
) -> None:
    """Store how a user likes the pages; None follows the browser."""
    if language not in (None, *LANGUAGES) or theme not in (None, *THEMES):
        raise InvalidError(f"no such language or theme: {language!r}, {theme!r}")
    stored = get(connection, login)
    connection.execute(
        update(user)
        .where(user.c.id == stored.id)
        .values(language=language, theme=theme, single_keys=single_keys)
    )


def remove(connection: Connection, login: str) -> User:
    """Forget a user and its grants; raises `NotFoundError`."""
    stored = get(connection, login)
    connection.execute(delete(user).where(user.c.id == stored.id))
    return stored
