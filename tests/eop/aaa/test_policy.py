from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from eop.aaa import sentences
from eop.aaa.identity import Identity
from eop.aaa.policy import (
    ACTIONS,
    REASONS,
    RIGHTS,
    SCREENS,
    Circumstances,
    Target,
    may,
)
from eop.directory import days
from eop.directory.substitutes import TemporaryGrant
from eop.directory.users import ROLES

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
    assert [one for one in ACTIONS if may(who, one, ROOM).allowed] == [
        "sign_in", "account", "own_documents",
    ]  # fmt: skip
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
        assert REASONS[decision.reason] is allowed
        assert allowed or decision.reason == "grant"
    assert may(who, "observe").allowed


def test_an_administrator_sees_everything():
    who = teacher("administrator")
    assert all(may(who, action, ROOM).allowed for action in ACTIONS)


def test_what_the_table_does_not_name_is_denied():
    for role, action in product(RIGHTS, ("delete", "", "*")):
        assert not may(teacher(role, ["*"], ["*"]), action, ROOM).allowed


TARGETS = {
    "nothing": None,
    "room": Target("S12"),
    "class": Target(classes=frozenset({"3eB"})),
    "workstation": ROOM,
}


def lent(kind="room", value="S12", until_at=2_000):
    return TemporaryGrant(kind, value, 0, until_at, "admin")


def people(role):
    """Who asks: the same role with other grants."""
    nobody = teacher(role)
    return {
        "nothing": nobody,
        "its room": teacher(role, ["S12"]),
        "its class": teacher(role, [], ["3eB"]),
        "all rooms": teacher(role, ["*"]),
        "all classes": teacher(role, [], ["*"]),
        "head teacher": replace(nobody, heads=frozenset({"3eB"})),
        "substitute": replace(nobody, temporary=(lent(), lent("class", "3eB"))),
        "another room": replace(teacher(role, ["S99"], ["6eA"]), heads=frozenset({"6eA"})),
    }


def whole_table():
    """Every role × action × target × grant, and what the policy says."""
    yield "role | action | target | " + " | ".join(people("teacher"))
    for role, action, (kind, target) in product(ROLES, ACTIONS, TARGETS.items()):
        decisions = [may(who, action, target) for who in people(role).values()]
        words = [("yes " if one.allowed else "no ") + one.reason for one in decisions]
        if len(set(words)) == 1:
            words = words[:1]
        yield " | ".join([role, action, kind, *words])


def test_the_whole_table_is_the_one_that_was_agreed():
    kept = Path(__file__).with_name("policy_table.txt")
    made = "\n".join(whole_table()) + "\n"
    assert made == kept.read_text(encoding="utf-8"), (
        "the policy changed; if that is meant, write the new table into policy_table.txt"
    )


def test_every_role_has_its_row_and_every_reason_its_sentence():
    assert tuple(RIGHTS) == ROLES
    assert set(sentences.ACTIONS) == set(ACTIONS)
    extra = {"temporary_every_room", "temporary_every_class"}
    assert set(sentences.SENTENCES) == set(REASONS) | extra
    assert set(sentences.ROLES) == set(ROLES)


def test_a_temporary_grant_says_until_when_and_by_whom():
    who = replace(teacher(), temporary=(lent("class", "3eB", 9_000), lent("room", "S12")))
    decision = may(who, "view", ROOM)
    assert (decision.allowed, decision.reason) == (True, "temporary_class")
    assert decision.arguments == {"class": "3eB", "until": 9_000, "by": "admin"}
    assert not may(who, "view", Target("S14", frozenset({"6eA"}))).allowed
    assert not may(who, "view").allowed


def test_a_temporary_grant_of_everything_is_of_its_kind_alone():
    who = replace(teacher(), temporary=(lent("room", "*"),))
    assert may(who, "view", Target("S14")).reason == "temporary_room"
    assert not may(who, "view", Target(classes=frozenset({"3eB"}))).allowed
    assert not may(who, "view", Target()).allowed


def test_a_lasting_grant_is_named_before_a_temporary_one():
    who = replace(teacher(rooms=["S12"]), temporary=(lent(),))
    assert may(who, "view", ROOM).reason == "granted_room"


@pytest.mark.parametrize("role", ["teacher", "administrator"])
def test_while_all_screens_are_closed_nobody_sees_one(role):
    who, closed = teacher(role, ["S12"]), Circumstances(screens_closed=True)
    for action in ACTIONS:
        open_day, closed_day = may(who, action, ROOM), may(who, action, ROOM, closed)
        if action in SCREENS:
            assert (open_day.allowed, closed_day.reason) == (True, "switched_off")
        else:
            assert closed_day == open_day
    assert may(who, "view", ROOM, Circumstances()).allowed


def test_the_last_minutes_are_seen_where_they_are_kept():
    who = teacher("teacher", ["S12"])
    assert may(who, "rewind", ROOM, Circumstances()).reason == "rewind_off"
    assert may(who, "rewind", ROOM, Circumstances(rewinds=True)).allowed
    shut = Circumstances(screens_closed=True, rewinds=True)
    assert may(who, "rewind", ROOM, shut).reason == "switched_off"
    assert may(teacher(), "rewind", ROOM, Circumstances()).reason == "grant"
    assert may(teacher("administrator"), "rewind", ROOM, Circumstances()).reason == "rewind_off"


def test_who_has_no_right_is_told_that_and_not_of_the_switch():
    closed = Circumstances(screens_closed=True)
    assert may(teacher(), "view", ROOM, closed).reason == "grant"
    assert may(teacher("student"), "view", ROOM, closed).reason == "role"


@pytest.mark.parametrize("state", ["disabled", "expired", "locked"])
def test_an_account_that_is_not_active_may_do_nothing(state):
    who = replace(teacher("administrator"), state=state)
    assert {may(who, action, ROOM).reason for action in ACTIONS} == {"state"}
    assert may(who, "view", ROOM).arguments == {"state": state}


def test_every_decision_can_be_told():
    for role in ROLES:
        for who in people(role).values():
            for action, target in product(ACTIONS, TARGETS.values()):
                decision = may(who, action, target)
                assert REASONS[decision.reason] is decision.allowed
                assert "%(" not in sentences.reason(decision)
    everything = replace(teacher(), temporary=(lent("class", "*", days.end("2026-11-21")),))
    sentence = sentences.reason(may(everything, "view", ROOM))
    assert sentence == "Every class was granted until 2026-11-21 24:00 by admin."
