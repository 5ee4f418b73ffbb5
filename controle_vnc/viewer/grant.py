"""What a ticket is worth (`Grant`), and the order to stop that every open viewer obeys."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from controle_vnc.control.messages import Mode
from controle_vnc.store import Occupancy

Kind = Literal["screen", "wall"]


@dataclass(frozen=True)
class Grant:
    """One right to watch: of which session, until when (ms since 1970), and what.

    A screen's right holds for the `occupancy` that the workstation had when it was given. `label`
    is what the users of a wall are called together.
    """

    id: str
    session: str
    user: str
    name: str
    ends_at: int
    kind: Kind
    workstation: str | None = None
    mode: Mode | None = None
    occupancy: Occupancy | None = None
    room: str | None = None
    users: tuple[str, ...] | None = None
    label: str = ""


class Closing:
    """The order to end one open viewer: given once, with a code the page translates."""

    def __init__(self) -> None:
        self.code: str | None = None
        self._given = asyncio.Event()

    def close(self, code: str) -> None:
        """Give the order; only the first code counts."""
        if self.code is None:
            self.code = code
            self._given.set()

    async def wait(self) -> None:
        """Until the order is given."""
        await self._given.wait()
