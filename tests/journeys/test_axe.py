"""axe-core finds nothing on any page of the console, in any theme, on a wide window and a phone."""

import re
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest

from tests.axe import problems_in_every_theme
from tests.desktops import XvncDesktop
from tests.journeys.conftest import new_page, sign_in
from tests.journeys.test_browser import PATIENCE, until_live, until_status, wall_of

pytestmark = pytest.mark.timeout(400)  # a page takes axe a second, on a busy machine four

PASSWORD = "correct horse battery"
SIZES = {"wide": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
MOST_PAGES = 60  # a crawl that finds more goes round in circles
MOST_SIBLINGS = 2  # pages of one kind, such as those of two people


@pytest.fixture(scope="module")
def people(stack, desktops):
    """An administrator, a student, someone who must change the password; a broken workstation."""
    secret = stack.folder / "axe.txt"
    secret.write_text(PASSWORD + "\n")
    for login, role in (("axel", "administrator"), ("ada", "student")):
        stack.eopctl("user", "add", login, "--role", role, "--password-file", str(secret))
    stack.eopctl(
        "user", "add", "max", "--role", "teacher", "--password-file", str(secret), "--change"
    )
    stack.add_workstation("pc-off", XvncDesktop(stack.folder / "off"), room="S51")
    return stack


@pytest.fixture(params=SIZES)
def opened(request, browser):
    """`opened(login)`: a page of that width that asks for less motion, signed in as `login`."""
    contexts = []

    def of(stack, login=None):
        context = new_page(browser, viewport=SIZES[request.param], reduced_motion="reduce")
        contexts.append(context)
        page = context.__enter__()
        if login == stack.login:
            sign_in(page, stack)
        elif login:
            enter(page, stack, login)
        return page

    yield of
    for context in contexts:
        context.__exit__(None, None, None)


def enter(page, stack, login, password=PASSWORD):
    page.goto(f"{stack.url}/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", password)
    page.click("form button[data-kind=main]")


def assert_clean(page, where=""):
    found = problems_in_every_theme(page, where)
    assert not found, "\n".join(found)


def kind_of(address):
    """What makes two addresses pages of one kind: the path, and the names in the query."""
    parts = urlsplit(address)
    return parts.path, tuple(sorted(name for name, _ in parse_qsl(parts.query)))


def pages_from(page, start):
    """Every page that links lead to from `start`, each visited once; one after the other."""
    waiting, known, siblings = [start], {kind_of(start)}, {}
    visited = 0
    while waiting:
        address = waiting.pop(0)
        answer = page.context.request.get(address)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        visited += 1
        assert visited <= MOST_PAGES, waiting
        page.goto(address)
        yield address
        for link in page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)"):
            link = urljoin(page.url, link).split("#")[0]
            parts = urlsplit(link)
            folder = parts.path.rsplit("/", 1)[0]
            if parts.netloc != urlsplit(start).netloc or kind_of(link) in known:
                continue
            if parts.path.startswith("/logout"):
                continue
            if folder.count("/") >= 4:  # below /eoleapps/eop/admin/people, and the like
                siblings[folder] = siblings.get(folder, 0) + 1
                if siblings[folder] > MOST_SIBLINGS:
                    continue
            known.add(kind_of(link))
            waiting.append(link)


def test_the_door_and_what_is_seen_signed_out(opened, people):
    page = opened(people)
    page.goto(f"{people.url}/")
    assert_clean(page)
    page.fill("input[name=username]", "nobody")
    page.fill("input[name=password]", "wrong")
    page.click("form button[data-kind=main]")
    page.wait_for_selector("#login-error")
    assert_clean(page, "the door, refused")
    for path in ("/accessibility", "/nowhere"):
        page.goto(people.url + path)
        assert_clean(page)
    enter(page, people, "max")
    page.wait_for_url("**/login/step")
    assert_clean(page, "a password to change")


def test_what_a_student_sees(opened, people):
    page = opened(people, "ada")
    page.wait_for_url("**/eleve/documents")
    for address in (page.url, f"{people.url}/mine"):
        page.goto(address)
        assert_clean(page)


def test_every_page_of_an_administrator(opened, people):
    page = opened(people, "axel")
    page.wait_for_url(people.url + "/")
    found, seen = [], set()
    for address in pages_from(page, f"{people.url}/"):
        seen.add(urlsplit(address).path.removeprefix("/eoleapps/eop"))
        found += problems_in_every_theme(page)
    assert not found, "\n".join(found)
    for path in ("/", "/help", "/accessibility", "/mine", "/observe/", "/admin/", "/account"):
        assert path in seen
    assert any(re.fullmatch("/admin/people/.+", path) for path in seen)


def test_the_question_before_signing_out_and_before_screens_close(opened, people):
    page = opened(people, "axel")
    for address in (
        people.origin + "/logout",
        f"{people.url}/admin/screens/close",
        f"{people.url}/admin/policy?user=ada&action=view&kind=room&name=S12",
        f"{people.url}/admin/policy?user=nobody-such&action=view",
        f"{people.url}/observe/wall?room=no-such-room",
    ):
        page.goto(address)
        assert_clean(page)


def test_the_wall_with_live_tiles_and_its_menus_and_dialogs(opened, people, desktops):
    page = opened(people, people.login)
    page.goto(wall_of(people))
    for number in desktops["ids"].values():
        until_live(page, number)
    assert_clean(page, "the wall")
    page.keyboard.press("?")
    page.wait_for_selector("dialog#help[open]")
    for how in page.locator("#help details").all():
        how.evaluate("e => { e.open = true; }")
    assert_clean(page, "the help of the wall")
    page.keyboard.press("Escape")
    for menu in page.locator(".banner details").all():
        if menu.is_visible():
            menu.locator("summary").first.click()
            assert_clean(page, "a menu of the banner")
            page.keyboard.press("Escape")
    page.fill("#search", "no such student")
    page.wait_for_selector("#nothing", state="visible")
    assert_clean(page, "a wall where nothing matches")


def test_a_wall_whose_workstation_is_off_and_what_to_do(opened, people):
    page = opened(people, "axel")
    page.goto(wall_of(people, "S51"))
    page.wait_for_selector('li.tile[data-fresh="void"] .tile-act', timeout=PATIENCE)
    assert_clean(page, "a wall with a workstation that is off")
    page.click(".tile-act")
    page.wait_for_selector("dialog#advice[open]")
    assert_clean(page, "what to do")


def test_one_screen_viewed_and_controlled(opened, people, desktops):
    page = opened(people, people.login)
    page.goto(f"{people.url}/observe/screen/{desktops['ids']['pc-01']}")
    until_status(page, "open")
    assert_clean(page, "a screen that is viewed")
    page.check("input[name=mode][value=control]", force=True)
    page.wait_for_selector('#stage[data-mode="control"][data-status="open"]', timeout=PATIENCE)
    assert_clean(page, "a screen that is controlled")
    for menu in page.locator(".tool-menu").all():
        if menu.is_visible():
            menu.locator("summary").click()
            assert_clean(page, "a menu of the screen")
            menu.locator("summary").press("Escape")
