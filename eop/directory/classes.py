"""Classes: each a name and a list of logins."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from eop.directory.tables import class_member, school_class
from eop.directory.users import LOCAL, checked_line, checked_login
from eop.errors import ExistsError, InvalidError, NotFoundError

MAX_CLASS_CHARACTERS = 64
MAX_STUDENTS = 500  # an amphitheatre; the wall of a class asks for all of them at once


@dataclass(frozen=True)
class SchoolClass:
    """A class and the logins of its students."""

    name: str
    students: tuple[str, ...]


def list_all(connection: Connection) -> list[SchoolClass]:
    """Every class, by name."""
    rows = connection.execute(
        select(school_class.c.name, class_member.c.login)
        .outerjoin(class_member, class_member.c.class_id == school_class.c.id)
        .order_by(school_class.c.name, class_member.c.login)
    )
    students: dict[str, list[str]] = {}
    for name, login in rows:
        students.setdefault(name, []).extend([login] if login else [])
    return [SchoolClass(name, tuple(logins)) for name, logins in students.items()]


def find(connection: Connection, name: str) -> SchoolClass | None:
    """The class of that name."""
    rows = connection.execute(
        select(school_class.c.id, class_member.c.login)
        .outerjoin(class_member, class_member.c.class_id == school_class.c.id)
        .where(school_class.c.name == name)
        .order_by(class_member.c.login)
    ).all()
    return SchoolClass(name, tuple(row.login for row in rows if row.login)) if rows else None


def save(
    connection: Connection, name: str, logins: Iterable[str], *, replace: bool = False
) -> SchoolClass:
    """Store a class; raises `ExistsError` unless `replace`, and `InvalidError`."""
    name = checked_line(name, "class", MAX_CLASS_CHARACTERS)
    students = sorted({checked_login(login) for login in logins})
    if len(students) > MAX_STUDENTS:
        raise InvalidError(f"class {name!r}: more than {MAX_STUDENTS} students")
    if find(connection, name) is not None:
        if not replace:
            raise ExistsError(f"the class {name!r} exists already; --replace changes it")
        remove(connection, name)
    result = connection.execute(insert(school_class).values(name=name))
    assert result.inserted_primary_key is not None  # noqa: S101 - an insert of one row
    number = result.inserted_primary_key[0]
    if students:
        connection.execute(
            insert(class_member), [{"class_id": number, "login": login} for login in students]
        )
    return SchoolClass(name, tuple(students))


def remove(connection: Connection, name: str) -> None:
    """Forget a class; raises `NotFoundError`, and `InvalidError` for one that is imported."""
    of_class = school_class.c.name == name
    source = connection.scalar(select(school_class.c.source).where(of_class))
    if source not in (None, LOCAL):
        raise InvalidError(f"the class {name!r} comes from the source {source}: change it there")
    result = connection.execute(delete(school_class).where(of_class))
    if not result.rowcount:
        raise NotFoundError(f"there is no class {name!r}")


def of_users(connection: Connection) -> dict[str, frozenset[str]]:
    """For every login that sits in a class, the names of its classes."""
    rows = connection.execute(
        select(class_member.c.login, school_class.c.name).join(
            school_class, class_member.c.class_id == school_class.c.id
        )
    )
    classes: dict[str, set[str]] = {}
    for login, name in rows:
        classes.setdefault(login, set()).add(name)
    return {login: frozenset(names) for login, names in classes.items()}
