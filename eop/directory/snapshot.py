"""What a source says of a school at one moment: its people, classes and rooms. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from eop.directory.users import ACTIVE
from eop.errors import EopError


class SourceError(EopError):
    """A source cannot be read, or what it says cannot be used; the text names where."""


@dataclass(frozen=True)
class Person:
    """One account; `external_id` stays when the login or the name changes.

    `classes` and `rooms` are what a teacher may watch, `heads` the classes of a head teacher;
    which classes a student sits in is said by the class. `state` is one of `users.STATES`. Of a
    student alone: `last_name`, and `birth_date` as 2012-03-14, each empty where it is not said.
    """

    external_id: str
    login: str
    name: str
    role: str
    classes: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()
    state: str = ACTIVE
    heads: frozenset[str] = frozenset()
    last_name: str = ""
    birth_date: str = ""


@dataclass(frozen=True)
class Group:
    """A class or group and the logins of its students."""

    external_id: str
    name: str
    students: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Snapshot:
    """Everything at once; `rooms` maps the name of a workstation's host to its room."""

    people: tuple[Person, ...]
    groups: tuple[Group, ...]
    rooms: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    """Sentences about what was left out."""


class Source(Protocol):
    """Where people come from; `name` is kept with each of them ("ldap", "file")."""

    name: str

    def read(self, progress: Callable[[int], None]) -> Snapshot:
        """All of it; `progress` is told how many entries were read. Raises `SourceError`."""
