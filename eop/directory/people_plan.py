"""What an import would change of people. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from eop.directory.births import checked as checked_birth_date
from eop.directory.settling import OTHER_SOURCE, WAITS, Claim, Conflict, Reason, refused, storable
from eop.directory.snapshot import Person
from eop.directory.stored import MAX_ID_CHARACTERS, Grant, StoredPerson, grants_of
from eop.directory.users import (
    ACTIVE,
    LOCAL,
    MAX_NAME_CHARACTERS,
    ROLES,
    STATES,
    checked_grants,
    checked_line,
    checked_login,
)
from eop.errors import InvalidError

DAY_MS = 24 * 3600 * 1000
GONE_STATE = "disabled"
RELEASED_CHARACTERS = 40  # kept of a login that is given up; its number makes it unique
NEVER_ADOPTED = ("administrator", "security_officer")  # the way in when every source is down

Pairs = dict[str, tuple[Person, StoredPerson | None]]
"""A person's id in the source → the person, and the account it is."""


@dataclass(frozen=True)
class Rules:
    """How an import is carried out; `adopt` takes over local accounts of the same login."""

    brake_percent: int
    delete_days: int
    adopt: bool
    now_ms: int


@dataclass(frozen=True)
class PersonStep:
    """What becomes of one account; `stored` is None for a new one, `person` for one that is gone.

    `kinds` has those of `PERSON_KINDS` that fit; none where only the import's own notes change.
    """

    stored: StoredPerson | None
    person: Person | None
    login: str
    state: str
    source_state: str
    gone_at: int | None
    granted: frozenset[Grant]
    kinds: frozenset[str]


PERSON_KINDS = (
    "new", "adopted", "renamed", "changed", "disabled", "enabled", "released", "deleted",
)  # fmt: skip


def plan_people(
    source: str, people: Iterable[Person], stored: tuple[StoredPerson, ...], rules: Rules
) -> tuple[list[PersonStep], list[Conflict]]:
    """The accounts that change, and who is left as he is."""
    valid, conflicts = storable(people, "person", "login", _canonical)
    skipped = {conflict.key for conflict in conflicts}
    own = [one for one in stored if one.source == source]
    pairs = _paired(valid, own, skipped)
    if rules.adopt:
        _adopt(pairs, stored)
    claims = [
        Claim(key, one.login, was.login if was else None) for key, (one, was) in pairs.items()
    ]
    no = refused(claims, _left_alone(stored, pairs, source, skipped))
    conflicts += [
        Conflict("person", key, pairs[key][0].login, *reason) for key, reason in sorted(no.items())
    ]
    steps = [_step(person, was, source) for key, (person, was) in pairs.items() if key not in no]
    matched = {was.id for _, was in pairs.values() if was}
    taken = {step.login for step in steps}
    steps += [
        _gone_step(one, taken, rules)
        for one in own
        if one.id not in matched and one.external_id not in skipped
    ]
    return [step for step in steps if _changes(step)], conflicts


def _canonical(person: Person) -> Person:
    if person.role not in ROLES:
        raise InvalidError(f"{person.role[:40]!r} is no role; roles: {', '.join(ROLES)}")
    if person.state not in STATES:
        raise InvalidError(f"{person.state[:40]!r} is no state; states: {', '.join(STATES)}")
    return Person(
        external_id=checked_line(person.external_id, "id", MAX_ID_CHARACTERS),
        login=checked_login(person.login),
        name=checked_line(person.name, "name", MAX_NAME_CHARACTERS),
        role=person.role,
        classes=checked_grants("class", person.classes),
        rooms=checked_grants("room", person.rooms),
        state=person.state,
        heads=checked_grants("class", person.heads),
        last_name=person.last_name
        and checked_line(person.last_name, "last name", MAX_NAME_CHARACTERS),
        birth_date=checked_birth_date(person.birth_date),
    )


def _paired(valid: list[Person], own: list[StoredPerson], skipped: set[str]) -> Pairs:
    """Each person with his account: by id, or by login where either has no other id."""
    by_id = {one.external_id: one for one in own}
    known = {person.external_id for person in valid} | skipped
    free = {one.login: one for one in own if one.external_id not in known}
    pairs: Pairs = {}
    for person in valid:
        was = by_id.get(person.external_id)
        if was is None:
            same_login = free.get(person.login)
            if same_login and person.login in (person.external_id, same_login.external_id):
                was = same_login
        pairs[person.external_id] = (person, was)
    return pairs


def _adopt(pairs: Pairs, stored: tuple[StoredPerson, ...]) -> None:
    """Let new people be the local accounts of the same login, where neither administers."""
    local = {one.login: one for one in stored if one.source == LOCAL}
    for key, (person, was) in pairs.items():
        found = local.get(person.login)
        if was is not None or found is None or {found.role, person.role} & set(NEVER_ADOPTED):
            continue
        pairs[key] = (person, found)


def _left_alone(
    stored: tuple[StoredPerson, ...], pairs: Pairs, source: str, skipped: set[str]
) -> dict[str, Reason]:
    """The logins that stay where they are, and why."""
    matched = {was.id for _, was in pairs.values() if was}
    logins: dict[str, Reason] = {}
    for one in stored:
        if one.id in matched:
            continue
        if one.source == LOCAL:
            logins[one.login] = (LOCAL, "")
        elif one.source != source:
            logins[one.login] = (OTHER_SOURCE, one.source)
        elif one.external_id in skipped:
            logins[one.login] = (WAITS, "")
    return logins


def _is_closed_by_hand(stored: StoredPerson) -> bool:
    """Whether the account was disabled here while its source had it open."""
    return stored.state != ACTIVE and stored.source_state in (None, ACTIVE)


def _kept(stored: StoredPerson) -> tuple[object, ...]:
    """What an import changes of an account, to compare it."""
    own = stored.name, stored.role, stored.last_name or "", stored.birth_date or ""
    return (*own, stored.granted)


def _step(person: Person, stored: StoredPerson | None, source: str) -> PersonStep:
    granted = grants_of(person)
    if stored is None:
        return PersonStep(
            stored, person, person.login, person.state, person.state, None, granted,
            frozenset({"new"}),
        )  # fmt: skip
    granted -= stored.given
    state = source_state = person.state
    if _is_closed_by_hand(stored):
        state, source_state = stored.state, stored.source_state or ACTIVE
    kinds = set()
    if stored.source != source:
        kinds.add("adopted")
    if stored.login != person.login:
        kinds.add("renamed")
    if _kept(stored) != (person.name, person.role, person.last_name, person.birth_date, granted):
        kinds.add("changed")
    if stored.state != state:
        word = "disabled" if stored.state == ACTIVE else "enabled" if state == ACTIVE else "changed"
        kinds.add(word)
    return PersonStep(
        stored, person, person.login, state, source_state, None, granted, frozenset(kinds)
    )


def _gone_step(stored: StoredPerson, taken: set[str], rules: Rules) -> PersonStep:
    """The account of who is gone: disabled, later deleted; it gives up a login that is wanted."""
    gone_at = stored.gone_at if stored.gone_at is not None else rules.now_ms
    state, source_state = GONE_STATE, GONE_STATE
    if _is_closed_by_hand(stored):
        state, source_state = stored.state, stored.source_state or ACTIVE
    kinds = {"disabled"} if stored.state == ACTIVE else set()
    login = stored.login
    if login in taken:
        login = f"{login[:RELEASED_CHARACTERS]}~{stored.id}"
        kinds.add("released")
    if rules.delete_days and rules.now_ms - gone_at >= rules.delete_days * DAY_MS:
        kinds = {"deleted"}
    return PersonStep(
        stored, None, login, state, source_state, gone_at, stored.granted, frozenset(kinds)
    )


def _changes(step: PersonStep) -> bool:
    """Whether there is anything to store."""
    was = step.stored
    if was is None or step.kinds:
        return True
    noted = (was.source_state, was.gone_at) != (step.source_state, step.gone_at)
    is_forgotten = step.person is None and was.birth_date is not None
    return (
        noted
        or is_forgotten
        or (step.person is not None and was.external_id != step.person.external_id)
    )
