"""Accounts in numbers: searched, in pages, and their state."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, or_, select

from eop.directory import users
from eop.directory.tables import user
from eop.directory.users import ACTIVE, LOCAL, User

A_PAGE = 50
MAX_TEXT_CHARACTERS = 64
MAX_SUGGESTED = 300  # teachers named beneath a field; who teaches elsewhere is typed in full


@dataclass(frozen=True)
class Wanted:
    """What is searched: part of a login or name, and values that must be equal; empty: any."""

    text: str = ""
    role: str = ""
    source: str = ""
    state: str = ""


@dataclass(frozen=True)
class Found:
    """One page of what was found; `page` counts from 1, `total` is of all pages."""

    people: list[User]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // A_PAGE))


def search(connection: Connection, wanted: Wanted, page: int = 1) -> Found:
    """The accounts that fit, by login; a page beyond the last is the last."""
    conditions = _conditions(wanted)
    total = connection.scalar(select(func.count()).select_from(user).where(*conditions)) or 0
    last = max(1, -(-total // A_PAGE))
    page = min(max(1, page), last)
    query = select(user.c.login).where(*conditions).order_by(user.c.login)
    logins = connection.scalars(query.limit(A_PAGE).offset((page - 1) * A_PAGE)).all()
    return Found([users.get(connection, login) for login in logins], total, page)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (user.c.role, wanted.role),
            (user.c.source, wanted.source),
            (user.c.state, wanted.state),
        )
        if value
    ]
    text = wanted.text.strip()[:MAX_TEXT_CHARACTERS]
    if text:
        # SQLite folds the case of ASCII alone: the usual spellings of others are tried as well
        spellings = {text, text.lower(), text.title()}
        names = [user.c.name.icontains(one, autoescape=True) for one in sorted(spellings)]
        login = users.canonical_login(text)
        conditions.append(or_(user.c.login.contains(login, autoescape=True), *names))
    return conditions


def sources(connection: Connection) -> list[str]:
    """Where accounts come from, each once."""
    return list(connection.scalars(select(user.c.source).distinct().order_by(user.c.source)))


def of_roles(connection: Connection, roles: tuple[str, ...]) -> list[tuple[str, str]]:
    """Login and name of active accounts with one of these roles, the first of them."""
    query = select(user.c.login, user.c.name).where(user.c.role.in_(roles), user.c.state == ACTIVE)
    rows = connection.execute(query.order_by(user.c.login).limit(MAX_SUGGESTED))
    return [(row.login, row.name) for row in rows]


def other_administrators(connection: Connection, login: str) -> int:
    """How many others keep the site open: active local administrators with a password.

    In a writing transaction: all of them are held until it ends, so that no two take the right
    from each other at once. The second one waits, and then counts one less.
    """
    query = select(user.c.login).where(
        user.c.role == "administrator",
        user.c.state == ACTIVE,
        user.c.source == LOCAL,
        user.c.password.is_not(None),
    )
    held = connection.scalars(query.order_by(user.c.id).with_for_update(key_share=True))
    return sum(1 for one in held if one != login)
