import pytest
from sqlalchemy import select

from eop.audit.tables import audit
from tests.eop.installation import error


@pytest.fixture
def room(house):
    house.add_user("room", rooms=("S12",), classes=())
    house.ids = [house.add_workstation("pc-01", "S12"), house.add_workstation("pc-02", "S14")]
    return house


def test_each_workstation_answers_in_order_forbidden_and_unknown_ones_too(room):
    wanted = [room.ids[1], "nope", room.ids[0], room.ids[0]]
    body = {"workstations": wanted, "action": "lock", "arguments": {"text": "Listen"}}
    answer = room.signed_in("room").post("actions", body)
    assert answer.status_code == 200
    results = answer.json["results"]
    assert [result["workstation"] for result in results] == wanted
    assert [result["ok"] for result in results] == [False] * 4
    messages = [result["message"] for result in results]
    assert messages == [
        "You were not given this room or class.",
        "There is no such workstation.",
        "pc-01 cannot do this: this workstation has no agent, only a VNC server.",
        "pc-01 cannot do this: this workstation has no agent, only a VNC server.",
    ]


def test_what_was_tried_is_kept_of_each_known_workstation_and_no_word_of_its_arguments(room):
    room.add_workstation("pc-03", "S12", user="zoe.martin")
    body = {"workstations": [*room.ids, "nope", room.ids[0]], "action": "message"}
    room.signed_in("room").post("actions", body | {"arguments": {"text": "private words"}})
    with room.parts.database.read() as connection:
        kept = connection.execute(select(audit).where(audit.c.kind == "action")).all()
    assert sorted((row.user, row.workstation) for row in kept) == sorted(
        ("room", workstation) for workstation in room.ids
    )
    assert {row.details["action"] for row in kept} == {"message"}
    assert "private" not in str(kept)


@pytest.mark.parametrize(
    "body",
    [
        {"workstations": [], "action": "lock"},
        {"workstations": ["a"] * 501, "action": "lock"},
        {"workstations": "a", "action": "lock"},
        {"workstations": ["a"]},
        {"workstations": ["a"], "action": "Lock it"},
        {"workstations": ["a"], "action": "lock\n"},
        {"workstations": ["a"], "action": "lock", "arguments": []},
        {"workstations": ["a"], "action": "lock", "command": "rm"},
    ],
)
def test_wrong_fields_are_refused(room, body):
    assert error(room.signed_in().post("actions", body)) == (422, "invalid")


def test_five_hundred_workstations_are_answered(room):
    body = {"workstations": ["nope"] * 500, "action": "lock", "arguments": {}}
    assert len(room.signed_in().post("actions", body).json["results"]) == 500
