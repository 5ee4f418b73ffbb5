"""Local accounts that a directory takes over: from then on its password alone opens them."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, update

from eop.aaa import steps
from eop.aaa.session import Sessions
from eop.aaa.tables import password_history
from eop.directory.tables import user


def forget_passwords(
    connection: Connection, user_ids: Iterable[int], sessions: Sessions, now_ms: int
) -> int:
    """Forget what was kept of their passwords, and end what was opened by them.

    How many accounts were signed out.
    """
    ended = 0
    for user_id in user_ids:
        of_user = user.c.id == user_id
        values = {"password": None, "password_at": None, "must_change": False}
        connection.execute(update(user).where(of_user).values(values))
        connection.execute(delete(password_history).where(password_history.c.user_id == user_id))
        steps.forget_user(connection, user_id)
        ended += bool(sessions.end_all(connection, user_id, now_ms))
    return ended
