from dataclasses import replace

import pytest

from eop.directory.plan import Brake
from tests.eop.directory.schools import (
    RULES,
    group,
    person,
    planned,
    school,
    stored,
    stored_class,
    stored_person,
)

DAY_MS = 24 * 3600 * 1000


def kinds(plan):
    return {step.login: sorted(step.kinds) for step in plan.people}


def conflicts(plan):
    return [(one.what, one.name, one.code, one.detail) for one in plan.conflicts]


def test_who_is_not_stored_is_new():
    plan = planned(school(person(1), person(2, state="disabled")))
    assert kinds(plan) == {"p1": ["new"], "p2": ["new"]}
    assert [step.state for step in plan.people] == ["active", "disabled"]


def test_what_is_the_same_is_no_step():
    plan = planned(
        school(person(1), groups=[group(7, "3eB", "p1")]),
        stored(stored_person(1, "p1", 1), classes=[stored_class(1, "3eB", 7, "p1")]),
    )
    assert plan.is_empty()
    assert not plan.brakes


def test_another_login_of_the_same_id_is_a_change_of_login():
    plan = planned(school(person(1, "new.login")), stored(stored_person(1, "old.login", 1)))
    assert kinds(plan) == {"new.login": ["renamed"]}
    assert plan.logins == {"old.login": "new.login"}


def test_case_alone_is_no_other_login():
    plan = planned(school(person(1, "ZOE.Martin")), stored(stored_person(1, "zoe.martin", 1)))
    assert plan.is_empty()


def test_two_people_swap_their_logins():
    plan = planned(
        school(person(1, "b"), person(2, "a")),
        stored(stored_person(1, "a", 1), stored_person(2, "b", 2)),
    )
    assert kinds(plan) == {"a": ["renamed"], "b": ["renamed"]}
    assert not plan.conflicts


def test_a_list_calls_its_students_by_their_new_logins():
    plan = planned(
        school(person(1, "b"), person(2, "a"), groups=[group(7, "3eB", "b")]),
        stored(
            stored_person(1, "a", 1),
            stored_person(2, "b", 2),
            classes=[stored_class(1, "3eB", 7, "a")],
        ),
    )
    assert not plan.classes


def test_name_role_and_grants_may_change():
    kept = stored_person(1, "p1", 1, role="teacher", granted=frozenset({("room", "S12")}))
    changed = school(person(1, role="teacher", rooms=["S14"]))
    assert kinds(planned(changed, stored(kept))) == {"p1": ["changed"]}
    same = school(person(1, role="teacher", rooms=["S12"]))
    assert planned(same, stored(kept)).is_empty()


def test_what_was_given_by_hand_is_not_the_sources():
    kept = stored_person(1, "p1", 1, role="teacher", given=frozenset({("room", "S12")}))
    assert planned(school(person(1, role="teacher", rooms=["S12"])), stored(kept)).is_empty()
    assert planned(school(person(1, role="teacher")), stored(kept)).is_empty()


def test_who_is_gone_is_disabled_once():
    both = stored(*(stored_person(n, f"p{n}", n) for n in range(1, 11)))
    rest = school(*(person(n) for n in range(1, 10)))
    plan = planned(rest, both)
    assert kinds(plan) == {"p10": ["disabled"]}
    assert (plan.people[0].state, plan.people[0].gone_at) == ("disabled", RULES.now_ms)
    again = replace(both.people[9], state="disabled", source_state="disabled", gone_at=5)
    assert planned(rest, stored(*both.people[:9], again)).is_empty()


def test_who_is_back_is_enabled():
    gone = stored_person(1, "p1", 1, state="disabled", source_state="disabled", gone_at=5)
    plan = planned(school(person(1)), stored(gone))
    assert kinds(plan) == {"p1": ["enabled"]}
    assert plan.people[0].gone_at is None


def test_who_was_disabled_here_by_hand_stays_so():
    by_hand = stored_person(1, "p1", 1, state="disabled", source_state="active")
    assert planned(school(person(1)), stored(by_hand)).is_empty()
    told = planned(school(person(1, state="locked")), stored(by_hand))
    assert told.is_empty()
    gone = planned(school(person(2)), stored(by_hand)).people
    away = next(step for step in gone if step.stored)
    assert (away.state, away.source_state) == ("disabled", "active")


def test_who_is_disabled_at_the_source_is_disabled_here():
    plan = planned(school(person(1, state="expired")), stored(stored_person(1, "p1", 1)))
    assert kinds(plan) == {"p1": ["disabled"]}
    assert plan.people[0].state == "expired"


@pytest.mark.parametrize(
    ("age", "found"), [(30 * DAY_MS - 1, {}), (30 * DAY_MS, {"p1": ["deleted"]})]
)
def test_who_is_gone_for_long_is_deleted_where_that_is_set(age, found):
    rules = replace(RULES, delete_days=30, now_ms=100 * DAY_MS)
    gone = stored_person(
        1, "p1", 1, state="disabled", source_state="disabled", gone_at=rules.now_ms - age
    )
    others = [stored_person(2, "p2", 2)]
    assert kinds(planned(school(person(2)), stored(gone, *others), rules)) == found
    assert planned(
        school(person(2)), stored(gone, *others), replace(rules, delete_days=0)
    ).is_empty()


def test_a_login_of_a_local_account_is_never_taken():
    local = stored_person(9, "p1", source="local", source_state=None)
    plan = planned(school(person(1), person(2)), stored(local))
    assert kinds(plan) == {"p2": ["new"]}
    assert conflicts(plan) == [("person", "p1", "local", "")]


def test_a_local_account_is_taken_over_when_asked_but_never_one_that_administers():
    rules = replace(RULES, adopt=True)
    local = stored_person(9, "p1", source="local", source_state=None, role="teacher")
    root = stored_person(10, "root", source="local", source_state=None, role="administrator")
    plan = planned(school(person(1), person(2, "root")), stored(local, root), rules)
    assert kinds(plan) == {"p1": ["adopted", "changed"]}
    assert conflicts(plan) == [("person", "root", "local", "")]


@pytest.mark.parametrize("role", ["administrator", "security_officer"])
def test_no_local_account_comes_to_administer_by_being_taken_over(role):
    local = stored_person(9, "p1", source="local", source_state=None, role="teacher")
    plan = planned(school(person(1, role=role)), stored(local), replace(RULES, adopt=True))
    assert conflicts(plan) == [("person", "p1", "local", "")]
    assert plan.is_empty()


def test_a_known_account_is_not_merged_with_a_local_one():
    local = stored_person(9, "new", source="local", source_state=None)
    own = stored_person(1, "old", 1)
    plan = planned(school(person(1, "new")), stored(local, own), replace(RULES, adopt=True))
    assert conflicts(plan) == [("person", "new", "local", "")]
    assert plan.is_empty()


def test_an_account_of_another_source_is_left_alone():
    other = stored_person(9, "p1", 1, source="ldap")
    plan = planned(school(person(1)), stored(other))
    assert conflicts(plan) == [("person", "p1", "other_source", "ldap")]
    assert plan.is_empty()


def test_whoever_waits_for_a_login_that_stays_keeps_his_own():
    local = stored_person(9, "c", source="local", source_state=None)
    plan = planned(
        school(person(1, "b"), person(2, "c")),
        stored(local, stored_person(1, "a", 1), stored_person(2, "b", 2)),
    )
    assert conflicts(plan) == [("person", "b", "waits", ""), ("person", "c", "local", "")]
    assert plan.is_empty()


@pytest.mark.parametrize(
    ("people", "code"),
    [
        ([person(1, "x"), person(2, "X")], "login_twice"),
        ([person(1, "x"), person(1, "y")], "id_twice"),
        ([person(1, "two words")], "invalid"),
        ([person(1, name="")], "invalid"),
        ([person(1, role="king")], "invalid"),
        ([person(1, state="away")], "invalid"),
        ([person("", "x")], "invalid"),
        ([person("i" * 129, "x")], "invalid"),
        ([person(1, classes=[f"c{n}" for n in range(501)])], "invalid"),
    ],
)
def test_what_cannot_be_stored_is_a_conflict_and_nobody_is_gone_for_it(people, code):
    others = [person(n) for n in range(50, 60)]
    kept = stored(
        *(stored_person(n, f"p{n}", n) for n in range(50, 60)), stored_person(1, "was", 1)
    )
    plan = planned(school(*people, *others), kept)
    assert {one.code for one in plan.conflicts} == {code}
    assert len(plan.conflicts) == len(people)
    if people[0].external_id == "1":
        assert plan.is_empty()


def test_a_login_goes_from_who_is_gone_to_who_is_new():
    others = [stored_person(n, f"p{n}", n) for n in range(50, 60)]
    plan = planned(
        school(person(2, "zoe"), *(person(n) for n in range(50, 60))),
        stored(stored_person(1, "zoe", 1), *others),
    )
    assert kinds(plan) == {"zoe": ["new"], "zoe~1": ["disabled", "released"]}
    assert not plan.conflicts


def test_ids_that_a_source_begins_to_tell_are_learned():
    kept = stored_person(1, "zoe", "zoe")
    plan = planned(school(person("4711", "zoe", name="Person zoe")), stored(kept))
    assert kinds(plan) == {"zoe": []}
    assert plan.people[0].person.external_id == "4711"


def test_ids_that_a_source_no_longer_tells_are_no_reason_to_disable_anybody():
    kept = stored_person(1, "zoe", "4711")
    plan = planned(school(person("zoe", "zoe", name="Person 4711")), stored(kept))
    assert kinds(plan) == {"zoe": []}


def test_another_id_under_the_same_login_is_somebody_else():
    plan = planned(school(person("new-id", "zoe")), stored(stored_person(1, "zoe", "old-id")))
    assert kinds(plan) == {"zoe": ["new"], "zoe~1": ["disabled", "released"]}


@pytest.mark.parametrize(("gone", "brakes"), [(4, []), (5, [Brake("people", "", 5, 20)])])
def test_the_brake_stops_one_person_past_its_share(gone, brakes):
    kept = stored(*(stored_person(n, f"p{n}", n) for n in range(20)))
    plan = planned(school(*(person(n) for n in range(gone, 20))), kept)
    assert list(plan.brakes) == brakes
    assert plan.can_be_confirmed()


def test_who_is_told_disabled_counts_as_who_is_gone():
    kept = stored(*(stored_person(n, f"p{n}", n) for n in range(20)))
    people = [person(n, state="disabled" if n < 5 else "active") for n in range(20)]
    assert planned(school(*people), kept).brakes == (Brake("people", "", 5, 20),)


def test_who_was_disabled_before_does_not_count():
    old = [
        stored_person(n, f"p{n}", n, state="disabled", source_state="disabled") for n in range(9)
    ]
    kept = stored(*old, stored_person(10, "p10", 10))
    assert not planned(school(person(10)), kept).brakes


@pytest.mark.parametrize(("left", "brakes"), [(4, []), (5, [Brake("class", "3eB", 5, 20)])])
def test_the_brake_stops_a_class_that_loses_one_past_its_share(left, brakes):
    names = [f"p{n}" for n in range(20)]
    kept = stored(
        *(stored_person(n, f"p{n}", n) for n in range(20)),
        classes=[stored_class(1, "3eB", 7, *names)],
    )
    everybody = [person(n) for n in range(20)]
    plan = planned(school(*everybody, groups=[group(7, "3eB", *names[left:])]), kept)
    assert list(plan.brakes) == brakes


@pytest.mark.parametrize(("left", "stops"), [(3, False), (4, True)])
def test_a_few_may_leave_a_small_class(left, stops):
    names = [f"p{n}" for n in range(5)]
    kept = stored(stored_person(1, "p1", 1), classes=[stored_class(1, "club", 7, *names)])
    plan = planned(school(person(1), groups=[group(7, "club", *names[left:])]), kept)
    assert bool(plan.brakes) is stops


def test_a_class_that_is_gone_is_a_list_that_is_gone():
    names = [f"p{n}" for n in range(20)]
    kept = stored(stored_person(1, "p1", 1), classes=[stored_class(1, "3eB", 7, *names)])
    assert planned(school(person(1)), kept).brakes == (Brake("class", "3eB", 20, 20),)


@pytest.mark.parametrize("kept", [stored(), stored(stored_person(1, "p1", 1))])
def test_a_source_that_says_nothing_is_never_believed(kept):
    plan = planned(school(), kept)
    assert [one.code for one in plan.brakes] == ["empty"]
    assert not plan.can_be_confirmed()


def test_a_class_is_renamed_and_who_sits_in_it_stays():
    kept = stored(
        stored_person(1, "p1", 1),
        classes=[stored_class(1, "4eA", 7, "p1"), stored_class(2, "3eA", 8)],
    )
    plan = planned(school(person(1), groups=[group(7, "3eA", "p1"), group(8, "4eA")]), kept)
    assert plan.names == {"4eA": "3eA", "3eA": "4eA"}
    assert [sorted(step.kinds) for step in plan.classes] == [["class_renamed"], ["class_renamed"]]
    assert not plan.moved


def test_students_move_between_classes():
    kept = stored(
        stored_person(1, "p1", 1),
        classes=[stored_class(1, "3eA", 7, "p1", "p2"), stored_class(2, "3eB", 8)],
    )
    plan = planned(school(person(1), groups=[group(7, "3eA", "p2"), group(8, "3eB", "p1")]), kept)
    assert plan.moved == {"p1": (frozenset({"3eA"}), frozenset({"3eB"}))}


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        ([group(7, "mine")], "local"),
        ([group(7, "theirs")], "other_source"),
        ([group(7, "3eA"), group(8, "3eA")], "name_twice"),
        ([group(7, "3eA"), group(7, "3eB")], "id_twice"),
        ([group(7, "")], "invalid"),
        ([group(7, "3eA", *(f"p{n}" for n in range(501)))], "invalid"),
    ],
)
def test_a_class_that_cannot_be_stored_stays_as_it_is(groups, code):
    kept = stored(
        stored_person(1, "p1", 1),
        classes=[
            stored_class(1, "was", 7, "p1", "p2", "p3", "p4", "p5"),
            stored_class(2, "mine", None, source="local"),
            stored_class(3, "theirs", 7, source="ldap"),
        ],
    )
    plan = planned(school(person(1), groups=groups), kept)
    assert {one.code for one in plan.conflicts} == {code}
    assert plan.is_empty()
    assert not plan.brakes


def test_members_that_are_no_logins_are_left_out_and_told():
    plan = planned(school(person(1), groups=[group(7, "3eA", "p1", "two words", "")]))
    assert plan.classes[0].after == {"p1"}
    assert plan.warnings == ("class 3eA: 2 members left out, such as ''",)
