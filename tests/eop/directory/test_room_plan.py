import pytest

from controle_vnc.control.messages import Workstation
from eop.directory.room_plan import plan_rooms


def workstation(name, room="S1", user=None):
    return Workstation(
        id=name, number=1, name=name, room=room, address="h:1", kind="vnc", user=user,
        state="ready", reason=None, checked_at=None,
    )  # fmt: skip


def changes(rooms, *workstations, logins=None):
    found = plan_rooms(rooms, logins or {}, workstations)
    return {one.workstation.name: (one.room, one.user) for one in found}


@pytest.mark.parametrize("host", ["pc-01", "PC-01", "pc-01.school.example", "Pc-01.School.Example"])
def test_a_host_is_known_by_its_name_whatever_the_case_and_domain(host):
    assert changes({host: "S12"}, workstation("pc-01")) == {"pc-01": ("S12", None)}


def test_a_whole_name_comes_before_a_short_one():
    rooms = {"pc-01.a.example": "S1", "pc-01.b.example": "S2", "pc-01": "S3"}
    assert changes(rooms, workstation("pc-01", "S0"), workstation("pc-01.b.example", "S0")) == {
        "pc-01": ("S3", None), "pc-01.b.example": ("S2", None),
    }  # fmt: skip


def test_what_is_right_or_not_named_stays():
    assert changes({"pc-01": "S1", "pc-99": "S9"}, workstation("pc-01"), workstation("pc-02")) == {}


def test_who_sits_there_goes_by_his_new_login():
    found = changes({}, workstation("a", user="x"), workstation("b", user="y"), logins={"x": "y"})
    assert found == {"a": ("S1", "y")}
