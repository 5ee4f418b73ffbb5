"""A teacher looks at one screen as it was a moment ago; who was looked at reads it."""

import contextlib
import json
import sqlite3
import time

import pytest

from tests.desktops import XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in
from tests.journeys.test_administration import add_user, enter
from tests.journeys.test_browser import PATIENCE, until_live, until_status, wall_of

ROOM = "S51"
RED, GREEN, BLUE = (170, 51, 17), (17, 170, 51), (51, 17, 170)
SEEN_MS = 3000  # so long a colour stays, to be found with a slider of whole seconds
NEAR = 30  # of 255: what JPEG makes of a colour
PAST = """() => {
  const picture = document.querySelector("#rewound-picture");
  if (picture.hidden || !picture.complete || picture.naturalWidth === 0) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""
LIVE = """() => {
  const canvas = document.querySelector("#screen canvas");
  return [...canvas.getContext("2d").getImageData(5, 5, 1, 1).data].slice(0, 3);
}"""


def is_near(seen, colour):
    return seen is not None and all(
        abs(one - other) < NEAR for one, other in zip(seen, colour, strict=True)
    )


def paint(desktop, colour):
    desktop.paint("#{:02x}{:02x}{:02x}".format(*colour))


@pytest.fixture(scope="module")
def desktop(stack, tmp_path_factory):
    """A desktop in a room of its own, where nothing is switched on."""
    with XvncDesktop(tmp_path_factory.mktemp("rewind")) as made:
        made.number = stack.add_workstation("pc-back", made, room=ROOM, user="yann.back")
        yield made


@pytest.fixture
def kept(stack, desktop):
    """The same, with the last minutes kept."""
    stack.eopctl("room", "set", ROOM, "rewind", "on")
    yield desktop
    stack.eopctl("room", "set", ROOM, "rewind", "off")


@pytest.fixture
def wall(browser, stack, kept):
    """Another teacher's open wall of the room."""
    with new_page(browser) as page:
        sign_in(page, stack)
        page.goto(wall_of(stack, ROOM))
        until_live(page, kept.number)
        yield page


def times(page, stack, number):
    answer = page.request.get(f"{stack.url}/api/v1/workstations/{number}/rewind")
    assert answer.status == 200, answer.text()
    return answer.json()


def shown_for_a_while(page, stack, desktop, colour):
    """Paint, and wait until pictures of that colour span three seconds; their middle (ms)."""
    before = times(page, stack, desktop.number)
    paint(desktop, colour)

    def spans():
        told = times(page, stack, desktop.number)
        last = told["pictures"][-1] if told["pictures"] else None
        if last is None or last["at"] <= before["now"] or told["now"] - last["at"] < SEEN_MS:
            return None
        return last["at"] + SEEN_MS // 2

    return wait_until(spans, 15, f"{colour} for {SEEN_MS} ms")


def look(page, stack, number):
    page.goto(f"{stack.url}/observe/screen/{number}")
    until_status(page, "open")


def slide_to(page, moment):
    """Move the slider to a moment of the server's clock, which is this machine's."""
    seconds = round((time.time() * 1000 - moment) / 1000)
    page.locator("#rewind-slider").evaluate(
        """(slider, value) => {
          slider.value = value;
          slider.dispatchEvent(new Event("input", {bubbles: true}));
        }""",
        -seconds,
    )


def until_past(page, colour):
    wait_until(lambda: is_near(page.evaluate(PAST), colour), 10, f"{colour} of some time ago")


def events(stack):
    with contextlib.closing(sqlite3.connect(stack.home / "var/lib/eop/eop.db")) as database:
        rows = database.execute("SELECT details FROM audit WHERE kind = 'rewind_looked'").fetchall()
    return [json.loads(text) for (text,) in rows]


def test_the_screen_of_a_moment_ago_is_shown_while_the_live_one_goes_on(
    signed_in, stack, kept, wall
):
    red = shown_for_a_while(wall, stack, kept, RED)
    green = shown_for_a_while(wall, stack, kept, GREEN)
    look(signed_in, stack, kept.number)
    signed_in.wait_for_selector("#rewind", state="visible", timeout=PATIENCE)
    assert signed_in.locator("#rewound").is_hidden()
    assert signed_in.inner_text("#rewind-kept").endswith(" s kept")
    slide_to(signed_in, red)
    until_past(signed_in, RED)
    assert "Picture of the wall, enlarged" in signed_in.inner_text("#rewound")
    ago = signed_in.inner_text("#rewound-ago")
    assert ago.startswith("0:")
    assert ago.endswith(" ago")
    assert signed_in.get_attribute("#rewind-slider", "aria-valuetext").endswith(" ago")
    paint(kept, BLUE)
    wait_until(lambda: is_near(signed_in.evaluate(LIVE), BLUE), 10, "blue beneath, live")
    assert is_near(signed_in.evaluate(PAST), RED)
    slide_to(signed_in, green)
    until_past(signed_in, GREEN)
    signed_in.click("text=Back to live")
    signed_in.wait_for_selector("#rewound", state="hidden")
    assert signed_in.evaluate("document.activeElement.id") == "rewind-slider"
    assert signed_in.get_attribute("#rewind-slider", "aria-valuetext") == "Live"


def test_by_keyboard_and_where_nothing_was_captured(signed_in, stack, kept, wall):
    shown_for_a_while(wall, stack, kept, RED)
    look(signed_in, stack, kept.number)
    signed_in.wait_for_selector("#rewind", state="visible", timeout=PATIENCE)
    signed_in.focus("#rewind-slider")
    signed_in.keyboard.press("ArrowLeft")
    signed_in.keyboard.press("ArrowLeft")
    until_past(signed_in, RED)
    signed_in.keyboard.press("Home")
    signed_in.wait_for_selector("#rewound-nothing", state="visible")
    assert signed_in.locator("#rewound-picture").is_hidden()
    assert signed_in.inner_text("#rewind-say") == "Nothing was captured at that time."
    end = time.monotonic() + 4  # the oldest moment moves on, and who looks at it with it
    while time.monotonic() < end:
        assert signed_in.locator("#rewound-nothing").is_visible()
        assert signed_in.inner_text("#rewound-ago") in {"4:57 ago", "4:58 ago"}
        signed_in.wait_for_timeout(250)
    signed_in.keyboard.press("Escape")
    signed_in.wait_for_selector("#rewound", state="hidden")
    signed_in.keyboard.press("ArrowLeft")
    signed_in.wait_for_selector("#rewound", state="visible")
    signed_in.keyboard.press("End")
    signed_in.wait_for_selector("#rewound", state="hidden")


def test_nothing_is_kept_of_a_screen_that_no_wall_shows(signed_in, stack, kept):
    look(signed_in, stack, kept.number)
    signed_in.wait_for_selector("#rewind", state="visible", timeout=PATIENCE)
    paint(kept, GREEN)
    wait_until(lambda: is_near(signed_in.evaluate(LIVE), GREEN), 10, "green, live")
    assert times(signed_in, stack, kept.number)["pictures"] == []
    assert signed_in.inner_text("#rewind-kept") == "Nothing is kept yet"


def test_an_administrator_switches_it_on_and_off_and_the_watched_reads_who_looked(
    signed_in, browser, stack, desktop
):
    look(signed_in, stack, desktop.number)
    assert signed_in.locator("#rewind").count() == 0
    add_user(stack, "claude", "administrator")
    add_user(stack, "yann.back", "student")
    with new_page(browser) as boss, new_page(browser) as wall, new_page(browser) as yann:
        enter(boss, stack, "claude")
        boss.goto(f"{stack.url}/admin/")
        boss.click("text=The last five minutes")
        boss.click(f"text=Switch on in room {ROOM}")
        boss.wait_for_selector("text=From now on the last five minutes are kept in this room.")
        sign_in(wall, stack)
        wall.goto(wall_of(stack, ROOM))
        until_live(wall, desktop.number)
        red = shown_for_a_while(wall, stack, desktop, RED)
        signed_in.reload()
        signed_in.wait_for_selector("#rewind", state="visible", timeout=PATIENCE)
        before = len(events(stack))
        slide_to(signed_in, red)
        until_past(signed_in, RED)
        (told,) = events(stack)[before:]
        assert (told["workstation"], told["watched"]) == ("pc-back", "yann.back")
        assert told["from"] <= red <= told["to"]
        enter(yann, stack, "yann.back")
        yann.goto(f"{stack.url}/mine")
        assert "looked back at the screen" in yann.inner_text("main")
        boss.click(f"text=Switch off in room {ROOM}")
        boss.wait_for_selector("text=what was kept is forgotten")
        signed_in.wait_for_selector("#rewound", state="hidden", timeout=PATIENCE)
        signed_in.wait_for_selector("#rewind", state="hidden", timeout=PATIENCE)


def seat(stack, desktop, login):
    stack.eopctl(
        "workstation", "add", "--name", "pc-back", "--room", ROOM, "--vnc", desktop.address,
        "--user", login, "--replace",
    )  # fmt: skip


def test_who_sits_down_next_leaves_nothing_of_the_one_before(signed_in, stack, kept, wall):
    shown_for_a_while(wall, stack, kept, GREEN)
    assert times(signed_in, stack, kept.number)["pictures"]
    seat(stack, kept, "lise.back")
    assert times(signed_in, stack, kept.number)["pictures"] == []
    seat(stack, kept, "yann.back")


def test_a_page_that_is_left_goes_back_to_live_by_itself(signed_in, stack, kept):
    signed_in.clock.install()
    look(signed_in, stack, kept.number)
    signed_in.wait_for_selector("#rewind", state="visible", timeout=PATIENCE)
    signed_in.focus("#rewind-slider")
    signed_in.keyboard.press("ArrowLeft")
    signed_in.wait_for_selector("#rewound", state="visible")
    signed_in.clock.fast_forward(170_000)
    signed_in.mouse.move(200, 200)
    signed_in.clock.fast_forward(20_000)
    assert signed_in.locator("#rewound").is_visible()
    signed_in.clock.fast_forward(170_000)
    signed_in.wait_for_selector("#rewound", state="hidden")
    assert signed_in.inner_text("#rewind-say") == "Live"
    asked = []
    signed_in.on("request", lambda request: "/rewind" in request.url and asked.append(request.url))
    signed_in.clock.run_for(5000)
    assert asked == []


def test_a_page_out_of_sight_goes_back_to_live(signed_in, stack, kept):
    look(signed_in, stack, kept.number)
    signed_in.wait_for_selector("#rewind", state="visible", timeout=PATIENCE)
    signed_in.focus("#rewind-slider")
    signed_in.keyboard.press("ArrowLeft")
    signed_in.wait_for_selector("#rewound", state="visible")
    signed_in.evaluate(
        """() => {  // as another tab would have it, which a browser without a window never does
          Object.defineProperty(document, "hidden", { configurable: true, value: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    assert signed_in.locator("#rewound").is_hidden()
