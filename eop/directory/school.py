"""A school as its file tells it, row by row, until it is a snapshot. Pure.

The rules of names are those of `users` and `classes`; every error says where.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from eop.directory import births, users
from eop.directory.classes import MAX_CLASS_CHARACTERS, MAX_STUDENTS
from eop.directory.snapshot import Group, Person, Snapshot, SourceError
from eop.directory.stored import MAX_ID_CHARACTERS
from eop.directory.users import MAX_GRANT_CHARACTERS, MAX_NAME_CHARACTERS, checked_line
from eop.errors import InvalidError

T = TypeVar("T")

MAX_PEOPLE = 20_000  # ten large schools
MAX_CLASSES = 2000
MAX_ROOM_ROWS = 2000  # controle-vnc keeps no more workstations
MAX_ERRORS = 10  # the first ones are enough to see what is wrong
MAX_HOST_CHARACTERS = 253  # of a name in DNS

ROLES = {
    "student": "student", "élève": "student", "eleve": "student",
    "teacher": "teacher", "enseignant": "teacher", "enseignante": "teacher",
    "professeur": "teacher", "professeure": "teacher", "prof": "teacher",
    "head_teacher": "head_teacher", "head teacher": "head_teacher",
    "professeur principal": "head_teacher", "professeure principale": "head_teacher",
    "administrator": "administrator", "administrateur": "administrator",
    "administratrice": "administrator",
    "security_officer": "security_officer", "security officer": "security_officer",
}  # fmt: skip
STATES = {
    "": users.ACTIVE, "active": users.ACTIVE, "actif": users.ACTIVE,
    "disabled": "disabled", "désactivé": "disabled", "desactive": "disabled",
    "inactif": "disabled",
    "expired": "expired", "expiré": "expired", "expire": "expired",
    "locked": "locked", "verrouillé": "locked", "verrouille": "locked",
}  # fmt: skip
"""What a file may write, in English and in French → what is kept."""


class FieldError(Exception):
    """One field is wrong; `field` is its name, the text says why."""

    def __init__(self, field: str, why: object) -> None:
        super().__init__(str(why))
        self.field = field


class Gathering:
    """Takes people, classes and rooms one by one; each `add_…` raises `FieldError`."""

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}
        self._without_id = 0
        self._without_birth = 0
        self._logins: set[str] = set()
        self._class_ids: dict[str, str] = {}
        self._students: dict[str, set[str]] = {}
        self._rooms: dict[str, str] = {}

    @property
    def count(self) -> int:
        return len(self._people) + len(self._students) + len(self._rooms)

    def add_person(
        self,
        given: dict[str, str],
        classes: list[str],
        rooms: list[str],
        heads: list[str] | None = None,
    ) -> None:
        """A person: `id` (or none: the login), `login`, `name`, `role`, `state`.

        The classes of a student are those he sits in, of others those they may watch. `heads`,
        which classes a head teacher has, are those of `classes` where the source never says it.
        Of a student alone `last` and `birth_date` are kept.
        """
        if len(self._people) >= MAX_PEOPLE:
            raise FieldError("login", f"more than {MAX_PEOPLE} people")
        login = _login("login", given["login"])
        if login in self._logins:
            raise FieldError("login", f"{login} is there twice")
        given_id = _external_id(given.get("id", ""))
        external_id = given_id or login
        if external_id in self._people:
            raise FieldError("id", f"{external_id} is there twice")
        name = _line("name", given["name"], MAX_NAME_CHARACTERS)
        role = _word("role", given["role"], ROLES)
        state = _word("state", given.get("state", ""), STATES)
        watched = _field("classes", lambda: users.checked_grants("class", classes))
        given_rooms = _field("rooms", lambda: users.checked_grants("room", rooms))
        headed = _heads(role, watched, heads)
        if role == "student":
            if users.EVERYTHING in watched:
                raise FieldError("classes", "a student sits in no class called *")
            for one in watched:
                self._seat("classes", one, login)
            watched = frozenset()
        last_name, birth_date = self._of_student(given) if role == "student" else ("", "")
        self._logins.add(login)
        self._without_id += not given_id
        self._people[external_id] = Person(
            external_id, login, name, role, watched, given_rooms, state,
            headed, last_name, birth_date,
        )  # fmt: skip

    def add_class(self, external_id: str, name: str, students: Iterable[str]) -> None:
        """A class, or more students of one; without an id its name is its id."""
        name = _line("name", name, MAX_CLASS_CHARACTERS)
        known = self._class_ids.get(name)
        given = _external_id(external_id) or known or name
        if known is not None and known != given:
            raise FieldError("id", f"the class {name} has the id {known}, too")
        if known is None and given in self._class_ids.values():
            raise FieldError("id", f"{given} is there twice")
        self._class_ids[name] = given
        self._open(name)
        for one in students:
            self._seat("students", name, _login("students", one))

    def add_room(self, host: str, room: str) -> None:
        """The room of a workstation."""
        if len(self._rooms) >= MAX_ROOM_ROWS:
            raise FieldError("host", f"more than {MAX_ROOM_ROWS} workstations")
        host = _line("host", host, MAX_HOST_CHARACTERS)
        if host in self._rooms:
            raise FieldError("host", f"{host} is there twice")
        self._rooms[host] = _line("room", room, MAX_GRANT_CHARACTERS)

    def _of_student(self, given: dict[str, str]) -> tuple[str, str]:
        """Last name and birth date, each of which may be missing; no import fails for a date."""
        last_name = given.get("last", "").strip()
        if last_name:
            last_name = _line("last_name", last_name, MAX_NAME_CHARACTERS)
        try:
            return last_name, births.read(given.get("birth_date", ""))
        except ValueError:
            self._without_birth += 1
            return last_name, ""

    def snapshot(self) -> Snapshot:
        """Everything that was added."""
        groups = tuple(
            Group(self._class_ids.get(name, name), name, frozenset(students))
            for name, students in self._students.items()
        )
        return Snapshot(tuple(self._people.values()), groups, dict(self._rooms), self._warnings())

    def _warnings(self) -> tuple[str, ...]:
        told = []
        if self._without_id:
            told.append(
                f"{self._without_id} people have no id of their own, so that it is their login: "
                "who gets another login becomes somebody new, and who gets a login that was "
                "somebody else's gets his account"
            )
        if self._without_birth:
            told.append(
                f"{self._without_birth} birth dates were left out: they are no dates such as "
                "2012-03-14 or 14/03/2012"
            )
        return tuple(told)

    def _open(self, name: str) -> set[str]:
        if name not in self._students and len(self._students) >= MAX_CLASSES:
            raise FieldError("name", f"more than {MAX_CLASSES} classes")
        return self._students.setdefault(name, set())

    def _seat(self, field: str, name: str, login: str) -> None:
        students = self._open(name)
        students.add(login)
        if len(students) > MAX_STUDENTS:
            raise FieldError(field, f"class {name}: more than {MAX_STUDENTS} students")


def _heads(role: str, watched: frozenset[str], heads: list[str] | None) -> frozenset[str]:
    """The classes of a head teacher; others have none, whatever is written."""
    if role != users.HEAD_TEACHER:
        return frozenset()
    if heads is None:
        return watched - {users.EVERYTHING}
    if users.EVERYTHING in heads:
        raise FieldError("heads", "a head teacher has each class by its name, not *")
    return _field("heads", lambda: users.checked_grants("class", heads))


def _external_id(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_ID_CHARACTERS or not text.isprintable():
        raise FieldError("id", f"at most {MAX_ID_CHARACTERS} printable characters")
    return text


def _word(field: str, text: str, known: dict[str, str]) -> str:
    found = known.get(" ".join(text.lower().split()))
    if found is None:
        words = ", ".join(dict.fromkeys(known.values()))
        raise FieldError(field, f"{text[:40]!r} is not known; known: {words}")
    return found


def _line(field: str, text: str, longest: int) -> str:
    return _field(field, lambda: checked_line(text, field, longest))


def _login(field: str, text: str) -> str:
    return _field(field, lambda: users.checked_login(text))


def _field(name: str, check: Callable[[], T]) -> T:
    try:
        return check()
    except InvalidError as error:
        raise FieldError(name, error) from error


class Complaints:
    """The errors of a source, the first ones in full."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._count = 0

    def add(self, where: str, why: object) -> None:
        self._count += 1
        if len(self._told) < MAX_ERRORS:
            self._told.append(f"{where}: {why}")

    def raise_any(self) -> None:
        """Raise `SourceError` with all of them, if there are any."""
        if not self._count:
            return
        more = self._count - len(self._told)
        raise SourceError("\n".join([*self._told, *([f"and {more} more errors"] if more else [])]))
