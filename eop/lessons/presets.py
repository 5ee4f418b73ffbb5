"""Presets: what a teacher wants in a lesson, kept under a name of his own."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from eop.directory import users
from eop.directory.tables import user
from eop.directory.users import checked_line
from eop.errors import N_, ExistsError, InvalidError, NotFoundError
from eop.lessons.sites import checked_hosts
from eop.lessons.tables import lesson_preset

MAX_PRESETS = 20  # of one teacher: a list that is read at a glance
MAX_NAME_CHARACTERS = 60
MAX_LOCK_CHARACTERS = 200  # two lines on a locked screen
RULES = ("any", "allowed", "blocked")
"""What `sites` means: nothing, the only ones that open, or the ones that do not."""


@dataclass(frozen=True)
class Preset:
    """A name, what its sites mean, the sites, and what a locked screen says."""

    name: str
    sites_rule: str = "any"
    sites: tuple[str, ...] = ()
    lock_text: str = ""
    id: int = 0

    def kept(self) -> dict[str, Any]:
        """For the lesson that begins with it, which keeps it as it is now."""
        return {
            "name": self.name,
            "sites_rule": self.sites_rule,
            "sites": list(self.sites),
            "lock_text": self.lock_text,
        }


def checked(preset: Preset) -> Preset:
    """The preset as it is stored; raises `InvalidError`."""
    if not 1 <= len(preset.name.strip()) <= MAX_NAME_CHARACTERS:
        raise InvalidError(
            N_("Give the preset a name of at most %(most)s characters."), most=MAX_NAME_CHARACTERS
        )
    name = checked_line(preset.name, "name", MAX_NAME_CHARACTERS)
    if preset.sites_rule not in RULES:
        raise InvalidError(f"sites_rule: one of {', '.join(RULES)}")
    sites = tuple(checked_hosts(list(preset.sites)))
    if preset.sites_rule != "any" and not sites:
        raise InvalidError(N_("Name the sites, one a line, or choose “No rule”."))
    text = " ".join(preset.lock_text.split())
    if len(text) > MAX_LOCK_CHARACTERS or not text.isprintable():
        raise InvalidError(
            N_("The text of a locked screen has at most %(most)s characters."),
            most=MAX_LOCK_CHARACTERS,
        )
    return Preset(name, preset.sites_rule, sites, text, preset.id)


def of_teacher(connection: Connection, login: str) -> list[Preset]:
    """All presets of one teacher, by name."""
    query = (
        select(lesson_preset)
        .join(user, lesson_preset.c.user_id == user.c.id)
        .where(user.c.login == login)
        .order_by(lesson_preset.c.name)
    )
    return [_preset(row) for row in connection.execute(query)]


def get(connection: Connection, login: str, number: int) -> Preset:
    """One of a teacher's own; raises `NotFoundError`."""
    found = next((one for one in of_teacher(connection, login) if one.id == number), None)
    if found is None:
        raise NotFoundError("there is no such preset")
    return found


def save(connection: Connection, login: str, preset: Preset) -> Preset:
    """Keep a new one (`id` 0) or change an own one.

    Raises `InvalidError`, `NotFoundError`, and `ExistsError` for a name that another one has.
    """
    preset = checked(preset)
    try:
        with connection.begin_nested():
            return (
                _change(connection, login, preset) if preset.id else _add(connection, login, preset)
            )
    except IntegrityError as error:
        raise ExistsError(f"a preset {preset.name!r} exists already") from error


def _change(connection: Connection, login: str, preset: Preset) -> Preset:
    get(connection, login, preset.id)
    own = lesson_preset.c.id == preset.id
    connection.execute(update(lesson_preset).where(own).values(preset.kept()))
    return preset


def _add(connection: Connection, login: str, preset: Preset) -> Preset:
    owner = users.get(connection, login).id
    own = lesson_preset.c.user_id == owner
    count = connection.scalar(select(func.count()).select_from(lesson_preset).where(own))
    if (count or 0) >= MAX_PRESETS:
        raise InvalidError(N_("At most %(most)s presets."), most=MAX_PRESETS)
    values = {"user_id": owner, **preset.kept()}
    number = connection.scalar(insert(lesson_preset).values(values).returning(lesson_preset.c.id))
    return replace(preset, id=number or 0)


def remove(connection: Connection, login: str, number: int) -> Preset:
    """Forget an own one; a lesson that began with it keeps what it had. `NotFoundError`."""
    preset = get(connection, login, number)
    connection.execute(delete(lesson_preset).where(lesson_preset.c.id == number))
    return preset


def _preset(row: Row[Any]) -> Preset:
    return Preset(row.name, row.sites_rule, tuple(row.sites), row.lock_text, row.id)
