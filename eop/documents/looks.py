"""Whether students have opened and changed what they were given: asked when a page shows it."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from controle_vnc.control.messages import Look
from eop.documents import store
from eop.documents.store import Document, Student
from eop.errors import RefusedError
from eop.services import Services

FRESH_MS = 5000  # a page that is loaded again at once shows the same
BUDGET_SECONDS = 1.5  # a page does not wait longer; the rest is looked at the next time
LOOKED_AT_MS = 90 * 24 * 3600 * 1000  # older ones are looked at on their own page alone

logger = logging.getLogger(__name__)


def refresh(parts: Services, found: Iterable[Document]) -> bool:
    """Look where that was not done just now; False where some could not be looked at.

    A page is shown in any case: one folder that cannot be looked at must not take it away.
    """
    deadline, now_ms, is_seen = time.monotonic() + BUDGET_SECONDS, parts.now_ms(), True
    for one in found:
        is_fresh = one.looked_at is not None and 0 <= now_ms - one.looked_at < FRESH_MS
        if is_fresh or not one.counts.placed or now_ms - one.created_at > LOOKED_AT_MS:
            continue
        if time.monotonic() > deadline:
            break
        try:
            refresh_one(parts, one)
        except RefusedError as error:
            if error.code in {"daemon_down", "files_down"}:
                return False
            logger.warning("document %s could not be looked at: %s", one.id, error)
            is_seen = False
    return is_seen


def refresh_one(parts: Services, document: Document) -> None:
    """Look at one document; raises `RefusedError`."""
    with parts.database.read() as connection:
        placed = [one for one in store.students(connection, document.id) if one.placed_at]
    logins = [one.login for one in placed]
    seen = parts.daemon.look_at(logins, document.teacher, document.folder, document.id)
    now_ms = parts.now_ms()
    with parts.database.write() as connection:
        for student, look in zip(placed, seen, strict=True):
            values = _news(student, look, now_ms)
            if values:
                store.change_student(connection, document.id, student.login, values)
        store.change(connection, document.id, looked_at=now_ms)


def _news(student: Student, look: Look, now_ms: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if (look.was_opened or look.was_changed) and student.opened_at is None:
        values["opened_at"] = now_ms
    if look.was_changed and student.changed_at is None:
        values["changed_at"] = now_ms
    return values
