import json
import re
from dataclasses import replace

import pytest

from controle_vnc.control.messages import Workstation
from eop.observation.pages import neighbours
from tests.eop.installation import MOUNT

OBSERVE = MOUNT + "/observe/"


def data_of(page):
    """The page's own data, as its script reads it."""
    found = re.search(r'<script type="application/json" id="page">(.*?)</script>', page.text)
    return json.loads(found[1])


def workstation(name):
    return Workstation(
        id=name, number=1, name=name, room="S12", address="", kind="vnc", user=None,
        state="ready", reason=None, checked_at=None,
    )  # fmt: skip


def test_the_wall_of_a_room_knows_the_names_of_who_sits_there(house):
    house.add_user("zoe.martin", role="student")
    house.add_workstation("pc-01", "S12", user="zoe.martin")
    house.add_workstation("pc-02", "S12", user="nobody.known")
    page = house.signed_in().open(OBSERVE + "wall?room=S12")
    assert page.status_code == 200
    data = data_of(page)
    assert (data["kind"], data["place"], data["query"]) == ("room", "S12", "room=S12")
    assert data["names"] == {"zoe.martin": "Zoe.martin"}
    assert "Drawn demonstration desktops" not in page.text


def test_the_wall_of_a_class_is_framed(house):
    house.add_class("3e B", "zoe.martin")
    page = house.signed_in().open(OBSERVE + "wall?class=3e%20B")
    assert page.status_code == 200
    assert data_of(page)["query"] == "class=3e+B"


@pytest.mark.parametrize(
    "query", ["", "?room=", "?room=S99", "?class=none", "?room=S12&class=3e%20B"]
)
def test_a_wall_of_nothing_known_is_not_found(house, query):
    house.add_workstation("pc-01", "S12")
    assert house.signed_in().open(OBSERVE + "wall" + query).status_code == 404


@pytest.mark.parametrize("path", ["wall?room=S12", "wall?class=3e%20B", "screen/{id}"])
def test_what_was_not_given_is_denied(house, path):
    number = house.add_workstation("pc-01", "S12", user="zoe.martin")
    house.add_class("3e B", "zoe.martin")
    house.add_user("anna", rooms=("S14",), classes=("4e C",))
    answer = house.signed_in("anna").open(OBSERVE + path.format(id=number))
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["", "wall?room=S12", "screen/123456789abc"])
def test_students_and_strangers_see_no_page(house, path):
    house.add_user("zoe.martin", role="student")
    assert house.signed_in("zoe.martin").open(OBSERVE + path).status_code == 403
    assert house.browser().open(OBSERVE + path).status_code == 303


def test_a_screen_leads_to_its_neighbours_and_back_to_its_wall(house):
    ids = [house.add_workstation(name, "S12") for name in ("pc-10", "pc-9", "pc-11")]
    page = house.signed_in().open(f"{OBSERVE}screen/{ids[0]}?room=S12")
    assert page.status_code == 200
    assert page.text.index(f'id="before" href="{OBSERVE}screen/{ids[1]}?room=S12"')
    assert page.text.index(f'id="after" href="{OBSERVE}screen/{ids[2]}?room=S12"')
    assert f'href="{OBSERVE}wall?room=S12"' in page.text
    assert 'data-status="connecting"' in page.text
    assert re.search(r"dist/novnc\.\w+\.js$", data_of(page)["novnc"])


def test_a_screen_knows_its_wall_by_name_and_offers_no_way_past_its_ends(house):
    house.add_user("zoe.martin", role="student")
    number = house.add_workstation("pc-01", "S12", user="zoe.martin")
    other = house.add_workstation("pc-02", "S12")
    page = house.signed_in().open(f"{OBSERVE}screen/{number}?room=S12")
    data = data_of(page)
    assert data["others"] == {number: "Zoe.martin", other: "pc-02"}
    assert data["workstation_name"] == "pc-01"
    assert '<a class="b" data-kind="plain" id="before" hidden>' in page.text


def test_a_screen_for_the_projector_names_no_student(house):
    house.add_user("zoe.martin", role="student")
    house.add_user("malo", role="student")
    number = house.add_workstation("pc-01", "S12", user="zoe.martin")
    other = house.add_workstation("pc-02", "S12", user="malo")
    page = house.signed_in().open(f"{OBSERVE}screen/{number}?room=S12&names=hidden")
    data = data_of(page)
    assert data["others"] == {number: "pc-01", other: "pc-02"}
    assert data["name"] == "pc-01"
    seen = re.sub(r"<script.*?</script>", "", page.text, flags=re.DOTALL)
    assert re.search(r"<title>pc-01\b", seen)
    assert not re.search("zoe|malo", seen, re.IGNORECASE)
    assert f'href="{OBSERVE}screen/{other}?room=S12&amp;names=hidden"' in seen
    assert f'href="{OBSERVE}wall?room=S12&amp;names=hidden"' in seen


@pytest.mark.parametrize(("allowed", "said"), [(True, "both ways"), (False, "in either way")])
def test_a_screen_says_which_way_the_clipboard_may_go(house, allowed, said):
    house.parts = replace(house.parts, shared=replace(house.parts.shared, CLIPBOARD=allowed))
    number = house.add_workstation("pc-01", "S12")
    page = house.signed_in().open(f"{OBSERVE}screen/{number}")
    assert data_of(page)["clipboard"] is allowed
    assert said in page.text
    assert ('id="clip-send"' in page.text) is allowed
    assert 'id="clip-type"' in page.text


def test_a_screen_without_a_place_belongs_to_its_room(house):
    number = house.add_workstation("pc-01", "S12")
    assert data_of(house.signed_in().open(f"{OBSERVE}screen/{number}"))["query"] == "room=S12"


def test_an_unknown_screen_is_not_found(house):
    house.add_workstation("pc-01", "S12")
    assert house.signed_in().open(OBSERVE + "screen/nope").status_code == 404


@pytest.mark.parametrize("path", ["wall?room=S12", "screen/123456789abc"])
def test_without_the_daemon_a_page_says_so(quiet, path):
    quiet.add_user()
    page = quiet.signed_in().open(OBSERVE + path)
    assert page.status_code == 503
    assert "controle-vnc does not answer" in page.text


def test_a_name_cannot_leave_the_pages_data(house):
    hostile = "</script><b>&'\""
    house.add_workstation("pc-01", hostile)
    page = house.signed_in().open(OBSERVE + "wall", query_string={"room": hostile})
    assert page.status_code == 200
    assert "</script><b>" not in page.text
    assert data_of(page)["place"] == hostile


def test_neighbours_end_at_both_ends():
    first, second = workstation("a"), workstation("b")
    assert neighbours([first, second], "a") == (None, second)
    assert neighbours([first, second], "b") == (first, None)
    assert neighbours([first, second], "c") == (None, None)
