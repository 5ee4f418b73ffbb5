"""Who is in a lesson and who is missing, from who is signed in at which workstation. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controle_vnc.control.messages import Workstation
from eop import collation


@dataclass(frozen=True)
class Seated:
    """Somebody, and the workstation he is signed in at (empty: at none)."""

    login: str
    name: str
    workstation: str = ""
    room: str = ""


@dataclass(frozen=True)
class Attendance:
    """Those of the class who are in and who are missing, and who else sits in the room.

    Without a class nobody is missing: everyone in the room is in. A missing one who is signed in
    somewhere else has that place. `expected` is the length of the class list, None without one.
    """

    present: tuple[Seated, ...]
    absent: tuple[Seated, ...] = ()
    others: tuple[Seated, ...] = ()
    expected: int | None = None


def take(
    workstations: Iterable[Workstation],
    names: Mapping[str, str],
    room: str | None,
    students: tuple[str, ...] | None,
    language: str = "",
) -> Attendance:
    """The attendance of a class (its logins), of a room, or of a class in a room.

    `workstations` are those the teacher may see; of others he learns nothing. Names are in the
    order of the reader's language.
    """
    here: dict[str, Seated] = {}
    elsewhere: dict[str, Seated] = {}
    for one in workstations:
        if one.user:
            seat = Seated(one.user, names.get(one.user, one.user), one.name, one.room)
            place = here if room is None or one.room == room else elsewhere
            place.setdefault(one.user, seat)
    if students is None:
        return Attendance(_by_name(here.values(), language))
    listed = set(students)
    missing = (
        elsewhere.get(login, Seated(login, names.get(login, login)))
        for login in listed - here.keys()
    )
    return Attendance(
        present=_by_name((here[login] for login in listed & here.keys()), language),
        absent=_by_name(missing, language),
        others=_by_name((seat for login, seat in here.items() if login not in listed), language),
        expected=len(listed),
    )


def _by_name(seats: Iterable[Seated], language: str) -> tuple[Seated, ...]:
    return tuple(sorted(seats, key=lambda one: (collation.key(one.name, language), one.login)))
