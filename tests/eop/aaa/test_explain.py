import pytest

from eop.aaa import explain, substitution, switches
from eop.aaa.explain import Question
from eop.directory import users
from eop.directory.substitutes import DAY_MS, Substitution
from eop.errors import DaemonDownError, InvalidError, NotFoundError


def ask(house, login, action, target=""):
    parts = house.parts
    asked = Question(login, action, target)
    return explain.explain(parts.database, parts.daemon, asked, parts.now_ms())


@pytest.fixture
def school(house):
    house.id = house.add_workstation("pc-01", "S12", "zoe")
    house.add_class("3eB", "zoe")
    house.add_user("anna", rooms=("S14",), classes=("3eB",))
    return house


@pytest.mark.parametrize(
    ("action", "target", "reason"),
    [
        ("sign_in", "", "anywhere"),
        ("administer", "", "role"),
        ("view", "", "grant"),
        ("view", "room:S14", "granted_room"),
        ("view", "room:S12", "grant"),
        ("view", "class:3eB", "granted_class"),
        ("control", "workstation:pc-01", "granted_class"),
        ("account", "", "self"),
    ],
)
def test_the_answer_is_that_of_the_policy(school, action, target, reason):
    answer = ask(school, "Anna", action, target)
    assert answer.decision.reason == reason
    assert answer.user.login == "anna"


def test_a_workstation_is_named_or_numbered(school):
    by_name, by_id = (
        ask(school, "anna", "view", f"workstation:{name}") for name in ("pc-01", school.id)
    )
    assert by_name == by_id
    assert (by_id.target.room, by_id.target.classes) == ("S12", {"3eB"})


def test_what_holds_now_is_in_the_answer(school):
    now_ms = school.parts.now_ms()
    given = Substitution("anna", ("S12",), (), now_ms, now_ms + DAY_MS, "carla")
    substitution.give(school.parts.database, given, now_ms)
    answer = ask(school, "anna", "view", "room:S12")
    assert answer.decision.reason == "temporary_room"
    assert answer.decision.arguments["by"] == "carla"
    switches.turn(school.parts.database, True, "carla", now_ms)
    assert ask(school, "anna", "view", "room:S12").decision.reason == "switched_off"
    with school.parts.database.write() as connection:
        users.set_state(connection, "anna", "disabled")
    assert ask(school, "anna", "view", "room:S12").decision.reason == "state"


@pytest.mark.parametrize(
    ("login", "action", "target", "kind"),
    [
        ("nobody", "view", "", NotFoundError),
        ("x" * 1000, "view", "", NotFoundError),
        ("anna", "fly", "", InvalidError),
        ("anna", "view", "S12", InvalidError),
        ("anna", "view", "room:", InvalidError),
        ("anna", "view", "house:S12", InvalidError),
        ("anna", "view", "room:" + "x" * 80, InvalidError),
        ("anna", "view", "workstation:pc-99", NotFoundError),
    ],
)
def test_what_cannot_be_asked_is_told(school, login, action, target, kind):
    with pytest.raises(kind):
        ask(school, login, action, target)


def test_only_a_workstation_needs_the_daemon(school):
    school.stop_daemon()
    assert ask(school, "anna", "view", "room:S14").decision.allowed
    with pytest.raises(DaemonDownError):
        ask(school, "anna", "view", "workstation:pc-01")
