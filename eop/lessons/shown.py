"""A lesson as its teacher sees it now: the bar, the home page and the API show the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from babel.dates import format_skeleton, format_time
from flask import g
from flask_babel import get_locale, gettext

from controle_vnc.control.messages import Workstation
from eop.aaa import guard
from eop.aaa.access import Directory, require_known_room
from eop.aaa.identity import Identity
from eop.aaa.policy import Target, may
from eop.directory import users
from eop.errors import DaemonDownError
from eop.i18n import language
from eop.lessons import attendance, store
from eop.lessons.attendance import Attendance
from eop.lessons.running import House
from eop.lessons.store import Lesson
from eop.restraints import InForce, Place
from eop.services import services


def house() -> House:
    """What lessons work with, of this request."""
    parts = services()
    return House(parts.database, parts.daemon, parts.restraints)


def time_of_day(milliseconds: int) -> str:
    """A moment as the page's language writes it: the time, with the day where it is not today.

    It goes after words such as "since".
    """
    day, time = _day_and_time(milliseconds)
    return str(gettext("%(day)s at %(time)s", day=day, time=time)) if day else time


def at_time(milliseconds: int) -> str:
    """The same with the preposition of its own: "at 10:05", "on 22 November at 02:47"."""
    day, time = _day_and_time(milliseconds)
    if day:
        return str(gettext("on %(day)s at %(time)s", day=day, time=time))
    return str(gettext("at %(time)s", time=time))


def _day_and_time(milliseconds: int) -> tuple[str, str]:
    """The day and month, empty for today, and the time."""
    moment = datetime.fromtimestamp(milliseconds / 1000)
    today = datetime.fromtimestamp(services().now_ms() / 1000).date()
    day = (
        "" if moment.date() == today else str(format_skeleton("MMMMd", moment, locale=get_locale()))
    )
    return day, str(format_time(moment, "short", locale=get_locale()))


def place_name(place: Place) -> str:
    """Where a lesson is, in words."""
    if place.room is None:
        return str(gettext("Class %(name)s", name=place.class_name))
    if place.class_name is None:
        return str(gettext("Room %(name)s", name=place.room))
    return str(gettext("%(name)s, room %(room)s", name=place.class_name, room=place.room))


def wall_query(place: Place) -> str:
    """What the address of its wall asks for: the room, or else where the class sits."""
    return urlencode({"room": place.room} if place.room else {"class": place.class_name or ""})


def start_query(place: Place) -> str:
    """What the address of the form asks for: the same place."""
    given = {"class": place.class_name, "room": place.room}
    return urlencode({kind: name for kind, name in given.items() if name})


@dataclass(frozen=True)
class Shown:
    """A lesson for one who may see it; attendance and the rest are asked for when wanted."""

    lesson: Lesson
    who: Identity

    @property
    def name(self) -> str:
        return place_name(self.lesson.place)

    @property
    def since(self) -> str:
        return time_of_day(self.lesson.started_at)

    @property
    def until(self) -> str:
        return at_time(self.lesson.until_at)

    @property
    def wall(self) -> str:
        return wall_query(self.lesson.place)

    def time(self, milliseconds: int) -> str:
        """A moment, as the page writes it."""
        return time_of_day(milliseconds)

    def is_at(self, kind: str, name: str) -> bool:
        """Whether a wall's room or class is this lesson's."""
        return name == (self.lesson.place.room if kind == "room" else self.lesson.place.class_name)

    @cached_property
    def attendance(self) -> Attendance | None:
        """Who is in; None where controle-vnc does not answer."""
        try:
            return attend(self.who, self.lesson.place)
        except DaemonDownError:
            return None

    @cached_property
    def in_force(self) -> Sequence[InForce]:
        """What holds there now, whoever set it."""
        means = house().means(services().now_ms())
        return services().restraints.in_force(means, self.who, self.lesson.place)

    @cached_property
    def released(self) -> Sequence[InForce]:
        """What the end of this lesson releases."""
        return [one for one in self.in_force if one.ends_with_lesson]

    def name_of(self, login: str) -> str:
        """Who set something: the name, or what stands for it on the server itself."""
        return self._names.get(login, login)

    @cached_property
    def _names(self) -> dict[str, str]:
        with services().database.read() as connection:
            return users.names(connection, {one.by for one in self.in_force})

    @cached_property
    def colleagues(self) -> Sequence[Lesson]:
        """Lessons of others in the same room or with the same class."""
        own = self.lesson
        with services().database.read() as connection:
            open_now = store.open_at(connection, services().now_ms())
        return [one for one in open_now if one.login != own.login and _meet(one.place, own.place)]


def now() -> Shown | None:
    """The open lesson of who is signed in, read once for a request."""
    if "lesson" not in g:
        g.lesson = _read()
    found: Shown | None = g.lesson
    return found


def colleagues_at(kind: str, name: str) -> Sequence[Lesson]:
    """Lessons of others in a wall's room or with its class; for who may see that wall."""
    login = guard.who().login
    with services().database.read() as connection:
        open_now = store.open_at(connection, services().now_ms())
    place = Place(room=name) if kind == "room" else Place(class_name=name)
    return [one for one in open_now if one.login != login and _meet(one.place, place)]


def _read() -> Shown | None:
    who: Identity | None = g.get("identity")
    if who is None or not may(who, "observe").allowed:  # whose role gives no lessons has none
        return None
    with services().database.read() as connection:
        found = store.of_teacher(connection, who.login, services().now_ms())
    return None if found is None else Shown(found, who)


def require_place(place: Place) -> None:
    """Refuse a room or a class that is unknown, or that was not granted: each by itself."""
    if place.room is not None:
        require_known_room(place.room, services().daemon.rooms())
        guard.require("lesson", Target(place.room))
    if place.class_name is not None:
        Directory(services().database).students("lesson", place.class_name)


def attend(who: Identity, place: Place) -> Attendance:
    """Who is in, of what this teacher may see; raises `DaemonDownError`.

    Whoever loses a room or a class in the middle of a lesson sees nobody of it any more.
    """
    parts = services()
    daemon, directory = parts.daemon, Directory(parts.database)
    students = _students(who, place, directory)
    found = {} if place.room is None else _by_id(daemon.workstations(room=place.room))
    if students:
        found |= _by_id(daemon.workstations(users=students))
    seen = directory.visible(who, list(found.values()))
    logins = {one.user for one in seen if one.user} | set(students or ())
    with parts.database.read() as connection:
        names = users.names(connection, logins)
    return attendance.take(seen, names, place.room, students, language())


def _students(who: Identity, place: Place, directory: Directory) -> tuple[str, ...] | None:
    """The class list, empty where the class is gone or not granted any more; None without one."""
    if place.class_name is None:
        return None
    group = next((one for one in directory.classes if one.name == place.class_name), None)
    allowed = may(who, "lesson", Target(classes=frozenset({place.class_name}))).allowed
    return group.students if group is not None and allowed else ()


def _meet(one: Place, other: Place) -> bool:
    same_room = one.room is not None and one.room == other.room
    return same_room or (one.class_name is not None and one.class_name == other.class_name)


def _by_id(listed: list[Workstation]) -> dict[str, Workstation]:
    return {one.id: one for one in listed}
