"""Selecting on the wall, acting on what is selected, and its other views, in a real browser."""

import io
import json

import pytest
from PIL import Image

from tests.desktops import X11vncDesktop, XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in
from tests.journeys.test_browser import PATIENCE, tile, until_live, until_status, wall_of

ROOM = "S40"


class Nobody:
    address, password = "127.0.0.1:9", "unused"


@pytest.fixture(scope="session")
def room(stack, tmp_path_factory):
    """Three desktops, two with somebody at them, and a host where nobody answers."""
    folder = tmp_path_factory.mktemp("views")
    with (
        XvncDesktop(folder / "one") as one,
        X11vncDesktop(folder / "two") as two,
        XvncDesktop(folder / "three") as three,
    ):
        for desktop, colour in ((one, "#204080"), (two, "#208040"), (three, "#804020")):
            desktop.paint(colour)
        yield {
            "v-01": stack.add_workstation("v-01", one, ROOM, user="zoe.martin"),
            "v-02": stack.add_workstation("v-02", two, ROOM, user="malo.colin"),
            "v-03": stack.add_workstation("v-03", three, ROOM),
            "v-04": stack.add_workstation("v-04", Nobody, ROOM),
        }


@pytest.fixture
def wall(signed_in, stack, room):
    """The page of that room, its three desktops live and the fourth told."""
    open_wall(signed_in, stack, room)
    return signed_in


def open_wall(page, stack, room):
    page.goto(wall_of(stack, ROOM))
    for name in ("v-01", "v-02", "v-03"):
        until_live(page, room[name])
    dead = f'li.tile[data-workstation="{room["v-04"]}"][data-fresh="void"]'
    page.wait_for_selector(dead, timeout=PATIENCE)


def selected(page):
    return page.evaluate(
        "[...document.querySelectorAll('#wall .tile:has(:checked)')]"
        ".map((tile) => tile.querySelector('.tile-open > .vh').textContent.split(', ')[1])"
    )


def until(page, expression):
    """Wait until that holds in the page, whose policy forbids Playwright's own way."""
    wait_until(lambda: page.evaluate(expression), PATIENCE / 1000, expression)


def scope(page):
    return page.locator("#scope-text").inner_text()


def action(page, name):
    return page.locator(f'[data-action="{name}"]')


def link(page, workstation):
    return tile(page, workstation).locator(".tile-open")


def press(page, workstation, *modifiers):
    """A click beside the box and above what a tile without picture offers."""
    link(page, workstation).click(position={"x": 90, "y": 12}, modifiers=modifiers)


def test_the_mouse_selects_by_box_ctrl_shift_and_rubber_band(wall, room):
    assert scope(wall) == "Whole room, 4 workstations"
    tile(wall, room["v-01"]).hover()
    tile(wall, room["v-01"]).locator(".tile-check").click()
    assert selected(wall) == ["v-01"]
    press(wall, room["v-03"], "Control")
    assert selected(wall) == ["v-01", "v-03"]
    assert scope(wall) == "2 workstations selected"
    said = "document.getElementById('say').textContent"
    until(wall, f"{said} === '2 workstations selected'")
    press(wall, room["v-01"], "Control")
    press(wall, room["v-02"], "Shift")
    assert selected(wall) == ["v-01", "v-02", "v-03"]
    wall.click("#scope-clear")
    assert selected(wall) == []
    first, last = (tile(wall, room[name]).bounding_box() for name in ("v-01", "v-02"))
    wall.mouse.move(first["x"] - 6, first["y"] + 20)
    wall.mouse.down()
    wall.mouse.move(last["x"] + 20, last["y"] + 40, steps=5)
    assert wall.locator(".rubber-band").is_visible()
    wall.mouse.up()
    assert selected(wall) == ["v-01", "v-02"]
    assert "/observe/wall" in wall.url


def test_the_keyboard_selects_and_escape_clears(wall, room):
    link(wall, room["v-01"]).focus()
    wall.keyboard.press("Space")
    assert selected(wall) == ["v-01"]
    wall.keyboard.press("Shift+ArrowRight")
    wall.keyboard.press("Shift+ArrowRight")
    assert selected(wall) == ["v-01", "v-02", "v-03"]
    wall.keyboard.press("Shift+ArrowLeft")
    assert selected(wall) == ["v-01", "v-02"]
    wall.keyboard.press("Escape")
    assert scope(wall) == "Whole room, 4 workstations"
    wall.keyboard.press("Control+a")
    assert len(selected(wall)) == 4
    wall.keyboard.press("Tab")
    assert wall.evaluate("document.activeElement.type") == "checkbox"


def test_a_finger_selects_with_the_button_and_with_a_long_press(browser, stack, room):
    with new_page(browser, has_touch=True) as page:
        sign_in(page, stack)
        open_wall(page, stack, room)
        page.click("#choose")
        page.touchscreen.tap(*centre(link(page, room["v-02"])))
        assert selected(page) == ["v-02"]
        page.click("#scope-clear")
        assert page.locator("#choose").get_attribute("aria-pressed") == "false"
        x, y = centre(link(page, room["v-01"]))
        devtools = page.context.new_cdp_session(page)
        touch = {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
        devtools.send("Input.dispatchTouchEvent", touch)
        wait_until(lambda: selected(page) == ["v-01"], 3, "the long press")
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.touchscreen.tap(*centre(link(page, room["v-03"])))
        assert selected(page) == ["v-01", "v-03"]


def centre(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 3


def test_the_bar_offers_what_the_scope_can_do_and_says_why_not(wall, room):
    assert action(wall, "screenshot").inner_text().split("\n") == ["Screenshot", "3/4"]
    assert action(wall, "retry").locator(".act-count").inner_text() == "1/4"
    assert action(wall, "view").get_attribute("aria-disabled") == "true"
    action(wall, "view").click(force=True)
    assert wall.locator("#toasts").inner_text() == "View: Select one workstation for this."
    press(wall, room["v-04"], "Control")
    assert action(wall, "view").get_attribute("aria-disabled") == "true"
    assert action(wall, "screenshot").get_attribute("aria-disabled") == "true"
    action(wall, "retry").click()
    wall.wait_for_selector("#toasts >> text=1 workstation is tried again.")
    press(wall, room["v-04"], "Control")
    press(wall, room["v-01"], "Control")
    assert action(wall, "view").get_attribute("aria-disabled") is None
    action(wall, "view").click()
    wall.wait_for_url(f"**/observe/screen/{room['v-01']}?*mode=view*")


def test_with_a_filter_the_bar_speaks_of_what_is_shown_and_acts_on_it_alone(wall, room):
    saved = []
    wall.on("download", lambda download: saved.append(download.suggested_filename))
    wall.fill("#search", "malo")
    assert scope(wall) == "Shown: 1 of 4 workstations"
    assert action(wall, "view").get_attribute("aria-disabled") is None
    action(wall, "screenshot").click()
    wall.wait_for_selector("#toasts >> text=1 picture saved.", timeout=PATIENCE)
    wait_until(lambda: wall.wait_for_timeout(50) or len(saved) == 1, 5, "one file")
    assert saved[0].startswith("v-02")
    wall.fill("#search", "nobody of that name")
    assert scope(wall) == "Shown: 0 of 4 workstations"
    action(wall, "screenshot").click(force=True)
    wall.wait_for_selector("#toasts >> text=No workstation is shown.")
    wall.fill("#search", "")
    assert scope(wall) == "Whole room, 4 workstations"


def test_screenshots_are_saved_one_file_each_and_large(wall, room):
    for name in ("v-01", "v-03"):
        press(wall, room[name], "Control")
    saved = []
    wall.on("download", lambda download: saved.append(download))
    action(wall, "screenshot").click()
    wall.wait_for_selector("#toasts >> text=2 pictures saved.", timeout=PATIENCE)
    wait_until(lambda: wall.wait_for_timeout(50) or len(saved) == 2, 5, "two files")
    for download, name in zip(saved, ("v-01", "v-03"), strict=True):
        assert download.suggested_filename.startswith(f"{name}_20")
        with open(download.path(), "rb") as file:
            picture = Image.open(io.BytesIO(file.read()))
        assert picture.format == "JPEG"
        assert picture.width == 640


def test_the_spotlight_shows_what_is_selected_large_and_the_slideshow_walks(wall, stack, room):
    wall.clock.install()
    open_wall(wall, stack, room)
    for name in ("v-02", "v-03"):
        press(wall, room[name], "Control")
    wall.click("#spotlight-open")
    large = wall.locator("#spotlight-list .tile")
    assert large.count() == 2
    until(
        wall,
        "[...document.querySelectorAll('#spotlight-list img')]"
        ".every((image) => image.naturalWidth === 640)",
    )
    wall.click("#spotlight-slides")
    assert large.count() == 1
    assert large.get_attribute("data-of") == room["v-02"]
    wall.clock.fast_forward(5000)
    wall.wait_for_selector(f'#spotlight-list [data-of="{room["v-03"]}"]')
    large.locator("a").focus()
    wall.keyboard.press("Space")
    assert wall.locator("#spotlight-hint").inner_text() == "Paused. Space goes on."
    wall.keyboard.press("n")
    assert large.get_attribute("data-of") == room["v-02"]
    wall.clock.fast_forward(5500)  # longer than a slide
    assert large.get_attribute("data-of") == room["v-02"]
    wall.click("#spotlight-close")
    assert wall.locator("#spotlight").is_hidden()


def width_of_tiles(page):
    return page.evaluate("document.querySelector('#wall .tile').clientWidth")


def test_the_wall_has_its_size_back_after_the_spotlight(wall):
    before = width_of_tiles(wall)
    wall.set_viewport_size({"width": 1280, "height": 1400})  # the box around keeps its own size
    wait_until(lambda: width_of_tiles(wall) != before, 3, "the size in a high window")
    before = width_of_tiles(wall)
    wall.click("#spotlight-open")
    wait_until(lambda: width_of_tiles(wall) < before, 3, "less room beneath the spotlight")
    wall.click("#spotlight-close")
    wait_until(lambda: width_of_tiles(wall) == before, 3, "the old size")


def test_space_pauses_a_slideshow_just_begun_by_its_button_or_by_the_menu(wall):
    hint = wall.locator("#spotlight-hint")
    wall.click("#spotlight-open")
    wall.click("#spotlight-slides")
    wall.keyboard.press("Space")
    assert hint.inner_text() == "Paused. Space goes on."
    wall.keyboard.press("Space")
    assert hint.inner_text() == "Space pauses."
    wall.click("#spotlight-close")
    wall.click("#more")
    wall.keyboard.press("ArrowDown")
    wall.keyboard.press("ArrowDown")
    wall.keyboard.press("Enter")  # Slideshow
    wall.keyboard.press("Space")
    assert hint.inner_text() == "Paused. Space goes on."
    assert selected(wall) == []
    assert wall.locator("#more-list").is_hidden()


def test_a_slide_that_leaves_hands_the_focus_on(wall):
    wall.click("#spotlight-open")
    wall.click("#spotlight-slides")
    wall.locator("#spotlight-list a").focus()
    wall.keyboard.press("n")
    assert wall.evaluate("document.activeElement.id") == "spotlight-list"
    wall.keyboard.press("Space")
    assert wall.locator("#spotlight-hint").inner_text() == "Paused. Space goes on."


def test_with_reduced_motion_the_slideshow_walks_by_key_only(browser, stack, room):
    with new_page(browser, reduced_motion="reduce") as page:
        sign_in(page, stack)
        page.clock.install()
        open_wall(page, stack, room)
        page.click("#more")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")  # Slideshow
        shown = page.locator("#spotlight-list .tile")
        first = shown.get_attribute("data-of")
        page.clock.fast_forward(5500)
        assert shown.get_attribute("data-of") == first
        page.locator("#spotlight-list a").focus()
        page.keyboard.press("n")
        assert shown.get_attribute("data-of") != first


def test_a_picture_that_is_held_is_large_until_it_is_let_go(wall, room):
    x, y = centre(link(wall, room["v-01"]))
    wall.mouse.move(x, y)
    wall.mouse.down()
    wall.wait_for_selector("#zoom img", state="visible")
    until(wall, "document.querySelector('#zoom img').naturalWidth === 640")
    assert wall.locator("#zoom img").bounding_box()["width"] == 1280
    wall.mouse.up()
    assert wall.locator("#zoom").is_hidden()
    link(wall, room["v-02"]).focus()
    wall.keyboard.down("z")
    assert wall.locator("#zoom").is_visible()
    wall.keyboard.up("z")
    assert wall.locator("#zoom").is_hidden()
    assert "/observe/wall" in wall.url


def test_the_projector_shows_workstation_names_and_nothing_of_a_student(wall, room):
    link(wall, room["v-01"]).focus()
    wall.keyboard.press("p")
    assert "may show names" in wall.locator("#toasts").inner_text()
    text = wall.locator("main").inner_text()
    for word in ("Zoé", "Malo", "zoe.martin", "Live", "Select", "Whole room"):
        assert word not in text
    for name in room:
        assert name in text
    wall.reload()
    until_live(wall, room["v-01"])
    assert "Zoé" not in wall.locator("main").inner_text()
    wall.click("#projector-off")
    assert wall.locator(".actions").is_visible()
    link(wall, room["v-01"]).focus()
    wall.keyboard.press("p")
    wall.keyboard.press("Escape")
    assert scope(wall) == "Whole room, 4 workstations"


STUDENTS = ("Zoé", "Zoe", "zoe.", "Malo", "malo.", "Lise", "lise.")


def named(page):
    """The students whom the page names to anybody: in its text, its title and what is beside."""
    seen = page.evaluate(
        """() => {
          const shown = document.body.cloneNode(true);
          shown.querySelectorAll("script").forEach((script) => script.remove());
          return document.title + shown.outerHTML;
        }"""
    )
    return [name for name in STUDENTS if name in seen]


def test_a_screen_opened_from_the_projector_names_nobody(wall, stack, room):
    link(wall, room["v-01"]).focus()
    wall.keyboard.press("p")
    with wall.context.expect_page() as tab:
        link(wall, room["v-02"]).click(button="middle")
    tab.value.wait_for_selector("h1:has-text('v-02')")
    assert named(tab.value) == []
    tab.value.close()
    link(wall, room["v-01"]).focus()
    wall.keyboard.press("v")
    wall.wait_for_url(f"**/screen/{room['v-01']}?*")
    until_status(wall, "open")
    assert wall.inner_text("h1") == "v-01"
    assert named(wall) == []
    wall.keyboard.press("n")
    wall.wait_for_url(f"**/screen/{room['v-02']}?*")
    until_status(wall, "open")
    assert named(wall) == []
    wall.goto(f"{stack.url}/observe/screen/{room['v-01']}?room={ROOM}")  # as it was opened before
    wall.wait_for_url("**names=hidden*")
    wall.click("#back")
    until_live(wall, room["v-01"])
    assert wall.locator("#projector-off").is_visible()
    assert "names=" not in wall.url
    wall.click("#projector-off")
    link(wall, room["v-01"]).click()
    wall.wait_for_selector("h1:has-text('Zo')")


def test_who_sits_down_while_the_projector_zooms_is_not_named(wall, stack, room):
    link(wall, room["v-03"]).focus()
    wall.keyboard.press("p")
    link(wall, room["v-03"]).focus()
    wall.keyboard.down("z")
    assert wall.inner_text("#zoom .tile-name") == "v-03"
    seat(stack, "v-03", "lise.noel")
    try:
        wall.wait_for_selector(f'li[data-workstation="{room["v-03"]}"]:not([data-free])')
        wall.wait_for_selector("#zoom .tile-where:has-text('v-03')")
        assert "lise" not in wall.inner_text("#zoom")
    finally:
        seat(stack, "v-03", "")
        wall.keyboard.up("z")


def test_what_failed_is_told_to_the_projector_without_names(wall, stack, room):
    seat(stack, "v-04", "lise.noel")
    try:
        wall.wait_for_selector(f'li[data-workstation="{room["v-04"]}"]:not([data-free])')
        held = []
        wall.route("**/retry", lambda route: held.append(route))
        action(wall, "retry").click()
        wait_until(lambda: wall.title() and held, 5, "the call on its way")
        link(wall, room["v-01"]).focus()
        wall.keyboard.press("p")
        held.pop().abort()
        wall.click("#toasts >> text=Details")
        assert wall.inner_text("#results-list strong") == "v-04"
    finally:
        seat(stack, "v-04", "")


def seat(stack, name, login):
    """Have another student, or nobody, sit at a workstation of this room."""
    listed = json.loads(stack.eopctl("workstation", "list", "--json"))
    (one,) = [entry for entry in listed if entry["name"] == name]
    stack.eopctl(
        "workstation", "add", "--name", name, "--room", ROOM, "--vnc", one["address"],
        "--replace", *(["--user", login] if login else []),
    )  # fmt: skip


def test_what_was_said_of_the_projector_mode_leaves_with_it(wall, room):
    link(wall, room["v-01"]).focus()
    wall.keyboard.press("p")
    assert "Names are hidden." in wall.locator("#toasts").inner_text()
    wall.keyboard.press("Escape")
    assert wall.locator("#toasts").inner_text() == ""


def test_order_changes_wait_while_the_pointer_moves_over_the_wall(wall, room):
    wall.select_option("#sort", "name")
    wall.locator("#wall .tile").first.hover()
    order = "[...document.querySelectorAll('#wall .tile')].map((t) => t.dataset.workstation).join()"
    before = wall.evaluate(order)
    wall.evaluate(
        "document.getElementById('sort').value = 'attention';"
    )  # as if states had changed the order
    for _ in range(6):
        wall.mouse.move(*(value + 3 for value in centre(wall.locator("#wall .tile").first)))
        wall.wait_for_timeout(250)
        wall.mouse.move(*centre(wall.locator("#wall .tile").first))
        wall.wait_for_timeout(250)
        assert wall.evaluate(order) == before
    wall.mouse.move(2, 2)
    wait_until(lambda: wall.evaluate(order) != before, 3, "the new order")


def test_with_nothing_to_look_at_the_wall_says_that_all_is_well(wall, stack, room):
    wall.check("input[name=filter][value=attention]", force=True)
    wall.wait_for_selector(f'#wall [data-workstation="{room["v-04"]}"]')
    stack.eopctl("workstation", "remove", "v-04")
    try:
        text = wall.locator("#nothing-text")
        text.wait_for(state="visible", timeout=PATIENCE)
        assert text.inner_text() == "Nothing needs a look: all workstations are well."
        wall.fill("#search", "nobody of that name")
        wall.click("#clear")
        wall.fill("#search", "nobody of that name")
        assert text.inner_text() == "No workstation matches."
    finally:
        room["v-04"] = stack.add_workstation("v-04", Nobody, ROOM)


def test_full_screen_shows_the_wall_with_its_bar(wall):
    wall.locator("#full").click()
    until(wall, "document.fullscreenElement?.id === 'wall-page'")
    assert wall.locator("#scope-text").is_visible()
    wall.locator("#full").click()
    until(wall, "document.fullscreenElement === null")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_bar_stays_at_the_foot_of_every_window(browser, stack, room, width, theme):
    with new_page(browser, color_scheme=theme) as page:
        page.set_viewport_size({"width": width, "height": 844})
        sign_in(page, stack)
        open_wall(page, stack, room)
        box, foot = page.locator(".actions").bounding_box(), page.locator(".foot").bounding_box()
        assert box["y"] + box["height"] == pytest.approx(844 - foot["height"], abs=1)
        for name in ("view", "control", "screenshot", "retry"):
            assert action(page, name).bounding_box()["width"] >= 44
        sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(sideways) <= 0
        page.click("#more")
        menu = page.locator("#more-list").bounding_box()
        assert menu["x"] >= 0
        assert menu["x"] + menu["width"] <= width
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "more"
