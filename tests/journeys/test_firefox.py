"""The main path in Debian's Firefox: the door, a live tile, one screen, its keyboard."""

import json
import shutil

import pytest

from tests.bidi import ENTER, FIREFOX, Firefox
from tests.desktops import wait_until

PATIENCE = 20  # s; Firefox without a graphics card on a busy machine


@pytest.fixture(scope="module")
def firefox():
    if shutil.which(FIREFOX) is None:
        pytest.skip(f"{FIREFOX} is not installed (Debian: apt-get install {FIREFOX})")
    with Firefox() as running:
        yield running


@pytest.fixture(scope="module")
def inside(firefox, stack):
    """Signed in, at home, by typing into the page."""
    firefox.go(f"{stack.url}/")
    assert firefox.evaluate("document.activeElement.name") == "username"
    firefox.type(stack.login)
    firefox.click("input[name=password]")
    firefox.type(stack.password + ENTER)
    firefox.wait_for("location.pathname === '/eoleapps/eop/' && document.title", PATIENCE)
    return firefox


def test_a_teacher_signs_in_and_sees_a_live_tile(inside, stack, desktops):
    inside.go(f"{stack.url}/")
    inside.click('main a[href$="/observe/wall?room=S12"]')
    tile = f"li.tile[data-workstation='{desktops['ids']['pc-01']}']"
    live = json.dumps(f"{tile}[data-fresh=live] img[src^='data:']")
    inside.wait_for(f"document.querySelector({live})?.naturalWidth > 0", PATIENCE)
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_one_screen_opens_and_is_controlled(inside, stack, desktops, tmp_path):
    note = tmp_path / "note.txt"
    desktops["pc-01"].open_note(note)
    inside.go(f"{stack.url}/observe/screen/{desktops['ids']['pc-01']}?mode=control")
    opened = '#stage[data-status="open"][data-mode="control"] canvas'
    inside.wait_for(f"document.querySelector({json.dumps(opened)})?.width > 0", PATIENCE)
    inside.click("#screen canvas")
    inside.type("from Firefox\n".replace("\n", ENTER))
    wait_until(lambda: note.read_text() == "from Firefox\n", 10, f"typed: {note.read_text()!r}")


def test_the_help_opens_by_its_key(inside, stack):
    inside.go(f"{stack.url}/")
    inside.type("?")
    inside.wait_for("document.querySelector('dialog#help').open", PATIENCE)
