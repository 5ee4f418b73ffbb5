"""What a request does with its teacher's own lesson and presets; another's are not there."""

from flask import g
from sqlalchemy import Connection

from eop.aaa import guard
from eop.audit import events
from eop.errors import NotFoundError
from eop.lessons import presets, running, shown, store
from eop.lessons.presets import Preset
from eop.lessons.running import Wanted
from eop.lessons.store import Lesson
from eop.restraints import Place, Released
from eop.services import services

MAX_NUMBER = 2**31 - 1  # what PostgreSQL compares with the number of a preset


def begin(place: Place, preset: int | None) -> Lesson:
    """Start a lesson of who asks, with one of his own presets."""
    parts, login = services(), guard.who().login
    shown.require_place(place)
    chosen = None
    if preset:
        with parts.database.read() as connection:
            chosen = presets.get(connection, login, _small(preset))
    wanted = Wanted(login, place, parts.site.LESSON_HOURS, chosen, g.session.id)
    started = running.start(shown.house(), wanted, parts.now_ms())
    g.pop("lesson", None)
    return started


def finish(lesson_id: str) -> Released:
    """End the lesson of who asks; another's is not there for him."""
    parts, login = services(), guard.who().login
    with parts.database.read() as connection:
        found = store.get(connection, lesson_id)
    if found.login != login:
        raise NotFoundError("there is no such lesson")
    g.pop("lesson", None)
    return running.end(shown.house(), found, parts.now_ms(), session=g.session.id)


def keep(preset: Preset) -> Preset:
    """Store a preset of who asks."""
    _small(preset.id)
    with services().database.write() as connection:
        kept = presets.save(connection, guard.who().login, preset)
        _record(connection, "lesson_preset_saved", kept)
    return kept


def forget(number: int) -> None:
    """Remove a preset of who asks."""
    with services().database.write() as connection:
        removed = presets.remove(connection, guard.who().login, _small(number))
        _record(connection, "lesson_preset_removed", removed)


def _record(connection: Connection, kind: str, preset: Preset) -> None:
    events.record(
        connection, kind, services().now_ms(),
        user=g.session.login, session=g.session.id, details={"preset": preset.name},
    )  # fmt: skip


def _small(number: int) -> int:
    if number > MAX_NUMBER:
        raise NotFoundError("there is no such preset")
    return number
