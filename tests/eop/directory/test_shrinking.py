import pytest

from eop.directory.shrinking import losers
from tests.eop.directory.schools import (
    group,
    person,
    planned,
    school,
    stored,
    stored_class,
    stored_person,
)

ZOE, MALO, TEACHER = 1, 2, 3


def of(snapshot, kept):
    return losers(kept, planned(snapshot, kept))


def house(classes=(("3eA", ("p1", "p2")), ("3eB", ())), **teacher):
    """Two students in 3eA, and a local teacher."""
    return stored(
        stored_person(ZOE, "p1", 1),
        stored_person(MALO, "p2", 2),
        stored_person(TEACHER, "camille", source="local", role="teacher", **teacher),
        classes=[
            stored_class(number, name, number, *students)
            for number, (name, students) in enumerate(classes)
        ],
    )


def students(*groups):
    return school(person(1), person(2), groups=groups)


def by_class(*names):
    return {"given": frozenset({("class", name) for name in names})}


MOVED = (group(0, "3eA", "p2"), group(1, "3eB", "p1"))
LEFT = (group(0, "3eA", "p2"), group(1, "3eB"))


@pytest.mark.parametrize(
    ("granted", "groups", "loses"),
    [
        (by_class("3eA"), MOVED, True),
        ({"lent": frozenset({("class", "3eA")})}, MOVED, True),
        (by_class("3eB"), MOVED, False),
        (by_class("3eA", "3eB"), MOVED, False),
        (by_class("*"), MOVED, False),
        (by_class("*"), LEFT, True),
        (by_class("3eB"), LEFT, False),
        ({"given": frozenset({("room", "*"), ("class", "3eA")})}, LEFT, False),
        ({"given": frozenset({("room", "S12")})}, LEFT, False),
        (by_class("3eA"), (group(0, "3eC", "p1", "p2"), group(1, "3eB")), False),
        (by_class("3eA"), (group(0, "3eA", "p1", "p2", "p9"), group(1, "3eB")), False),
    ],
)
def test_a_teacher_loses_a_student_whom_he_saw_by_his_class(granted, groups, loses):
    assert of(students(*groups), house(**granted)) == ({TEACHER} if loses else set())


def imported(**more):
    return stored(stored_person(1, "p1", 1, role="teacher", **more))


S12 = frozenset({("room", "S12")})


@pytest.mark.parametrize(
    ("kept", "now", "loses"),
    [
        (imported(granted=S12), person(1, role="teacher", rooms=["S12", "S14"]), False),
        (imported(granted=S12), person(1, role="teacher", rooms=["S14"]), True),
        (imported(granted=S12, given=frozenset()), person(1, role="teacher"), True),
        (imported(given=S12), person(1, role="teacher"), False),
        (imported(), person(1, role="student"), True),
        (imported(), person(1, "other.login", role="teacher"), True),
        (imported(), person(1, role="teacher", state="locked"), True),
        (imported(), person(1, role="teacher", name="Another Name"), False),
    ],
)
def test_whose_own_rights_shrink(kept, now, loses):
    assert of(school(now), kept) == ({1} if loses else set())
