import time

import pytest

from eop.aaa import room_settings
from eop.aaa.session import TOUCH_SECONDS
from eop.audit.tables import audit
from eop.observation.rewind import MINUTE_MS
from tests.eop.installation import API, error

JPEG = b"\xff\xd8 a picture \xff\xd9"


@pytest.fixture
def school(house):
    """A workstation with pictures of the last minutes, in a room where that is on."""
    house.id = house.add_workstation("pc-01", "S12", "zoe.martin")
    house.other = house.add_workstation("pc-02", "S13")
    house.add_class("3eB", "zoe.martin")
    house.add_user("room", rooms=("S12",), classes=())
    house.add_user("class", rooms=(), classes=("3eB",))
    house.add_user("none", rooms=("S99",), classes=())
    house.add_user("student", role="student")
    switch(house, True)
    house.ring = house.daemon.hub.seat(house.id).rewind
    house.moment = int(time.time() * 1000) - 100
    house.ring._since = 0  # as if it had been on for long
    return house


def switch(house, value, room="S12"):
    parts = house.parts
    room_settings.change(parts.database, room, "rewind", value, "carla", parts.now_ms())
    assert room_settings.tell(parts.database, parts.daemon)


def captured(house, *ago, jpeg=JPEG):
    """Put pictures into the ring, made so many ms ago."""
    moments = [house.moment - one for one in ago]
    for moment in moments:
        house.ring.note(moment, 320, jpeg)
    return moments


def times(browser, id_):
    return browser.get(f"workstations/{id_}/rewind")


def picture(browser, id_, moment):
    return browser.get(f"workstations/{id_}/rewind/{moment}")


def looks(house):
    with house.parts.database.read() as connection:
        return connection.execute(audit.select().where(audit.c.kind == "rewind_looked")).all()


def test_times_and_pictures_are_given_to_whoever_may_view_the_screen(school):
    first, second = captured(school, 2000, 1000)
    for login in ("camille", "room", "class"):
        browser = school.signed_in(login)
        told = times(browser, school.id).json
        assert told["seconds"] == 300
        assert told["now"] >= school.moment
        assert told["pictures"] == [
            {"at": first, "until": second}, {"at": second, "until": None},
        ]  # fmt: skip
        answer = picture(browser, school.id, first + 500)
        assert (answer.status_code, answer.data) == (200, JPEG)
        assert answer.mimetype == "image/jpeg"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("asked", ["ping", "times", "picture"])
def test_what_an_open_screen_asks_by_itself_keeps_no_session_alive(school, asked):
    (moment,) = captured(school, 1000)
    browser = school.signed_in()
    school.offset += school.site.SESSION_IDLE * 60 - TOUCH_SECONDS
    answer = {
        "ping": lambda: browser.open("/ping"),
        "times": lambda: times(browser, school.id),
        "picture": lambda: picture(browser, school.id, moment),
    }[asked]()
    assert answer.status_code == 200
    school.offset += 2 * TOUCH_SECONDS
    assert error(times(browser, school.id)) == (401, "signed_out")


def test_nobody_else_gets_them_and_nothing_is_written_down_as_looked_at(school):
    (moment,) = captured(school, 1000)
    for login, refused in (("none", "grant"), ("student", "denied")):
        browser = school.signed_in(login)
        assert error(times(browser, school.id)) == (403, refused)
        assert error(picture(browser, school.id, moment)) == (403, refused)
    browser = school.browser()
    assert error(times(browser, school.id)) == (401, "signed_out")
    assert error(picture(browser, school.id, moment)) == (401, "signed_out")
    assert looks(school) == []


def test_where_the_room_has_it_off_nobody_gets_them(school):
    (moment,) = captured(school, 1000)
    browser = school.signed_in()
    assert error(times(browser, school.other)) == (403, "rewind_off")
    switch(school, False)
    assert error(times(browser, school.id)) == (403, "rewind_off")
    assert error(picture(browser, school.id, moment)) == (403, "rewind_off")
    switch(school, True)
    assert times(browser, school.id).json["pictures"] == []
    assert error(picture(browser, school.id, moment)) == (404, "nothing_kept")


def test_a_daemon_that_was_told_first_refuses_too(school):
    browser = school.signed_in()
    school.parts.daemon.keep_rewind([], 2**50)
    assert error(times(browser, school.id)) == (403, "rewind_off")


def test_while_all_screens_are_closed_nobody_gets_them(school):
    (moment,) = captured(school, 1000)
    school.add_user("carla", role="administrator", rooms=(), classes=())
    browser, boss = school.signed_in(), school.signed_in("carla")
    form = {"csrf_token": boss.csrf, "closed": "yes"}
    assert boss.open("/eoleapps/eop/admin/screens", "POST", data=form).status_code == 303
    assert error(times(browser, school.id)) == (403, "switched_off")
    assert error(picture(browser, school.id, moment)) == (403, "switched_off")


def test_what_is_not_there_is_told_as_such(school):
    (moment,) = captured(school, 1000)
    browser = school.signed_in()
    assert error(times(browser, "nowhere")) == (404, "unknown_workstation")
    assert error(times(browser, "x" * 200)) == (404, "unknown_workstation")
    for wrong in (moment - 1, moment + 60_000, 0, 9_999_999_999_999):
        assert error(picture(browser, school.id, wrong)) == (404, "nothing_kept")
    for wrong in (10_000_000_000_000, 2**80, -1, "now"):
        assert picture(browser, school.id, wrong).status_code == 404
    assert looks(school) == []


def test_another_person_at_the_workstation_leaves_nothing_of_the_one_before(school):
    from controle_vnc.control.messages import SaveWorkstation

    (moment,) = captured(school, 1000)
    browser = school.signed_in()
    assert picture(browser, school.id, moment).status_code == 200
    school.parts.daemon.save(
        SaveWorkstation(name="pc-01", room="S12", address="h:1", user="malo", replace=True)
    )
    assert times(browser, school.id).json["pictures"] == []
    assert error(picture(browser, school.id, moment)) == (404, "nothing_kept")


def test_each_minute_that_is_looked_at_is_written_down_once_for_a_session(school):
    ago = 130_000
    school.moment -= school.moment % MINUTE_MS - 30_000  # half a minute after a whole one
    if school.moment > time.time() * 1000:
        school.moment -= MINUTE_MS
    first, second, third = captured(school, ago, ago - 1000, ago - MINUTE_MS)
    browser = school.signed_in()
    times(browser, school.id)
    assert looks(school) == []
    for moment in (first, second, second, first + 1):
        assert picture(browser, school.id, moment).status_code == 200
    (row,) = looks(school)
    assert (row.user, row.workstation) == ("camille", school.id)
    begins = first - first % MINUTE_MS
    assert row.details == {
        "name": "Camille", "workstation": "pc-01", "room": "S12", "watched": "zoe.martin",
        "from": begins, "to": begins + MINUTE_MS,
    }  # fmt: skip
    picture(browser, school.id, third)
    assert [one.details["from"] for one in looks(school)] == [begins, begins + MINUTE_MS]
    picture(school.signed_in("room"), school.id, first)
    assert [one.user for one in looks(school)] == ["camille", "camille", "room"]


def test_a_look_is_never_said_to_reach_into_the_future(school):
    (moment,) = captured(school, 0)
    assert picture(school.signed_in(), school.id, moment).status_code == 200
    (row,) = looks(school)
    assert row.details["from"] <= moment <= row.details["to"] <= row.at


def test_a_picture_that_cannot_be_written_down_is_not_given(school, monkeypatch):
    from eop.audit import events

    (moment,) = captured(school, 1000)
    browser = school.signed_in()

    def broken(*_, **__):
        raise OSError("the disk is full")

    monkeypatch.setattr(events, "record", broken)
    answer = picture(browser, school.id, moment)
    assert answer.status_code == 500
    assert JPEG not in answer.data


def test_the_page_of_a_screen_offers_it_where_it_may_be_used(school):
    def page(login, id_):
        return school.signed_in(login).open(f"/eoleapps/eop/observe/screen/{id_}").text

    assert 'id="rewind-slider"' in page("camille", school.id)
    assert "screen-rewind.js" in page("class", school.id)
    assert "rewind" not in page("camille", school.other)


def test_the_description_names_the_calls(quiet):
    paths = quiet.browser().open(f"{API}/openapi.json").json["paths"]
    call = paths["/api/v1/workstations/{workstation_id}/rewind/{moment}"]
    assert {"200", "401", "403", "404", "503"} <= set(call["get"]["responses"])
