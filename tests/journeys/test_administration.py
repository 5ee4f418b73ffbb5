"""What an administrator does, and what teachers see of it at that moment."""

import time
from datetime import date

import pytest
from websockets.exceptions import ConnectionClosed

from tests.desktops import wait_until
from tests.journeys.conftest import new_page
from tests.journeys.test_browser import PATIENCE, until_live, until_status, wall_of
from tests.wall_client import WallClient

PASSWORD = "correct horse battery"
CLOSED = "An administrator has closed all screens."
CLOSE_MS = 1500  # a second is promised; the rest is the browser's and this machine's


def add_user(stack, login, role, *grants):
    secret = stack.folder / "people.txt"
    secret.write_text(PASSWORD + "\n")
    stack.eopctl("user", "add", login, "--role", role, "--password-file", str(secret), *grants)


@pytest.fixture(scope="module")
def people(stack, desktops):
    """An administrator, and a teacher to whom nothing that exists was given."""
    add_user(stack, "carla", "administrator")
    add_user(stack, "substitute", "teacher", "--room", "S99")
    yield stack
    stack.eopctl("screens", "open")  # others watch on this product


@pytest.fixture
def boss(browser, people):
    with new_page(browser) as page:
        enter(page, people, "carla")
        yield page


def enter(page, stack, login):
    page.goto(f"{stack.url}/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[data-kind=main]")
    page.wait_for_url("**/eoleapps/eop/**")


def is_closed_within(browser, seconds):
    """Whether the server closes this WebSocket in time."""
    deadline = time.monotonic() + seconds
    try:
        while True:
            browser.recv(max(0.01, deadline - time.monotonic()))
    except ConnectionClosed:
        return True
    except TimeoutError:
        return False


def test_all_screens_close_at_once_say_why_and_come_back(signed_in, people, desktops, boss):
    number = desktops["ids"]["pc-01"]
    signed_in.goto(wall_of(people))
    until_live(signed_in, number)
    screen = signed_in.context.new_page()
    screen.goto(f"{people.url}/observe/screen/{number}")
    until_status(screen, "open")
    boss.goto(f"{people.url}/admin/screens")
    boss.click("text=Close all screens…")

    def counted():  # what others looked at before has closed
        boss.reload()
        return "screens 1, walls 1" in boss.inner_text("main")

    wait_until(counted, 5, "the screen and the wall of this journey alone")
    boss.click("main button[data-kind=danger]")
    signed_in.wait_for_selector("#link-note", state="visible", timeout=CLOSE_MS)
    assert CLOSED in signed_in.inner_text("#link-text")
    assert signed_in.locator(f'li.tile[data-workstation="{number}"] img[src^="data:"]').count() == 0
    screen.wait_for_selector(f"#stage-text:has-text({CLOSED!r})", timeout=CLOSE_MS)
    assert screen.locator("#last").is_hidden()
    assert CLOSED in boss.inner_text("main .closed-note")
    signed_in.reload()
    signed_in.wait_for_selector(f"#link-text:has-text({CLOSED!r})", timeout=PATIENCE)
    boss.click("main button[data-kind=main]")
    until_live(signed_in, number)
    until_status(screen, "open")
    assert signed_in.locator("#link-note").is_hidden()


def test_a_substitute_gets_a_room_for_today_and_sees_its_wall(browser, people, desktops, boss):
    with new_page(browser) as page:
        enter(page, people, "substitute")
        page.goto(wall_of(people))
        assert "You were not given this room or class" in page.inner_text("main")
        boss.goto(f"{people.url}/admin/substitutes")
        boss.fill("#login", "substitute")
        boss.check("input[name=rooms][value=S12]")
        boss.click("form button[data-kind=main]")
        assert f"{date.today():%-d %b %Y}" in boss.inner_text("table")
        page.goto(f"{people.url}/")
        page.click('a[href$="/observe/wall?room=S12"]')
        until_live(page, desktops["ids"]["pc-01"])
        boss.click("table button")
        page.wait_for_selector(
            "#link-text:has-text('You were not given this room or class.')", timeout=3000
        )
        assert page.locator("li.tile img[src^='data:']").count() == 0


def test_a_changed_grant_ends_walls_and_screens_within_a_second(people, desktops):
    add_user(people, "narrow", "teacher", "--room", "S12")
    api = people.sign_in("narrow", PASSWORD)
    wall = api.open(kind="wall", room="S12")
    WallClient(wall).event("snapshot")
    screen = api.open(kind="screen", workstation=desktops["ids"]["pc-01"], mode="view")
    assert screen.recv(5)
    add_user(people, "narrow", "teacher", "--room", "S99", "--replace")
    assert is_closed_within(wall, 1)
    assert is_closed_within(screen, 1)
    again = people.sign_in("narrow", PASSWORD)
    assert again.post("tickets", {"kind": "wall", "room": "S12"}).status_code == 403


def test_the_command_closes_screens_and_the_wall_is_told_so(people, desktops):
    api = people.sign_in()
    wall = api.open(kind="wall", room="S12")
    client = WallClient(wall)
    client.event("snapshot")
    people.eopctl("screens", "close")
    try:
        assert client.event("bye", 1)["code"] == "switched_off"
        refused = api.post("tickets", {"kind": "wall", "room": "S12"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "switched_off")
    finally:
        people.eopctl("screens", "open")
    api.open(kind="wall", room="S12").close()


def test_an_end_of_a_grant_closes_what_is_open_by_it(people, desktops):
    """The clock of the whole product cannot be moved: the grant is made to end by its row."""
    from eop.database import Database
    from eop.directory.tables import temporary_grant

    people.eopctl("substitute", "add", "substitute", "--room", "S12")
    api = people.sign_in("substitute", PASSWORD)
    wall = api.open(kind="wall", room="S12")
    WallClient(wall).event("snapshot")
    database = Database(f"sqlite:///{people.home}/var/lib/eop/eop.db")
    with database.write() as connection:
        connection.execute(temporary_grant.update().values(until_at=int(time.time() * 1000)))
    database.close()
    assert is_closed_within(wall, 3)
    assert api.post("tickets", {"kind": "wall", "room": "S12"}).status_code == 403
    assert api.get("session").status_code == 200
    wait_until(lambda: "S12" not in people.eopctl("substitute", "list"), 3, "the end of the grant")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_the_administration_never_scroll_sideways(boss, people, width):
    boss.set_viewport_size({"width": width, "height": 844})
    for path in ("people", "people/carla", "substitutes", "screens", "screens/close", "policy"):
        boss.goto(f"{people.url}/admin/{path}")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert boss.evaluate(overflow) <= 0, path
