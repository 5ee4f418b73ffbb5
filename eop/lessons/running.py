"""Starting a lesson, and ending it: what was set in it is released, and both are kept."""

from dataclasses import dataclass
from typing import Literal

from eop.audit import events
from eop.daemon import Daemon
from eop.database import Database
from eop.lessons import store
from eop.lessons.presets import Preset
from eop.lessons.store import Lesson
from eop.restraints import Means, Place, Released, Restraints

HOUR_MS = 3600 * 1000

Why = Literal["asked", "hours", "console"]
"""Who ended it: the teacher, the hours of `LESSON_HOURS`, or a command on the server."""


@dataclass(frozen=True)
class House:
    """What lessons work with, for a request, a command or the worker."""

    database: Database
    daemon: Daemon
    restraints: Restraints

    def means(self, now_ms: int) -> Means:
        return Means(self.database, self.daemon, now_ms)


@dataclass(frozen=True)
class Wanted:
    """Whose lesson is to begin, where, with what, and for how many hours at most."""

    login: str
    place: Place
    hours: int
    preset: Preset | None = None
    session: str = ""


def start(house: House, wanted: Wanted, now_ms: int) -> Lesson:
    """Open a lesson; raises `RefusedError("lesson_open")` where the teacher has one."""
    end_over(house, now_ms, wanted.login)
    until_ms = now_ms + wanted.hours * HOUR_MS
    with house.database.write() as connection:
        opened = store.add(connection, wanted.login, wanted.place, wanted.preset, now_ms, until_ms)
        details = _where(opened)
        if wanted.preset is not None:
            details["preset"] = wanted.preset.name
        events.record(
            connection, "lesson_started", now_ms,
            user=wanted.login, session=wanted.session, details=details,
        )  # fmt: skip
    return opened


def end(
    house: House, ended: Lesson, now_ms: int, *, why: Why = "asked", by: str = "", session: str = ""
) -> Released:
    """Release everything this lesson set, then close it. Two who end it at once do it once."""
    released = house.restraints.release(house.means(now_ms), ended.login, ended.place)
    with house.database.write() as connection:
        if store.take(connection, ended.id):
            details = {
                **_where(ended),
                "login": ended.login,
                "why": why,
                "seconds": max(0, (min(now_ms, ended.until_at) - ended.started_at) // 1000),
                "released": [f"{kind}: {count}" for kind, count in released.counts.items()],
                "failed": list(released.failed),
            }
            events.record(
                connection, "lesson_ended", now_ms,
                user=by or ended.login, session=session, details=details,
            )  # fmt: skip
    return released


def end_over(house: House, now_ms: int, login: str | None = None) -> int:
    """End the lessons whose hours are over; how many."""
    with house.database.read() as connection:
        over = store.over_at(connection, now_ms, login)
    for one in over:
        end(house, one, now_ms, why="hours")
    return len(over)


def _where(lesson: Lesson) -> dict[str, str | int | list[str]]:
    """What the audit says of the place."""
    named = {"class": lesson.place.class_name, "room": lesson.place.room}
    return {key: value for key, value in named.items() if value}
