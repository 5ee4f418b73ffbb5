"""People and classes as they are stored, as far as an import must know them. Pure."""

from dataclasses import dataclass

from eop.directory.snapshot import Person
from eop.directory.users import HEAD

MAX_ID_CHARACTERS = 128  # of what a source calls someone

OF_CLASSES = ("class", HEAD)  # the kinds of grants that name a class

Grant = tuple[str, str]
"""What may be watched, `room` or `class`, or of which class one is the `head`; and its name."""


@dataclass(frozen=True)
class StoredPerson:
    """An account: `granted` by its source, `given` by hand, `lent` for some days.

    `source_state` is what the source last said, `gone_at` since when it says nothing (ms).
    """

    id: int
    login: str
    name: str
    role: str
    source: str
    external_id: str | None
    state: str
    source_state: str | None = None
    gone_at: int | None = None
    last_name: str | None = None
    birth_date: str | None = None
    granted: frozenset[Grant] = frozenset()
    given: frozenset[Grant] = frozenset()
    lent: frozenset[Grant] = frozenset()


@dataclass(frozen=True)
class StoredClass:
    """A class and its students' logins."""

    id: int
    name: str
    source: str
    external_id: str | None
    students: frozenset[str]


@dataclass(frozen=True)
class Stored:
    """Everybody, of every source: names are unique among all of them."""

    people: tuple[StoredPerson, ...]
    classes: tuple[StoredClass, ...]


def grants_of(person: Person) -> frozenset[Grant]:
    """What a source grants someone."""
    rooms = {("room", name) for name in person.rooms}
    heads = {(HEAD, name) for name in person.heads}
    return frozenset(rooms | {("class", name) for name in person.classes} | heads)
