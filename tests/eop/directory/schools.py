"""Small schools for tests of imports: what a source says, and what is stored of it."""

from eop.directory import importer, plan
from eop.directory.people_plan import Rules
from eop.directory.snapshot import Group, Person, Snapshot
from eop.directory.stored import Stored, StoredClass, StoredPerson

SOURCE = "file"
RULES = Rules(brake_percent=20, delete_days=0, adopt=False, now_ms=1_000_000)


def person(key, login=None, role="student", classes=(), rooms=(), **more):
    login = login or f"p{key}"
    name = more.pop("name", f"Person {key}")
    return Person(str(key), login, name, role, frozenset(classes), frozenset(rooms), **more)


def group(key, name, *students):
    return Group(str(key), name, frozenset(students))


def school(*people, groups=(), rooms=None, warnings=()):
    return Snapshot(tuple(people), tuple(groups), rooms or {}, tuple(warnings))


def stored_person(number, login, key=None, **more):
    values = {
        "name": f"Person {key}", "role": "student", "source": SOURCE, "state": "active",
        "source_state": "active", **more,
    }  # fmt: skip
    external_id = str(key) if values["source"] != "local" else None
    return StoredPerson(id=number, login=login, external_id=external_id, **values)


def stored(*people, classes=()):
    return Stored(tuple(people), tuple(classes))


def stored_class(number, name, key, *students, source=SOURCE):
    return StoredClass(number, name, source, str(key), frozenset(students))


def planned(snapshot, kept=None, rules=RULES):
    return plan.make(SOURCE, snapshot, kept or stored(), rules)


def carry_out(parts, snapshot, rules=RULES, source=SOURCE):
    """Import whatever the brake says, in one transaction; the plan."""
    with parts.database.write() as connection:
        kept = importer.read(connection)
        made = plan.make(source, snapshot, kept, rules)
        importer.apply(connection, kept, made, parts.door.sessions, parts.now_ms())
        return made
