"""Two teachers give lessons in one room, over a real desktop: starting, who is in, ending."""

import re

import pytest
from playwright.sync_api import expect

from tests.desktops import XvncDesktop
from tests.journeys.conftest import new_page
from tests.journeys.test_administration import add_user, enter
from tests.journeys.test_browser import PATIENCE, until_live, wall_of

ROOM, CLASS = "S41", "5eL"
SOON = 8_000  # ms; the wall's event, two seconds of gathering, one request on a busy machine


@pytest.fixture(scope="module")
def room(stack, tmp_path_factory):
    """Zoé alone in a room with a real desktop; two classmates are nowhere; three teachers."""
    grants = ("--room", ROOM, "--class", CLASS)
    add_user(stack, "lefevre", "teacher", *grants)
    add_user(stack, "roux", "teacher", *grants)
    add_user(stack, "lessons.admin", "administrator")
    stack.eopctl("class", "add", CLASS, "--users", "zoe.lesson,malo.lesson,ada.lesson")
    with XvncDesktop(tmp_path_factory.mktemp("lesson")) as desktop:
        desktop.paint("#336699")
        stack.lesson_id = stack.add_workstation("pc-41", desktop, room=ROOM, user="zoe.lesson")
        stack.lesson_desktop = desktop
        yield stack
        stack.eopctl("workstation", "remove", stack.lesson_id)


@pytest.fixture
def teacher(browser, room):
    with new_page(browser) as page:
        enter(page, room, "lefevre")
        yield page
    room.eopctl("lesson", "end", "--all")
    room.eopctl("screens", "open")


def start(page, stack, place=None):
    """From the home page, by the keyboard alone."""
    page.goto(stack.url + "/")
    page.get_by_role("link", name="Start a lesson").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Class", exact=True).select_option(CLASS)
    page.get_by_label("Room", exact=True).select_option(place or ROOM)
    page.get_by_role("button", name="Start the lesson").press("Enter")
    page.wait_for_selector("#lesson")


def counts(page):
    return page.locator("#lesson .lesson-counts")


def test_a_lesson_is_started_says_who_is_missing_and_sees_who_comes_in(teacher, room):
    start(teacher, room)
    assert f"/observe/wall?room={ROOM}" in teacher.url
    until_live(teacher, room.lesson_id)
    expect(teacher.locator("#lesson")).to_contain_text(re.compile(rf"{CLASS}, room {ROOM} since"))
    expect(counts(teacher)).to_have_text("1 present, 2 absent", timeout=SOON)
    counts(teacher).focus()
    teacher.keyboard.press("Enter")
    listed = teacher.locator("#lesson [data-part=who]")
    expect(listed).to_be_visible()
    expect(listed).to_contain_text("zoe.lesson")
    desktop = room.lesson_desktop
    number = room.add_workstation("pc-42", desktop, room=ROOM, user="malo.lesson")
    try:
        expect(counts(teacher)).to_have_text("2 present, 1 absent", timeout=SOON)
        expect(listed).to_contain_text("pc-42")
    finally:
        room.eopctl("workstation", "remove", number)
    expect(counts(teacher)).to_have_text("1 present, 2 absent", timeout=SOON)
    teacher.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    assert teacher.evaluate("document.activeElement.className") == "lesson-counts"


def test_two_teachers_have_a_lesson_in_one_room_and_each_ends_his_own(teacher, room, browser):
    start(teacher, room)
    with new_page(browser) as other:
        enter(other, room, "roux")
        other.goto(wall_of(room, ROOM))
        other.get_by_role("link", name="Start a lesson").click()
        expect(other.get_by_text("Lessons of colleagues now")).to_be_visible()
        other.get_by_role("button", name="Start the lesson").click()
        other.wait_for_url(f"**/observe/wall?room={ROOM}")
        counts(other).click(timeout=SOON)
        expect(other.locator("#lesson [data-part=who]")).to_contain_text("Also teaching here")
        expect(other.locator("#lesson [data-part=who]")).to_contain_text("Lefevre")
        other.keyboard.press("Escape")
        other.click("#lesson-end")
        other.locator("#lesson-ask").get_by_role("button", name="End the lesson").click()
        expect(other.get_by_text("The lesson has ended.")).to_be_visible()
    teacher.reload()
    expect(counts(teacher)).to_have_text("1 present, 2 absent", timeout=SOON)


def test_ending_asks_first_and_another_tab_hears_that_it_is_over(teacher, room):
    start(teacher, room)
    tab = teacher.context.new_page()
    tab.goto(wall_of(room, ROOM))
    expect(counts(tab)).to_be_visible(timeout=SOON)
    teacher.bring_to_front()
    teacher.locator("#lesson-end").focus()
    teacher.keyboard.press("Enter")
    asked = teacher.get_by_role("dialog", name=f"End the lesson ({CLASS}, room {ROOM})?")
    expect(asked).to_contain_text("Nothing that you set is in force")
    teacher.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    assert teacher.evaluate("document.activeElement.id") == "lesson-end"
    teacher.keyboard.press("Enter")
    asked.get_by_role("button", name="End the lesson").press("Enter")
    expect(teacher.get_by_text("The lesson has ended.")).to_be_visible()
    tab.bring_to_front()
    tab.evaluate("document.dispatchEvent(new Event('eop:seats'))")  # as the next event would
    expect(tab.locator("#lesson")).to_contain_text("This lesson is over.", timeout=SOON)
    tab.wait_for_function("document.getElementById('tally').textContent.includes('live')")


def test_a_quiet_wall_hears_that_the_lesson_was_ended_elsewhere(teacher, room):
    # a clock that jumps has the wall connect anew, which would tell the bar
    teacher.add_init_script("addEventListener('eop:seats', (e) => e.stopPropagation(), true)")
    teacher.clock.install()
    start(teacher, room)
    until_live(teacher, room.lesson_id)
    expect(counts(teacher)).to_be_visible(timeout=SOON)
    room.eopctl("lesson", "end", "--all")  # as its last hour does; no screen changes by that
    teacher.clock.fast_forward(30_000)
    expect(teacher.locator("#lesson")).to_contain_text("This lesson is over.", timeout=SOON)


def test_signing_out_leaves_the_lesson_first_on_the_home_page(teacher, room):
    start(teacher, room)
    teacher.click(".me .out")
    teacher.wait_for_url("**/login**")
    enter(teacher, room, "lefevre")
    resume = teacher.locator("main .resume")
    expect(resume).to_contain_text(f"{CLASS}, room {ROOM}")
    expect(resume).to_contain_text("1 present, 2 absent")
    resume.get_by_role("link", name="Back to the wall").click()
    until_live(teacher, room.lesson_id)


def test_the_bar_says_who_closed_the_screens_and_who_may_lifts_it(teacher, room, browser):
    start(teacher, room)
    until_live(teacher, room.lesson_id)
    with new_page(browser) as boss:
        enter(boss, room, "lessons.admin")
        room.eopctl("screens", "close")
        start(boss, room)
        chip = teacher.locator("#lesson .lesson-chips summary")
        expect(chip).to_contain_text("All screens closed", timeout=SOON)
        chip.click()
        expect(teacher.locator(".lesson-force")).to_contain_text("You cannot lift it.")
        teacher.keyboard.press("Escape")
        boss.locator("#lesson .lesson-chips summary").click()
        boss.get_by_role("button", name="Lift it").click()
        boss.wait_for_url(f"**/observe/wall?room={ROOM}")
        expect(boss.locator("#lesson .lesson-chips")).to_have_text("")
    until_live(teacher, room.lesson_id, timeout=PATIENCE)
    expect(teacher.locator("#lesson .lesson-chips summary")).to_have_count(0, timeout=SOON)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_pushed_out_of_the_page(teacher, room, scheme):
    start(teacher, room)
    room.eopctl("screens", "close")
    teacher.emulate_media(color_scheme=scheme)
    teacher.set_viewport_size({"width": 390, "height": 800})
    for path in (
        "/",
        f"/observe/wall?room={ROOM}",
        "/lessons/",
        "/lessons/end",
        "/lessons/presets",
    ):
        teacher.goto(room.url + path)
        assert teacher.evaluate("document.documentElement.scrollWidth") <= 390, path
    teacher.goto(wall_of(room, ROOM))
    counts(teacher).click(timeout=SOON)
    box = teacher.locator("#lesson [data-part=who]").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
