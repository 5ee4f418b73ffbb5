"""No form changes passwords twice, and nobody changes too many: counted for an hour."""

import re
import secrets

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from eop.directory import users
from eop.directory.tables import user
from eop.errors import RefusedError
from eop.passwords.tables import password_change

WINDOW_MS = 3600 * 1000
AN_HOUR = 300  # of a teacher: his class several times over, and those who forget theirs
AN_HOUR_ADMINISTERING = 5000  # a whole school, at the beginning of the year
FORM_BYTES = 16

_FORM = re.compile(r"[0-9a-f]{32}")


def new_form() -> str:
    """What names one form, so that it counts once."""
    return secrets.token_hex(FORM_BYTES)


def claim(connection: Connection, by: str, form: str, passwords: int, now_ms: int) -> None:
    """Count a form that is about to change so many passwords.

    Raises `RefusedError`: `form_sent` where it was counted before, `too_many_passwords`. In a
    transaction of its own: what is counted stays so, whatever becomes of the change.
    """
    if not _FORM.fullmatch(form):
        raise RefusedError("form_sent")
    since = now_ms - WINDOW_MS
    # else two forms sent at once would each not see what the other counts
    connection.execute(select(user.c.id).where(user.c.login == by).with_for_update())
    connection.execute(delete(password_change).where(password_change.c.at <= since))
    kept = (password_change.c.by == by, password_change.c.at > since)
    total = connection.scalar(select(func.sum(password_change.c.passwords)).where(*kept)) or 0
    if total + passwords > most_of(connection, by):
        oldest = connection.scalar(select(func.min(password_change.c.at)).where(*kept)) or now_ms
        wait = max(1, -(-(oldest - since) // 1000))
        raise RefusedError("too_many_passwords", retry_after=wait)
    try:
        with connection.begin_nested():
            values = {"form": form, "by": by, "at": now_ms, "passwords": passwords}
            connection.execute(insert(password_change).values(**values))
    except IntegrityError as error:
        raise RefusedError("form_sent") from error


def most_of(connection: Connection, by: str) -> int:
    """How many passwords somebody may change in an hour."""
    found = users.find(connection, by)
    administers = found is not None and found.role == "administrator"
    return AN_HOUR_ADMINISTERING if administers else AN_HOUR
