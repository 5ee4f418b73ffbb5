"""A student is watched, reads so on his own page, and the administrator finds it in the audit."""

import contextlib
import json
import sqlite3

import pytest

from tests.desktops import XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in

PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine
FETCHED = 20  # s; the worker fetches the journal every 3 s
PASSWORD = "correct horse battery"
STUDENT, ADMINISTRATOR = "awa.diop", "ada.admin"


@pytest.fixture
def people(stack, tmp_path):
    file = tmp_path / "password.txt"
    file.write_text(PASSWORD + "\n")
    for login, role in ((STUDENT, "student"), (ADMINISTRATOR, "administrator")):
        password = ("--password-file", str(file))
        stack.eopctl("user", "add", login, "--role", role, *password, "--replace")


def enter(page, stack, login, path):
    """Sign in at the door, which leads to `path`."""
    page.goto(stack.url + path)
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[data-kind=main]")
    page.wait_for_url(f"**{path}")


def kinds(stack, workstation):
    with contextlib.closing(sqlite3.connect(stack.home / "var/lib/eop/eop.db")) as database:
        query = "SELECT kind FROM audit WHERE workstation = ? ORDER BY id"
        return [kind for (kind,) in database.execute(query, (workstation,))]


def rows(page):
    return page.locator("tbody tr").all_inner_texts()


def test_the_watched_and_the_administrator_read_who_looked(browser, stack, people, tmp_path):
    with XvncDesktop(tmp_path) as desktop, new_page(browser) as teacher:
        desktop.paint("#336699")
        number = stack.add_workstation("pc-audit", desktop, room="S51", user=STUDENT)
        sign_in(teacher, stack)
        teacher.goto(f"{stack.url}/observe/wall?room=S51")
        teacher.wait_for_selector(".tile", timeout=PATIENCE)
        teacher.goto(f"{stack.url}/observe/screen/{number}")
        teacher.wait_for_selector('#stage[data-status="open"]', timeout=PATIENCE)
        wait_until(lambda: "screen_opened" in kinds(stack, number), FETCHED, "the opening")

        with new_page(browser) as student:
            enter(student, stack, STUDENT, "/mine")
            assert student.locator("h1").inner_text() == "Who looked at my screen"
            live, wall = rows(student)
            assert "Camille" in live
            assert "watched the screen" in live
            assert "pc-audit, S51" in live
            assert "still looking" in live
            assert "small picture on the wall" in wall
            assert "still looking" not in wall
            teacher.goto("about:blank")
            wait_until(lambda: "screen_closed" in kinds(stack, number), FETCHED, "the end")
            student.reload()
            assert "until" in rows(student)[0]
            student.goto(f"{stack.url}/admin/audit")
            assert student.locator("h1").inner_text() == "Not allowed"
            student.get_by_role("link", name="Who looked at my screen?").click()
            student.wait_for_url("**/mine")

        with new_page(browser, accept_downloads=True) as administrator:
            enter(administrator, stack, ADMINISTRATOR, "/admin/audit")
            administrator.get_by_label("Person", exact=True).fill(STUDENT)
            administrator.get_by_label("Who is", exact=True).select_option("whom")
            administrator.get_by_label("What", exact=True).select_option("look")
            administrator.get_by_label("Workstation", exact=True).fill("pc-audit")
            administrator.keyboard.press("Enter")
            administrator.wait_for_url(f"**person={STUDENT}**")
            found = rows(administrator)
            assert any("Looked at the screen of pc-audit (S51)." in row for row in found)
            assert any("Left the screen of pc-audit (S51) after" in row for row in found)
            with administrator.expect_download() as download:
                administrator.get_by_role("button", name="JSON Lines").click()
            lines = download.value.path().read_text().splitlines()
            assert {json.loads(line)["details"]["watched"] for line in lines} == {STUDENT}
            assert len(lines) == len(found)
            administrator.goto(f"{stack.url}/admin/audit?kind=audit")
            assert "as jsonl." in rows(administrator)[0]

    assert "the audit is whole" in stack.eopctl("audit", "verify")


def test_both_pages_fit_a_phone(browser, stack, people):
    with new_page(browser) as page:
        page.set_viewport_size({"width": 390, "height": 800})
        enter(page, stack, ADMINISTRATOR, "/admin/audit")
        for path in ("/admin/audit", "/mine"):
            page.goto(stack.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
