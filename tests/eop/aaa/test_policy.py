from itertools import product

import pytest

from eop.aaa.identity import Identity
from eop.aaa.policy import RIGHTS, Target, may

ACTIONS = ("sign_in", "observe", "tile", "view", "control", "act")
SEEING = ("tile", "view", "control", "act")
ROOM = Target("S12", frozenset({"3eB"}))


def teacher(role="teacher", rooms=(), classes=()):
    return Identity("camille", "Camille", (role,), frozenset(rooms), frozenset(classes))


def test_nobody_may_do_nothing():
    for action in ACTIONS:
        assert may(None, action, ROOM).reason == "signed_out"


@pytest.mark.parametrize("role", ["", "guest", "root", "Teacher"])
def test_an_unknown_role_may_do_nothing(role):
    who = teacher(role, ["*"], ["*"])
    assert not any(may(who, action, ROOM).allowed for action in ACTIONS)


def test_a_student_may_only_sign_in_whatever_was_granted():
    who = teacher("student", ["*", "S12"], ["*", "3eB"])
    assert [action for action in ACTIONS if may(who, action, ROOM).allowed] == ["sign_in"]
    assert may(who, "view", ROOM).reason == "role"


@pytest.mark.parametrize("role", ["teacher", "head_teacher"])
@pytest.mark.parametrize(
    ("rooms", "classes", "target", "allowed"),
    [
        ((), (), ROOM, False),
        (("S12",), (), ROOM, True),
        (("S14",), (), ROOM, False),
        (("*",), (), ROOM, True),
        ((), ("3eB",), ROOM, True),
        ((), ("6eA",), ROOM, False),
        ((), ("*",), ROOM, True),
        ((), ("*",), Target("S12"), False),
        (("*",), (), Target(classes=frozenset({"3eB"})), False),
        (("S12",), ("3eB",), None, False),
        (("*",), ("*",), Target(), False),
    ],
)
def test_a_teacher_sees_what_was_granted(role, rooms, classes, target, allowed):
    who = teacher(role, rooms, classes)
    for action in SEEING:
        decision = may(who, action, target)
        assert decision.allowed is allowed
        assert decision.reason == ("" if allowed else "grant")
    assert may(who, "observe").allowed


def test_an_administrator_sees_everything():
    who = teacher("administrator")
    assert all(may(who, action, ROOM).allowed for action in ACTIONS)


def test_what_the_table_does_not_name_is_denied():
    for role, action in product(RIGHTS, ("delete", "", "*")):
        assert not may(teacher(role, ["*"], ["*"]), action, ROOM).allowed
