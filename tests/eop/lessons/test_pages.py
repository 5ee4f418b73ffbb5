import re

import pytest

from eop.aaa import switches
from eop.aaa.session import TOUCH_SECONDS
from tests.eop.administration.pages import follow, get, send, words
from tests.eop.installation import MOUNT

BOTH = {"class": "3eB", "room": "S12"}


def started(school, login="camille", **place):
    browser = school.signed_in(login)
    answer = send(browser, "/lessons/", **(place or BOTH))
    assert answer.status_code == 303, answer.text
    return browser


def shown_id(browser):
    return re.search(r'name="lesson" value="(\w+)"', get(browser, "/lessons/end").text)[1]


def test_home_and_wall_lead_to_the_form_with_the_place_chosen(school):
    browser = school.signed_in()
    assert f'href="{MOUNT}/lessons/"' in get(browser, "/").text
    assert "Start a lesson" in words(get(browser, "/"))
    assert f'href="{MOUNT}/lessons/?room=S12"' in get(browser, "/observe/wall", room="S12").text
    page = get(browser, "/lessons/", room="S12").text
    assert '<option value="S12" selected>' in page
    assert '<option value="3eB">' in page


def test_starting_leads_to_the_wall_with_the_lessons_bar(school):
    browser = school.signed_in()
    answer = send(browser, "/lessons/", **BOTH)
    assert answer.headers["Location"] == f"{MOUNT}/observe/wall?room=S12"
    page = follow(browser, answer)
    assert "3eB, room S12 since" in words(page)
    assert page.text.count('id="tally"') == 1
    assert "Another room or class" not in page.text


def test_on_another_wall_both_bars_are_there(school):
    browser = started(school)
    page = get(browser, "/observe/wall", room="S14")
    assert 'id="lesson"' in page.text
    assert "Another room or class" in page.text
    assert page.text.count('id="tally"') == 1


def test_the_bar_is_on_every_page_but_home_one_screen_and_administration(school):
    school.add_user("carla", role="administrator")
    browser = started(school, "carla")
    number = browser.get("workstations").json[0]["id"]
    for path in ("/observe/", "/lessons/", "/lessons/presets", "/observe/wall?class=3eB", "/mine"):
        assert 'id="lesson"' in browser.open(MOUNT + path).text, path
    assert 'id="lesson"' in browser.open("/account").text
    for path in ("/", "/admin/", f"/observe/screen/{number}", "/lessons/end", "/nothing"):
        assert 'id="lesson"' not in browser.open(MOUNT + path).text, path


def test_home_says_the_lesson_first_and_who_is_in(school):
    page = words(get(started(school), "/"))
    assert re.search(r"3eB, room S12 Lesson since \d+:\d\d.*1 present, 2 absent", page)
    assert "Back to the wall" in page


def test_the_parts_of_the_bar_are_fetched_by_themselves(school):
    browser = started(school)
    parts = get(browser, "/lessons/bar")
    assert re.findall(r'<div data-part="(\w+)">', parts.text) == [
        "counts",
        "who",
        "chips",
        "release",
    ]
    assert "1 present, 2 absent" in words(parts)
    assert "Absent 2 Ada Malo pc-03, room S14 Present 1 Zoe pc-01, room S12 Also here" in words(
        parts
    )
    browser.post(f"lessons/{shown_id(browser)}/end", {})
    assert "This lesson is over." in words(get(browser, "/lessons/bar"))


def test_fetching_the_bar_keeps_no_session_alive(school):
    browser = started(school)
    idle = school.site.SESSION_IDLE * 60
    school.offset += idle - TOUCH_SECONDS
    assert get(browser, "/lessons/bar").status_code == 200
    school.offset += 2 * TOUCH_SECONDS
    assert get(browser, "/lessons/bar").status_code == 303


def test_a_form_without_a_place_is_told(school):
    page = send(school.signed_in(), "/lessons/")
    assert page.status_code == 422
    assert "Choose a room, a class, or both." in words(page)


def test_a_second_start_shows_the_lesson_that_is_open(school):
    browser = started(school)
    page = follow(browser, send(browser, "/lessons/", room="S14"))
    assert "3eB, room S12" in words(page)
    assert "It ends by itself " in words(page)


def test_lessons_of_colleagues_are_told_where_one_may_teach_too(school):
    started(school)
    roux = get(school.signed_in("roux"), "/lessons/")
    told = r"Lessons of colleagues now 3eB, room S12 Camille, since .* Join"
    assert re.search(told, words(roux))
    assert f'href="{MOUNT}/lessons/?class=3eB&amp;room=S12"' in roux.text
    school.add_user("other", rooms=("S99",), classes=())
    assert "colleagues" not in words(get(school.signed_in("other"), "/lessons/"))


def test_a_wall_says_that_a_colleague_gives_a_lesson_there_and_since_when(school):
    camille = started(school)
    roux, klein = school.signed_in("roux"), school.signed_in("klein")
    told = r"Lesson of Camille since \d+:\d\d"
    assert re.search(told, words(get(roux, "/observe/wall", room="S12")))
    assert re.search(told, words(get(klein, "/observe/wall", **{"class": "3eB"})))
    assert "Lesson of" not in words(get(camille, "/observe/wall", room="S12"))
    assert "Lesson of" not in words(get(camille, "/observe/wall", room="S14"))
    send(camille, "/lessons/end", lesson=shown_id(camille))
    assert "Lesson of" not in words(get(roux, "/observe/wall", room="S12"))


def test_ending_asks_first_says_what_is_released_and_then_that_it_was(school):
    browser = started(school)
    page = words(get(browser, "/lessons/end"))
    assert "Nothing that you set is in force" in page
    school.blinds.dropped["S12"] = ("camille", school.parts.now_ms())
    page = get(browser, "/lessons/end")
    assert "This is released: Blinds down" in words(page)
    home = follow(browser, send(browser, "/lessons/end", lesson=shown_id(browser)))
    assert "The lesson has ended. Everything released: 1 restraint." in words(home)
    assert school.blinds.dropped == {}
    assert get(browser, "/lessons/end").status_code == 303


def test_the_end_of_an_older_lesson_leaves_the_newer_one_open(school):
    browser = started(school)
    old = shown_id(browser)
    browser.post(f"lessons/{old}/end", {})
    send(browser, "/lessons/", room="S14")
    assert "Room S14" in words(follow(browser, send(browser, "/lessons/end", lesson=old)))


def test_what_could_not_be_released_is_told_on_the_home_page(school):
    browser = started(school)
    school.blinds.fails = True
    home = follow(browser, send(browser, "/lessons/end", lesson=shown_id(browser)))
    assert "Something could not be released" in words(home)


def test_closed_screens_are_lifted_from_the_bar_by_who_may(school):
    school.add_user("carla", role="administrator")
    carla, camille = started(school, "carla", room="S12"), started(school, room="S12")
    switches.turn(school.parts.database, True, "carla", school.parts.now_ms())
    bar = words(get(camille, "/lessons/bar"))
    assert re.search(
        r"All screens closed \(Carla, .*\) Set by Carla, since .* You cannot lift", bar
    )
    refused = send(camille, "/lessons/in-force/screens", key="all", do="lift")
    assert refused.status_code == 403
    assert "Lift it" in words(get(carla, "/lessons/bar"))
    path = f"{MOUNT}/observe/wall?room=S12"
    answer = send(carla, "/lessons/in-force/screens", key="all", do="lift", next=path)
    assert answer.headers["Location"] == path
    assert "All screens closed" not in words(get(camille, "/lessons/bar"))


def test_what_a_colleague_set_is_taken_over_and_then_ends_with_ones_own_lesson(school):
    browser = started(school)
    school.blinds.dropped["S12"] = ("roux", 1)
    assert "Take it over" in words(get(browser, "/lessons/bar"))
    send(browser, "/lessons/in-force/blinds", key="S12", do="take_over")
    assert school.blinds.dropped["S12"][0] == "camille"
    send(browser, "/lessons/end", lesson=shown_id(browser))
    assert school.blinds.dropped == {}


def test_without_a_lesson_or_of_no_kind_nothing_is_lifted(school):
    browser = school.signed_in()
    assert send(browser, "/lessons/in-force/screens", do="lift").status_code == 303
    browser = started(school)
    assert send(browser, "/lessons/in-force/fog", do="lift").status_code == 404


def test_a_preset_is_kept_changed_removed_and_shown_with_the_lesson(school):
    browser = school.signed_in()
    fields = {
        "name": "Exam", "sites_rule": "allowed", "sites": "fr.wikipedia.org\r\n a.example ",
        "lock_text": "Look up!",
    }  # fmt: skip
    page = follow(browser, send(browser, "/lessons/presets", **fields))
    assert "The preset is kept. Your presets Exam Only 2 sites open." in words(page)
    number = browser.get("lessons/presets").json[0]["id"]
    assert (
        "fr.wikipedia.org\na.example</textarea>" in get(browser, f"/lessons/presets/{number}").text
    )
    send(browser, "/lessons/presets", **fields | {"id": number, "name": "Test"})
    answer = send(browser, "/lessons/", room="S12", preset=number)
    assert answer.status_code == 303
    page = words(get(browser, "/lessons/"))
    assert "Preset “Test” Only 2 sites open. Text of a locked screen: “Look up!”" in page
    assert "the workstations cannot apply it yet" in page
    page = follow(browser, send(browser, f"/lessons/presets/{number}/remove"))
    assert "The preset is removed." in words(page)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Give the preset a name of at most 60 characters."),
        ({"name": "x" * 61}, "Give the preset a name of at most 60 characters."),
        ({"sites": "https://a.fr/x"}, "“https://a.fr/x” is not the name of a site"),
        ({"sites": "b.fr\r\nnot a site!"}, "“not a site!” is not the name of a site"),
        ({"sites_rule": "blocked"}, "Name the sites, one a line, or choose “No rule”."),
        ({"lock_text": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_cannot_be_kept_is_told_beside_what_was_typed(school, fields, sentence):
    sent = {"name": "Exam", "sites_rule": "any", "sites": "", "lock_text": "", **fields}
    page = send(school.signed_in(), "/lessons/presets", **sent)
    assert page.status_code == 422
    assert sentence in words(page)
    assert f'value="{sent["name"]}'[:30] in page.text


def test_a_name_that_is_taken_is_told(school):
    browser = school.signed_in()
    fields = {"name": "Exam", "sites_rule": "any"}
    send(browser, "/lessons/presets", **fields)
    page = send(browser, "/lessons/presets", **fields)
    assert page.status_code == 409
    assert "You have a preset of that name already." in words(page)


@pytest.mark.parametrize("path", ["/lessons/", "/lessons/end", "/lessons/bar", "/lessons/presets"])
def test_students_and_strangers_see_no_page(school, path):
    assert get(school.signed_in("zoe"), path).status_code == 403
    assert get(school.browser(), path).status_code == 303


def test_a_form_without_its_token_changes_nothing(school):
    browser = started(school)
    lesson, browser.csrf = shown_id(browser), "wrong"
    for path in ("/lessons/", "/lessons/end", "/lessons/presets", "/lessons/presets/1/remove",
                 "/lessons/in-force/blinds"):  # fmt: skip
        assert send(browser, path, lesson=lesson, room="S14").status_code == 403
    assert get(browser, "/lessons/end").status_code == 200


def test_hostile_names_stay_text(school):
    hostile = "<b>x</b>"
    school.add_workstation("pc-x", hostile, "zoe")
    browser = started(school, room=hostile)
    for path in ("/", "/lessons/", "/lessons/bar", "/lessons/end", "/observe/"):
        assert hostile not in get(browser, path).text


def test_without_the_daemon_the_pages_say_so(school):
    browser = started(school)
    school.stop_daemon()
    school.parts.daemon.close()
    assert "Who is in is not known now" in words(get(browser, "/lessons/bar"))
    assert "Who is in is not known now" in words(get(browser, "/"))
    browser.post(f"lessons/{shown_id(browser)}/end", {})
    page = words(get(browser, "/lessons/"))
    assert "Rooms cannot be listed while controle-vnc does not answer." in page
