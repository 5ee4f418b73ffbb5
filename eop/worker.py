"""`python -m eop.worker`: renews leases, repeats revocations, fetches the journal, cleans up.

It also begins imports of people, and carries out what is to be done with documents."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from controle_vnc import log
from controle_vnc import settings as shared_settings
from controle_vnc.control.messages import Lease
from controle_vnc.errors import SettingsError
from eop import runner, services
from eop import settings as site_settings
from eop.aaa import (
    codes,
    departures,
    revocations,
    room_settings,
    steps,
    substitution,
    switches,
    throttle,
)
from eop.administration import seats
from eop.administration.import_clock import ImportClock
from eop.audit import events, journal, purging
from eop.documents import uploads
from eop.documents.walk import Walk
from eop.errors import EopError, RefusedError, SessionsDownError
from eop.lessons import running
from eop.lessons.running import House
from eop.passwords import files as password_files
from eop.services import Services

RENEW_SECONDS = 30.0  # a third of a lease: two may be missed
REVOKE_SECONDS = 0.5  # a sign-in service on another host tells by us: within a second in all
PULL_SECONDS = 3.0
ROOMS_SECONDS = 1.0  # a controle-vnc that starts again keeps nothing until it is told
PURGE_SECONDS = 60.0
AUDIT_SECONDS = 24 * 3600.0  # what is a day too old is gone the day after
IMPORT_SECONDS = 1.0  # whoever asks for an import waits for it
DOCUMENTS_SECONDS = 0.5  # whoever gives or collects documents waits for it
UPLOADS_SECONDS = 60.0
LESSON_SECONDS = 10.0  # a lesson that is over is none for its teacher before
TICK_SECONDS = 0.25
STORE_DUTIES = {"leases", "cleaning"}  # those that ask the store of sessions

logger = logging.getLogger(__name__)


@dataclass
class Duty:
    """Something to do every so often."""

    name: str
    seconds: float
    work: Callable[[], None]
    due: float = 0.0


class Worker:
    """Does what is due. A duty that fails is tried again at its next turn; others go on."""

    def __init__(self, parts: Services, steady: Callable[[], float] = time.monotonic) -> None:
        self._parts, self._steady = parts, steady
        self._failing: set[str] = set()
        self._imports = ImportClock(parts, steady)
        self._documents = Walk(parts, steady)
        self._duties = [
            Duty("screens", REVOKE_SECONDS, self._switch),
            Duty("settings of rooms", ROOMS_SECONDS, self._tell_rooms),
            Duty("substitutes", REVOKE_SECONDS, self._end_substitutes),
            Duty("revocations", REVOKE_SECONDS, self._revoke),
            Duty("renamed logins", PULL_SECONDS, self._tell_seats),
            Duty("leases", RENEW_SECONDS, self._renew),
            Duty("lessons", LESSON_SECONDS, self._end_lessons),
            Duty("journal", PULL_SECONDS, self._pull),
            Duty("cleaning", PURGE_SECONDS, self._purge),
            Duty("old events of the audit", AUDIT_SECONDS, self._purge_audit),
            Duty("imports", IMPORT_SECONDS, self._imports.tick),
            Duty("documents", DOCUMENTS_SECONDS, self._documents.tick),
            Duty("uploads", UPLOADS_SECONDS, self._clean_uploads),
        ]

    def close(self) -> None:
        """End what was begun and is not over."""
        self._imports.stop()
        self._documents.stop()

    def tick(self) -> None:
        """Do everything that is due now."""
        for duty in self._duties:
            if self._steady() >= duty.due:
                duty.due = self._steady() + duty.seconds
                self._do(duty)

    def _do(self, duty: Duty) -> None:
        try:
            duty.work()
        except RefusedError as error:
            if duty.name not in self._failing:  # once, not every second
                logger.warning("%s: %s", duty.name, error)
                self._write_down(error)
            self._failing.add(duty.name)
            # leases must be renewed as soon as the daemon is back, not half a minute later
            duty.due = min(duty.due, self._steady() + PULL_SECONDS)
        except Exception:
            logger.exception("%s failed", duty.name)
        else:
            if duty.name in self._failing:
                logger.info("%s: well again", duty.name)
            self._failing.discard(duty.name)

    def _write_down(self, error: RefusedError) -> None:
        """For a while nobody could sign in: whoever reads the audit shall know."""
        if isinstance(error, SessionsDownError) and not self._failing & STORE_DUTIES:
            with self._parts.database.write() as connection:
                events.record(connection, "sessions_down", self._parts.now_ms())

    def _renew(self) -> None:
        with self._parts.database.read() as connection:
            alive = self._parts.door.sessions.live(connection, self._parts.now_ms())
        if alive:
            self._parts.daemon.renew([Lease(session=one.id, ends_at=one.ends_at) for one in alive])

    def _switch(self) -> None:
        switches.tell_or_raise(self._parts.database, self._parts.daemon)

    def _tell_rooms(self) -> None:
        room_settings.tell_or_raise(self._parts.database, self._parts.daemon, self._parts.now_ms())

    def _end_substitutes(self) -> None:
        parts = self._parts
        substitution.end_over(parts.database, parts.door.sessions, parts.now_ms())

    def _end_lessons(self) -> None:
        parts = self._parts
        house = House(parts.database, parts.daemon, parts.restraints)
        running.end_over(house, parts.now_ms())

    def _revoke(self) -> None:
        revocations.deliver_or_raise(self._parts.database, self._parts.daemon)

    def _tell_seats(self) -> None:
        seats.repeat(self._parts.database, self._parts.daemon)

    def _pull(self) -> None:
        journal.pull(self._parts.database, self._parts.daemon)

    def _purge(self) -> None:
        now_ms = self._parts.now_ms()
        with self._parts.database.write() as connection:
            self._parts.door.sessions.end_expired(connection, now_ms)
            throttle.purge(connection, now_ms, self._parts.door.limits)
            steps.purge(connection, now_ms)
            codes.purge(connection, now_ms)
            departures.purge(connection, now_ms)
        password_files.purge(now_ms)

    def _clean_uploads(self) -> None:
        uploads.clean_up(self._parts)

    def _purge_audit(self) -> None:
        parts = self._parts
        done = purging.purge(parts.database, parts.site.AUDIT_DAYS, "worker", parts.now_ms())
        if done.removed:
            logger.info("%s old events of the audit were removed", done.removed)


def main() -> int:
    """Work until SIGTERM or SIGINT; 2 where settings or database are wrong."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        shared = shared_settings.load()
        site = next(iter(runner.enabled().values()))
        log.setup(shared.LOG_LEVEL, site_settings.log_folder() / "eop.log")
        parts = services.make(site, shared)
        parts.database.check()
    except (SettingsError, EopError) as error:
        sys.stderr.write(f"eop-worker: {error}\n")
        return 2
    worker = Worker(parts)
    while not stop.is_set():
        worker.tick()
        stop.wait(TICK_SECONDS)
    worker.close()
    parts.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
