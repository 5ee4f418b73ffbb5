"""What an import would change of classes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eop.directory.classes import MAX_CLASS_CHARACTERS, MAX_STUDENTS
from eop.directory.settling import OTHER_SOURCE, WAITS, Claim, Conflict, refused, storable
from eop.directory.snapshot import Group
from eop.directory.stored import MAX_ID_CHARACTERS, StoredClass
from eop.directory.users import LOCAL, checked_line, checked_login
from eop.errors import InvalidError

Sides = tuple[frozenset[str], frozenset[str]]
"""The classes left, and those entered."""


@dataclass(frozen=True)
class ClassStep:
    """What becomes of one class: `stored` is None for a new one, `name` for one that is gone.

    The logins of `before` and `after` are those that people have after the import.
    """

    stored: StoredClass | None
    name: str | None
    external_id: str
    before: frozenset[str]
    after: frozenset[str]

    @property
    def shown(self) -> str:
        """The name it has, or had."""
        return self.name or (self.stored.name if self.stored else "")

    @property
    def kinds(self) -> frozenset[str]:
        """`class_new`, `class_removed`, `class_renamed`, `class_changed`."""
        if self.stored is None:
            return frozenset({"class_new"})
        if self.name is None:
            return frozenset({"class_removed"})
        found = {"class_renamed"} if self.name != self.stored.name else set()
        return frozenset(found | ({"class_changed"} if self.before != self.after else set()))


@dataclass(frozen=True)
class ClassPlan:
    """The classes that change, and who goes from some to others."""

    steps: tuple[ClassStep, ...]
    moved: dict[str, Sides]
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...]


def plan_classes(
    source: str,
    groups: Iterable[Group],
    stored: tuple[StoredClass, ...],
    renames: Mapping[str, str],
) -> ClassPlan:
    """Compare the source's groups with the classes stored of it; `renames`: login → new login."""
    warnings: list[str] = []
    valid, conflicts = storable(groups, "class", "name", lambda group: _canonical(group, warnings))
    skipped = {conflict.key for conflict in conflicts}
    own = [one for one in stored if one.source == source]
    pairs = _paired(valid, own, skipped)
    left = _left_alone(stored, pairs, source, skipped)
    claims = [
        Claim(key, group.name, was.name if was else None) for key, (group, was) in pairs.items()
    ]
    no = refused(claims, left)
    conflicts += [
        Conflict("class", key, pairs[key][0].name, *reason) for key, reason in sorted(no.items())
    ]
    steps = [_step(group, was, renames) for key, (group, was) in pairs.items() if key not in no]
    matched = {was.id for _, was in pairs.values() if was}
    steps += [
        ClassStep(one, None, one.external_id or "", _renamed(one.students, renames), frozenset())
        for one in own
        if one.id not in matched and one.external_id not in skipped
    ]
    changing = sorted((step for step in steps if _changes(step)), key=lambda step: step.shown)
    return ClassPlan(tuple(changing), _moved(changing), tuple(conflicts), tuple(warnings))


def _canonical(group: Group, warnings: list[str]) -> Group:
    name = checked_line(group.name, "class", MAX_CLASS_CHARACTERS)
    external_id = checked_line(group.external_id, "id", MAX_ID_CHARACTERS)
    students: set[str] = set()
    wrong: list[str] = []
    for login in sorted(group.students):
        try:
            students.add(checked_login(login))
        except InvalidError:
            wrong.append(login[:40])
    if wrong:
        warnings.append(f"class {name}: {len(wrong)} members left out, such as {wrong[0]!r}")
    if len(students) > MAX_STUDENTS:
        raise InvalidError(f"class {name!r}: more than {MAX_STUDENTS} students")
    return Group(external_id, name, frozenset(students))


def _paired(
    valid: list[Group], own: list[StoredClass], skipped: set[str]
) -> dict[str, tuple[Group, StoredClass | None]]:
    """Each group with the class it was: by its id, or by its name where either has no other id."""
    by_id = {one.external_id: one for one in own}
    known = {group.external_id for group in valid} | skipped
    free = {one.name: one for one in own if one.external_id not in known}
    pairs: dict[str, tuple[Group, StoredClass | None]] = {}
    for group in valid:
        was = by_id.get(group.external_id)
        if was is None:
            same_name = free.get(group.name)
            if same_name and group.name in (group.external_id, same_name.external_id):
                was = same_name
        pairs[group.external_id] = (group, was)
    return pairs


def _left_alone(
    stored: tuple[StoredClass, ...],
    pairs: Mapping[str, tuple[Group, StoredClass | None]],
    source: str,
    skipped: set[str],
) -> dict[str, tuple[str, str]]:
    """The names that stay where they are, and why."""
    matched = {was.id for _, was in pairs.values() if was}
    names: dict[str, tuple[str, str]] = {}
    for one in stored:
        if one.source == LOCAL:
            names[one.name] = (LOCAL, "")
        elif one.source != source:
            names[one.name] = (OTHER_SOURCE, one.source)
        elif one.id not in matched and one.external_id in skipped:
            names[one.name] = (WAITS, "")
    return names


def _step(group: Group, was: StoredClass | None, renames: Mapping[str, str]) -> ClassStep:
    before = _renamed(was.students, renames) if was else frozenset()
    return ClassStep(was, group.name, group.external_id, before, group.students)


def _renamed(logins: frozenset[str], renames: Mapping[str, str]) -> frozenset[str]:
    return frozenset(renames.get(login, login) for login in logins) if renames else logins


def _changes(step: ClassStep) -> bool:
    """Whether there is anything to store: an id that was learned is, too."""
    return bool(step.kinds) or (
        step.stored is not None and step.stored.external_id != step.external_id
    )


def _moved(steps: Iterable[ClassStep]) -> dict[str, Sides]:
    """Who leaves a class and enters another."""
    left: dict[str, set[str]] = {}
    entered: dict[str, set[str]] = {}
    for step in steps:
        for login in step.before - step.after:
            left.setdefault(login, set()).add(step.shown)
        for login in step.after - step.before:
            entered.setdefault(login, set()).add(step.shown)
    both = sorted(left.keys() & entered.keys())
    return {login: (frozenset(left[login]), frozenset(entered[login])) for login in both}
