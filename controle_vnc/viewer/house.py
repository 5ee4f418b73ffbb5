"""What every viewer needs of the daemon: workstations, journal, settings."""

import logging
from dataclasses import dataclass

from controle_vnc.errors import JournalError
from controle_vnc.room.hub import Hub
from controle_vnc.settings import Settings
from controle_vnc.viewer.clerk import Clerk
from controle_vnc.viewer.grant import Grant

logger = logging.getLogger(__name__)

Details = dict[str, str | int]


def as_word(login: str) -> str:
    """A login without blanks: in the journal they part one login from the next."""
    return "_".join(login.split())


@dataclass(frozen=True)
class House:
    """The daemon, as an open wall or screen sees it."""

    hub: Hub
    clerk: Clerk
    settings: Settings

    async def record(self, kind: str, grant: Grant, details: Details) -> bool:
        """Write one event of `grant` to the journal; False where that failed, which is logged."""
        try:
            await self.clerk.write(
                self.clerk.journal.entry(
                    kind,
                    grant.user,
                    grant.session,
                    grant.workstation,
                    {"name": grant.name, **details},
                )
            )
        except JournalError as error:
            logger.error("%s of %s is not in the journal: %s", kind, grant.user, error)
            return False
        return True
