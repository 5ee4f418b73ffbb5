"""`eopctl demo`: who teaches, who sits where, and what a start keeps. Journeys run it whole."""

import re
from pathlib import Path

import click
import pytest

from eop.aaa import passwords, second_factor
from eop.cli import demo
from eop.directory import classes, users


@pytest.fixture
def database(quiet):
    return quiet.parts.database


def desktops(count, directory="/run/demo"):
    return [
        {"address": f"unix:{directory}/d{number:02}.sock", "password": f"pw{number}"}
        for number in range(1, count + 1)
    ]


def test_the_first_half_sits_in_the_first_room_with_users_of_its_class():
    seated = demo.seat(desktops(5))
    assert [one.room for one in seated] == ["S12", "S12", "S12", "S14", "S14"]
    assert [one.user for one in seated[:2]] == ["zoe.martin", "malo.colin"]
    assert seated[3].user == "rose.lambert"


def test_nobody_sits_twice_in_a_large_class():
    seated = demo.seat(desktops(demo.MAX_WORKSTATIONS))
    assert len({one.user for one in seated}) == demo.MAX_WORKSTATIONS


def test_a_login_has_no_accents():
    assert demo.login_of("Éva Chevalier") == "eva.chevalier"


def test_a_new_password_can_be_typed():
    assert re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", demo.new_password())
    assert demo.new_password() != demo.new_password()


@pytest.mark.parametrize("text", ["-1", "six", "61", ""])
def test_a_number_of_workstations_that_is_none_is_refused(text, monkeypatch):
    monkeypatch.setenv("EOP_DEMO_WORKSTATIONS", text)
    with pytest.raises(click.UsageError, match="between 0 and 60"):
        demo.workstations()


def test_a_password_of_two_lines_is_refused(monkeypatch):
    monkeypatch.setenv("EOP_DEMO_PASSWORD", "one\ntwo")
    with pytest.raises(click.UsageError, match="EOP_DEMO_PASSWORD"):
        demo.teacher_password()


def test_every_start_gives_the_teacher_its_password_even_a_short_one(database):
    for password in ("the first one", "short"):
        demo.prepare_school(password)
        with database.read() as connection:
            assert passwords.matches(users.password_of(connection, demo.LOGIN), password)
            teacher = users.get(connection, demo.LOGIN)
    assert (teacher.name, teacher.role) == ("Camille Lefèvre", "teacher")


def test_the_same_password_is_not_stored_anew(database):
    stored = []
    for _ in range(2):
        demo.prepare_school("the same again")
        with database.read() as connection:
            stored.append(users.password_of(connection, demo.LOGIN))
    assert stored[0] == stored[1]


def test_a_class_that_was_changed_stays_as_it_is(database):
    demo.prepare_school("some password")
    with database.write() as connection:
        classes.save(connection, "3eB", ["zoe.martin"], replace=True)
    demo.prepare_school("some password")
    with database.read() as connection:
        found = {one.name: one.students for one in classes.list_all(connection)}
    assert found["3eB"] == ("zoe.martin",)
    assert len(found["4eC"]) == 12


def listed(house):
    found = house.parts.daemon.workstations()
    return {one.name: (one.room, one.address, one.user) for one in found}


def test_desktops_become_workstations_and_go_with_their_desktops(house):
    folder = Path("/run/demo")
    demo.save(demo.seat(desktops(3)), folder)
    assert listed(house)["pc-03"] == ("S14", "unix:/run/demo/d03.sock", "rose.lambert")
    demo.save(demo.seat(desktops(2)), folder)
    assert set(listed(house)) == {"pc-01", "pc-02"}
    demo.save([], folder)
    assert listed(house) == {}


def test_a_workstation_of_somebody_else_keeps_its_name_and_its_address(house):
    house.add_workstation("pc-01", "S12")
    mine = listed(house)["pc-01"]
    demo.save(demo.seat(desktops(2)), Path("/run/demo"))
    assert listed(house)["pc-01"] == mine
    assert set(listed(house)) == {"pc-01", "pc-02", "pc-03"}


@pytest.mark.parametrize("password", ["the same again", "another one"])
def test_nothing_keeps_the_teacher_from_signing_in_after_a_start(quiet, password):
    demo.prepare_school("the same again")
    parts = quiet.parts
    with parts.database.write() as connection:
        teacher = users.get(connection, demo.LOGIN)
        users.date_password(connection, teacher.id, 0, must_change=True)
        users.set_state(connection, demo.LOGIN, "locked")
        second_factor.enrol(connection, parts.door.keys, teacher.id, "K" * 32, 0)
    for _ in range(5):
        quiet.browser().sign_in(demo.LOGIN, "wrong")
    demo.prepare_school(password)
    assert quiet.browser().sign_in(demo.LOGIN, password).status_code == 200
    with parts.database.read() as connection:
        assert users.password_since(connection, teacher.id) > 0
