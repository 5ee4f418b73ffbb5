"""An administrator imports a school of CSV files, and is stopped where it looks wrong."""

import os
import shutil
from pathlib import Path

import pytest

from tests.journeys.conftest import new_page
from tests.stack import ROOT, Stack

PATIENCE = 30_000  # ms; the worker looks every second, and its process starts on a busy machine
EXAMPLE = ROOT / "docs/examples/school"
ADMIN, TEACHER, PASSWORD = "root.admin", "anne.roux", "correct horse battery"
SHOTS = os.environ.get("EOP_SHOTS")  # a folder for pictures of the pages


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """The product with the example's school as its source, and an administrator."""
    folder = tmp_path_factory.mktemp("source") / "school"
    shutil.copytree(EXAMPLE, folder)
    settings = {"EOP_IMPORT_SOURCES": "file", "EOP_IMPORT_FILE": str(folder)}
    with Stack(**settings) as running:
        running.source = folder
        running.password_file = running.folder / "password.txt"
        running.password_file.write_text(PASSWORD + "\n")
        running.password_file.chmod(0o600)
        running.eopctl(
            "user", "add", ADMIN, "--role", "administrator",
            "--password-file", str(running.password_file),
        )  # fmt: skip
        yield running


@pytest.fixture
def admin(browser, school):
    """A page, signed in as the administrator, on the page of imports."""
    with new_page(browser) as page:
        enter(page, school, ADMIN)
        page.goto(school.url + "/admin/")
        page.click('a[href$="/admin/import/"]')
        yield page


def enter(page, school, login):
    page.goto(school.url + "/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[data-kind=main]")
    page.wait_for_selector(".banner .out")


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def ask(page, what):
    """Press the button for `preview` or `import`; the page of the run shows how it ended."""
    with page.expect_navigation():
        page.click(f"button[value={what}]")
    page.wait_for_selector("main .note", timeout=PATIENCE)


def test_an_administrator_looks_imports_and_finds_a_new_teacher(admin, school, browser):
    assert "Nothing was imported yet." in admin.locator("main").inner_text()
    shoot(admin, "import-nothing-yet")
    ask(admin, "preview")
    shown = admin.locator("main").inner_text()
    assert "What an import would change" in shown
    assert "Anne Roux" in shown
    shoot(admin, "import-dry-run")
    assert TEACHER not in school.eopctl("user", "list")
    ask(admin, "import")
    assert "Done." in admin.locator("main .note").inner_text()
    shoot(admin, "import-done")
    assert TEACHER in school.eopctl("user", "list")
    school.eopctl("user", "passwd", TEACHER, "--password-file", str(school.password_file))
    with new_page(browser) as page:
        enter(page, school, TEACHER)
        assert "3e B" in page.locator("main").inner_text()


def test_a_braked_import_is_explained_and_confirmed(admin, school):
    ask(admin, "import")
    people = school.source / "people.csv"
    whole = people.read_text(encoding="utf-8")
    people.write_text("\n".join(whole.splitlines()[:5]) + "\n", encoding="utf-8")
    admin.goto(school.url + "/admin/import/")
    ask(admin, "import")
    note = admin.locator("main .note").inner_text()
    assert "The brake stopped this import: nothing was changed." in note
    assert "people would be disabled." in note
    shoot(admin, "import-braked")
    assert TEACHER in school.eopctl("user", "list")
    admin.click("button[value=import]")
    assert "/admin/import/" in admin.url
    assert admin.locator("input[name=sure]").evaluate("e => !e.checkValidity()")
    admin.check("input[name=sure]")
    admin.click("button[value=import]")
    admin.locator("main .note", has_text="The brake was lifted").wait_for(timeout=PATIENCE)
    shoot(admin, "import-confirmed")
    people.write_text(whole, encoding="utf-8")
    admin.goto(school.url + "/admin/import/")
    shoot(admin, "import-history")


def test_an_error_in_the_file_is_told_with_its_line(admin, school):
    people = school.source / "people.csv"
    whole = people.read_text(encoding="utf-8")
    people.write_text(whole.replace(";élève;", ";astronaute;", 1), encoding="utf-8")
    ask(admin, "preview")
    note = admin.locator("main .note").inner_text()
    assert "Nothing was changed: the import failed." in note
    assert "people.csv, line" in note
    assert "'astronaute' is not known" in note
    shoot(admin, "import-failed")
    people.write_text(whole, encoding="utf-8")


def test_the_pages_do_without_scripts_and_never_scroll_sideways(browser, school):
    with new_page(browser, java_script_enabled=False) as page:
        enter(page, school, ADMIN)
        page.goto(school.url + "/admin/import/")
        ask(page, "preview")  # the page loads itself again
    with new_page(browser) as page:
        enter(page, school, ADMIN)
        for width in (390, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 844})
            for address in ("/admin/import/", "/admin/import/1"):
                page.goto(school.url + address)
                overflow = "document.documentElement.scrollWidth - innerWidth"
                assert page.evaluate(overflow) <= 0, (width, address)
                shoot(page, f"import-{width}{address.replace('/', '-')}")
