import getpass

from tests.eop.installation import error

WALL = {"kind": "wall", "room": "S12"}


def test_screens_are_closed_and_opened_again(house, eopctl):
    house.add_workstation("pc-01", "S12")
    browser = house.signed_in()
    ticket = browser.post("tickets", WALL).json["ticket"]
    closing = house.daemon.leases.open(house.daemon.office.redeem(ticket))
    done = eopctl("screens", "close")
    assert (done.code, done.out) == (0, "all screens are closed; 1 were open\n")
    assert closing.code == "switched_off"
    assert error(browser.post("tickets", WALL)) == (403, "switched_off")
    status = eopctl("screens", "status", "--json").json
    assert status["closed"] is status["heard"] is True
    assert status["by"] == f"eopctl:{getpass.getuser()}"
    assert "all screens are closed since 2" in eopctl("screens", "status").out
    assert eopctl("screens", "open").out == "screens may be opened\n"
    assert eopctl("screens", "status", "--json").json["closed"] is False
    assert browser.post("tickets", WALL).status_code == 200


def test_a_daemon_that_is_down_hears_it_later(quiet, eopctl):
    done = eopctl("screens", "close")
    assert done.code == 1
    assert "controle-vnc did not hear it yet" in done.out
    status = eopctl("screens", "status", "--json")
    assert status.code == 0
    assert status.json["closed"] is True
    assert status.json["screens"] is status.json["heard"] is None
    assert "controle-vnc does not answer" in eopctl("screens", "status").out
