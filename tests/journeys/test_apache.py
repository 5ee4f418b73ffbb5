"""What a teacher does through apache2: one origin, one port, over TLS."""

import pytest

from tests.apache_server import ApacheServer
from tests.desktops import XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in

PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine


@pytest.fixture(scope="module")
def apache(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("apache")
    with ApacheServer(folder, stack.web, stack.gateway) as server:
        yield server


@pytest.fixture
def desktop(stack, tmp_path):
    with XvncDesktop(tmp_path) as running:
        running.paint("#204080")
        running.number = stack.add_workstation("pc-apache", running, room="S32")
        yield running


@pytest.fixture
def page(browser):
    with new_page(browser, ignore_https_errors=True) as opened:
        yield opened


def ticket_of(page, act):
    """The ticket that `page` is given when `act` is done."""
    with page.expect_response("**/api/v1/tickets", timeout=PATIENCE) as answer:
        act()
    return answer.value.json()["ticket"]


def test_a_teacher_watches_controls_and_leaves(apache, page, stack, desktop, tmp_path):
    note = tmp_path / "note.txt"
    desktop.open_note(note)
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket.url))

    sign_in(page, stack, apache.origin)
    wall = ticket_of(page, lambda: page.click('a[href$="/observe/wall?room=S32"]'))
    page.wait_for_selector('li.tile[data-fresh="live"] img[src^="data:"]', timeout=PATIENCE)

    address = f"{apache.origin}/eoleapps/eop/observe/screen/{desktop.number}?mode=control"
    screen = ticket_of(page, lambda: page.goto(address))
    page.wait_for_selector('#stage[data-mode="control"][data-status="open"]', timeout=PATIENCE)
    canvas = page.locator("#screen canvas")
    canvas.hover(position={"x": 60, "y": 60})  # without a window manager the pointer has the focus
    canvas.click(position={"x": 60, "y": 60})
    page.keyboard.type("through apache\n", delay=20)
    wait_until(lambda: note.read_text() == "through apache\n", 10, f"{note.read_text()!r}")

    assert set(sockets) == {apache.origin.replace("https", "wss") + "/websockify"}

    page.click(".me .out")
    page.wait_for_selector("input[name=password]")
    page.goto(f"{apache.origin}/eoleapps/eop/")
    page.wait_for_url(f"{apache.origin}/login?**")
    assert "/websockify" in apache.logs()
    assert not [ticket for ticket in (wall, screen) if ticket in apache.logs()]
