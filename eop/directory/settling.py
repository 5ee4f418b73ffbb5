"""Who gets a name that must be unique, when many change names at once. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from eop.directory.snapshot import Group, Person
from eop.errors import InvalidError

MAX_SHOWN_CHARACTERS = 80  # of a name that cannot be stored, in whatever it is told

T = TypeVar("T", Person, Group)

OTHER_SOURCE = "other_source"
WAITS = "waits"

Reason = tuple[str, str]
"""Code and detail of a conflict."""


@dataclass(frozen=True)
class Conflict:
    """A `person` or `class` that an import leaves as it is; `key` is its id in the source.

    `code`: `local` (the name belongs to what is kept here), `other_source` (to the source in
    `detail`), `waits` (to one that cannot be changed either), `login_twice`, `name_twice`,
    `id_twice`, or `invalid` (`detail` says why).
    """

    what: str
    key: str
    name: str
    code: str
    detail: str = ""


@dataclass(frozen=True)
class Claim:
    """A wish: `key` wants the name, and has the name `before` now (None: it is new)."""

    key: str
    name: str
    before: str | None


def refused(claims: Iterable[Claim], taken: Mapping[str, Reason]) -> dict[str, Reason]:
    """The keys that cannot have their name, and why; `taken` says which names stay, and why.

    Whoever is refused keeps his name, so that whoever wants that one is refused, too: swaps and
    chains go through as a whole or not at all. No two claims may want the same name.
    """
    wanted = {claim.name: claim for claim in claims}
    staying = list(taken.items())
    why: dict[str, Reason] = {}
    while staying:
        name, reason = staying.pop()
        claim = wanted.pop(name, None)
        if claim is not None:
            why[claim.key] = reason
            if claim.before is not None:
                staying.append((claim.before, (WAITS, "")))
    return why


def twice(values: Iterable[str]) -> frozenset[str]:
    """Those that are there more than once."""
    seen: set[str] = set()
    again: set[str] = set()
    for value in values:
        (again if value in seen else seen).add(value)
    return frozenset(again)


def storable(
    found: Iterable[T], word: str, named: str, canonical: Callable[[T], T]
) -> tuple[list[T], list[Conflict]]:
    """Those that can be stored, in canonical spelling; conflicts for the others.

    `word` is what they are (`person`, `class`), `named` the attribute that no two may share beside
    the id. `canonical` raises `InvalidError`.
    """
    valid: list[T] = []
    conflicts: list[Conflict] = []
    for one in found:
        try:
            valid.append(canonical(one))
        except InvalidError as error:
            name = getattr(one, named)[:MAX_SHOWN_CHARACTERS]
            conflicts.append(Conflict(word, one.external_id, name, "invalid", str(error)))
    ids = twice(one.external_id for one in valid)
    names = twice(getattr(one, named) for one in valid)
    alone: list[T] = []
    for one in valid:
        if one.external_id in ids or getattr(one, named) in names:
            code = "id_twice" if one.external_id in ids else f"{named}_twice"
            conflicts.append(Conflict(word, one.external_id, getattr(one, named), code))
        else:
            alone.append(one)
    return alone, conflicts
