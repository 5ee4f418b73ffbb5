import pytest


@pytest.fixture
def school(house):
    house.add_user("anna", rooms=("S12",), classes=())
    house.add_workstation("pc-01", "S12", "zoe")
    return house


def test_allowed_is_zero_and_says_which_grant(school, eopctl):
    done = eopctl("policy", "explain", "anna", "view", "workstation:pc-01")
    assert done.code == 0, done.err
    assert done.out == "allowed (granted_room): The room S12 was granted.\n"


def test_denied_is_one_and_says_why(school, eopctl):
    done = eopctl("policy", "explain", "anna", "view", "room:S14")
    assert done.code == 1
    assert done.out == (
        "denied (grant): The role gives this right where a room or class was granted; "
        "here none was.\n"
    )
    done = eopctl("policy", "explain", "anna", "administer")
    assert (done.code, done.out) == (
        1,
        "denied (role): The role Teacher does not give this right.\n",
    )


def test_the_answer_in_json(school, eopctl):
    done = eopctl("policy", "explain", "Anna", "control", "room:S12", "--json")
    assert done.json == {
        "user": "anna",
        "role": "teacher",
        "action": "control",
        "target": {"room": "S12", "classes": []},
        "allowed": True,
        "reason": "granted_room",
        "arguments": {"room": "S12"},
        "sentence": "The room S12 was granted.",
    }
    assert eopctl("policy", "explain", "anna", "observe", "--json").json["target"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "view"), "there is no user"),
        (("anna", "fly"), "is no action"),
        (("anna", "view", "S12"), "is no target"),
        (("anna", "view", "workstation:pc-9"), "there is no workstation"),
        (("anna",), "Missing argument"),
    ],
)
def test_no_answer_is_two(school, eopctl, arguments, words):
    done = eopctl("policy", "explain", *arguments)
    assert done.code == 2
    assert words in done.err


def test_a_daemon_that_is_down_is_no_answer(quiet, eopctl):
    quiet.add_user("anna")
    assert eopctl("policy", "explain", "anna", "view", "workstation:pc-01").code == 2
    assert eopctl("policy", "explain", "anna", "view", "room:S12").code == 0
