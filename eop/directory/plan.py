"""What an import would change: a snapshot compared with what is stored. Pure.

People and classes are the same as long as their id in the source is. What is kept here or comes
from another source is never changed: that is a conflict, and stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from eop.directory.class_plan import ClassStep, Sides, plan_classes
from eop.directory.people_plan import PersonStep, Rules, plan_people
from eop.directory.settling import Conflict
from eop.directory.snapshot import Snapshot
from eop.directory.stored import Stored
from eop.directory.users import ACTIVE

FEW = 3  # may leave any class: in a small one that is soon a large share


@dataclass(frozen=True)
class Brake:
    """Why nothing is applied: `empty`, `people`, or `class` with its name; how many of how many."""

    code: str
    name: str = ""
    lost: int = 0
    of: int = 0


@dataclass(frozen=True)
class Plan:
    """Everything an import would change, in the order of logins and names."""

    source: str
    people: tuple[PersonStep, ...]
    classes: tuple[ClassStep, ...]
    moved: Mapping[str, Sides]
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...]
    brakes: tuple[Brake, ...]
    logins: Mapping[str, str]
    """Login → its new one, of every account that gets another."""

    @property
    def names(self) -> dict[str, str]:
        """Name of a class → its new one, of every class that gets another."""
        return {
            step.stored.name: step.name
            for step in self.classes
            if step.stored and step.name and step.stored.name != step.name
        }

    @property
    def adopted(self) -> list[int]:
        """The accounts that were kept here, and are the source's from now on."""
        return [step.stored.id for step in self.people if step.stored and "adopted" in step.kinds]

    def is_empty(self) -> bool:
        return not self.people and not self.classes

    def can_be_confirmed(self) -> bool:
        """Whether the brake may be lifted: never where the source says nothing at all."""
        return all(brake.code != "empty" for brake in self.brakes)


def make(source: str, snapshot: Snapshot, stored: Stored, rules: Rules) -> Plan:
    """Compare what `source` says with what is stored."""
    people, conflicts = plan_people(source, snapshot.people, stored.people, rules)
    logins = {
        step.stored.login: step.login
        for step in people
        if step.stored is not None and step.stored.login != step.login
    }
    classes = plan_classes(source, snapshot.groups, stored.classes, logins)
    return Plan(
        source=source,
        people=tuple(sorted(people, key=lambda step: step.login)),
        classes=classes.steps,
        moved=classes.moved,
        conflicts=(*conflicts, *classes.conflicts),
        warnings=(*snapshot.warnings, *classes.warnings),
        brakes=tuple(_brakes(source, snapshot, stored, people, classes.steps, rules)),
        logins=logins,
    )


def _brakes(  # noqa: PLR0913 - everything that is compared
    source: str,
    snapshot: Snapshot,
    stored: Stored,
    people: list[PersonStep],
    classes: tuple[ClassStep, ...],
    rules: Rules,
) -> list[Brake]:
    """Why this looks like a fault of the source rather than like a wish."""
    if not snapshot.people:
        return [Brake("empty")]
    found = []
    present = sum(1 for one in stored.people if one.source == source and one.state == ACTIVE)
    lost = sum(
        1
        for step in people
        if "disabled" in step.kinds and step.stored and "adopted" not in step.kinds
    )
    if lost * 100 > rules.brake_percent * present:
        found.append(Brake("people", "", lost, present))
    for step in classes:
        leaving = len(step.before - step.after)
        if leaving > FEW and leaving * 100 > rules.brake_percent * len(step.before):
            found.append(Brake("class", step.shown, leaving, len(step.before)))
    return found
