"""An administrator looks after rooms, workstations, sessions, settings and health, by hand."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from tests.desktops import XvncDesktop
from tests.journeys.conftest import new_page
from tests.journeys.test_administration import add_user, enter
from tests.journeys.test_browser import PATIENCE, gateway_of, until_live, until_status, wall_of

SHOTS = os.environ.get("EOP_SHOTS")  # a folder for pictures of the pages
CHECKS_MS = 30_000  # the checks are a program that starts on a busy machine
CLOSE_MS = 2000


@pytest.fixture(scope="module")
def people(stack, desktops):
    """An administrator, and a teacher to whom one room is given that is not there yet."""
    add_user(stack, "diane", "administrator")
    add_user(stack, "theo", "teacher", "--room", "A1")
    return stack


@pytest.fixture(scope="module")
def desktop(tmp_path_factory):
    """A desktop of this module's own: wrong passwords make a server turn everybody away."""
    with XvncDesktop(tmp_path_factory.mktemp("admin")) as running:
        running.paint("#604080")
        yield running


@pytest.fixture
def boss(browser, people):
    with new_page(browser) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        enter(page, people, "diane")
        yield page


@pytest.fixture
def emptied(people):
    """What these journeys add is gone again: others count workstations."""
    yield
    for line in people.eopctl("workstation", "list").splitlines()[1:]:
        name = line.split()[0]
        if name.startswith("adm-"):
            people.eopctl("workstation", "remove", name)


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def row_of(page, name):
    return page.locator("tbody tr", has=page.locator(f'th a:text-is("{name}")'))


def add(page, stack, name, desktop, password=None, room="A1"):
    """Add a workstation by its form."""
    page.goto(f"{stack.url}/admin/workstations")
    page.click("text=Add a workstation")
    host, _, port = desktop.address.rpartition(":")
    for field, value in (("name", name), ("room", room), ("address", host), ("port", port)):
        page.fill(f"#{field}", value)
    page.fill("#password", desktop.password if password is None else password)
    page.click("main button[data-kind=main]")
    page.wait_for_selector("text=The workstation was added.")


def test_a_workstation_is_added_its_password_corrected_and_it_is_opened(
    boss, people, desktop, emptied
):
    add(boss, people, "adm-01", desktop, password="wrong")
    boss.wait_for_selector("main :text('Password refused')", timeout=PATIENCE)
    boss.goto(f"{people.url}/admin/workstations")
    first = boss.locator("tbody tr").first
    assert "adm-01" in first.inner_text()
    assert "Password refused" in first.inner_text()
    shoot(boss, "admin-workstations")
    first.locator("text=New password").click()
    boss.fill("#password", desktop.password)
    boss.click("main button[data-kind=main]")
    boss.wait_for_selector("main .is:has-text('Ready')", timeout=PATIENCE)
    assert desktop.password not in boss.content()
    boss.goto(f"{people.url}/admin/workstations?text=adm")
    boss.wait_for_selector("tbody .is:has-text('Ready')", timeout=PATIENCE)
    row_of(boss, "adm-01").locator("text=Open").click()
    until_status(boss, "open")


def test_a_diagnosis_shows_its_steps_and_a_removal_asks_first(boss, people, desktop, emptied):
    add(boss, people, "adm-02", desktop)
    boss.click("main button:has-text('Diagnose')")
    boss.wait_for_selector("h1:has-text('Diagnosis of adm-02')", timeout=PATIENCE)
    assert boss.locator("li.check .is[data-tone=ok]").count() == 5
    shoot(boss, "admin-workstation-probe")
    boss.click("main a:has-text('Back')")
    boss.click("text=Remove…")
    assert "Remove adm-02 of room A1?" in boss.inner_text("h1")
    boss.click("main button[data-kind=danger]")
    boss.wait_for_selector("text=The workstation was removed.")
    assert "adm-02" not in people.eopctl("workstation", "list")


def test_a_file_is_looked_at_in_words_and_then_carried_out(
    boss, people, desktop, emptied, tmp_path
):
    file = tmp_path / "postes.csv"
    host, _, port = desktop.address.rpartition(":")
    secret = desktop.password
    file.write_text(
        "\ufeffNom;Salle;Adresse;Port;Mot de passe\n"
        f"adm-03;A1;{host};{port};{secret}\nadm-04;A1;{host};70000;{secret}\n",
        encoding="utf-8",
    )
    boss.goto(f"{people.url}/admin/workstations")
    boss.click("text=Import a CSV file")
    boss.set_input_files("#file", file)
    boss.click("button:has-text('See what would change')")
    boss.wait_for_selector("strong:has-text('Line 3')")
    assert "The port is a number from 1 to 65535." in boss.inner_text("main")
    shoot(boss, "admin-import-wrong")
    file.write_text(file.read_text().replace("70000", port), encoding="utf-8")
    boss.set_input_files("#file", file)
    boss.click("button:has-text('See what would change')")
    boss.wait_for_selector("text=Nothing has been changed yet.")
    told = boss.inner_text("main")
    assert "To add: 2, to change: 0, as they are: 0." in told
    assert f"A1 · {host}:{port} · with a password" in told
    assert secret not in boss.content()
    shoot(boss, "admin-import")
    assert "adm-03" not in people.eopctl("workstation", "list")
    boss.click("text=Carry out 2 changes")
    boss.wait_for_selector("text=The file was carried out.")
    boss.goto(f"{people.url}/admin/workstations?room=A1")
    assert {"adm-03", "adm-04"} == set(boss.locator("tbody th a").all_inner_texts())
    with boss.expect_download() as download:
        boss.click("text=Export as CSV")
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert f"adm-03,A1,{host},{port}," in text
    assert secret not in text


def test_a_renamed_room_keeps_its_teacher(browser, boss, people, desktop, emptied):
    add(boss, people, "adm-05", desktop)
    number = boss.url.split("?")[0].rpartition("/")[2]
    boss.goto(f"{people.url}/admin/rooms")
    room = boss.locator("tbody tr", has=boss.locator("th:has-text('A1')"))
    assert "Theo" in room.inner_text()
    shoot(boss, "admin-rooms")
    room.locator("text=Rename…").click()
    assert "Workstations that move: 1." in boss.inner_text("main")
    assert "Rights that follow: 1." in boss.inner_text("main")
    boss.fill("#name", "Atelier 1")
    boss.click("main button[data-kind=main]")
    boss.wait_for_selector("text=The room was renamed")
    with new_page(browser) as page:
        enter(page, people, "theo")
        page.goto(wall_of(people, "Atelier 1"))
        until_live(page, number)
    boss.goto(f"{people.url}/admin/audit")
    assert "Renamed the room A1: it is Atelier 1 now" in boss.inner_text("main")
    boss.goto(f"{people.url}/admin/rooms/rename?room=Atelier+1")
    boss.fill("#name", "A1")
    boss.click("main button[data-kind=main]")
    boss.wait_for_selector("text=The room was renamed")


def test_an_ended_session_closes_what_it_had_open(browser, boss, people, desktops):
    with new_page(browser) as page:
        add_user(people, "nadia", "teacher", "--room", "S12")
        enter(page, people, "nadia")
        page.goto(wall_of(people))
        until_live(page, desktops["ids"]["pc-01"])
        boss.goto(f"{people.url}/admin/sessions?text=nadia")
        row = row_of(boss, "Nadia") if boss.locator("th a:text-is('Nadia')").count() else None
        row = row or boss.locator("tbody tr").first
        assert "Chrom" in row.inner_text()
        shoot(boss, "admin-sessions")
        row.locator("button").click()
        page.wait_for_selector("text=Your session has ended", timeout=CLOSE_MS)
        assert "The session has ended" in boss.inner_text("main")


def test_a_setting_is_found_and_no_secret_is_shown(boss, people):
    boss.goto(f"{people.url}/admin/settings")
    shoot(boss, "admin-settings")
    boss.fill("main input[type=search]", "audit kept")
    boss.press("main input[type=search]", "Enter")
    boss.wait_for_selector("tbody tr#AUDIT_DAYS")
    assert boss.locator("tbody tr").count() == 1
    secret = (people.home / "etc/controlevnc/.secret").read_text().strip()
    boss.goto(f"{people.url}/admin/settings")
    assert "WEB_PORT" in boss.inner_text("main")
    assert "EOP_WEB_PORT" in boss.inner_text("main")
    assert secret not in boss.content()


@contextlib.contextmanager
def without_gateway(stack):
    """Its port accepts connections; nothing answers."""
    number = gateway_of(stack)
    os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(number, signal.SIGCONT)


def check(page, sentence):
    page.click("main form button[data-kind=main]")
    page.wait_for_selector(f"main .note:has-text({sentence!r})", timeout=CHECKS_MS)


HEARD = """
  window.heard = [];
  addEventListener("DOMContentLoaded", () => {
    const said = document.getElementById("said");
    new MutationObserver(() => heard.push(said.textContent)).observe(said, { childList: true });
  });
"""


def test_health_says_whether_lessons_can_go_on_and_its_report_is_copied(boss, people):
    boss.add_init_script(HEARD)
    boss.goto(f"{people.url}/admin/health")
    check(boss, "Everything works: lessons can go on.")
    heard = boss.evaluate("heard")
    assert heard == ["Checking…", "Everything works: lessons can go on."]
    shoot(boss, "admin-health")
    boss.click("text=Copy the report")
    boss.wait_for_selector("button:has-text('Copied')")
    copied = boss.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("*** EOP\n")
    assert ".            controle-vnc => Ok" in copied
    with without_gateway(people):
        boss.click("main form button[data-kind=main]")
        # each line is shown as it ends: the ports are, while the screen is still waited for
        boss.wait_for_selector("text=The gateway listens", timeout=CHECKS_MS)
        assert boss.locator("button:has-text('Checking…')").count() == 1
        boss.wait_for_selector(
            "main .note:has-text('Lessons cannot go on: screens do not open.')", timeout=CHECKS_MS
        )
    assert "A screen opens through the gateway" in boss.inner_text(
        "section[aria-labelledby=to-mend]"
    )
    shoot(boss, "admin-health-bad")


PAGES = ("", "rooms", "rooms/rename?room=S12", "workstations", "workstations/new",
         "workstations/import", "sessions", "settings", "health", "people", "policy", "audit",
         "import/")  # fmt: skip


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_these_pages_never_scroll_sideways(boss, people, desktops, width):
    boss.set_viewport_size({"width": width, "height": 844})
    for path in PAGES:
        boss.goto(f"{people.url}/admin/{path}")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert boss.evaluate(overflow) <= 0, path
        name = path.split("?")[0].strip("/").replace("/", "-") or "home"
        shoot(boss, f"admin-{width}-{name}")
        if SHOTS and width != 320:
            boss.emulate_media(color_scheme="dark")
            shoot(boss, f"admin-{width}-{name}-dark")
            boss.emulate_media(color_scheme="light")


def test_the_pages_do_without_scripts(browser, people, desktops):
    with new_page(browser, java_script_enabled=False) as page:
        enter(page, people, "diane")
        page.goto(f"{people.url}/admin/workstations")
        page.click("button[name=sort][value=name]")
        assert page.locator("th[aria-sort=ascending]").count() == 1
        page.click("button[name=sort][value='-name']")
        assert page.locator("th[aria-sort=descending]").count() == 1
        page.goto(f"{people.url}/admin/health")
        page.click("main form button[data-kind=main]")
        page.wait_for_selector("text=lessons can go on.", timeout=CHECKS_MS)  # it loads itself
