import json

import pytest
from sqlalchemy import select

from eop.audit.tables import audit
from tests.eop.installation import API, error


@pytest.fixture
def school(house):
    """Room S12 with three workstations, S14 with one; `ids` by name."""
    house.ids = {
        name: house.add_workstation(name, room, user)
        for name, room, user in (
            ("pc-01", "S12", "zoe"),
            ("pc-02", "S12", None),
            ("pc-03", "S12", None),
            ("pc-14", "S14", None),
        )
    }
    house.add_class("3eB", "zoe")
    house.add_user("anna", rooms=("S12",), classes=())
    house.add_user("paul", rooms=(), classes=("3eB",))
    house.add_user("none", rooms=("S99",), classes=())
    house.add_user("pupil", role="student", rooms=(), classes=())
    return house


def plan_of(school, version=0, **changes):
    names = {"pc-02": (1, 1), "pc-01": (2, 1)}
    seats = [
        {"workstation": school.ids[name], "column": column, "row": row}
        for name, (column, row) in names.items()
    ]
    return {"version": version, "columns": 3, "rows": 2, "aisles": [1], "seats": seats} | changes


def put(browser, plan, room="S12", **options):
    headers = {"X-CSRF-Token": browser.csrf} | options.pop("headers", {})
    options.setdefault("content_type", "application/json")
    body = plan if isinstance(plan, bytes) else json.dumps(plan)
    return browser.open(f"{API}/rooms/{room}/plan", "PUT", data=body, headers=headers, **options)


def test_a_room_without_a_plan_says_so(school):
    assert school.signed_in().get("rooms/S12/plan").json == {
        "room": "S12", "version": 0, "columns": 0, "rows": 0, "aisles": [], "seats": [],
        "saved_at": None, "saved_by": None, "may_change": True,
    }  # fmt: skip


def test_what_one_teacher_saves_every_teacher_of_the_room_sees(school):
    before = school.parts.now_ms()
    answer = put(school.signed_in(), plan_of(school))
    assert answer.status_code == 200, answer.text
    seen = school.signed_in("anna").get("rooms/S12/plan").json
    assert seen == answer.json
    assert (seen["version"], seen["columns"], seen["rows"], seen["aisles"]) == (1, 3, 2, [1])
    assert seen["seats"] == [
        {"workstation": school.ids["pc-02"], "column": 1, "row": 1},
        {"workstation": school.ids["pc-01"], "column": 2, "row": 1},
    ]
    assert seen["saved_by"] == "Camille"
    assert before <= seen["saved_at"] <= school.parts.now_ms()
    assert school.signed_in().get("rooms/S14/plan").json["version"] == 0


def test_a_plan_made_from_an_older_one_is_refused_until_the_newest_is_known(school):
    camille, anna = school.signed_in(), school.signed_in("anna")
    assert put(camille, plan_of(school)).status_code == 200
    assert put(anna, plan_of(school, version=1, columns=4)).json["version"] == 2
    assert error(put(camille, plan_of(school, version=1))) == (409, "plan_changed")
    assert error(put(camille, plan_of(school))) == (409, "plan_changed")
    newest = camille.get("rooms/S12/plan").json
    assert (newest["version"], newest["columns"], newest["saved_by"]) == (2, 4, "Anna")
    assert put(camille, plan_of(school, version=2)).json["version"] == 3


def test_saving_is_written_down(school):
    put(school.signed_in("anna"), plan_of(school))
    with school.parts.database.read() as connection:
        row = connection.execute(select(audit).where(audit.c.kind == "plan_saved")).one()
    assert row.user == "anna"
    assert row.details == {"room": "S12", "version": 1, "seats": 2}


def test_a_refused_plan_leaves_nothing_in_the_audit(school):
    browser = school.signed_in()
    put(browser, plan_of(school))
    put(browser, plan_of(school))
    with school.parts.database.read() as connection:
        kinds = list(connection.scalars(select(audit.c.kind)))
    assert kinds.count("plan_saved") == 1


def test_who_was_not_given_the_room_neither_sees_nor_changes_its_plan(school):
    none = school.signed_in("none")
    assert error(none.get("rooms/S12/plan")) == (403, "grant")
    assert error(put(none, plan_of(school))) == (403, "grant")
    assert error(put(school.signed_in("anna"), plan_of(school, seats=[]), "S14")) == (403, "grant")
    assert school.browser().get("rooms/S12/plan").status_code == 401
    assert put(school.browser(), plan_of(school)).status_code == 401
    pupil = school.browser()
    pupil.sign_in("pupil")
    assert pupil.get("rooms/S12/plan").status_code in {401, 403}


def test_by_a_class_one_sees_the_seats_of_its_students_and_changes_nothing(school):
    put(school.signed_in(), plan_of(school))
    paul = school.signed_in("paul")
    seen = paul.get("rooms/S12/plan").json
    assert [seat["workstation"] for seat in seen["seats"]] == [school.ids["pc-01"]]
    assert seen["may_change"] is False
    assert error(put(paul, plan_of(school, version=1))) == (403, "grant")


def test_a_substitute_changes_the_plan_while_he_is_one(school):
    from eop.directory import substitutes
    from eop.directory.substitutes import Substitution

    now = school.parts.now_ms()
    with school.parts.database.write() as connection:
        substitutes.give(
            connection,
            Substitution("none", ("S12",), (), now - 1000, now + 3_600_000, "camille"),
            now,
        )
    assert put(school.signed_in("none"), plan_of(school)).status_code == 200


def test_without_the_sessions_token_nothing_is_saved(school):
    browser = school.signed_in()
    assert error(put(browser, plan_of(school), headers={"X-CSRF-Token": "x"})) == (403, "csrf")
    assert browser.get("rooms/S12/plan").json["version"] == 0


def test_an_unknown_room_has_no_plan(school):
    browser = school.signed_in()
    assert error(browser.get("rooms/S99/plan")) == (404, "unknown_room")
    assert error(put(browser, plan_of(school), "S99")) == (404, "unknown_room")
    assert error(browser.get("rooms/" + "x" * 65 + "/plan")) == (404, "unknown_room")


def test_a_room_with_a_slash_in_its_name_has_a_plan(school):
    number = school.add_workstation("pc-b", "B/12")
    browser = school.signed_in()
    seats = [{"workstation": number, "column": 1, "row": 1}]
    assert put(browser, plan_of(school, seats=seats), "B%2F12").json["room"] == "B/12"


def test_workstations_of_other_rooms_are_left_out(school):
    seats = [
        {"workstation": school.ids["pc-14"], "column": 1, "row": 1},
        {"workstation": "gone", "column": 2, "row": 1},
        {"workstation": school.ids["pc-03"], "column": 3, "row": 2},
    ]
    saved = put(school.signed_in(), plan_of(school, seats=seats)).json
    assert saved["seats"] == [seats[2]]


def test_a_workstation_that_leaves_the_room_leaves_its_plan(school):
    browser = school.signed_in()
    put(browser, plan_of(school))
    school.parts.daemon.remove(school.ids["pc-01"])
    seats = browser.get("rooms/S12/plan").json["seats"]
    assert [seat["workstation"] for seat in seats] == [school.ids["pc-02"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": 0}, {"columns": 21}, {"rows": 21}, {"columns": "3"}, {"columns": 2.5},
        {"version": -1}, {"version": 2**31}, {"aisles": [3]}, {"aisles": [1, 1]}, {"seats": None},
        {"aisles": list(range(1, 21))}, {"theme": "dark"}, {"seats": [{"workstation": "a"}]},
        {"seats": [{"workstation": "a\n", "column": 1, "row": 1}]},
        {"seats": [{"workstation": "x" * 65, "column": 1, "row": 1}]},
        {"seats": [{"workstation": "a", "column": 4, "row": 1}]},
        {"seats": [{"workstation": "a", "column": 1, "row": 1},
                   {"workstation": "a", "column": 2, "row": 1}]},
        {"seats": [{"workstation": "a", "column": 1, "row": 1},
                   {"workstation": "b", "column": 1, "row": 1}]},
    ],
)  # fmt: skip
def test_a_plan_with_wrong_fields_is_refused(school, changes):
    browser = school.signed_in()
    assert error(put(browser, plan_of(school, **changes))) == (422, "invalid")
    assert browser.get("rooms/S12/plan").json["version"] == 0


def test_the_largest_plan_fits_into_one_call(school):
    seats = [
        {"workstation": f"{column:02d}{row:02d}" * 16, "column": column, "row": row}
        for column in range(1, 21)
        for row in range(1, 21)
    ]
    browser = school.signed_in()
    whole = plan_of(school, columns=20, rows=20, aisles=list(range(1, 20)), seats=seats)
    assert put(browser, whole).status_code == 200
    seats.append({"workstation": "one more", "column": 1, "row": 1})
    assert error(put(browser, whole | {"version": 1})) == (422, "invalid")


def test_a_body_that_is_not_json_is_refused(school):
    browser = school.signed_in()
    assert put(browser, b"{", content_type="application/json").status_code == 400
    assert put(browser, plan_of(school), content_type="text/plain").status_code == 415
    assert put(browser, b" " * (64 * 1024 + 1)).status_code == 413


def test_previous_and_next_screen_follow_the_plan(school):
    browser = school.signed_in()
    put(browser, plan_of(school))
    page = browser.open(f"/eoleapps/eop/observe/screen/{school.ids['pc-01']}?room=S12")
    assert page.status_code == 200
    assert page.text.index(school.ids["pc-02"]) < page.text.index(school.ids["pc-03"])
    assert school.ids["pc-02"] in page.text
    assert school.ids["pc-03"] in page.text  # not placed: after who is


def test_without_controle_vnc_the_plan_waits(quiet):
    quiet.add_user()
    browser = quiet.signed_in()
    assert error(browser.get("rooms/S12/plan")) == (503, "daemon_down")
