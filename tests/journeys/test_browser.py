"""What a teacher does and sees, in a real browser, over real desktops."""

import os
import signal
import time

import pytest

from tests.desktops import XvncDesktop, wait_until
from tests.journeys.conftest import sign_in

PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine
PICTURE = "e => e.naturalWidth > 0 && e.offsetWidth > 0"


@pytest.fixture(scope="module")
def browser(whole_chromium):
    return whole_chromium


def wall_of(stack, room="S12"):
    return f"{stack.url}/observe/wall?room={room}"


def tile(page, workstation):
    return page.locator(f'li.tile[data-workstation="{workstation}"]')


def until_live(page, workstation, timeout=PATIENCE):
    page.wait_for_selector(
        f'li.tile[data-workstation="{workstation}"][data-fresh="live"] img[src^="data:"]',
        timeout=timeout,
    )


def until_status(page, status, timeout=PATIENCE):
    page.wait_for_selector(f'#stage[data-status="{status}"]', timeout=timeout)


def process_of(stack, program):
    """Which of the stack's processes ends its command line so, if any."""
    lines = stack.processes().items()
    return next((pid for pid, line in lines if line.strip().endswith(program)), None)


def gateway_of(stack):
    return process_of(stack, "-m controle_vnc.gateway")


def test_the_wall_shows_both_kinds_of_desktop_live_with_their_age(signed_in, stack, desktops):
    signed_in.click('a[href$="/observe/wall?room=S12"]')
    for name in ("pc-01", "pc-02"):
        number = desktops["ids"][name]
        until_live(signed_in, number)
        shown = tile(signed_in, number)
        assert shown.locator("img").evaluate(PICTURE)
        assert shown.locator(".tile-age").inner_text() in {"0 s", "1 s", "2 s", "3 s"}
        assert shown.locator(".tile-state").inner_text() in {"Live", "Viewed"}


def test_a_still_desktop_stays_live(signed_in, stack, desktops):
    signed_in.goto(wall_of(stack))
    number = desktops["ids"]["pc-01"]
    until_live(signed_in, number)
    end = time.monotonic() + 8
    while time.monotonic() < end:
        assert tile(signed_in, number).get_attribute("data-fresh") == "live"
        signed_in.wait_for_timeout(250)


def test_the_wall_filters_searches_and_is_walked_by_keyboard(signed_in, stack, desktops):
    signed_in.goto(wall_of(stack))
    for number in desktops["ids"].values():
        until_live(signed_in, number)
    signed_in.keyboard.press("/")
    signed_in.keyboard.type("pc-02")
    signed_in.wait_for_selector(
        f'li.tile[data-workstation="{desktops["ids"]["pc-01"]}"]', state="detached"
    )
    signed_in.fill("#search", "no such place")
    signed_in.click("#clear")
    signed_in.locator("li.tile .tile-open").first.focus()
    signed_in.keyboard.press("ArrowRight")
    focused = signed_in.evaluate("document.activeElement.closest('.tile').dataset.workstation")
    assert focused == desktops["ids"]["pc-02"]
    signed_in.keyboard.press("Enter")
    until_status(signed_in, "open")
    assert desktops["ids"]["pc-02"] in signed_in.url


@pytest.mark.parametrize("name", ["pc-01", "pc-02"])
def test_typing_reaches_the_desktop_under_control_and_not_under_view(
    signed_in, stack, desktops, tmp_path, name
):
    note = tmp_path / "note.txt"
    desktops[name].open_note(note)
    signed_in.goto(f"{stack.url}/observe/screen/{desktops['ids'][name]}")
    until_status(signed_in, "open")
    canvas = signed_in.locator("#screen canvas")
    canvas.click(position={"x": 60, "y": 60})
    signed_in.keyboard.type("typed at rest\n")  # no shortcut of the page
    signed_in.check("input[name=mode][value=control]", force=True)
    signed_in.wait_for_selector('#stage[data-mode="control"][data-status="open"]', timeout=PATIENCE)
    canvas.hover(position={"x": 60, "y": 60})  # without a window manager the pointer has the focus
    canvas.click(position={"x": 60, "y": 60})
    signed_in.keyboard.type("under control\n", delay=20)
    wait_until(lambda: note.read_text() == "under control\n", 10, f"typed: {note.read_text()!r}")


def test_leaving_the_keyboard_of_a_controlled_screen(signed_in, stack, desktops):
    signed_in.goto(f"{stack.url}/observe/screen/{desktops['ids']['pc-01']}?mode=control")
    signed_in.wait_for_selector('#stage[data-mode="control"][data-status="open"]', timeout=PATIENCE)
    for key in ("Control", "Alt", "Shift"):
        signed_in.keyboard.down(key)
    for key in ("Shift", "Alt", "Control"):
        signed_in.keyboard.up(key)
    assert signed_in.evaluate("document.activeElement.id") == "full"


def test_a_killed_desktop_is_told_on_its_tile_and_comes_back(signed_in, stack, tmp_path):
    with XvncDesktop(tmp_path) as desktop:
        desktop.paint("#664422")
        number = stack.add_workstation("pc-fall", desktop, room="S31")
        signed_in.goto(wall_of(stack, "S31"))
        until_live(signed_in, number)
        desktop.kill()
        signed_in.wait_for_selector(
            f'li.tile[data-workstation="{number}"][data-fresh="void"]', timeout=5000
        )
        assert tile(signed_in, number).get_attribute("data-state") in {"refused", "offline"}
        tile(signed_in, number).locator(".tile-act").click()
        assert signed_in.locator("#advice-cause").inner_text()
        signed_in.click("#advice-close")
        desktop.start()
        until_live(signed_in, number, timeout=10_000)


def test_signing_out_closes_an_open_screen_in_another_tab(signed_in, stack, desktops):
    signed_in.goto(f"{stack.url}/observe/screen/{desktops['ids']['pc-01']}")
    until_status(signed_in, "open")
    other = signed_in.context.new_page()
    other.goto(stack.url + "/")
    other.click(".me .out")
    signed_in.wait_for_selector('#stage:not([data-status="open"])', timeout=1000)
    until_status(signed_in, "ended", timeout=3000)
    assert "session has ended" in signed_in.locator("#stage-text").inner_text()


def test_the_wall_goes_on_when_the_gateway_was_killed_and_opens_again(signed_in, stack, desktops):
    number = desktops["ids"]["pc-01"]
    signed_in.goto(wall_of(stack))
    until_live(signed_in, number)
    killed = gateway_of(stack)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: gateway_of(stack) not in {None, killed}, 10, "another gateway")
    until_live(signed_in, number)
    assert signed_in.locator("#link-note").is_hidden()
    signed_in.reload()
    until_live(signed_in, number)


def test_the_wall_comes_back_after_controle_vnc_was_killed(signed_in, stack, desktops):
    number = desktops["ids"]["pc-01"]
    signed_in.goto(wall_of(stack))
    until_live(signed_in, number)
    os.kill(process_of(stack, "-m controle_vnc"), signal.SIGKILL)
    signed_in.wait_for_selector("#link-note", state="visible", timeout=5000)
    assert "Trying again in" in signed_in.locator("#link-text").inner_text()
    signed_in.wait_for_selector("#link-note", state="hidden", timeout=20_000)
    until_live(signed_in, number)


def test_the_door_and_the_wall_speak_french(browser, stack, desktops):
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(stack.url + "/")
    assert page.locator("h1").inner_text() == "Connexion"
    sign_in(page, stack)
    page.goto(wall_of(stack))
    number = desktops["ids"]["pc-01"]
    until_live(page, number)
    assert tile(page, number).locator(".tile-state").inner_text() in {"En direct", "Regardé"}
    context.close()


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_pages_never_scroll_sideways(signed_in, stack, desktops, width):
    signed_in.set_viewport_size({"width": width, "height": 844})
    screen = f"{stack.url}/observe/screen/{desktops['ids']['pc-01']}"
    for address in (stack.url + "/", stack.url + "/observe/", wall_of(stack), screen):
        signed_in.goto(address)
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert signed_in.evaluate(overflow) <= 0, address


def test_a_refused_password_is_tried_again_at_the_press_of_a_button(stack, signed_in, tmp_path):
    with XvncDesktop(tmp_path) as desktop:
        desktop.password = "notright"
        identifier = stack.add_workstation("pc-again", desktop, room="S24")
        signed_in.goto(wall_of(stack, "S24"))
        refused = f'li.tile[data-workstation="{identifier}"][data-state="wrong_password"]'
        signed_in.wait_for_selector(refused, timeout=PATIENCE)
        desktop.set_password("notright")
        signed_in.click(f"{refused} .tile-act button, {refused} button.tile-act")
        signed_in.click("#advice-retry")
        until_live(signed_in, identifier)
