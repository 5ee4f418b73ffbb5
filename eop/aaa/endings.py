"""Sign-outs that a single sign-on server has told, kept a while: one may overtake its sign-in.

Between a server's word that someone is signed in and our session lies a moment in which there is
nothing to end. A row named by the (hashed) ticket remembers the end, and is what both sides wait
for: whoever is second sees what the first has done.
"""

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from eop.aaa.tables import sign_on_state
from eop.database import upsert
from eop.errors import RefusedError

KEPT_SECONDS = 5 * 60  # longer than any answer of a server is waited for
MOST = 20_000  # rows: who guesses tickets fills no table; sign-ons on their way count, too

_KEPT_MS = KEPT_SECONDS * 1000


def keep(connection: Connection, tickets: list[str], now_ms: int) -> None:
    """Remember that these are over; before steps and sessions of theirs are looked for."""
    taken = connection.scalar(select(func.count()).select_from(sign_on_state)) or 0
    for ticket in tickets[: max(MOST - taken, 0)]:
        upsert(connection, sign_on_state, {"id": ticket}, {"ends_at": now_ms + _KEPT_MS})


def check(connection: Connection, ticket: str | None, since_ms: int) -> None:
    """Raise `RefusedError("signed_out")` where the server told the end of this ticket since then.

    Whoever tells it later waits for this transaction, and finds what it has begun. An older end
    is of a sign-in before: some servers call all those of a person the same.
    """
    if ticket is None:
        return
    named = sign_on_state.c.id == ticket
    try:
        with connection.begin_nested():
            connection.execute(insert(sign_on_state).values(id=ticket, ends_at=since_ms))
        connection.execute(delete(sign_on_state).where(named))
    except IntegrityError:
        kept = select(sign_on_state.c.ends_at).where(named).with_for_update()
        if (connection.scalar(kept) or 0) - _KEPT_MS >= since_ms:
            raise RefusedError("signed_out") from None
