"""What is in force in a classroom, and who set it: every room that can restrain tells it here.

A room (locks, internet, broadcast) keeps its own state and gives the site one `Restraint`;
`eop.services` lists them. The lesson bar shows what all of them say, and the end of a lesson
releases all of them.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flask_babel import gettext

from eop.aaa.identity import Identity
from eop.daemon import Daemon
from eop.database import Database
from eop.errors import NotFoundError, RefusedError

MAX_KEY_CHARACTERS = 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a lesson is: a room, a class, or a class in a room."""

    room: str | None = None
    class_name: str | None = None


@dataclass(frozen=True)
class Means:
    """What a restraint works with."""

    database: Database
    daemon: Daemon
    now_ms: int


@dataclass(frozen=True)
class InForce:
    """One thing that is in force: what it says, whose (a login), since when (ms since 1970).

    `key` tells it from others of its kind; `icon` and `tone` are of the visual language. Lifting
    and taking over are offered where these say so; `ends_with_lesson`: the end of the lesson of
    who asks releases it. Without `by` it is not known now.
    """

    kind: str
    key: str
    text: str
    by: str
    at: int
    icon: str = "lock"
    tone: str = "lock"
    may_lift: bool = False
    may_take_over: bool = False
    ends_with_lesson: bool = False


class Restraint(Protocol):
    """One kind of restraint. Each method checks by the policy that `who` may."""

    kind: str

    def in_force(self, means: Means, who: Identity, place: Place) -> Sequence[InForce]:
        """What is in force there now, whoever set it, in the language of the request."""

    def lift(self, means: Means, who: Identity, place: Place, key: str) -> None:
        """End one of them."""

    def take_over(self, means: Means, who: Identity, place: Place, key: str) -> None:
        """Make one that somebody else set `who`'s own: it then ends with his lesson."""

    def release(self, means: Means, login: str, place: Place) -> int:
        """End everything that this teacher set there; how many. There may be nothing."""


@dataclass(frozen=True)
class Released:
    """What the end of a lesson released: how many of each kind, and which kinds it could not."""

    counts: dict[str, int]
    failed: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())


class Restraints:
    """All kinds there are."""

    def __init__(self, kinds: Iterable[Restraint] = ()) -> None:
        self._kinds = {one.kind: one for one in kinds}

    def in_force(self, means: Means, who: Identity, place: Place) -> list[InForce]:
        """What is in force, the oldest first; one that cannot be asked says so."""
        found: list[InForce] = []
        for kind in self._kinds.values():
            try:
                found += kind.in_force(means, who, place)
            except Exception as error:  # noqa: BLE001 - a kind's fault is told, and stops no page
                _write_down(error, f"{kind.kind} cannot be told")
                found.append(_unknown(kind.kind))
        return sorted(found, key=lambda one: (one.at, one.kind, one.key))

    def of(self, kind: str) -> Restraint:
        """One kind; raises `NotFoundError`."""
        if kind not in self._kinds:
            raise NotFoundError("there is no such restraint")
        return self._kinds[kind]

    def release(self, means: Means, login: str, place: Place) -> Released:
        """Release everything; one kind that fails keeps no other in force."""
        counts: dict[str, int] = {}
        failed = []
        for kind in self._kinds.values():
            try:
                count = kind.release(means, login, place)
            except Exception as error:  # noqa: BLE001 - a kind's fault keeps no other in force
                _write_down(error, f"{kind.kind} of {login} could not be released")
                failed.append(kind.kind)
                continue
            if count:
                counts[kind.kind] = count
        return Released(counts, tuple(failed))


def _unknown(kind: str) -> InForce:
    text = gettext("Not known now: what else is in force")
    return InForce(kind, "", str(text), by="", at=0, icon="unplug", tone="warn")


def _write_down(error: Exception, what: str) -> None:
    """A refusal in a line; what nobody foresaw with its traceback."""
    if isinstance(error, RefusedError):
        logger.warning("%s: %s", what, error)
    else:
        logger.error("%s", what, exc_info=error)
