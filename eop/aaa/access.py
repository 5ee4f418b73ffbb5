"""Which rooms, classes and workstations someone may see: policy applied to the directory."""

from controle_vnc.control.messages import Room, Workstation
from eop.aaa.guard import require
from eop.aaa.identity import Identity
from eop.aaa.policy import Action, Target, may
from eop.database import Database
from eop.directory import classes
from eop.directory.classes import SchoolClass
from eop.errors import RefusedError


class Directory:
    """The classes as they are now, read once for a request."""

    def __init__(self, database: Database) -> None:
        with database.read() as connection:
            self._classes_of = classes.of_users(connection)
            self.classes = classes.list_all(connection)

    def target(self, workstation: Workstation) -> Target:
        """What policy must know of a workstation: its room, and the classes of who sits there."""
        return Target(workstation.room, self._classes_of.get(workstation.user or "", frozenset()))

    def visible(self, identity: Identity, listed: list[Workstation]) -> list[Workstation]:
        """Those of the list of which this user may see the tile."""
        return [one for one in listed if may(identity, "tile", self.target(one)).allowed]

    def visible_classes(self, identity: Identity) -> list[SchoolClass]:
        return [
            one
            for one in self.classes
            if may(identity, "tile", Target(classes=frozenset({one.name}))).allowed
        ]

    def students(self, action: Action, name: str) -> tuple[str, ...]:
        """The logins of a class; refuses one that is unknown or was not granted."""
        found = next((one for one in self.classes if one.name == name), None)
        if found is None:
            raise RefusedError("unknown_class")
        require(action, Target(classes=frozenset({name})))
        return found.students


def visible_rooms(identity: Identity, rooms: list[Room]) -> list[Room]:
    """The rooms this user was granted."""
    return [room for room in rooms if may(identity, "tile", Target(room.name)).allowed]


def require_known_room(name: str, rooms: list[Room]) -> None:
    """Refuse a room in which there is no workstation."""
    if all(room.name != name for room in rooms):
        raise RefusedError("unknown_room")
