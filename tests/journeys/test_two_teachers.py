"""Two teachers at one screen: each reads who controls it, and is asked before both of them do."""

import pytest

from tests.desktops import XvncDesktop, wait_until
from tests.journeys.conftest import new_page
from tests.journeys.test_administration import add_user, enter
from tests.journeys.test_browser import PATIENCE, tile, until_live, until_status, wall_of

ROOM = "S52"
IN_CONTROL = '#stage[data-mode="control"][data-status="open"]'


@pytest.fixture(scope="module")
def number(stack, tmp_path_factory):
    add_user(stack, "vidal", "teacher", "--display-name", "Mme Vidal", "--room", ROOM)
    with XvncDesktop(tmp_path_factory.mktemp("both")) as desktop:
        desktop.paint("#335577")
        yield stack.add_workstation("pc-both", desktop, ROOM)


@pytest.fixture
def vidal(browser, stack, number):
    """The page of Mme Vidal, who controls the screen."""
    with new_page(browser) as page:
        enter(page, stack, "vidal")
        page.goto(f"{stack.url}/observe/screen/{number}?mode=control")
        page.wait_for_selector(IN_CONTROL, timeout=PATIENCE)
        yield page


def test_the_wall_says_who_controls_and_that_it_is_oneself(
    signed_in, browser, stack, vidal, number
):
    signed_in.goto(wall_of(stack, ROOM))
    until_live(signed_in, number)
    band = tile(signed_in, number).locator(".band")
    wait_until(lambda: band.inner_text() == "Controlled by Mme Vidal", 10, "her name on the tile")
    assert "Controlled by Mme Vidal" in tile(signed_in, number).locator(".vh").first.text_content()
    signed_in.locator(f'[data-workstation="{number}"] .tile-open').focus()
    signed_in.keyboard.press("p")
    assert "Vidal" not in signed_in.locator("main").inner_text()
    with new_page(browser) as second:
        enter(second, stack, "vidal")
        second.goto(wall_of(stack, ROOM))
        until_live(second, number)
        own = tile(second, number).locator(".band")
        wait_until(lambda: own.inner_text() == "Controlled by you", 10, "oneself on the tile")


def test_who_wants_control_too_is_told_and_asked_first(signed_in, stack, vidal, number):
    signed_in.goto(f"{stack.url}/observe/screen/{number}")
    until_status(signed_in, "open")
    signed_in.wait_for_selector("#others", state="visible", timeout=PATIENCE)
    assert signed_in.inner_text("#others").strip() == "Controlled by Mme Vidal"
    signed_in.locator("#modes label", has_text="Control").click()
    signed_in.wait_for_selector("#others-ask", state="visible", timeout=PATIENCE)
    assert "Mme Vidal controls this screen." in signed_in.inner_text("#others-ask")
    signed_in.keyboard.press("Escape")
    assert signed_in.is_checked("input[name=mode][value=view]")
    assert signed_in.get_attribute("#stage", "data-mode") == "view"
    signed_in.goto(f"{stack.url}/observe/screen/{number}?mode=control")
    signed_in.wait_for_selector("#others-ask", state="visible", timeout=PATIENCE)
    until_status(signed_in, "open")
    assert signed_in.get_attribute("#stage", "data-mode") == "view"
    signed_in.click("#others-control")
    signed_in.wait_for_selector(IN_CONTROL, timeout=PATIENCE)
    vidal.wait_for_selector("#others", state="visible", timeout=PATIENCE)
    vidal.locator("#modes label", has_text="View").click()
    signed_in.wait_for_selector("#others", state="hidden", timeout=PATIENCE)
