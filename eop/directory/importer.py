"""An import's side of the database: what is stored, and a plan carried out in one transaction."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from eop.directory.class_plan import ClassStep
from eop.directory.people_plan import PersonStep
from eop.directory.plan import Plan
from eop.directory.shrinking import losers
from eop.directory.stored import OF_CLASSES, Grant, Stored, StoredClass, StoredPerson
from eop.directory.tables import class_member, school_class, temporary_grant, user, user_grant
from eop.directory.users import LOCAL

if TYPE_CHECKING:
    from eop.aaa.session import Sessions

T = TypeVar("T")

AT_ONCE = 500  # rows named one by one in a statement: a database takes a thousand at least

_PERSON = (
    user.c.id, user.c.login, user.c.name, user.c.role, user.c.source, user.c.external_id,
    user.c.state, user.c.source_state, user.c.gone_at, user.c.last_name, user.c.birth_date,
)  # fmt: skip


def read(connection: Connection, *, is_held: bool = False) -> Stored:
    """Everybody and every class, in five statements; equal as long as nothing has changed.

    With `is_held` nobody else changes an account before the transaction ends: what is
    planned of them may be carried out. SQLite needs nothing for that.
    """
    wanted = select(*_PERSON).order_by(user.c.id)
    if is_held:  # keys may be referred to: whoever signs in need not wait
        wanted = wanted.with_for_update(key_share=True)
    rows = connection.execute(wanted).all()
    grants: dict[tuple[int, bool], set[Grant]] = {}
    for row in connection.execute(select(user_grant)):
        grants.setdefault((row.user_id, row.source == LOCAL), set()).add((row.kind, row.value))
    lent: dict[int, set[Grant]] = {}
    for row in connection.execute(select(temporary_grant)):
        lent.setdefault(row.user_id, set()).add((row.kind, row.value))
    people = tuple(
        StoredPerson(
            **row._mapping,
            granted=frozenset(grants.get((row.id, False), ())),
            given=frozenset(grants.get((row.id, True), ())),
            lent=frozenset(lent.get(row.id, ())),
        )
        for row in rows
    )
    students: dict[int, set[str]] = {}
    for row in connection.execute(select(class_member)):
        students.setdefault(row.class_id, set()).add(row.login)
    classes = tuple(
        StoredClass(**row._mapping, students=frozenset(students.get(row.id, ())))
        for row in connection.execute(select(school_class).order_by(school_class.c.id))
    )
    return Stored(people, classes)


def apply(
    connection: Connection, stored: Stored, plan: Plan, sessions: "Sessions", now_ms: int
) -> int:
    """Carry out a plan made of `stored` in this transaction; how many accounts were signed out.

    Everything is stored or, where anything raises, nothing: the caller's transaction decides.
    """
    ended = _end_sessions(connection, losers(stored, plan), stored, sessions, now_ms)
    gone = [step.stored.id for step in plan.people if step.stored and "deleted" in step.kinds]
    for part in _parts(gone):
        connection.execute(delete(user).where(user.c.id.in_(part)))
    kept = [step for step in plan.people if "deleted" not in step.kinds]
    _rename_members(connection, plan.logins)
    _store_people(connection, plan.source, kept, now_ms)
    _store_grants(connection, plan.source, kept)
    _store_classes(connection, plan)
    return ended


def _end_sessions(
    connection: Connection, who: set[int], stored: Stored, sessions: "Sessions", now_ms: int
) -> int:
    """End what they have open; few have anything open, so these are looked up first."""
    live = {session.login for session in sessions.live(connection, now_ms)}
    open_now = [one.id for one in stored.people if one.id in who and one.login in live]
    for user_id in open_now:
        sessions.end_all(connection, user_id, now_ms)
    return len(open_now)


def _store_people(
    connection: Connection, source: str, steps: list[PersonStep], now_ms: int
) -> None:
    new = [
        {**_values(step, source), "login": step.login, "created_at": now_ms}
        for step in steps
        if step.stored is None
    ]
    kept = [step for step in steps if step.stored is not None]
    renamed = [step for step in kept if step.stored and step.stored.login != step.login]
    if renamed:  # first out of each other's way: two may swap their logins
        _update(connection, user, [_row(step, login=f"~{_id(step)}") for step in renamed])
        _update(connection, user, [_row(step, login=step.login) for step in renamed])
    _update(connection, user, [_row(step, **_values(step, source)) for step in kept])
    if new:
        connection.execute(insert(user), new)


def _values(step: PersonStep, source: str) -> dict[str, Any]:
    """The columns of an account that an import keeps."""
    person, was = step.person, step.stored
    if person is None and was is not None:  # gone: who it was is still worth knowing
        external_id, name, role, last_name = was.external_id, was.name, was.role, was.last_name
        birth_date = None
    else:
        assert person is not None  # noqa: S101 - a step has the one or the other
        external_id, name, role = person.external_id, person.name, person.role
        last_name, birth_date = person.last_name or None, person.birth_date or None
    return {
        "external_id": external_id,
        "name": name,
        "role": role,
        "source": source,
        "state": step.state,
        "source_state": step.source_state,
        "gone_at": step.gone_at,
        "last_name": last_name,
        "birth_date": birth_date,
    }


def _id(step: PersonStep) -> int:
    assert step.stored is not None  # noqa: S101 - of an account that is stored
    return step.stored.id


def _row(step: PersonStep, **values: Any) -> dict[str, Any]:
    return {"of_id": _id(step), **values}


def _update(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Give each row (named by `of_id`) its values; all rows have the same columns."""
    if rows:
        columns: dict[str, Any] = {
            name: bindparam(f"to_{name}") for name in rows[0] if name != "of_id"
        }
        statement = update(table).where(table.c.id == bindparam("to_of_id")).values(columns)
        values = [{f"to_{name}": value for name, value in row.items()} for row in rows]
        connection.execute(statement, values)


def _store_grants(connection: Connection, source: str, steps: list[PersonStep]) -> None:
    """What the source grants, beside what was given by hand."""
    ids = {}
    if any(step.stored is None for step in steps):
        found = select(user.c.id, user.c.external_id).where(user.c.source == source)
        ids = {row.external_id: row.id for row in connection.execute(found)}
    cleared: list[int] = []
    rows = []
    for step in steps:
        if step.stored is not None and step.stored.granted == step.granted:
            continue
        if step.stored is not None:
            cleared.append(step.stored.id)
        assert step.person is not None  # noqa: S101 - who is gone keeps what he was granted
        user_id = step.stored.id if step.stored else ids[step.person.external_id]
        rows += [
            {"user_id": user_id, "kind": kind, "value": value, "source": source}
            for kind, value in sorted(step.granted)
        ]
    for part in _parts(cleared):
        of_them = user_grant.c.user_id.in_(part)
        connection.execute(delete(user_grant).where(of_them, user_grant.c.source != LOCAL))
    if rows:
        connection.execute(insert(user_grant), rows)


def _rename_members(connection: Connection, logins: Mapping[str, str]) -> None:
    """Let every class, whoever keeps it, call its students by their new logins."""
    moved: set[tuple[int, str]] = set()
    for part in _parts(sorted(logins)):
        of_them = class_member.c.login.in_(part)
        rows = connection.execute(select(class_member).where(of_them)).all()
        connection.execute(delete(class_member).where(of_them))
        moved |= {(row.class_id, logins[row.login]) for row in rows}
    _insert_members(connection, moved)


def _insert_members(connection: Connection, members: Iterable[tuple[int, str]]) -> None:
    rows = [{"class_id": number, "login": login} for number, login in sorted(members)]
    if rows:
        connection.execute(insert(class_member), rows)


def _store_classes(connection: Connection, plan: Plan) -> None:
    source = plan.source
    removed = [step.stored.id for step in plan.classes if step.stored and step.name is None]
    for part in _parts(removed):
        connection.execute(delete(school_class).where(school_class.c.id.in_(part)))
    kept = [step for step in plan.classes if step.name is not None]
    _rename_classes(connection, plan.names, kept)
    new = [step for step in kept if step.stored is None]
    if new:
        rows = [
            {"name": step.name, "source": source, "external_id": step.external_id} for step in new
        ]
        connection.execute(insert(school_class), rows)
    learned = [step for step in kept if step.stored and step.stored.external_id != step.external_id]
    values = [
        {"of_id": step.stored.id, "external_id": step.external_id}
        for step in learned
        if step.stored
    ]
    _update(connection, school_class, values)
    _store_members(connection, source, kept)


def _rename_classes(
    connection: Connection, names: Mapping[str, str], steps: list[ClassStep]
) -> None:
    """Give classes their new names, and whatever was given of them by hand."""
    renamed = [
        (step.stored.id, step.name) for step in steps if step.stored and step.stored.name in names
    ]
    if not renamed:
        return
    _update(connection, school_class, [{"of_id": one, "name": f"~{one}"} for one, _ in renamed])
    _update(connection, school_class, [{"of_id": one, "name": name} for one, name in renamed])
    _rename_given(connection, names)
    _rename_temporary(connection, names)


def _rename_given(connection: Connection, names: Mapping[str, str]) -> None:
    for kind in OF_CLASSES:
        _rename_kind(connection, kind, names)


def _rename_kind(connection: Connection, kind: str, names: Mapping[str, str]) -> None:
    moved: set[tuple[int, str]] = set()
    for part in _parts(sorted(names)):
        of_them = (
            user_grant.c.kind == kind,
            user_grant.c.source == LOCAL,
            user_grant.c.value.in_(part),
        )
        rows = connection.execute(select(user_grant).where(*of_them)).all()
        connection.execute(delete(user_grant).where(*of_them))
        moved |= {(row.user_id, names[row.value]) for row in rows}
    missing = moved - _granted(connection, kind, {user_id for user_id, _ in moved})
    if missing:
        given = [{"user_id": one, "kind": kind, "value": value} for one, value in missing]
        connection.execute(insert(user_grant), given)


def _granted(connection: Connection, kind: str, ids: Iterable[int]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for part in _parts(sorted(ids)):
        of_them = (user_grant.c.kind == kind, user_grant.c.user_id.in_(part))
        rows = connection.execute(select(user_grant).where(*of_them))
        found |= {(row.user_id, row.value) for row in rows}
    return found


def _rename_temporary(connection: Connection, names: Mapping[str, str]) -> None:
    of_class = temporary_grant.c.kind == "class"
    rows = connection.execute(select(temporary_grant.c.id, temporary_grant.c.value).where(of_class))
    changed = [{"of_id": row.id, "value": names[row.value]} for row in rows if row.value in names]
    _update(connection, temporary_grant, changed)


def _store_members(connection: Connection, source: str, steps: list[ClassStep]) -> None:
    found = select(school_class.c.id, school_class.c.name).where(school_class.c.source == source)
    ids = {row.name: row.id for row in connection.execute(found)}
    entered: set[tuple[int, str]] = set()
    for step in steps:
        number = ids[step.shown]
        for part in _parts(sorted(step.before - step.after)):
            of_them = (class_member.c.class_id == number, class_member.c.login.in_(part))
            connection.execute(delete(class_member).where(*of_them))
        entered |= {(number, login) for login in step.after - step.before}
    _insert_members(connection, entered)


def _parts(items: list[T]) -> Iterable[list[T]]:
    for first in range(0, len(items), AT_ONCE):
        yield items[first : first + AT_ONCE]
