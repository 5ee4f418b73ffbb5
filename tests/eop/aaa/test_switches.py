import pytest
from sqlalchemy import select

from eop.aaa import switches
from eop.audit.tables import audit
from tests.eop.installation import error


def state(house):
    with house.parts.database.read() as connection:
        return switches.screens(connection)


def turn(house, closed, by="admin", now_ms=None):
    now_ms = house.parts.now_ms() if now_ms is None else now_ms
    return switches.turn(house.parts.database, closed, by, now_ms)


@pytest.fixture
def school(house):
    house.id = house.add_workstation("pc-01", "S12", "zoe")
    house.add_class("3eB", "zoe")
    return house


def asks(school, **wanted):
    return school.signed_in().post("tickets", wanted)


def test_the_last_order_holds_and_says_who_gave_it(quiet):
    assert state(quiet) == switches.Screens(False, 0, "")
    turn(quiet, True, "carla", 1_000)
    assert state(quiet) == switches.Screens(True, 1_000, "carla")
    turn(quiet, False, "dora", 2_000)
    assert state(quiet) == switches.Screens(False, 2_000, "dora")


def test_an_order_is_later_than_the_one_before_whatever_the_clock_says(quiet):
    turn(quiet, True, now_ms=5_000)
    assert turn(quiet, False, now_ms=4_000).at == 5_001
    assert turn(quiet, True, now_ms=4_000).at == 5_002
    assert state(quiet).closed


def test_what_is_so_already_stays_as_it_is(quiet):
    turn(quiet, True, "carla", 1_000)
    assert turn(quiet, True, "dora", 2_000).by == "carla"
    with quiet.parts.database.read() as connection:
        kinds = connection.scalars(select(audit.c.kind)).all()
    assert kinds == ["screens_closed"]


def test_an_order_is_renewed_in_place(quiet, statements):
    for closed in (True, False):
        turn(quiet, closed)
    changes = statements(lambda: turn(quiet, True))
    assert [one.split()[0] for one in changes if " switch " in one][-1] == "UPDATE"
    assert not [one for one in changes if one.startswith(("DELETE", "INSERT INTO switch"))]


def test_both_orders_are_in_the_audit(quiet):
    turn(quiet, True, "carla")
    turn(quiet, False, "dora")
    with quiet.parts.database.read() as connection:
        rows = connection.execute(select(audit.c.kind, audit.c.user)).all()
    assert [tuple(row) for row in rows] == [("screens_closed", "carla"), ("screens_opened", "dora")]


@pytest.mark.parametrize("place", ["room", "class"])
def test_no_wall_gets_a_ticket_while_all_screens_are_closed(school, place):
    wanted = {"kind": "wall", place: {"room": "S12", "class": "3eB"}[place]}
    turn(school, True)
    assert error(asks(school, **wanted)) == (403, "switched_off")
    turn(school, False)
    assert asks(school, **wanted).status_code == 200


@pytest.mark.parametrize("mode", ["view", "control"])
def test_no_screen_gets_a_ticket_while_all_screens_are_closed(school, mode):
    wanted = {"kind": "screen", "workstation": school.id, "mode": mode}
    turn(school, True)
    answer = asks(school, **wanted)
    assert error(answer) == (403, "switched_off")
    assert answer.json["error"]["message"] == "An administrator has closed all screens."
    turn(school, False)
    assert asks(school, **wanted).status_code == 200


def test_the_daemon_refuses_by_itself_what_the_site_would_allow(school):
    school.parts.daemon.switch_screens(True, school.parts.now_ms())
    assert error(asks(school, kind="wall", room="S12")) == (403, "switched_off")


def test_lists_are_those_of_another_day(school):
    turn(school, True)
    browser = school.signed_in()
    assert [room["name"] for room in browser.get("rooms").json] == ["S12"]
    assert len(browser.get("workstations", **{"class": "3eB"}).json) == 1


def test_it_is_told_to_the_daemon_or_waits(house):
    turn(house, True)
    assert switches.tell(house.parts.database, house.parts.daemon) == 0
    assert house.parts.daemon.status().screens_closed
    house.stop_daemon()
    turn(house, False)
    assert switches.tell(house.parts.database, house.parts.daemon) is None
