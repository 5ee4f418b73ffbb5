import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from eop.aaa import switches
from eop.audit.tables import audit
from eop.directory import rooms, users
from eop.lessons import presets, running
from tests.eop.installation import API, error

PRESET = {
    "name": "Exam", "sites_rule": "allowed", "sites": ["fr.wikipedia.org"], "lock_text": "Look up!",
}  # fmt: skip


def put(browser, call, body):
    headers = {"X-CSRF-Token": browser.csrf}
    data = json.dumps(body)
    return browser.open(
        f"{API}/{call}", "PUT", data=data, headers=headers, content_type="application/json"
    )


def begun(browser, **body):
    answer = browser.post("lessons", body)
    assert answer.status_code == 201, answer.text
    return answer.json


def kept(school, kind):
    with school.parts.database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == kind).order_by(audit.c.id))
        return [(row.user, row.details) for row in rows]


def people(seats):
    return [(one["login"], one["workstation"], one["room"]) for one in seats]


def test_a_lesson_of_a_class_in_a_room_says_who_is_in_and_who_is_missing(school):
    browser = school.signed_in()
    assert error(browser.get("lessons/current")) == (404, "not_found")
    lesson = begun(browser, **{"class": "3eB", "room": "S12"})
    assert (lesson["class"], lesson["room"], lesson["preset"]) == ("3eB", "S12", None)
    assert lesson["until"] - lesson["since"] == 4 * 3600 * 1000
    found = lesson["attendance"]
    assert people(found["present"]) == [("zoe", "pc-01", "S12")]
    assert people(found["absent"]) == [("ada", "", ""), ("malo", "pc-03", "S14")]
    assert people(found["others"]) == [("lina", "pc-02", "S12")]
    assert found["expected"] == 3
    assert browser.get("lessons/current").json == lesson


def test_a_lesson_of_a_room_alone_or_of_a_class_alone(school):
    room, group = school.signed_in("roux"), school.signed_in("klein")
    found = begun(room, room="S12")["attendance"]
    assert (people(found["present"])[0][0], found["expected"]) == ("lina", None)
    found = begun(group, **{"class": "3eB"})["attendance"]
    assert people(found["present"]) == [("malo", "pc-03", "S14"), ("zoe", "pc-01", "S12")]
    assert people(found["absent"]) == [("ada", "", "")]


def test_who_comes_in_is_in_at_the_next_look(school):
    browser = school.signed_in()
    begun(browser, **{"class": "3eB", "room": "S12"})
    school.add_workstation("pc-05", "S12", "ada")
    found = browser.get("lessons/current").json["attendance"]
    assert people(found["present"]) == [("ada", "pc-05", "S12"), ("zoe", "pc-01", "S12")]


def test_each_teacher_has_one_lesson_and_several_may_be_in_one_room(school):
    camille, roux = school.signed_in(), school.signed_in("roux")
    first = begun(camille, **{"class": "3eB", "room": "S12"})
    assert error(camille.post("lessons", {"room": "S14"})) == (409, "lesson_open")
    second = begun(roux, room="S12")
    assert second["colleagues"] == [
        {"name": "Camille", "room": "S12", "class": "3eB", "since": first["since"]}
    ]
    assert camille.get("lessons/current").json["colleagues"][0]["name"] == "Roux"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"room": ""}, {"class": "x" * 65}, {"room": "S12", "preset": "1"},
        {"room": "S12", "preset": 0}, {"room": "S12", "preset": 2**31}, {"room": "S12", "by": "me"},
        {"room": ["S12"]}, {"room": "S12", "preset": 1.5},
    ],
)  # fmt: skip
def test_a_lesson_with_wrong_fields_is_refused(school, body):
    assert error(school.signed_in().post("lessons", body)) == (422, "invalid")


def test_what_is_unknown_or_was_not_granted_has_no_lesson(school):
    roux, klein, camille = (school.signed_in(one) for one in ("roux", "klein", "camille"))
    assert error(roux.post("lessons", {"room": "S14"})) == (403, "grant")
    assert error(roux.post("lessons", {"room": "S12", "class": "3eB"})) == (403, "grant")
    assert error(klein.post("lessons", {"room": "S12", "class": "3eB"})) == (403, "grant")
    assert error(camille.post("lessons", {"room": "S99"})) == (404, "unknown_room")
    assert error(camille.post("lessons", {"class": "6eA"})) == (404, "unknown_class")
    assert error(camille.post("lessons", {"room": "S12", "preset": 7})) == (404, "not_found")


def test_students_and_strangers_have_no_lessons(school):
    student, stranger = school.signed_in("zoe"), school.browser()
    for call in ("lessons/current", "lessons/presets"):
        assert error(student.get(call)) == (403, "denied")
        assert stranger.get(call).status_code == 401
    assert error(student.post("lessons", {"room": "S12"})) == (403, "denied")


def test_a_change_needs_the_token_of_the_session(school):
    browser = school.signed_in()
    lesson = begun(browser, room="S12")
    browser.csrf = "wrong"
    for call in ("lessons", f"lessons/{lesson['id']}/end", "lessons/presets"):
        assert error(browser.post(call, PRESET | {"room": "S12"}))[0] == 403
    assert error(browser.delete(f"lessons/{lesson['id']}")) == (403, "csrf")
    assert browser.get("lessons/current").status_code == 200


def test_ending_releases_what_this_lesson_set_and_nothing_else(school):
    camille, roux = school.signed_in(), school.signed_in("roux")
    lesson = begun(camille, room="S14")
    other = begun(roux, room="S12")
    school.blinds.dropped = {"S14": ("camille", 1), "S12": ("roux", 2)}
    assert error(roux.post(f"lessons/{lesson['id']}/end", {}))[0] == 404
    answer = camille.post(f"lessons/{lesson['id']}/end", {})
    assert (answer.status_code, answer.json) == (200, {"released": {"blinds": 1}, "failed": []})
    assert school.blinds.dropped == {"S12": ("roux", 2)}
    assert camille.get("lessons/current").status_code == 404
    assert error(camille.post(f"lessons/{lesson['id']}/end", {}))[0] == 404
    assert roux.get("lessons/current").json["id"] == other["id"]
    assert roux.delete(f"lessons/{other['id']}").status_code == 204
    assert school.blinds.dropped == {}


def test_what_cannot_be_released_is_told_and_the_lesson_ends(school):
    browser = school.signed_in()
    lesson = begun(browser, room="S12")
    school.blinds.fails = True
    answer = browser.post(f"lessons/{lesson['id']}/end", {})
    assert answer.json == {"released": {}, "failed": ["blinds"]}
    assert browser.get("lessons/current").status_code == 404
    assert kept(school, "lesson_ended")[0][1]["failed"] == ["blinds"]


def end_over(school):
    parts = school.parts
    house = running.House(parts.database, parts.daemon, parts.restraints)
    return running.end_over(house, parts.now_ms())


def test_what_could_not_be_released_is_tried_again_until_it_is(school):
    browser = school.signed_in()
    lesson = begun(browser, room="S12")
    school.blinds.dropped = {"S12": ("camille", 1)}
    school.blinds.fails = True
    browser.post(f"lessons/{lesson['id']}/end", {})
    assert end_over(school) == 0
    other = begun(browser, room="S14")
    school.blinds.fails = False
    assert end_over(school) == 1
    assert school.blinds.dropped == {}
    assert end_over(school) == 0
    assert browser.get("lessons/current").json["id"] == other["id"]
    assert len(kept(school, "lesson_ended")) == 1


def test_a_new_lesson_there_keeps_what_an_earlier_one_left_in_force(school):
    browser = school.signed_in()
    lesson = begun(browser, room="S12")
    school.blinds.dropped = {"S12": ("camille", 1)}
    school.blinds.fails = True
    browser.post(f"lessons/{lesson['id']}/end", {})
    lesson = begun(browser, room="S12")
    school.blinds.fails = False
    assert end_over(school) == 0
    assert school.blinds.dropped == {"S12": ("camille", 1)}
    browser.post(f"lessons/{lesson['id']}/end", {})
    assert school.blinds.dropped == {}


def test_a_lesson_ends_with_its_account(school):
    begun(school.signed_in("roux"), room="S12")
    school.blinds.dropped = {"S12": ("roux", 1)}
    with school.parts.database.write() as connection:
        users.remove(connection, "roux")
    assert end_over(school) == 1
    assert school.blinds.dropped == {}
    ((who, details),) = kept(school, "lesson_ended")
    assert (who, details["why"]) == ("roux", "removed")


def test_a_lesson_follows_its_room(school):
    browser = school.signed_in()
    begun(browser, room="S14")
    begun(school.signed_in("roux"), room="S12")
    with school.parts.database.write() as connection:
        rooms.rename(connection, "S12", "S14")
    assert browser.get("lessons/current").json["room"] == "S14"
    assert school.signed_in("roux").get("lessons/current").json["room"] == "S14"


def test_where_something_cannot_be_asked_the_lesson_is_shown_and_ends_all_the_same(school):
    browser = school.signed_in()
    lesson = begun(browser, room="S12")
    school.blinds.fails = True
    (only,) = browser.get("lessons/current").json["in_force"]
    assert (only["text"], only["by"]) == ("Not known now: what else is in force", "")
    assert browser.post(f"lessons/{lesson['id']}/end", {}).status_code == 200


def test_what_is_in_force_says_who_set_it_and_since_when(school):
    browser = school.signed_in()
    begun(browser, room="S12")
    now_ms = school.parts.now_ms()
    switches.turn(school.parts.database, True, "carla", now_ms)
    school.blinds.dropped = {"S12": ("roux", 5)}
    assert browser.get("lessons/current").json["in_force"] == [
        {
            "kind": "blinds", "key": "S12", "text": "Blinds down", "by": "roux", "since": 5,
            "may_lift": False, "may_take_over": True,
        },
        {
            "kind": "screens", "key": "all", "text": "All screens closed", "by": "carla",
            "since": now_ms, "may_lift": False, "may_take_over": False,
        },
    ]  # fmt: skip


def test_a_lesson_ends_by_itself_after_its_hours(school):
    browser = school.signed_in()
    begun(browser, room="S12")
    school.offset = timedelta(hours=3, minutes=59).total_seconds()
    assert browser.get("lessons/current").status_code == 200
    school.offset = timedelta(hours=4, seconds=1).total_seconds()
    browser = school.signed_in()
    assert browser.get("lessons/current").status_code == 404
    begun(browser, room="S14")  # the old one is ended by it, whether the worker was there or not
    ((who, details),) = kept(school, "lesson_ended")
    assert (who, details["why"], details["seconds"]) == ("camille", "hours", 4 * 3600)


def test_signing_out_leaves_the_lesson_to_be_resumed(school):
    browser = school.signed_in()
    lesson = begun(browser, room="S12")
    assert browser.delete("session").status_code == 204
    assert school.signed_in().get("lessons/current").json["id"] == lesson["id"]


def test_who_loses_the_class_or_the_room_sees_nobody_of_it_any_more(school):
    from eop.directory import users

    browser = school.signed_in()
    begun(browser, **{"class": "3eB", "room": "S12"})
    with school.parts.database.write() as connection:
        user = users.get(connection, "camille")
        users.set_grants(connection, user.id, "room", frozenset({"S99"}))
        users.set_grants(connection, user.id, "class", frozenset())
    found = browser.get("lessons/current").json["attendance"]
    assert found == {"present": [], "absent": [], "others": [], "expected": 0}


def test_without_the_daemon_a_lesson_is_there_and_nobody_is_counted(school):
    browser = school.signed_in()
    begun(browser, **{"class": "3eB"})
    school.stop_daemon()
    school.parts.daemon.close()
    assert browser.get("lessons/current").json["attendance"] is None
    assert error(browser.post("lessons", {"room": "S12"})) == (503, "daemon_down")


def test_a_preset_is_kept_changed_and_chosen_at_the_start(school):
    browser = school.signed_in()
    made = browser.post("lessons/presets", PRESET)
    assert made.status_code == 201
    number = made.json["id"]
    assert browser.get("lessons/presets").json == [{**PRESET, "id": number}]
    lesson = begun(browser, room="S12", preset=number)
    assert lesson["preset"] == PRESET
    changed = PRESET | {"name": "Test", "sites_rule": "any", "sites": [], "lock_text": ""}
    assert put(browser, f"lessons/presets/{number}", changed).json == {**changed, "id": number}
    assert browser.get("lessons/current").json["preset"] == PRESET
    assert browser.delete(f"lessons/presets/{number}").status_code == 204
    assert browser.get("lessons/presets").json == []
    assert browser.get("lessons/current").json["preset"] == PRESET


def test_presets_are_each_teachers_own(school):
    camille, roux = school.signed_in(), school.signed_in("roux")
    number = camille.post("lessons/presets", PRESET).json["id"]
    assert roux.get("lessons/presets").json == []
    assert error(put(roux, f"lessons/presets/{number}", PRESET))[0] == 404
    assert error(roux.delete(f"lessons/presets/{number}"))[0] == 404
    assert error(roux.post("lessons", {"room": "S12", "preset": number}))[0] == 404
    assert error(roux.delete(f"lessons/presets/{2**40}"))[0] == 404
    assert roux.post("lessons/presets", PRESET).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""}, {"name": "x" * 61}, {"name": "a\nb"}, {"sites_rule": "some"},
        {"sites": ["x"] * 101}, {"sites": ["https://fr.wikipedia.org"]}, {"sites": "fr.a.org"},
        {"sites": []}, {"lock_text": "x" * 201}, {"lock_text": "a\x00b"}, {"lock_text": "\ud800"},
        {"colour": "red"},
    ],
)  # fmt: skip
def test_a_preset_with_wrong_fields_is_refused(school, change):
    answer = school.signed_in().post("lessons/presets", PRESET | change)
    assert error(answer) == (422, "invalid")


def test_a_preset_may_be_as_long_as_its_limits(school):
    longest = {
        "name": "x" * 60, "lock_text": "y" * 200,
        "sites": [f"s{number}.example" for number in range(100)],
    }  # fmt: skip
    assert school.signed_in().post("lessons/presets", PRESET | longest).status_code == 201


def test_names_of_presets_differ_and_there_are_twenty_at_most(school):
    browser = school.signed_in()
    for number in range(presets.MAX_PRESETS):
        answer = browser.post("lessons/presets", PRESET | {"name": f"Preset {number}"})
        assert answer.status_code == 201
    assert error(browser.post("lessons/presets", PRESET)) == (422, "invalid")
    first = browser.get("lessons/presets").json[0]["id"]
    assert error(put(browser, f"lessons/presets/{first}", PRESET | {"name": "Preset 7"})) == (
        409,
        "exists",
    )
    browser.delete(f"lessons/presets/{first}")
    twice = PRESET | {"name": "Preset 7"}
    assert error(browser.post("lessons/presets", twice)) == (409, "exists")


def test_everything_is_kept_in_the_audit_with_a_sentence(school):
    from eop.audit import sentences

    browser = school.signed_in()
    number = browser.post("lessons/presets", PRESET).json["id"]
    lesson = begun(browser, preset=number, **{"class": "3eB", "room": "S12"})
    browser.post(f"lessons/{lesson['id']}/end", {})
    browser.delete(f"lessons/presets/{number}")
    told = {
        kind: [(who, sentences.sentence(kind, details)) for who, details in kept(school, kind)]
        for kind in (
            "lesson_preset_saved", "lesson_started", "lesson_ended", "lesson_preset_removed",
        )
    }  # fmt: skip
    place = "class 3eB in room S12"
    assert told == {
        "lesson_preset_saved": [("camille", "Kept the lesson preset “Exam”.")],
        "lesson_started": [("camille", f"Began a lesson: {place}, with the preset “Exam”.")],
        "lesson_ended": [("camille", f"Ended a lesson after 0 seconds: {place}.")],
        "lesson_preset_removed": [("camille", "Removed the lesson preset “Exam”.")],
    }
