"""The list of workstations: searched, filtered, sorted, in pages. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from controle_vnc.control.messages import Workstation
from eop.administration.workstation_words import FAULTS, LOOKS, WELL, rank

A_PAGE = 50  # what one reads, and what a phone shows as cards without slowing down
MAX_TEXT_CHARACTERS = 64

TROUBLE, WELL_WORD = "trouble", "well"
GROUPS = {TROUBLE: FAULTS, WELL_WORD: WELL}

_DIGITS = re.compile(r"(\d+)")


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


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A key by which pc-2 comes before pc-10."""
    parts = [part for part in _DIGITS.split(text.casefold()) if part]
    return tuple(
        (not part.isdecimal(), int(part[:18]) if part.isdecimal() else 0, part) for part in parts
    )


def _by_place(one: Workstation) -> Any:
    return natural(one.room), natural(one.name)


SORTS: dict[str, Callable[[Workstation], Any]] = {
    "state": lambda one: (rank(one.state), *_by_place(one)),
    "name": lambda one: (natural(one.name), natural(one.room)),
    "room": _by_place,
    "seen": lambda one: (-(one.checked_at or 0), *_by_place(one)),
}


def search(known: Iterable[Workstation], wanted: Wanted, page: int = 1) -> Found:
    """Those that fit, in their order; a page beyond the last is the last."""
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
    found.sort(key=SORTS.get(wanted.sort, SORTS["state"]), reverse=wanted.is_reversed)
    page = min(max(1, page), max(1, -(-len(found) // A_PAGE)))
    return Found(found[(page - 1) * A_PAGE : page * A_PAGE], found, page)
