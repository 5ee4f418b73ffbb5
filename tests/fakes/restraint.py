"""A restraint that drops the blinds of a room: no workstation can do such a thing today."""

from eop.errors import DaemonDownError
from eop.restraints import InForce


class Blinds:
    """`dropped`: room → (who did it, when). `fails`: it cannot be reached."""

    kind = "blinds"

    def __init__(self):
        self.dropped = {}
        self.fails = False
        self.error = DaemonDownError("the blinds do not answer")

    def _answer(self):
        if self.fails:
            raise self.error

    def in_force(self, means, who, place):
        self._answer()
        if place.room not in self.dropped:
            return ()
        by, at = self.dropped[place.room]
        own = by == who.login
        return (
            InForce(
                kind=self.kind, key=place.room, text="Blinds down", by=by, at=at,
                may_lift=own, may_take_over=not own, ends_with_lesson=own,
            ),
        )  # fmt: skip

    def lift(self, means, who, place, key):
        assert key == place.room
        del self.dropped[key]

    def take_over(self, means, who, place, key):
        assert key == place.room
        self.dropped[key] = (who.login, means.now_ms)

    def release(self, means, login, place):
        self._answer()
        mine = [room for room, (by, _) in self.dropped.items() if (by, room) == (login, place.room)]
        for room in mine:
            del self.dropped[room]
        return len(mine)
