import pytest

from controle_vnc.workstation import state
from eop.aaa.session import TOUCH_SECONDS
from eop.observation import reasons
from tests.eop.installation import error


@pytest.fixture
def school(house):
    """Two rooms, one class; `ids` by name."""
    house.ids = {
        "pc-01": house.add_workstation("pc-01", "S12", "zoe"),
        "pc-02": house.add_workstation("pc-02", "S12"),
        "pc-03": house.add_workstation("pc-03", "S14", "malo"),
    }
    house.add_class("3eB", "zoe", "malo")
    house.add_user("room", rooms=("S12",), classes=())
    house.add_user("class", rooms=(), classes=("3eB",))
    house.add_user("none", rooms=("S99",), classes=())
    return house


def names(answer):
    assert answer.status_code == 200, answer.text
    return [entry["name"] for entry in answer.json]


def test_rooms_and_classes_are_those_that_were_granted(school):
    everything = school.signed_in()
    assert everything.get("rooms").json == [
        {"name": "S12", "workstations": [school.ids["pc-01"], school.ids["pc-02"]]},
        {"name": "S14", "workstations": [school.ids["pc-03"]]},
    ]
    assert everything.get("classes").json == [{"name": "3eB", "students": ["malo", "zoe"]}]
    assert names(school.signed_in("room").get("rooms")) == ["S12"]
    assert names(school.signed_in("room").get("classes")) == []
    assert names(school.signed_in("class").get("rooms")) == []
    assert names(school.signed_in("class").get("classes")) == ["3eB"]


def test_workstations_are_described_and_filtered(school):
    browser = school.signed_in()
    first = browser.get("workstations").json[0]
    assert first["id"] == school.ids["pc-01"]
    assert (first["name"], first["room"], first["user"]) == ("pc-01", "S12", "zoe")
    assert set(first) == {
        "id", "name", "room", "state", "user", "kind", "checked_at", "reason_code", "reason",
        "controllers",
    }  # fmt: skip
    assert names(browser.get("workstations", room="S14")) == ["pc-03"]
    assert names(browser.get("workstations", **{"class": "3eB"})) == ["pc-01", "pc-03"]
    assert names(browser.get("workstations", room="S12", **{"class": "3eB"})) == ["pc-01"]
    assert names(browser.get("workstations", room="", **{"class": "3eB"})) == ["pc-01", "pc-03"]
    assert len(names(browser.get("workstations", room="", **{"class": ""}))) == 3
    assert error(browser.get("workstations", room="S99")) == (404, "unknown_room")
    assert error(browser.get("workstations", **{"class": "6eA"})) == (404, "unknown_class")
    assert error(browser.get("workstations", room="x" * 65)) == (422, "invalid")


def test_one_workstation_is_described_to_who_may_see_it_alone(school):
    school.add_user("zoe", role="student", rooms=(), classes=())
    number = school.ids["pc-01"]
    browser = school.signed_in()
    assert browser.get(f"workstations/{number}").json == browser.get("workstations").json[0]
    assert error(browser.get("workstations/unknown")) == (404, "unknown_workstation")
    assert school.signed_in("zoe").get(f"workstations/{number}").status_code == 403
    other = school.ids["pc-03"]  # in S14
    assert school.signed_in("room").get(f"workstations/{other}").status_code == 403


def test_a_page_that_asks_who_controls_keeps_no_session_alive(school):
    browser, path = school.signed_in(), f"workstations/{school.ids['pc-01']}"
    school.offset += school.site.SESSION_IDLE * 60 - TOUCH_SECONDS
    assert browser.get(path).status_code == 200
    school.offset += 2 * TOUCH_SECONDS
    assert browser.get(path).status_code == 401


def test_workstations_of_others_are_not_listed(school):
    assert names(school.signed_in("room").get("workstations")) == ["pc-01", "pc-02"]
    assert error(school.signed_in("room").get("workstations", room="S14")) == (403, "grant")
    assert names(school.signed_in("class").get("workstations")) == ["pc-01", "pc-03"]
    assert names(school.signed_in("class").get("workstations", room="S12")) == ["pc-01"]
    assert names(school.signed_in("none").get("workstations")) == []


def test_a_listed_workstation_that_is_closed_says_so_in_a_sentence(school):
    browser = school.signed_in()
    from tests.desktops import wait_until

    entry = wait_until(
        lambda: (one := browser.get("workstations").json[0])["state"] == "refused" and one,
        5,
        "the state of a closed port",
    )
    assert entry["reason_code"] == "connection_refused"
    assert entry["reason"] == str(reasons.SENTENCES["connection_refused"])
    assert entry["checked_at"] > 1_600_000_000_000


def test_every_reason_of_a_state_has_a_sentence():
    told = set(state.SENTENCES) - {"unknown_workstation", "changed", "journal", "failed"}
    assert told == set(reasons.SENTENCES)


def test_a_screen_ticket_is_bound_to_session_workstation_and_mode(school):
    browser = school.signed_in()
    wanted = {"kind": "screen", "workstation": school.ids["pc-01"], "mode": "control"}
    answer = browser.post("tickets", wanted)
    assert answer.status_code == 200
    assert answer.json["path"] == "/websockify"
    assert answer.json["url"] == f"ws://127.0.0.1:{school.shared.GATEWAY_PORT}/websockify"
    assert answer.json["expires_in"] == 30
    assert answer.json["user"] == "zoe"
    grant = school.daemon.office.redeem(answer.json["ticket"])
    assert (grant.kind, grant.workstation, grant.mode) == ("screen", school.ids["pc-01"], "control")
    assert (grant.user, grant.name) == ("camille", "Camille")


def test_a_wall_ticket_is_of_a_room_or_of_the_students_of_a_class(school):
    browser = school.signed_in()
    answer = browser.post("tickets", {"kind": "wall", "room": "S12"}).json
    assert "user" not in answer
    room = answer["ticket"]
    assert school.daemon.office.redeem(room).room == "S12"
    students = browser.post("tickets", {"kind": "wall", "class": "3eB"}).json["ticket"]
    assert school.daemon.office.redeem(students).users == ("malo", "zoe")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "film"},
        {"kind": "screen", "workstation": "a"},
        {"kind": "screen", "workstation": "a", "mode": "own"},
        {"kind": "screen", "workstation": "a", "mode": "view", "room": "S12"},
        {"kind": "screen", "workstation": "", "mode": "view"},
        {"kind": "screen", "workstation": "a\nb", "mode": "view"},
        {"kind": "screen", "workstation": ["a"], "mode": "view"},
        {"kind": "wall"},
        {"kind": "wall", "room": "S12", "class": "3eB"},
        {"kind": "wall", "room": "S12", "mode": "view"},
        {"kind": "wall", "room": "S12", "host": "10.0.0.1"},
    ],
)
def test_a_ticket_with_wrong_fields_is_refused(school, body):
    assert error(school.signed_in().post("tickets", body)) == (422, "invalid")


def test_what_is_unknown_or_was_not_granted_gets_no_ticket(school):
    everything, room = school.signed_in(), school.signed_in("room")
    screen = {"kind": "screen", "workstation": school.ids["pc-03"], "mode": "view"}
    assert error(room.post("tickets", screen)) == (403, "grant")
    assert error(room.post("tickets", {"kind": "wall", "room": "S14"})) == (403, "grant")
    assert error(room.post("tickets", {"kind": "wall", "class": "3eB"})) == (403, "grant")
    nowhere = {"kind": "screen", "workstation": "nope", "mode": "view"}
    assert error(everything.post("tickets", nowhere)) == (404, "unknown_workstation")
    assert error(everything.post("tickets", {"kind": "wall", "room": "S99"}))[0] == 404
    assert error(everything.post("tickets", {"kind": "wall", "class": "6eA"}))[0] == 404


def test_by_a_class_one_opens_the_screens_where_its_students_sit(school):
    browser = school.signed_in("class")
    screen = {"kind": "screen", "workstation": school.ids["pc-03"], "mode": "view"}
    assert browser.post("tickets", screen).status_code == 200
    screen["workstation"] = school.ids["pc-02"]
    assert error(browser.post("tickets", screen)) == (403, "grant")


def test_behind_the_proxy_the_screen_is_on_the_same_origin(school):
    browser = school.browser("school.example")
    proxied = {"X-Forwarded-Host": "school.example", "X-Forwarded-Proto": "https"}
    browser.csrf = browser.sign_in(headers=proxied).json["csrf_token"]
    answer = browser.open(
        "/eoleapps/eop/api/v1/tickets",
        "POST",
        json={"kind": "wall", "room": "S12"},
        base_url="https://school.example",
        headers={**proxied, "X-CSRF-Token": browser.csrf, "Origin": "https://school.example"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json["url"] == "wss://school.example/websockify"
    assert "wss://school.example/websockify" in answer.headers["Content-Security-Policy"]


def test_a_daemon_that_is_down_is_told_as_503(quiet):
    quiet.add_user()
    browser = quiet.signed_in()
    for call in ("rooms", "workstations"):
        assert error(browser.get(call)) == (503, "daemon_down")
    assert error(browser.post("tickets", {"kind": "wall", "room": "S12"})) == (503, "daemon_down")
    assert browser.get("classes").status_code == 200


def test_a_daemon_with_another_secret_is_told_as_503(quiet):
    from dataclasses import replace

    from eop import services

    quiet.start_daemon()
    quiet.add_user()
    quiet.site = replace(quiet.site, SECRET_KEY="another secret of the same length")
    quiet.parts.close()
    quiet.parts = services.make(quiet.site, quiet.shared, quiet.clock)
    assert error(quiet.signed_in().get("rooms")) == (503, "daemon_down")


def test_a_renamed_room_of_tickets_is_asked_again_each_time(school):
    browser = school.signed_in("room")
    from controle_vnc.control.messages import SaveWorkstation

    screen = {"kind": "screen", "workstation": school.ids["pc-01"], "mode": "view"}
    assert browser.post("tickets", screen).status_code == 200
    moved = SaveWorkstation(name="pc-01", room="S14", address="127.0.0.1:5900", replace=True)
    school.parts.daemon.save(moved)
    assert error(browser.post("tickets", screen)) == (403, "grant")


def test_a_workstation_is_tried_again_by_those_who_may_see_it(school):
    path = f"workstations/{school.ids['pc-01']}/retry"
    assert school.signed_in("room").post(path, {}).status_code == 204
    assert error(school.signed_in("none").post(path, {})) == (403, "grant")
    unknown = school.signed_in().post("workstations/nope/retry", {})
    assert error(unknown) == (404, "unknown_workstation")
    forged = school.signed_in()
    forged.csrf = ""
    assert error(forged.post(path, {})) == (403, "csrf")
