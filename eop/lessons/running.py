"""Starting a lesson, and ending it: what was set in it is released, and both are kept."""

import logging
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from eop.audit import events
from eop.daemon import Daemon
from eop.database import Database
from eop.lessons import store
from eop.lessons.presets import Preset
from eop.lessons.store import Lesson
from eop.restraints import Means, Place, Released, Restraints

HOUR_MS = 3600 * 1000

Why = Literal["asked", "hours", "console", "removed"]
"""Who ended it: the teacher, `LESSON_HOURS`, a command on the server, or his account's removal."""

logger = logging.getLogger(__name__)


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
        store.forget_ended(connection, wanted.login, wanted.place)
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
    """Release everything this lesson set, and close it. Two who end it at once do it once.

    What could not be released, `end_over` tries again until it is, or until the teacher's next
    lesson there, which then ends with it.
    """
    released = house.restraints.release(house.means(now_ms), ended.login, ended.place)
    with house.database.write() as connection:
        if store.close(connection, ended, now_ms, is_released=not released.failed):
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
    """End the lessons whose hours are over, and release what is left of ended ones; how many."""
    with house.database.read() as connection:
        over = store.over_at(connection, now_ms, login)
    return sum(_is_ended(house, one, now_ms) for one in over)


def _is_ended(house: House, over: Lesson, now_ms: int) -> bool:
    """One that cannot be ended keeps no other open; it is tried again."""
    try:
        released = end(house, over, now_ms, why="hours" if over.has_teacher else "removed")
    except SQLAlchemyError:
        logger.exception("the lesson of %s could not be ended", over.login)
        return False
    return not released.failed


def _where(lesson: Lesson) -> dict[str, str | int | list[str]]:
    """What the audit says of the place."""
    named = {"class": lesson.place.class_name, "room": lesson.place.room}
    return {key: value for key, value in named.items() if value}
