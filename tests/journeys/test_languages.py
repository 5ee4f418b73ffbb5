"""The console in each of its languages: wholly, kept for its user, and with room for long words."""

import getpass

import pytest

from eop.languages import LANGUAGES, NAMES
from tests.desktops import free_port
from tests.journeys.conftest import new_page
from tests.journeys.test_administration import add_user, enter
from tests.journeys.test_browser import until_live, until_status, wall_of
from tests.journeys.visible_words import english_left
from tests.stack import Stack

BROWSERS = {"fr": "fr-CA", "en": "en-GB", "pl": "pl-PL", "ru": "ru-RU"}
LONG = ("pl", "ru")  # about a sixth longer than English and French
DOOR = {"fr": "Connexion", "en": "Sign in", "pl": "Zaloguj się", "ru": "Войти"}
DATA = (
    "lena olga marta local zoe martin Zoé Martin malo colin Malo Colin",
    getpass.getuser(),  # who gave commands, in the audit
    "eopctl controle-vnc CSV JSON Lines Chromium Chrome Linux HeadlessChrome",
    "Tight ZRLE Hextile",  # names of encodings, as the protocol calls them
)
ADMINISTRATION = ("", "people", "people/lena", "policy", "audit", "import/", "screens",
                  "screens/close", "substitutes")  # fmt: skip

# labels that are cut off, and pages that are wider than their window
CUT = """() => {
  const labels = [...document.querySelectorAll(".b, .tool, .act, .seg label, .quick a, .chip, th")];
  const cut = labels.filter((e) => e.checkVisibility() && e.clientWidth > 0 &&
    getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1);
  const out = labels.filter((e) => {
    const box = e.getBoundingClientRect();
    return e.checkVisibility() && box.width > 1 && !e.closest(".table-wrap, .wall-tools")
      && (box.right > innerWidth + 1 || box.left < -1);
  });
  const wide = document.documentElement.scrollWidth - innerWidth;
  return [...cut.map((e) => "cut: " + e.innerText), ...out.map((e) => "outside: " + e.innerText),
    ...(wide > 0 ? ["page: " + wide] : [])];
}"""

# sections of the administration that run over the page beside their list
BEYOND = """() => {
  const right = document.querySelector(".side").getBoundingClientRect().right + 1;
  return [...document.querySelectorAll(".side a")].filter((e) =>
    e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > right)
    .map((e) => e.innerText);
}"""


@pytest.fixture(scope="module")
def people(stack, desktops):
    """Teachers and an administrator who chose no language, and a workstation that is off."""
    for login, role in (("lena", "teacher"), ("marta", "teacher"), ("olga", "administrator")):
        grants = ("--room", "*", "--class", "*") if role == "teacher" else ()
        add_user(stack, login, role, *grants)
    stack.eopctl(
        "workstation", "add", "--name", "pc-99", "--room", "S99",
        "--vnc", f"127.0.0.1:{free_port()}",
    )  # fmt: skip
    yield stack
    stack.eopctl("workstation", "remove", "pc-99")


def is_whole(page, language, *names, of_settings=False):
    left = english_left(page, language, *DATA, *Stack.named, *names, of_settings=of_settings)
    assert not left, f"{page.url}: {sorted(left)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_teacher_works_wholly_in_one_language(browser, people, desktops, language):
    with new_page(browser, locale=BROWSERS[language]) as page:
        page.goto(f"{people.url}/")
        assert page.locator("form button[data-kind=main]").inner_text() == DOOR[language]
        is_whole(page, language)
        enter(page, people, "lena")
        is_whole(page, language)
        page.goto(wall_of(people))
        until_live(page, desktops["ids"]["pc-01"])
        is_whole(page, language)
        page.locator(f'li.tile[data-workstation="{desktops["ids"]["pc-01"]}"] a').first.click()
        until_status(page, "open")
        is_whole(page, language)
        page.check("input[name=mode][value=control]", force=True)
        page.wait_for_selector('#stage[data-mode="control"][data-status="open"]')
        is_whole(page, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_wrong_is_told_in_the_language_of_the_page(browser, people, language):
    with new_page(browser, locale=BROWSERS[language]) as page:
        enter(page, people, "lena")
        page.goto(wall_of(people, "S99"))
        page.wait_for_selector('li.tile[data-fresh="void"] .tile-act')
        is_whole(page, language)
        page.locator("li.tile .tile-act").first.click()
        page.wait_for_selector("#advice[open]")
        is_whole(page, language)
        for path in ("mine", "nothing-here", "observe/", "observe/wall?room=nowhere"):
            page.goto(f"{people.url}/{path}")
            is_whole(page, language)
        page.goto(f"{people.origin}/account")
        is_whole(page, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_administration_is_whole_too(browser, people, language):
    everybody = people.eopctl("user", "list", "--json")
    with new_page(browser, locale=BROWSERS[language]) as page:
        enter(page, people, "olga")
        for path in ADMINISTRATION:
            page.goto(f"{people.url}/admin/{path}")
            is_whole(page, language, everybody)
            assert not path or page.evaluate(BEYOND) == [], path
        page.goto(f"{people.url}/admin/settings")
        is_whole(page, language, of_settings=True)
        assert page.locator("main [lang]").count() == 0  # nothing that is_whole passes over
        assert page.evaluate(BEYOND) == []


def test_a_language_chosen_in_the_banner_stays_on_every_machine(browser, people):
    with new_page(browser) as page:
        enter(page, people, "marta")
        page.locator("details.menu > summary").first.click()
        page.get_by_role("button", name=NAMES["pl"]).click()
        page.wait_for_selector('html[lang="pl"]')
        page.locator(".me .out").click()
        page.wait_for_selector('html[lang="pl"]')
        is_whole(page, "pl")
        page.goto(f"{people.origin}/login")
        is_whole(page, "pl")  # the door remembers it in this browser
        page.get_by_role("link", name=NAMES["ru"]).click()
        page.wait_for_selector('html[lang="ru"]')
    with new_page(browser, locale="fr-FR") as elsewhere:
        enter(elsewhere, people, "marta")
        assert elsewhere.evaluate("document.documentElement.lang") == "pl"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", LONG)
def test_long_words_are_neither_cut_nor_widen_a_page(browser, people, desktops, language, width):
    size = {"width": width, "height": 800}
    with new_page(browser, locale=BROWSERS[language], viewport=size) as page:
        page.goto(f"{people.origin}/login")
        assert page.evaluate(CUT) == []
        enter(page, people, "lena")
        screen = f"{people.url}/observe/screen/{desktops['ids']['pc-01']}?room=S12"
        pages = {
            f"{people.url}/": "h1",
            wall_of(people): 'li.tile[data-fresh="live"]',
            wall_of(people, "S99"): 'li.tile[data-fresh="void"]',
            screen: '#stage[data-status="open"]',
            f"{people.origin}/account": "h1",
            f"{people.url}/mine": "h1",
        }
        for address, sign in pages.items():
            page.goto(address)
            page.wait_for_selector(sign)
            assert page.evaluate(CUT) == [], address
