"""A user with everything granted to him at a moment, for good or for some days, in one statement.

Asked at every request: what SQLAlchemy does for a second statement costs more than both take.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    bindparam,
    null,
    select,
    union_all,
)

from eop.directory import users
from eop.directory.substitutes import TemporaryGrant
from eop.directory.tables import temporary_grant, user, user_grant
from eop.directory.users import User

_TIMES = (
    temporary_grant.c.from_at, temporary_grant.c.until_at, temporary_grant.c.given_by,
    temporary_grant.c.id,
)  # fmt: skip
_NO_TIMES = tuple(null().label(column.name) for column in _TIMES)


class Holder(NamedTuple):
    """A user, and what he is granted for some days, the longest first."""

    user: User
    temporary: tuple[TemporaryGrant, ...]


def statement(
    source: FromClause, *conditions: ColumnElement[bool], columns: tuple[Any, ...] = ()
) -> CompoundSelect[Any]:
    """For `holder_of_rows`: the users in `source` that meet `conditions`, at `:now_ms`.

    `columns` of `source` come before. To be made once: SQLAlchemy then keeps what it compiled.
    """
    lasting = (
        select(*columns, *users.COLUMNS, *_NO_TIMES)
        .select_from(source.outerjoin(user_grant, user_grant.c.user_id == user.c.id))
        .where(*conditions)
    )
    temporary = (
        select(*columns, *users.OWN_COLUMNS, temporary_grant.c.kind, temporary_grant.c.value)
        .add_columns(*_TIMES)
        .select_from(source.join(temporary_grant, temporary_grant.c.user_id == user.c.id))
        .where(
            *conditions,
            temporary_grant.c.from_at <= bindparam("now_ms"),
            temporary_grant.c.until_at > bindparam("now_ms"),
        )
    )
    return union_all(lasting, temporary)


_OF_ID = statement(user, user.c.id == bindparam("user_id"))


def find_by_id(connection: Connection, user_id: int, now_ms: int) -> Holder | None:
    """The user of that number."""
    values = {"user_id": user_id, "now_ms": now_ms}
    return holder_of_rows(connection.execute(_OF_ID, values).all())


def holder_of_rows(rows: Sequence[Sequence[Any]]) -> Holder | None:
    """The user of rows of `statement`, without the `columns` before."""
    lasting = [row[: -len(_TIMES)] for row in rows if row[-1] is None]
    found = users.of_rows(lasting)
    if found is None:
        return None
    if len(lasting) == len(rows):
        return Holder(found, ())
    temporary = [TemporaryGrant(*row[-6:]) for row in rows if row[-1] is not None]
    return Holder(found, tuple(sorted(temporary, key=lambda one: (-one.until_at, one.id))))
