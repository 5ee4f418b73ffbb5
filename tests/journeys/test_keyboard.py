"""The console without a mouse: the whole way, a focus that is always seen, help, and its switch."""

import pytest

from tests.desktops import XvncDesktop
from tests.journeys.conftest import new_page
from tests.journeys.test_browser import PATIENCE, until_live, until_status, wall_of

MOST_TABS = 60  # more than any page of these has stops
LEAST_TARGET = 24  # CSS pixels, WCAG 2.5.8

# What has the focus: how it is called, and whether one sees it: a ring round it or its label,
# inside the window, and nothing over it.
FOCUSED = """() => {
  const e = document.activeElement;
  if (e === null || e === document.body) { return null; }
  const marked = [e, e.closest("label"), e.closest(".tile-check"), e.closest(".tile")]
    .filter((one) => one !== null);
  const ring = marked.some((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
  });
  const box = e.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 12)];
  const inside = x >= 0 && y >= 0 && x <= innerWidth && y <= innerHeight;
  const over = inside ? document.elementFromPoint(x, y) : null;
  const covered = over !== null && !marked.some((one) => one.contains(over) || over.contains(one));
  return {
    name: (e.getAttribute("aria-label") ?? e.innerText ?? e.name ?? e.id ?? "").trim(),
    what: `${e.tagName.toLowerCase()}#${e.id}.${e.className}`, ring, inside, covered,
  };
}"""


def focused(page):
    """What has the focus, which one must see."""
    found = page.evaluate(FOCUSED)
    if found is not None:
        assert found["ring"], f"no ring round {found}"
        assert found["inside"], f"outside the window: {found}"
        assert not found["covered"], f"something is over {found}"
    return found


def tab_to(page, selector):
    """Press Tab until something that fits has the focus; every stop on the way is seen."""
    stops = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        stops.append(focused(page))
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return stops
    raise AssertionError(f"Tab never reaches {selector}, only {stops}")


@pytest.fixture
def by_keys(page, stack, desktops):
    """`page` on the wall, reached by the keyboard alone."""
    page.goto(f"{stack.url}/")
    page.wait_for_selector("input[name=username]:focus")
    page.keyboard.type(stack.login)
    tab_to(page, "input[name=password]")
    page.keyboard.type(stack.password)
    page.keyboard.press("Enter")
    page.wait_for_url(stack.url + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    focused(page)
    page.keyboard.press("Enter")
    tab_to(page, 'main a[href$="/observe/wall?room=S12"]')
    page.keyboard.press("Enter")
    for number in desktops["ids"].values():
        until_live(page, number)
    return page


def test_from_signing_in_to_signing_out(by_keys, stack, desktops):
    page = by_keys
    tab_to(page, ".tile-open")
    first = page.evaluate("document.activeElement.href")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.href") != first
    page.keyboard.press("Home")
    assert page.evaluate("document.activeElement.href") == first
    focused(page)
    page.keyboard.press("Enter")
    until_status(page, "open")
    tab_to(page, "#back")
    page.keyboard.press("Enter")
    until_live(page, desktops["ids"]["pc-01"])
    tab_to(page, ".me .out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login**")
    assert page.evaluate("document.activeElement.name") == "username"


def test_the_focus_goes_through_the_wall_in_the_order_of_the_page(by_keys):
    page = by_keys
    page.reload()
    page.wait_for_selector('li.tile[data-fresh="live"]', timeout=PATIENCE)
    seen = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => ["header", ".lesson", ".wall-tools", "#wall", "#attention", "footer"]
                 .find((one) => document.activeElement.closest(one)) ?? "" """
        )
        if place and place not in seen:
            seen.append(place)
        if place == "footer":
            break
    assert seen == [
        one for one in ("header", ".lesson", ".wall-tools", "#wall", "footer") if one in seen
    ]
    assert {"header", ".wall-tools", "#wall", "footer"} <= set(seen)
    assert page.locator('.tile-open[tabindex="0"]').count() == 1, "the wall is one stop"


def test_one_screen_has_no_trap_while_it_is_viewed(by_keys, stack, desktops):
    page = by_keys
    page.goto(f"{stack.url}/observe/screen/{desktops['ids']['pc-01']}")
    until_status(page, "open")
    tab_to(page, "#full")
    tab_to(page, "footer a")


def test_the_help_opens_by_its_key_and_its_button_and_gives_the_focus_back(by_keys):
    page = by_keys
    tab_to(page, ".tile-open")
    tile = page.evaluate("document.activeElement.href")
    page.keyboard.press("?")
    page.wait_for_selector("dialog#help[open]")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    told = page.locator("#help").inner_text()
    assert "On the wall" in told
    assert "On one screen" not in told
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.href") == tile
    page.locator(".me [data-help]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#help[open]")
    page.locator("#help-close").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#help", state="hidden")
    assert page.evaluate("document.activeElement.hasAttribute('data-help')")


def test_letters_are_switched_off_for_the_user_and_on_again(by_keys, stack):
    page = by_keys
    page.keyboard.press("?")
    page.click('#help button[value="off"]')
    page.wait_for_selector('#help button[value="off"][aria-pressed="true"]')
    page.click("#help-close")
    here = page.url

    def presses_do_nothing():
        page.locator(".tile-open").first.focus()
        for key in ("?", "/", "v", "c", "g", "h"):
            page.keyboard.press(key)
        assert page.locator("dialog[open]").count() == 0
        assert page.evaluate("document.activeElement.className") == "tile-open"
        assert page.url == here

    presses_do_nothing()
    page.reload()
    page.wait_for_selector('li.tile[data-fresh="live"]', timeout=PATIENCE)
    presses_do_nothing()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.className") == "tile-open"
    page.goto(f"{stack.url}/help")
    page.click('main button[name="single_keys"][value="on"]')
    page.wait_for_selector('main button[value="on"][aria-pressed="true"]')
    page.goto(here)
    page.keyboard.press("?")
    page.wait_for_selector("dialog#help[open]")


def test_g_and_a_letter_lead_elsewhere_and_typing_them_does_not(by_keys, stack):
    page = by_keys
    page.fill("#search", "")
    page.keyboard.type("gh?")
    assert page.input_value("#search") == "gh?"
    page.fill("#search", "")
    page.locator(".tile-open").first.focus()
    for letter, address in (("h", "/"), ("w", "/observe/"), ("m", "/mine")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(stack.url + address)
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.keyboard.press("h")
    assert page.url == f"{stack.url}/mine", "administration is not a teacher's"


def test_the_way_out_of_what_to_do_leads_back_to_the_tile(stack, signed_in, tmp_path):
    page = signed_in
    with XvncDesktop(tmp_path) as desktop:
        number = stack.add_workstation("pc-keys", desktop, room="S52")
        page.goto(wall_of(stack, "S52"))
        until_live(page, number)
        desktop.kill()
        page.wait_for_selector(".tile-act", timeout=PATIENCE)
        tab_to(page, "button.tile-act")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog#advice[open]")
        focused(page)
        page.keyboard.press("Escape")
        assert "tile-act" in page.evaluate("document.activeElement.className")
        desktop.start()
        page.wait_for_selector(".tile-open:focus", timeout=PATIENCE)


def test_a_menu_of_the_banner_gives_the_focus_back(by_keys):
    page = by_keys
    tab_to(page, ".me summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.menu-list') !== null")
    focused(page)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


# Everything that can be pressed and is smaller than a finger or an unsure hand can hit. Links
# within a sentence may be as high as its line; a label belongs to its box.
SMALL = """(least) => [...document.querySelectorAll(
    "a[href], button, summary, select, input:not([type=hidden]), textarea, [tabindex='0']")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => !e.matches(".skip, .soft-text, p a, li > a, td a, th a, dd a"))
  .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.width < least || box.height < least))
  .map(([e, box]) => `${e.outerHTML.slice(0, 90)} is ${box.width} x ${box.height}`)"""


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_one_presses_is_smaller_than_24_pixels(browser, stack, desktops, width):
    size = {"width": width, "height": 844}
    with new_page(browser, viewport=size) as page:
        page.goto(f"{stack.url}/")
        assert page.evaluate(SMALL, LEAST_TARGET) == []
        page.fill("input[name=username]", stack.login)
        page.fill("input[name=password]", stack.password)
        page.keyboard.press("Enter")
        page.wait_for_url(stack.url + "/")
        screen = f"/observe/screen/{desktops['ids']['pc-01']}"
        for path in ("/", "/observe/", "/observe/wall?room=S12", screen, "/mine", "/help"):
            page.goto(stack.url + path)
            assert page.evaluate(SMALL, LEAST_TARGET) == [], path
        page.goto(stack.origin + "/account")
        assert page.evaluate(SMALL, LEAST_TARGET) == []
