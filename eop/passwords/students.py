"""The students whose passwords someone may change: by the policy, and of the role student alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from eop import collation
from eop.aaa.identity import Identity
from eop.aaa.policy import Action, Target, may
from eop.directory import classes, users
from eop.directory.classes import SchoolClass
from eop.directory.tables import class_member, school_class, user
from eop.errors import RefusedError
from eop.passwords.making import Name, split

STUDENT = "student"
ORDERS = ("last", "first", "login")
MAX_TEXT_CHARACTERS = 64
MAX_FOUND = 100  # students of a search: who looks for one of more types more of the name


@dataclass(frozen=True)
class Student:
    """A student as the pages show him; `has_birth_date`, never which."""

    id: int
    login: str
    name: str
    parts: Name
    classes: tuple[str, ...]
    has_birth_date: bool


def visible_classes(
    connection: Connection, identity: Identity, actions: Iterable[Action]
) -> list[SchoolClass]:
    """The classes in which one may do any of these, by name."""
    return [
        one
        for one in classes.list_all(connection)
        if _any(identity, actions, frozenset({one.name}))
    ]


def of_class(connection: Connection, name: str) -> list[Student]:
    """The students of a class who have an account here."""
    logins = (
        select(class_member.c.login)
        .join(school_class, class_member.c.class_id == school_class.c.id)
        .where(school_class.c.name == name)
    )
    return _read(connection, user.c.login.in_(logins))


def search(
    connection: Connection, identity: Identity, actions: Sequence[Action], text: str
) -> list[Student]:
    """Those one may change whose name or login holds a text, without regard to case or accents."""
    wanted = collation.fold(text[:MAX_TEXT_CHARACTERS]).split()
    if not wanted:
        return []
    found = [
        one
        for one in _read(connection, user.c.role == STUDENT)
        if all(word in collation.fold(f"{one.name} {one.login}") for word in wanted)
        and _any(identity, actions, frozenset(one.classes))
    ]
    return in_order(found, "last", "")[:MAX_FOUND]


def get(
    connection: Connection, identity: Identity, actions: Sequence[Action], login: str
) -> Student:
    """One student whose password one may change; refuses anybody else alike."""
    found = _read(connection, user.c.login == users.canonical_login(login))
    if found and _any(identity, actions, frozenset(found[0].classes)):
        return found[0]
    raise RefusedError("unknown_student")


def in_order(students: Iterable[Student], order: str, language: str) -> list[Student]:
    """By last name, first name or login, as readers of a language look for them."""

    def key(one: Student) -> list[collation.Key]:
        parts = {"last": one.parts.last, "first": one.parts.first, "login": one.login}
        first = order if order in ORDERS else "last"
        rest = [name for name in ORDERS if name != first]
        return [collation.key(parts[name], language) for name in (first, *rest)]

    return sorted(students, key=key)


def birth_dates(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Birth dates, of those who have one: for making passwords, never to be shown."""
    query = select(user.c.id, user.c.birth_date).where(user.c.id.in_(ids))
    return {row.id: row.birth_date for row in connection.execute(query) if row.birth_date}


def _any(identity: Identity, actions: Iterable[Action], names: frozenset[str]) -> bool:
    return any(may(identity, action, Target(classes=names)).allowed for action in actions)


def _read(connection: Connection, condition: object) -> list[Student]:
    of_login: dict[str, list[str]] = {}
    query = (
        select(
            user.c.id, user.c.login, user.c.name, user.c.last_name, user.c.birth_date,
            school_class.c.name.label("class_name"),
        )
        .outerjoin(class_member, class_member.c.login == user.c.login)
        .outerjoin(school_class, school_class.c.id == class_member.c.class_id)
        .where(condition, user.c.role == STUDENT)  # type: ignore[arg-type]
        .order_by(user.c.login, school_class.c.name)
    )  # fmt: skip
    rows = connection.execute(query).all()
    for row in rows:
        of_login.setdefault(row.login, []).extend([row.class_name] if row.class_name else [])
    first = {row.login: row for row in rows}
    return [
        Student(
            row.id, row.login, row.name, split(row.name, row.last_name or ""),
            tuple(of_login[login]), row.birth_date is not None,
        )
        for login, row in first.items()
    ]  # fmt: skip
