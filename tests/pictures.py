"""Takes the pictures in docs/pictures, in light and in dark: `python -m tests.pictures [NAME …]`.

NAME is `wall`, `plan`, `screen`, `home`, `documents`, `passwords`, `admin` or `login`; without one
all are taken.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.conftest import CHROMIUM, CHROMIUM_FLAGS, sign_in
from tests.stack import ROOT, Stack

DESKTOPS = 18
SIZE = {"width": 1440, "height": 860}
SETTLE_MS = 8000  # until the typists have something to show
COLOURS = 256  # a palette: a third of the size, and no eye sees it
FOLDER = ROOT / "docs/pictures"
NAMES = ("wall", "plan", "screen", "home", "documents", "passwords", "admin", "login")
ADMINISTRATOR, HEAD_TEACHER = "nadia.roux", "claire.morel"
CLASS, REFERENCE = "3eB", "Rédaction n° 3"
JOB_MS = 60_000


def main(names: list[str]) -> int:
    """Take them; 2 for a name it does not know."""
    if set(names) - set(NAMES):
        print(__doc__, file=sys.stderr)
        return 2
    with Stack(workstations=DESKTOPS) as stack, sync_playwright() as playwright:
        secret = str(password_file(stack))
        stack.eopctl("user", "add", ADMINISTRATOR, "--display-name", "Nadia Roux", "--role",
                     "administrator", "--password-file", secret)  # fmt: skip
        stack.eopctl("user", "add", HEAD_TEACHER, "--display-name", "Claire Morel", "--role",
                     "head_teacher", "--class", CLASS, "--password-file", secret)  # fmt: skip
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for scheme in ("light", "dark"):
            for name in names or NAMES:
                if take(browser, stack, name, scheme) is None:
                    print(f"{name}: this console has no such view", file=sys.stderr)
        browser.close()
    return 0


def password_file(stack: Stack) -> Path:
    path = stack.folder / "password.txt"
    path.write_text(stack.password + "\n")
    path.chmod(0o600)
    return path


def take(browser: Browser, stack: Stack, name: str, scheme: str) -> Path | None:
    """One picture; nothing where the console has no such view."""
    context = browser.new_context(locale="en-GB", viewport=SIZE, color_scheme=scheme)
    page = context.new_page()
    shown = VIEWS[name](page, stack)
    path = FOLDER / (f"{name}.png" if scheme == "light" else f"{name}-{scheme}.png")
    if shown:
        page.mouse.move(0, 0)
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    context.close()
    return path if shown else None


def login(page: Page, stack: Stack) -> bool:
    page.goto(f"{stack.url}/")
    return True


def home(page: Page, stack: Stack) -> bool:
    sign_in(page, stack)
    return True


def wall(page: Page, stack: Stack) -> bool:
    sign_in(page, stack)
    page.goto(f"{stack.url}/observe/wall?room=S12")
    page.locator("li.tile[data-fresh=live]").nth(DESKTOPS // 2 - 1).wait_for(timeout=30_000)
    page.wait_for_timeout(SETTLE_MS)
    return True


def plan(page: Page, stack: Stack) -> bool:
    wall(page, stack)
    way = page.locator("label:has-text('Seating plan'), button:has-text('Seating plan')").first
    if not way.is_visible():
        return False
    way.click()
    page.wait_for_timeout(1000)
    return True


def screen(page: Page, stack: Stack) -> bool:
    wall(page, stack)
    page.locator("li.tile[data-fresh=live] .tile-open").nth(1).click()
    page.wait_for_selector('#stage[data-status="open"]', timeout=30_000)
    page.wait_for_timeout(2000)
    return True


def documents(page: Page, stack: Stack) -> bool:
    sign_in(page, stack)
    page.goto(f"{stack.url}/documents/")
    if page.locator("tbody tr").count() == 0:
        give(page, stack)
    page.wait_for_timeout(1000)
    return True


def give(page: Page, stack: Stack) -> None:
    """Give a document to a class, and collect what two have written."""
    work = stack.folder / "rédaction.odt"
    work.write_bytes(b"work" * 5000)
    page.click("text=Give a document >> nth=0")
    page.wait_for_selector("#send[aria-disabled=true]")
    page.fill("#reference", REFERENCE)
    page.select_option("#class", CLASS)
    page.set_input_files("#add-document", str(work))
    page.locator("#file-list li[data-upload]").wait_for(timeout=JOB_MS)
    page.click("#send")
    page.wait_for_url("**/documents/?show=*")
    page.locator('[data-job][data-state="open"]').first.wait_for(state="detached", timeout=JOB_MS)
    page.get_by_role("button", name="Collect").first.click()
    page.locator('[data-job][data-state="open"]').first.wait_for(timeout=JOB_MS)
    page.locator('[data-job][data-state="open"]').first.wait_for(state="detached", timeout=JOB_MS)
    page.goto(f"{stack.url}/documents/")


def passwords(page: Page, stack: Stack) -> bool:
    enter(page, stack, HEAD_TEACHER)
    page.goto(f"{stack.url}/passwords/batch")
    for box in page.locator("#students tbody tr input").all()[:3]:
        box.check()
    return True


def admin(page: Page, stack: Stack) -> bool:
    enter(page, stack, ADMINISTRATOR)
    page.goto(f"{stack.url}/admin/")
    return True


def enter(page: Page, stack: Stack, login: str) -> None:
    page.goto(f"{stack.url}/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", stack.password)
    page.keyboard.press("Enter")
    page.wait_for_url(stack.url + "/")


VIEWS = {
    "wall": wall, "plan": plan, "screen": screen, "home": home, "documents": documents,
    "passwords": passwords, "admin": admin, "login": login,
}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
