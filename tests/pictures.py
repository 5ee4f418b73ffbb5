"""Takes the picture of a wall in the README: `python -m tests.pictures`."""

from playwright.sync_api import sync_playwright

from tests.journeys.conftest import CHROMIUM, CHROMIUM_FLAGS, sign_in
from tests.stack import ROOT, Stack

DESKTOPS = 18
SIZE = {"width": 1440, "height": 860}


def main() -> None:
    with Stack(workstations=DESKTOPS) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_context(locale="en-GB", viewport=SIZE).new_page()
        sign_in(page, stack)
        page.goto(f"{stack.url}/observe/wall?room=S12")
        page.locator("li.tile[data-fresh=live]").nth(DESKTOPS // 2 - 1).wait_for(timeout=30_000)
        page.wait_for_timeout(8000)  # until the typists have something to show
        page.screenshot(path=str(ROOT / "docs/pictures/wall.png"))
        browser.close()


if __name__ == "__main__":
    main()
