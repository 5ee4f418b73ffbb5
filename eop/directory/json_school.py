"""The JSON file of a small school: people, classes and rooms in one object. Pure."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from eop.directory.school import Complaints, FieldError, Gathering
from eop.directory.snapshot import Snapshot, SourceError

PROGRESS_ENTRIES = 100

T = TypeVar("T")

_AT_BYTE = re.compile(r"\(byte (\d+)\)")


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class _Person(_Entry, frozen=True):
    login: str
    name: str
    role: str
    id: str | int = ""
    classes: list[str] = []
    rooms: list[str] = []
    state: str = ""
    heads: list[str] | None = None
    last_name: str = ""
    birth_date: str = ""


class _Class(_Entry, frozen=True):
    name: str
    id: str | int = ""
    students: list[str] = []


class _School(_Entry, frozen=True):
    people: list[_Person]
    classes: list[_Class] = []
    rooms: dict[str, str] = {}


def parse(text: str, name: str, progress: Callable[[int], None]) -> Snapshot:
    """What the file `name` says; raises `SourceError` that says where it is wrong."""
    try:
        school = msgspec.json.decode(text.encode("utf-8", "surrogatepass"), type=_School)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SourceError(f"{name}{_place(text, str(error))}: {error}") from error
    gathered, complaints = Gathering(), Complaints()

    def take(kind: str, entries: list[T], add: Callable[[T], None]) -> None:
        for number, entry in enumerate(entries):
            try:
                add(entry)
            except FieldError as error:
                complaints.add(f"{name}, {kind}[{number}].{error.field}", error)
            if number % PROGRESS_ENTRIES == 0:
                progress(gathered.count)

    take("people", school.people, lambda one: _add_person(gathered, one))
    take(
        "classes", school.classes,
        lambda one: gathered.add_class(str(one.id), one.name, one.students),
    )  # fmt: skip
    take("rooms", list(school.rooms.items()), lambda one: gathered.add_room(*one))
    complaints.raise_any()
    progress(gathered.count)
    return gathered.snapshot()


def _add_person(gathered: Gathering, person: _Person) -> None:
    given = {
        "id": str(person.id), "login": person.login, "name": person.name, "role": person.role,
        "state": person.state, "last": person.last_name, "birth_date": person.birth_date,
    }  # fmt: skip
    gathered.add_person(given, person.classes, person.rooms, person.heads)


def _place(text: str, why: str) -> str:
    """ ", line N, column M" where the parser says at which byte it stopped."""
    found = _AT_BYTE.search(why)
    if found is None:
        return ""
    before = text.encode("utf-8", "surrogatepass")[: int(found[1])].decode("utf-8", "replace")
    column = len(before) - (before.rfind("\n") + 1) + 1
    return f", line {before.count(chr(10)) + 1}, column {column}"
