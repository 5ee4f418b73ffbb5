"""New passwords for students, as teachers give them: one, a class on slips, and in a directory."""

import csv
import io
import os
import re
from pathlib import Path

import pytest

from tests.axe import problems, problems_in_every_theme
from tests.journeys.conftest import new_page
from tests.ldap_fixtures import certificates
from tests.ldap_server import PASSWORD as DIRECTORY_PASSWORD
from tests.ldap_server import Slapd, scribe_tree
from tests.stack import Stack

__all__ = ["certificates"]

PASSWORD = "correct horse battery"
HEAD, TEACHER = "claire.lefevre", "paul.roux"
PATIENCE = 30_000  # ms; a class of thirty costs a second or two, on a busy machine more
SHOTS = os.environ.get("EOP_SHOTS")  # a folder for pictures of the pages
FIRST = ("Inès", "Louis", "Jade", "Malo", "Nour", "Éva", "Théo", "Lina", "Adam", "Zoé")
LAST = ("AMRANI", "BOUCHER", "D’ALMEIDA")
POLICY = """dn: cn=policy,o=gouv,c=fr
changetype: modify
replace: pwdMinLength
pwdMinLength: 16
-
replace: pwdCheckQuality
pwdCheckQuality: 2
"""


def login_of(first, last):
    plain = str.maketrans("èéÉ’", "eee-")
    return f"{first}.{last}".translate(plain).lower()


STUDENTS = [(first, last, login_of(first, last)) for last in LAST for first in FIRST]


def write_school(folder):
    """Thirty students of 3e B, two of whom have no birth date; its head teacher, and another."""
    folder.mkdir()
    lines = ["nom;prénom;login;rôle;classe;professeur principal de;date de naissance"]
    for n, (first, last, login) in enumerate(STUDENTS):
        born = f"{n % 28 + 1:02}/03/2012" if n < 28 else ""
        lines.append(f"{last};{first};{login};élève;3e B;;{born}")
    lines.append(f"Lefèvre;Claire;{HEAD};professeure principale;3e B|4e C;3e B;")
    lines.append(f"Roux;Paul;{TEACHER};professeur;3e B;;")
    (folder / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def give_password(stack, *logins):
    secret = stack.folder / "password.txt"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    for login in logins:
        stack.eopctl("user", "passwd", login, "--password-file", str(secret))


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """The product with that school, imported from its file."""
    folder = write_school(tmp_path_factory.mktemp("source") / "school")
    with Stack(EOP_IMPORT_SOURCES="file", EOP_IMPORT_FILE=str(folder)) as running:
        running.eopctl("import")
        give_password(running, HEAD, TEACHER)
        yield running


@pytest.fixture
def head(browser, school):
    with new_page(browser) as page:
        enter(page, school, HEAD, PASSWORD)
        page.wait_for_url("**/eoleapps/eop/**")
        yield page


def enter(page, stack, login, password):
    page.goto(f"{stack.url}/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", password)
    page.click("form button[data-kind=main]")


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def shown(page):
    """Login → the password that the page shows."""
    rows = page.locator("#result tbody tr")
    cells = [rows.nth(n).locator("code").all_inner_texts() for n in range(rows.count())]
    return dict(cells)


def choose(page, stack, *logins):
    page.goto(f"{stack.url}/passwords/batch")
    for login in logins:
        page.check(f'input[name=students][value="{login}"]')


def send(page, answer="[data-result]"):
    page.click("#send")
    page.click("#sure [data-yes]")
    page.wait_for_selector(answer, timeout=PATIENCE)


def traces_of(stack, page, password):
    """Where a password lies in clear, which must be nowhere: on disk, in processes, in the page."""
    found = []
    for file in stack.home.rglob("*"):
        if file.is_file() and password.encode() in file.read_bytes():
            found.append(str(file))
    if password.encode() in stack.errors.read_bytes():
        found.append("standard error")
    for number in stack.processes():
        for what in ("cmdline", "environ"):
            try:
                if password.encode() in Path(f"/proc/{number}/{what}").read_bytes():
                    found.append(f"{what} of {number}")
            except OSError:
                continue  # it ended while we looked
    if password in page.content() or password in page.url:
        found.append("the page")
    return found


def test_one_student_gets_a_password_and_signs_in_with_it(browser, school):
    first, last, login = STUDENTS[0]
    with new_page(browser) as page:
        enter(page, school, TEACHER, PASSWORD)
        page.click("main a:has-text('Passwords')")
        page.fill("input[name=text]", "ines amr")
        page.click("button:has-text('Search')")
        page.click(f"a[aria-label='New password for {first} {last}']")
        assert page.locator("input[name=change]").is_checked()
        page.uncheck("input[name=change]")
        shoot(page, "passwords-one")
        assert problems(page, "one student") == []
        page.click("main button[type=submit]")
        page.wait_for_selector("[data-result]")
        [(same, password)] = shown(page).items()
        assert same == login
        assert not page.url.endswith(password)
        page.click("[data-finished]")
        page.wait_for_selector("input[name=text]")
        assert traces_of(school, page, password) == []
    with new_page(browser) as student:
        enter(student, school, login, password)
        student.wait_for_selector("h1:has-text('Your account is for students'), main, .out")
        assert student.locator("text=Wrong user name").count() == 0
        assert school.sign_in(login, password).get("session").json()["user"] == login


def test_a_teacher_who_is_no_head_teacher_has_no_batch(browser, school):
    with new_page(browser) as page:
        enter(page, school, TEACHER, PASSWORD)
        page.goto(f"{school.url}/passwords/")
        assert page.locator(".tabs a").all_inner_texts() == ["One student", "Mine"]
        page.goto(f"{school.url}/passwords/batch")
        assert page.locator("text=You are head teacher of no class.").is_visible()


def test_students_are_searched_sorted_chosen_and_taken_out_by_keyboard_and_mouse(head, school):
    page = head
    page.goto(f"{school.url}/passwords/batch")
    assert page.locator("#students tbody tr").count() == 30
    assert page.locator("h1").inner_text() == "Change of passwords for a class"
    assert "You have this right for: 3e B." in page.inner_text(".page-head")
    page.click("[data-order=first]")
    assert page.locator("#students tbody tr").first.locator("td").nth(1).inner_text() == "Adam"
    assert page.locator("th[aria-sort]").inner_text().strip() == "First name"
    page.fill("#filter", "eva bou")
    assert page.locator("#students tbody tr:visible").count() == 1
    page.locator("#students tbody tr:visible input").focus()
    page.keyboard.press("Space")
    page.fill("#filter", "")
    page.check('input[name=students][value="malo.amrani"]')
    assert page.inner_text("#chosen") == "Selection: 2 students"
    assert page.inner_text("#send") == "Change 2 passwords"
    shoot(page, "passwords-batch")
    page.click("#picked button[aria-label='Remove Éva BOUCHER']")
    assert page.inner_text("#chosen") == "Selection: 1 student"
    page.click("[data-all]")
    assert page.inner_text("#chosen") == "Selection: 30 students"
    page.click("[data-none]")
    assert page.locator("#picked .chip").count() == 0
    page.emulate_media(reduced_motion="reduce")
    page.check('input[name=students][value="malo.amrani"]')
    assert problems_in_every_theme(page, "batch") == []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shoot(page, f"passwords-batch-390-{theme}")


def test_a_class_gets_random_passwords_on_slips_that_leave_no_trace(head, school):
    page = head
    page.goto(f"{school.url}/passwords/batch")
    page.click("[data-all]")
    page.click("#send")
    assert page.inner_text("#sure-title") == "Change the passwords of 30 students of 3e B?"
    shoot(page, "passwords-sure")
    page.click("#sure [data-no]")
    assert page.locator("[data-result]").count() == 0
    before = page.evaluate("history.length")
    send(page)
    made = shown(page)
    assert len(made) == 30
    assert len(set(made.values())) == 30
    assert all(re.fullmatch(r"[a-z]+-[2-9]{3}-[A-Z][a-z]+", one) for one in made.values())
    assert page.inner_text("h1") == "30 passwords are changed"
    assert page.evaluate("history.length") == before
    assert problems(page, "result") == []
    shoot(page, "passwords-result")
    page.emulate_media(media="print")
    slips = page.locator(".slip:visible")
    assert slips.count() == 30
    assert not page.locator(".banner:visible, #result:visible, h1:visible").count()
    first = slips.first.inner_text()
    assert "AMRANI" in first
    assert made[re.search(r"Login\s+(\S+)", first)[1]] in first
    page.set_viewport_size({"width": 718, "height": 1046})  # A4 within its margins
    shoot(page, "passwords-slips")
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4"))
    assert len(pages) == 4, "eight slips on each"
    page.emulate_media(media="screen")
    page.on("dialog", lambda dialog: dialog.accept())  # "leave this page?"
    page.goto(f"{school.url}/passwords/")
    page.go_back()
    page.wait_for_load_state()
    one = made["adam.amrani"]
    assert traces_of(school, page, one) == []
    assert page.locator("[data-result]").count() == 0
    page.reload()
    assert page.locator("[data-result]").count() == 0
    login = "louis.boucher"
    page.context.clear_cookies()
    enter(page, school, login, made[login])
    page.wait_for_selector("text=must be changed")
    page.fill("#new", "trois ruches bleues")
    page.fill("#again", "trois ruches bleues")
    page.click("form button[data-kind=main]")
    page.wait_for_selector(".banner-menu")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("birth", {"ines.amrani": "01032012", "theo.boucher": "17032012"}),
        ("name", {"ines.amrani": "ines.amrani", "theo.boucher": "theo.boucher"}),
        ("same", {"ines.amrani": "rentree-3eB", "theo.boucher": "rentree-3eB"}),
    ],
)
def test_a_batch_of_a_kind_that_can_be_guessed_opens_once(head, school, kind, expected):
    page = head
    choose(page, school, *expected)
    page.uncheck("input[name=change]")
    page.check(f"input[name=kind][value={kind}]")
    assert page.locator("input[name=change]").is_checked(), "ticked by itself"
    if kind == "same":
        page.fill("#typed", "rentree-3eB")
    send(page)
    assert shown(page) == expected
    assert page.inner_text("#result").count("to be changed") == 2
    page.click("[data-finished]")
    page.context.clear_cookies()
    enter(page, school, "theo.boucher", expected["theo.boucher"])
    page.wait_for_selector("text=must be changed")


def test_who_has_no_birth_date_is_named_before_anything_is_changed(head, school):
    page = head
    choose(page, school, "zoe.d-almeida", "ines.amrani")
    page.check("input[name=kind][value=birth]")
    page.wait_for_selector("#no-birth:visible")
    send(page, "#trouble")
    told = page.inner_text("#trouble")
    assert "No password was changed." in told
    assert "No birth date is known here." in told
    assert "Zoé D’ALMEIDA" in told
    assert "Inès" not in told
    assert page.inner_text("#chosen") == "Selection: 2 students", "the selection is kept"
    shoot(page, "passwords-refused")
    page.click("#picked button[aria-label='Remove Zoé D’ALMEIDA']")
    send(page)
    assert shown(page) == {"ines.amrani": "01032012"}
    page.click("[data-finished]")


def test_a_csv_file_is_there_only_where_it_was_asked_for(head, school):
    page = head
    folder = school.home / "var/lib/eop/passwords"
    assert not folder.exists()
    choose(page, school, "ines.amrani", "malo.amrani")
    page.check("input[name=csv]")
    send(page)
    made = shown(page)
    [kept] = folder.rglob("*.csv")
    assert kept.stat().st_mode & 0o777 == 0o600
    with page.expect_download() as awaited:
        page.click("text=Download the CSV file")
    assert re.fullmatch(r"mot-de-passe_\d+_\d+_\d+\.csv", awaited.value.suggested_filename)
    text = Path(awaited.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert {row["Login"]: row["Password"] for row in rows} == made
    page.click("[data-finished]")
    page.click("section.files button:has-text('Delete')")
    page.wait_for_selector("text=The file is deleted.")
    assert list(folder.rglob("*.csv")) == []


@pytest.fixture(scope="module")
def directory(certificates):
    with Slapd("o=gouv,c=fr", scribe_tree(), certificates.issue("127.0.0.1")) as running:
        running.change(POLICY)
        yield running


@pytest.fixture(scope="module")
def scribe_school(directory):
    """The product on that directory: its people imported, its passwords asked there."""
    given = directory.settings(
        AUTHENTICATORS=["ldap"], IMPORT_SOURCES=["ldap"],
        LDAP_ROLES=["(typeadmin=2)=head_teacher", "professeurs=teacher", "eleves=student"],
        LDAP_WRITE_DN=directory.writer, LDAP_WRITE_PASSWORD_FILE=str(directory.writer_file),
    )  # fmt: skip
    settings = {
        f"EOP_{name}": ",".join(value) if isinstance(value, list) else str(value)
        for name, value in given.items()
        if "," not in "".join(value if isinstance(value, list) else [])
    }
    with Stack(**settings) as running:
        running.eopctl("import")
        yield running


def test_in_a_directory_the_new_password_opens_and_a_refusal_is_told(browser, scribe_school):
    with new_page(browser) as page:
        enter(page, scribe_school, "prof.0", DIRECTORY_PASSWORD)
        page.wait_for_url("**/eoleapps/eop/**")
        choose(page, scribe_school, "eleve.0", "eleve.1")
        page.check("input[name=kind][value=same]")
        page.fill("#typed", "trop-court-3a")
        send(page)
        refused = page.inner_text("[data-result]")
        assert "No password was changed." in refused
        assert refused.count("too short for the directory") == 2
        shoot(page, "passwords-directory")
        page.click("[data-finished]")
        choose(page, scribe_school, "eleve.0")
        page.uncheck("input[name=change]")
        page.check("input[name=kind][value=same]")
        page.fill("#typed", "trois ruches bleues")
        page.uncheck("input[name=change]")
        send(page)
        assert shown(page) == {"eleve.0": "trois ruches bleues"}
        page.click("[data-finished]")
        enter_again(page, scribe_school)
    assert scribe_school.sign_in("eleve.0", "trois ruches bleues").get("session").ok


def enter_again(page, stack):
    page.context.clear_cookies()
    enter(page, stack, "eleve.0", DIRECTORY_PASSWORD)
    page.wait_for_selector("text=Wrong user name or password.")
