"""Which workstations an import puts into other rooms, or gives another login. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controle_vnc.control.messages import Workstation


@dataclass(frozen=True)
class RoomChange:
    """A workstation, its new room, and the new login of who sits there."""

    workstation: Workstation
    room: str
    user: str | None


def plan_rooms(
    rooms: Mapping[str, str], logins: Mapping[str, str], workstations: Iterable[Workstation]
) -> list[RoomChange]:
    """What differs from `rooms` (host → room) and `logins` (login → its new one).

    A host is known by its whole name or by the part before the first point, whatever the case.
    Hosts that are no workstations are left out: a directory has every computer of a school.
    """
    by_name: dict[str, str] = {}
    for host, room in rooms.items():
        by_name.setdefault(host.casefold().split(".", 1)[0], room)
    by_name |= {host.casefold(): room for host, room in rooms.items()}
    found = []
    for one in workstations:
        room = by_name.get(one.name.casefold(), one.room)
        user = logins.get(one.user, one.user) if one.user else None
        if (room, user) != (one.room, one.user or None):
            found.append(RoomChange(one, room, user))
    return sorted(found, key=lambda change: change.workstation.name)
