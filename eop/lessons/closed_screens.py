"""Closed screens as a restraint: an administrator's, for everybody, in every lesson."""

from collections.abc import Sequence

from flask_babel import gettext

from eop.aaa import switches
from eop.aaa.identity import Identity
from eop.aaa.policy import may
from eop.errors import RefusedError
from eop.restraints import InForce, Means, Place


class ClosedScreens:
    """The switch of `eop.aaa.switches`. No lesson has set it, so no end of one lifts it."""

    kind = "screens"

    def in_force(self, means: Means, who: Identity, place: Place) -> Sequence[InForce]:
        with means.database.read() as connection:
            state = switches.screens(connection)
        if not state.closed:
            return ()
        return (
            InForce(
                kind=self.kind,
                key="all",
                text=str(gettext("All screens closed")),
                by=state.by,
                at=state.at,
                icon="eyeoff",
                may_lift=may(who, "close_screens").allowed,
            ),
        )

    def lift(self, means: Means, who: Identity, place: Place, key: str) -> None:
        """Allow screens again, for everybody."""
        if not may(who, "close_screens").allowed:
            raise RefusedError("denied")
        switches.turn(means.database, False, who.login, means.now_ms)
        switches.tell(means.database, means.daemon)

    def take_over(self, means: Means, who: Identity, place: Place, key: str) -> None:
        raise RefusedError("denied")  # it belongs to no lesson

    def release(self, means: Means, login: str, place: Place) -> int:
        return 0
