"""What every journey shares: one running product, real desktops, one browser."""

import contextlib

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.desktops import X11vncDesktop, XvncDesktop, missing_programs
from tests.stack import Stack

CHROMIUM = "/usr/bin/chromium"
HEADLESS = "/usr/bin/chromium-headless-shell"
"""The same engine without the windows around it, whose own pages cost more than a journey's."""

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
]  # fmt: skip


def pytest_collection_modifyitems(items):
    for item in items:
        if "/journeys/" in str(item.fspath):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def stack():
    assert not missing_programs(), f"install {missing_programs()}"
    with Stack() as running:
        yield running


@pytest.fixture(scope="session")
def desktops(stack, tmp_path_factory):
    """An Xvnc and an x11vnc in room S12, registered; `desktops["pc-01"]`, `.ids`."""
    folder = tmp_path_factory.mktemp("desktops")
    with XvncDesktop(folder / "one") as first, X11vncDesktop(folder / "two") as second:
        first.paint("#204080")
        second.paint("#208040")
        ids = {
            "pc-01": stack.add_workstation("pc-01", first, user="zoe.martin"),
            "pc-02": stack.add_workstation("pc-02", second, user="malo.colin"),
        }
        yield {"pc-01": first, "pc-02": second, "ids": ids}


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright):
    with launched(playwright, HEADLESS) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def whole_chromium(playwright: Playwright):
    """Chromium as people have it, for the journeys whose file takes it as its `browser`."""
    with launched(playwright, CHROMIUM) as chromium:
        yield chromium


@contextlib.contextmanager
def launched(playwright: Playwright, program: str):
    chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Browser):
    with new_page(browser) as opened:
        yield opened


@contextlib.contextmanager
def new_page(browser: Browser, **options: object):
    """A new, English, 1280 px page that fails the test on any error of script or policy."""
    usual = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}}
    context = browser.new_context(**usual | options)
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            troubles.append(message.text)
            if "Content Security Policy" in message.text or "Refused to" in message.text
            else None
        ),
    )
    yield opened
    context.close()
    assert not troubles, troubles


@pytest.fixture
def signed_in(page, stack):
    """`page`, signed in as the demonstration teacher, at home."""
    sign_in(page, stack)
    return page


def sign_in(page, stack, origin=None):
    address = f"{origin or stack.origin}/eoleapps/eop/"
    page.goto(address)
    page.fill("input[name=username]", stack.login)
    page.fill("input[name=password]", stack.password)
    page.click("form button[data-kind=main]")
    page.wait_for_url("**/eoleapps/eop/**")
