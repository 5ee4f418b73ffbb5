"""Enlarged four times, with larger text, in colours that the system forces, and without motion."""

import json

import pytest

from tests.journeys.conftest import CHROMIUM, CHROMIUM_FLAGS, new_page, sign_in
from tests.journeys.test_administration import add_user, enter
from tests.journeys.test_browser import PATIENCE, until_live, wall_of

LARGE_PX = 32  # twice the size of text that browsers have by themselves
# What scrolls sideways: the page, or a box in it. A plan and wide tables may, in their own box.
SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll("body *")].filter((e) =>
    e.scrollWidth > e.clientWidth && e.checkVisibility()
    && (e === document.documentElement || /auto|scroll/.test(getComputedStyle(e).overflowX))
    && !e.closest(".table-wrap, [data-view=plan], .stage"))
  .map((e) => `${e.tagName}#${e.id}.${e.className}`)
  .concat(document.documentElement.scrollWidth <= innerWidth ? []
    : [...document.querySelectorAll("body *")].filter((e) =>
      e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-wrap"))
      .slice(0, 5).map((e) => `too wide: ${e.outerHTML.slice(0, 90)}`))"""
TEACHER = ("/", "/observe/", "/observe/wall?room=S12", "/mine", "/help", "/accessibility")
ADMINISTRATOR = (
    "/admin/", "/admin/people", "/admin/people/nora", "/admin/substitutes", "/admin/screens",
    "/admin/screens/close", "/admin/policy", "/admin/audit", "/admin/import/",
)  # fmt: skip


def addresses(stack, desktops, paths=TEACHER):
    yield from (stack.url + path for path in paths)
    if paths is TEACHER:
        yield f"{stack.url}/observe/screen/{desktops['ids']['pc-01']}"
        yield stack.origin + "/account"


@pytest.fixture(scope="module")
def people(stack, desktops):
    add_user(stack, "nora", "administrator")
    return stack


@pytest.mark.parametrize("size", [(320, 256), (320, 800)], ids=["400 %", "320 px"])
def test_nothing_scrolls_sideways_at_320_pixels(browser, people, desktops, size):
    """1280 by 1024 enlarged four times are 320 by 256."""
    with new_page(browser, viewport={"width": size[0], "height": size[1]}) as page:
        page.goto(f"{people.url}/")
        assert page.evaluate(SIDEWAYS) == []
        sign_in(page, people)
        for address in addresses(people, desktops):
            page.goto(address)
            assert page.evaluate(SIDEWAYS) == [], address
        page.keyboard.press("?")
        assert page.evaluate(SIDEWAYS) == []
    with new_page(browser, viewport={"width": size[0], "height": size[1]}) as page:
        enter(page, people, "nora")
        for address in addresses(people, desktops, ADMINISTRATOR):
            page.goto(address)
            assert page.evaluate(SIDEWAYS) == [], address


def test_the_wall_can_be_used_at_four_times_its_size(browser, people, desktops):
    with new_page(browser, viewport={"width": 320, "height": 256}) as page:
        sign_in(page, people)
        page.goto(wall_of(people))
        until_live(page, desktops["ids"]["pc-01"])
        page.locator(".tile-open").first.focus()
        box = page.locator(".tile-open").first.bounding_box()
        assert box["y"] < 256, "the tile with the focus is in the window"
        page.keyboard.press("Enter")
        page.wait_for_selector('#stage[data-status="open"]', timeout=PATIENCE)
        assert page.locator("#stage").bounding_box()["height"] >= 100


@pytest.mark.parametrize("width", [640, 1280])
def test_text_twice_as_large_stays_within_the_window(browser, people, desktops, tmp_path, width):
    """The browser's own setting, which media queries follow, as a teacher would set it."""
    (tmp_path / "Default").mkdir()
    wanted = {"webkit": {"webprefs": {"default_font_size": LARGE_PX}}}
    (tmp_path / "Default/Preferences").write_text(json.dumps(wanted))
    context = browser.browser_type.launch_persistent_context(
        str(tmp_path), executable_path=CHROMIUM, args=CHROMIUM_FLAGS,
        viewport={"width": width, "height": 900}, locale="en-GB",
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{people.url}/")
    shown = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert shown == LARGE_PX
    assert page.evaluate(SIDEWAYS) == []
    sign_in(page, people)
    for address in addresses(people, desktops):
        page.goto(address)
        assert page.evaluate(SIDEWAYS) == [], address
    context.close()


CUT = """() => [...document.querySelectorAll("button, a.b, h1, h2, h3, dt, dd, summary, label")]
  .filter((e) => e.checkVisibility() && !e.closest(".tile, .vh") && !e.matches(".vh"))
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible")
  .map((e) => e.outerHTML.slice(0, 100))"""


def test_spaced_out_text_is_not_cut(browser, people, desktops):
    """WCAG 1.4.12: lines, letters and words further apart lose nothing."""
    with new_page(browser) as page:
        sign_in(page, people)
        for address in addresses(people, desktops):
            page.goto(address)
            page.evaluate(
                """() => { for (const e of document.querySelectorAll("body *")) {
                  e.style.lineHeight = "1.5"; e.style.letterSpacing = "0.12em";
                  e.style.wordSpacing = "0.16em"; } }"""
            )
            assert page.evaluate(CUT) == [], address
            assert page.evaluate(SIDEWAYS) == [], address


def test_forced_colours_keep_the_focus_and_what_is_chosen_in_sight(browser, people, desktops):
    with new_page(browser, forced_colors="active") as page:
        sign_in(page, people)
        page.goto(wall_of(people))
        until_live(page, desktops["ids"]["pc-01"])
        page.locator(".tile-open").first.focus()
        page.keyboard.press("ArrowRight")
        ringed = page.locator(".tile:has(> .tile-open:focus)")
        assert ringed.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        chosen = page.locator(".seg label:has(:checked)").first
        other = page.locator(".seg label:not(:has(:checked))").first
        ground = "e => getComputedStyle(e).backgroundColor"
        assert chosen.evaluate(ground) != other.evaluate(ground)
        chosen.locator("input").focus()
        page.keyboard.press("ArrowRight")
        reached = page.locator(".seg label:has(:focus-visible)")
        assert reached.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("?")
        on = page.locator('#help button[value="on"]')
        off = page.locator('#help button[value="off"]')
        assert on.evaluate(ground) != off.evaluate(ground), "what is pressed stands out"


def test_where_less_motion_is_asked_for_nothing_fades_or_turns(browser, people):
    with new_page(browser, reduced_motion="reduce") as page:
        sign_in(page, people)
        for path in TEACHER:
            page.goto(people.url + path)
            moving = """() => [...document.querySelectorAll("*")].filter((e) => {
              const style = getComputedStyle(e);
              return style.transitionProperty !== "none"
                && Number.parseFloat(style.transitionDuration) > 0;
            }).map((e) => e.outerHTML.slice(0, 80))"""
            assert page.evaluate(moving) == [], path
            assert page.evaluate("document.getAnimations().length") == 0, path
