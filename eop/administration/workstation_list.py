"""The list of workstations: searched, filtered, sorted, in pages. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from controle_vnc.control.messages import Workstation
from eop import collation
from eop.administration.workstation_words import FAULTS, LOOKS, WELL, rank

A_PAGE = 50  # what one reads, and what a phone shows as cards without slowing down
MAX_TEXT_CHARACTERS = 64

TROUBLE, WELL_WORD = "trouble", "well"
GROUPS = {TROUBLE: FAULTS, WELL_WORD: WELL}


@dataclass(frozen=True)
class Wanted:
    """What is asked for; empty: any. `state` is a state or one of `GROUPS`."""

    text: str = ""
    room: str = ""
    state: str = ""
    sort: str = "state"
    is_reversed: bool = False


@dataclass(frozen=True)
class Found:
    """One page; `page` counts from 1, `total` is of all pages."""

    listed: list[Workstation]
    everyone: list[Workstation]
    page: int

    @property
    def total(self) -> int:
        return len(self.everyone)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // A_PAGE))

    @property
    def first(self) -> int:
        return (self.page - 1) * A_PAGE + 1


Keys = tuple[Any, Any]
SORTS: dict[str, Callable[[Workstation, Keys], Any]] = {
    "state": lambda one, keys: (rank(one.state), *keys),
    "name": lambda one, keys: keys[::-1],
    "room": lambda one, keys: keys,
    "seen": lambda one, keys: (-(one.checked_at or 0), *keys),
}
"""What a column is sorted by, from a workstation and the keys of its room and of its name."""


def search(
    known: Iterable[Workstation], wanted: Wanted, page: int = 1, language: str = ""
) -> Found:
    """Those that fit, in the order of the reader's language; a page beyond the last is the last."""
    text = wanted.text.strip().casefold()[:MAX_TEXT_CHARACTERS]
    states = GROUPS.get(wanted.state) or ({wanted.state} if wanted.state in LOOKS else None)

    def fits(one: Workstation) -> bool:
        told = f"{one.name}\n{one.room}\n{one.address}\n{one.user or ''}".casefold()
        return (
            (not wanted.room or one.room == wanted.room)
            and (states is None or one.state in states)
            and text in told
        )

    found = [one for one in known if fits(one)]
    order = SORTS.get(wanted.sort, SORTS["state"])

    def place(one: Workstation) -> Any:
        return order(one, (collation.key(one.room, language), collation.key(one.name, language)))

    found.sort(key=place, reverse=wanted.is_reversed)
    page = min(max(1, page), max(1, -(-len(found) // A_PAGE)))
    return Found(found[(page - 1) * A_PAGE : page * A_PAGE], found, page)
