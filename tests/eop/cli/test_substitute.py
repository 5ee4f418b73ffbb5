import getpass
import time

import pytest

from tests.eop.installation import error

WALL = {"kind": "wall", "room": "S12"}


@pytest.fixture
def school(house):
    house.add_user("anna", rooms=(), classes=())
    house.add_user("bob", rooms=("S12",), classes=("3eB",))
    house.add_workstation("pc-01", "S12")
    return house


def test_a_room_is_given_until_the_end_of_today(school, eopctl):
    browser = school.signed_in("anna")
    assert error(browser.post("tickets", WALL)) == (403, "grant")
    done = eopctl("substitute", "add", "anna", "--room", "S12", "--json")
    assert done.code == 0, done.err
    (given,) = done.json
    assert (given["kind"], given["value"]) == ("room", "S12")
    assert given["given_by"] == f"eopctl:{getpass.getuser()}"
    assert 0 < given["until"] - time.time() * 1000 <= 25 * 3600 * 1000
    assert browser.post("tickets", WALL).status_code == 200


def test_what_an_absent_teacher_has_is_copied_and_listed(school, eopctl):
    done = eopctl("substitute", "add", "anna", "--for", "bob", "--until", "2999-01-01")
    assert done.code == 1
    assert "At most 31 days" in done.err
    assert eopctl("substitute", "add", "anna", "--for", "bob").code == 0
    rows = eopctl("substitute", "list", "--user", "anna", "--json").json
    assert [(one["kind"], one["value"]) for one in rows] == [("class", "3eB"), ("room", "S12")]
    assert "24:00" in eopctl("substitute", "list").out
    assert eopctl("substitute", "list", "--user", "bob", "--json").json == []


def test_a_grant_is_taken_back_and_what_is_open_closes(school, eopctl):
    (given,) = eopctl("substitute", "add", "anna", "--room", "S12", "--json").json
    browser = school.signed_in("anna")
    ticket = browser.post("tickets", WALL).json["ticket"]
    closing = school.daemon.leases.open(school.daemon.office.redeem(ticket))
    done = eopctl("substitute", "remove", given["id"])
    assert (done.code, done.out) == (0, "took room S12 from anna\n")
    assert closing.code == "rights_changed"
    assert error(browser.post("tickets", WALL)) == (403, "grant")
    again = eopctl("substitute", "remove", given["id"])
    assert again.code == 1
    assert "there is no temporary grant" in again.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "--room", "S12"), "there is no user"),
        (("anna",), "Name a room"),
        (("anna", "--for", "nobody"), "there is no user"),
        (("anna", "--room", "S12", "--from", "soon"), "is no day"),
    ],
)
def test_what_cannot_be_given_is_told(school, eopctl, arguments, words):
    done = eopctl("substitute", "add", *arguments)
    assert done.code == 1
    assert words in done.err
