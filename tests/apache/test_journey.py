"""A browser journey through apache2: sign in, see a live wall, open one screen."""

import pytest
from playwright.sync_api import sync_playwright

from tests.apache_server import ApacheServer
from tests.desktops import XvncDesktop
from tests.journeys.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.stack import Stack

PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine


@pytest.mark.journey
def test_a_teacher_watches_a_class_through_apache(tmp_path):
    with (
        Stack(workstations=0) as stack,
        XvncDesktop(tmp_path / "desktop") as desktop,
        ApacheServer(tmp_path, stack.web, stack.gateway) as apache,
        sync_playwright() as playwright,
    ):
        desktop.paint("#204080")
        number = stack.add_workstation("pc-01", desktop)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_context(locale="en-GB", ignore_https_errors=True).new_page()
        page.goto(f"{apache.origin}/")
        page.fill("input[name=username]", stack.login)
        page.fill("input[name=password]", stack.password)
        page.click("form button[data-kind=main]")
        page.click('a[href$="/observe/wall?room=S12"]')
        page.wait_for_selector('li.tile[data-fresh="live"] img[src^="blob:"]', timeout=PATIENCE)
        page.goto(f"{apache.origin}/eoleapps/eop/observe/screen/{number}")
        page.wait_for_selector('#stage[data-status="open"]', timeout=PATIENCE)
        browser.close()
