"""A room as it stands: its plan is arranged by mouse, finger and keyboard, for every teacher."""

import re

import pytest
from playwright.sync_api import expect

from tests.desktops import XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in

PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine
NAMES = [f"pc-{number:02d}" for number in range(1, 7)]
USUAL = dict(zip(NAMES, ("1,1", "2,1", "3,1", "1,2", "2,2", "3,2"), strict=True))
OTHER, OTHER_PASSWORD = "lucie.roux", "another horse battery"


@pytest.fixture(scope="module")
def rooms(stack, tmp_path_factory):
    """`room(name)`: a new room with six workstations, all of them one desktop; another teacher."""
    folder = tmp_path_factory.mktemp("plan")
    secret = folder / "password.txt"
    secret.write_text(OTHER_PASSWORD + "\n")
    secret.chmod(0o600)
    stack.eopctl("user", "add", OTHER, "--role", "teacher", "--display-name", "M. Roux",
                 "--password-file", str(secret))  # fmt: skip
    with XvncDesktop(folder / "desktop") as desktop:
        desktop.paint("#5a3da5")

        def room(name):
            for number in NAMES:
                room.add(f"{name}-{number}", name)
            return name

        room.add = lambda name, place: stack.add_workstation(name, desktop, room=place)
        yield room


def open_plan(page, stack, room):
    page.goto(f"{stack.url}/observe/wall?room={room}")
    page.wait_for_selector('li.tile[data-fresh="live"] img[src^="data:"]', timeout=PATIENCE)
    page.check("input[name=layout][value=plan]", force=True)
    expect(page.locator("#wall")).to_have_attribute("data-view", "plan")


def edit(page):
    page.click("#plan-edit")
    page.wait_for_selector("#wall-page[data-editing]")


def tile(page, room, number):
    told = page.locator(".tile-open > .vh", has_text=f"{room}-{number},")
    return page.locator("li.tile", has=told)


def places(page, room):
    """Workstation → "place,row" as a screen reader is told it."""
    found = {}
    for number in NAMES:
        words = tile(page, room, number).locator(".tile-place").text_content()
        match = re.fullmatch(r"Place (\d+), row (\d+)", words)
        found[number] = f"{match[1]},{match[2]}" if match else words
    return found


def where(page, room, number):
    """The cell of the picture, as it is seen: from its box, not from its words."""
    box = tile(page, room, number).bounding_box()
    return round(box["x"]), round(box["y"])


def drag(page, start, end):
    a, b = start.bounding_box(), end.bounding_box()
    page.mouse.move(a["x"] + a["width"] / 2, a["y"] + a["height"] / 2)
    page.mouse.down()
    page.mouse.move(b["x"] + b["width"] / 3, b["y"] + b["height"] / 3, steps=8)
    page.mouse.move(b["x"] + b["width"] / 2, b["y"] + b["height"] / 2, steps=2)
    page.mouse.up()


def test_places_are_dragged_and_another_teacher_sees_the_plan(signed_in, stack, rooms, browser):
    room = rooms("P1")
    page = signed_in
    open_plan(page, stack, room)
    assert places(page, room) == USUAL
    edit(page)
    drag(page, tile(page, room, "pc-01"), tile(page, room, "pc-06"))
    expect(page.locator("#say")).to_have_text(f"Place 3, row 2. Changed places with {room}-pc-06.")
    assert places(page, room) == USUAL | {"pc-01": "3,2", "pc-06": "1,1"}
    page.click('button[data-grow="rows"][data-by="1"]')
    drag(page, tile(page, room, "pc-02"), page.locator('.seat[data-column="2"][data-row="3"]'))
    page.click('button[data-after="1"]')
    page.click("#plan-save")
    expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
    wanted = USUAL | {"pc-01": "3,2", "pc-06": "1,1", "pc-02": "2,3"}
    assert places(page, room) == wanted
    left, right = where(page, room, "pc-06"), where(page, room, "pc-01")
    assert left[0] < right[0]
    assert left[1] < right[1]
    assert page.locator(".seat").count() == 3  # a thin outline where nobody stands
    assert page.url.endswith(f"wall?room={room}")  # no press on a tile has opened its screen
    with new_page(browser) as other:
        sign_in_as_other(other, stack)
        open_plan(other, stack, room)
        assert places(other, room) == wanted
        assert other.locator(".aisle").count() == 1
        expect(other.locator(".desk")).to_have_text("Teacher’s desk")
        for number in NAMES:
            expect(tile(other, room, number)).to_have_attribute("data-fresh", "live")


def sign_in_as_other(page, stack):
    page.goto(f"{stack.origin}/eoleapps/eop/")
    page.fill("input[name=username]", OTHER)
    page.fill("input[name=password]", OTHER_PASSWORD)
    page.click("form button[data-kind=main]")
    page.wait_for_url("**/eoleapps/eop/**")


def test_a_plan_on_its_way_stays_as_it_was_sent(signed_in, stack, rooms):
    room, page, held = rooms("P9"), signed_in, []
    open_plan(page, stack, room)
    edit(page)
    drag(page, tile(page, room, "pc-01"), tile(page, room, "pc-06"))
    sent = USUAL | {"pc-01": "3,2", "pc-06": "1,1"}
    page.route(
        "**/plan",
        lambda route: held.append(route) if route.request.method == "PUT" else route.continue_(),
    )
    cancel = page.locator("#plan-cancel").bounding_box()
    page.click("#plan-save")
    wait_until(lambda: page.title() and held, 5, "the plan on its way")
    page.mouse.click(cancel["x"] + 5, cancel["y"] + 5)
    drag(page, tile(page, room, "pc-02"), tile(page, room, "pc-03"))
    tile(page, room, "pc-02").locator(".tile-open").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+z")
    tile(page, room, "pc-02").locator(".tile-open").click()
    assert places(page, room) == sent
    page.evaluate("document.activeElement.blur()")
    held.pop().abort()
    expect(page.locator("#plan-note")).to_contain_text("The plan is not saved")
    assert page.evaluate("document.activeElement.id") == "plan-save"
    page.unroute("**/plan")
    page.keyboard.press("Enter")
    expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
    assert places(page, room) == sent


def test_what_has_no_place_yet_stands_in_the_order_of_its_numbers(signed_in, stack, rooms):
    room, page = rooms("P10"), signed_in
    open_plan(page, stack, room)
    edit(page)
    page.click("#plan-save")
    expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
    rooms.add(f"{room}-pc-10", room)
    rooms.add(f"{room}-pc-9", room)
    for number in ("pc-9", "pc-10"):
        expect(tile(page, room, number).locator(".tile-place")).to_have_text("Not placed yet")
    assert where(page, room, "pc-9")[0] < where(page, room, "pc-10")[0]


def test_places_are_moved_with_the_keyboard_alone_and_said_aloud(signed_in, stack, rooms):
    room = rooms("P2")
    page = signed_in
    open_plan(page, stack, room)
    page.locator("#plan-edit").focus()
    page.keyboard.press("Enter")
    said = page.locator("#say")
    expect(said).to_have_text("You are changing the seating plan.")
    page.keyboard.press("Tab")  # from pc-01, which has the focus, to pc-02
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(f"Place 3, row 1. Changed places with {room}-pc-03.")
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("Place 3, row 2")
    page.keyboard.press("ArrowDown")
    expect(said).to_have_text("The plan ends here.")
    page.keyboard.press("v")  # not the key that opens a screen now
    page.keyboard.press("Control+z")
    expect(said).to_have_text("Undone.")
    assert places(page, room) == USUAL | {"pc-02": "3,1", "pc-03": "2,1"}
    page.keyboard.press("Delete")
    expect(said).to_have_text(f"{room}-pc-02 is off the plan.")
    expect(page.locator(".unplaced")).to_have_text("Not placed yet: 1")
    page.keyboard.press("ArrowLeft")
    expect(said).to_have_text("Place 3, row 1")
    page.locator("#plan-save").press("Enter")
    expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
    wanted = USUAL | {"pc-02": "3,1", "pc-03": "2,1"}
    page.reload()  # this browser remembers that it likes the plan
    page.wait_for_selector('#wall[data-view="plan"] li.tile .tile-place', state="attached")
    expect(page.locator("li.tile .tile-place")).to_have_count(6)
    assert places(page, room) == wanted
    page.locator("li.tile a").first.focus()
    for key, number in (("ArrowDown", "pc-04"), ("ArrowRight", "pc-05"), ("ArrowUp", "pc-03")):
        page.keyboard.press(key)
        assert f"{room}-{number}," in page.evaluate("document.activeElement.textContent")
    page.check("input[name=layout][value=grid]", force=True)
    labels = page.locator("li.tile a").all_text_contents()
    order = [re.search(r"pc-\d\d", label)[0] for label in labels]
    assert order == ["pc-01", "pc-03", "pc-02", "pc-04", "pc-05", "pc-06"]  # sorted by place


def test_who_saves_an_older_plan_is_told_and_chooses(signed_in, stack, rooms, browser):
    room = rooms("P3")
    page = signed_in
    open_plan(page, stack, room)
    with new_page(browser) as other:
        sign_in_as_other(other, stack)
        open_plan(other, stack, room)
        edit(page)
        edit(other)
        other.locator("li.tile a").first.press("ArrowRight")
        other.click("#plan-save")
        expect(other.locator("#plan-note")).to_contain_text("The plan is saved")
        page.locator("li.tile a").first.press("ArrowDown")
        page.click("#plan-save")
        note = page.locator("#plan-note")
        expect(note).to_contain_text("M. Roux saved this plan at")
        expect(note).to_contain_text("Yours is not saved.")
        assert places(page, room) == USUAL | {"pc-01": "1,2", "pc-04": "1,1"}  # still there
        page.click("text=Save mine instead")
        expect(note).to_contain_text("The plan is saved")
        edit(other)  # begins with the newest
        assert places(other, room) == USUAL | {"pc-01": "1,2", "pc-04": "1,1"}
        other.click("#plan-cancel")
        note.locator("button", has_text="Undo").click()
        expect(note).to_contain_text("The plan is again as it was.")
        assert places(page, room) == USUAL


def test_a_finger_moves_places_on_a_small_screen(stack, rooms, browser):
    room = rooms("P4")
    with new_page(browser, has_touch=True) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        sign_in(page, stack)
        open_plan(page, stack, room)
        edit(page)
        tile(page, room, "pc-01").tap()
        tile(page, room, "pc-02").tap()
        assert places(page, room) == USUAL | {"pc-01": "2,1", "pc-02": "1,1"}
        touch_drag(page, tile(page, room, "pc-02"), tile(page, room, "pc-04"))
        wanted = USUAL | {"pc-01": "2,1", "pc-02": "1,2", "pc-04": "1,1"}
        assert places(page, room) == wanted
        page.tap("#plan-save")
        expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
        assert places(page, room) == wanted
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def touch_drag(page, start, end):
    a, b = start.bounding_box(), end.bounding_box()
    finger = page.context.new_cdp_session(page)

    def touch(kind, *points):
        touches = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    x, y = a["x"] + a["width"] / 2, a["y"] + a["height"] / 2
    right = (b["x"] + b["width"] / 2 - x) / 8
    down = (b["y"] + b["height"] / 2 - y) / 8
    touch("touchStart", (x, y))
    for step in range(1, 9):
        touch("touchMove", (x + right * step, y + down * step))
    touch("touchEnd")


def test_the_class_sees_the_plan_from_its_side_and_new_ones_wait(signed_in, stack, rooms, tmp_path):
    room = rooms("P5")
    page = signed_in
    open_plan(page, stack, room)
    edit(page)
    page.click("#plan-save")
    expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
    top = where(page, room, "pc-01")
    page.click("#plan-turn")
    assert places(page, room)["pc-01"] == "3,2"
    desk = page.locator(".desk").bounding_box()
    assert desk["y"] < where(page, room, "pc-06")[1] < where(page, room, "pc-01")[1]
    assert where(page, room, "pc-01") != top
    page.click("#plan-turn")
    with XvncDesktop(tmp_path) as desktop:
        stack.add_workstation(f"{room}-pc-99", desktop, room=room)
        newcomer = tile(page, room, "pc-99")
        newcomer.wait_for(timeout=PATIENCE)
        expect(newcomer.locator(".tile-place")).to_have_text("Not placed yet")
        expect(page.locator(".unplaced")).to_have_text("Not placed yet: 1")
        desk = page.locator(".desk").bounding_box()
        assert newcomer.bounding_box()["y"] > desk["y"]
        edit(page)
        page.click('button[data-arrange="number"]')
        expect(newcomer.locator(".tile-place")).to_have_text("Place 1, row 3")
        page.click("#plan-cancel")
        expect(page.locator("#plan-note")).to_contain_text("dropped")
        page.locator("#plan-note button").click()
        page.click("#plan-save")
        expect(newcomer.locator(".tile-place")).to_have_text("Place 1, row 3")


def test_a_class_that_sits_in_one_room_has_its_plan(signed_in, stack, rooms, tmp_path):
    room = rooms("P6")
    page = signed_in
    stack.eopctl("class", "add", "P6-class", "--users", "p6.one,p6.two")
    with XvncDesktop(tmp_path) as desktop:
        first = stack.add_workstation(f"{room}-a", desktop, room=room, user="p6.one")
        open_plan(page, stack, room)
        edit(page)
        page.click("#plan-save")
        expect(page.locator("#plan-note")).to_contain_text("The plan is saved")
        page.goto(f"{stack.url}/observe/wall?class=P6-class")
        sits = page.locator(f'li.tile[data-workstation="{first}"]')
        expect(sits.locator(".tile-place")).to_have_text("Place 1, row 1", timeout=PATIENCE)
        assert page.locator(".seat").count() == 7  # of four by two places
        expect(page.locator("#plan-edit")).to_be_hidden()
        stack.add_workstation(f"{room}-b", desktop, room="elsewhere", user="p6.two")
        expect(page.locator("li.tile")).to_have_count(2, timeout=PATIENCE)
        expect(page.locator("input[name=layout][value=plan]")).to_be_disabled()
        expect(page.locator("#wall")).not_to_have_attribute("data-view", "plan")
        expect(page.locator("#sort")).to_be_visible()
