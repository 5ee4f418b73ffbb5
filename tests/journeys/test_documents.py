"""Documents in a real browser, on real files: given, collected, returned, taken back."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.axe import problems_in_every_theme
from tests.desktops import wait_until
from tests.journeys.conftest import new_page
from tests.smtp_server import MailServer
from tests.stack import Stack

PATIENCE = 30_000  # ms; a job on a busy machine
PASSWORD = "correct horse battery"
SHOTS = os.environ.get("EOP_SHOTS")  # a folder for pictures of the pages
ZOE, MALO = "zoe.martin", "malo.colin"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def post():
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def school(post):
    """The product with homes for Zoé and Malo; the other students have none on the server."""
    settings = {
        "EOP_SMTP_SERVER": post.address,
        "EOP_SMTP_SECURITY": "none",
        "EOP_MAIL_FROM": "eop@school.example",
        "EOP_MAIL_ADDRESS": "{login}@school.example",
    }
    with Stack(**settings) as running:
        running.homes = running.home / "homes"
        for login in (ZOE, MALO, running.login):
            (running.homes / login).mkdir(parents=True)
        secret = running.folder / "password.txt"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        for login in (ZOE, MALO):
            running.eopctl("user", "passwd", login, "--password-file", str(secret))
        running.eopctl(
            "user", "add", "anne.roux", "--role", "teacher", "--class", "3eB",
            "--password-file", str(secret),
        )  # fmt: skip
        yield running


@pytest.fixture
def teacher(browser, school):
    with new_page(browser) as page:
        enter(page, school, school.login)
        yield page


def enter(page, school, login):
    page.goto(school.url + "/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[data-kind=main]")
    page.wait_for_selector(".banner .out")


def shoot(page, name):
    if not SHOTS:
        return
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 844})
            path = Path(SHOTS) / f"{name}-{theme}-{width}.png"
            page.screenshot(path=str(path), full_page=True)
    page.evaluate("delete document.documentElement.dataset.theme")
    page.set_viewport_size({"width": 1280, "height": 800})


def fill(page, school, reference, *files, annexes=(), group="3eB"):
    """The form, filled in; its files are sent up."""
    page.goto(school.url + "/documents/")
    page.click("text=Give a document >> nth=0")
    page.wait_for_selector("#send[aria-disabled=true]")  # its script is there
    page.fill("#reference", reference)
    page.select_option("#class", group)
    page.set_input_files("#add-document", [str(one) for one in files])
    if annexes:
        page.set_input_files("#add-annex", [str(one) for one in annexes])
    for number in range(len(files) + len(annexes)):
        one = page.locator("#file-list li").nth(number)
        one.locator("progress").wait_for(state="detached", timeout=PATIENCE)
        assert one.get_attribute("data-upload"), one.inner_text()


def give(page, school, reference, *files, **more):
    """Give a document to the class, and wait until everybody has it; the id it has."""
    fill(page, school, reference, *files, **more)
    page.click("#send")
    page.wait_for_url("**/documents/?show=*")
    found = page.url.split("show=")[1].split("&")[0]
    until_over(page)
    return found


def until_over(page):
    """Wait until no job is open: the page loads itself anew then."""
    page.locator('[data-job][data-state="open"]').first.wait_for(state="detached", timeout=PATIENCE)


def file(folder, name, content=b"work"):
    path = folder / name
    path.write_bytes(content)
    return path


def row(page, reference):
    return page.locator("tbody tr", has=page.locator("th", has_text=reference)).first


def folder_of(school, login, folder, teacher=None):
    return school.homes / login / "perso/devoirs" / (teacher or school.login) / folder


def words_of(locator):
    return " ".join(locator.inner_text().split())


def until_row_says(page, name, words):
    """The table is put in anew when a job has ended; what is read that moment has no spaces."""
    wait_until(lambda: words in words_of(row(page, name)), 5, f"{words!r} in the row of {name}")


def test_a_document_is_given_to_a_class_with_its_annex(teacher, school, tmp_path):
    shoot_first = school.url + "/documents/"
    teacher.goto(shoot_first)
    assert "You have given nothing yet." in teacher.locator("main").inner_text()
    work = file(tmp_path, "rédaction n° 3 ✏️.odt", os.urandom(10 * MEGABYTE))
    annex = file(tmp_path, "textes.pdf", b"%PDF-1.7")
    fill(teacher, school, "Rédaction n° 3", work, annexes=[annex])
    assert teacher.locator("#folder").inner_text().endswith("/Rédaction n° 33eB")
    assert teacher.locator("#send").inner_text() == "Give to 12 students"
    shoot(teacher, "documents-new")
    teacher.click("#send")
    teacher.wait_for_selector("[data-job]")
    until_over(teacher)
    told = words_of(row(teacher, "Rédaction n° 3"))
    assert "12 given 0 opened 0 collected 0 returned" in told
    shoot(teacher, "documents")
    folder = folder_of(school, ZOE, "Rédaction n° 33eB")
    assert (folder / work.name).read_bytes() == work.read_bytes()
    assert (folder / "textes.pdf").stat().st_mode & 0o222 == 0
    assert (folder / work.name).stat().st_mode & 0o200


def test_work_is_collected_late_and_returned_with_a_mail(teacher, school, post, tmp_path):
    number = give(teacher, school, "Carte", file(tmp_path, "carte.odt"))
    mine = folder_of(school, ZOE, "Carte3eB")
    (mine / "carte.odt").write_text("by Zoé")
    (folder_of(school, MALO, "Carte3eB") / "carte.odt").unlink()
    row(teacher, "Carte").get_by_role("button", name="Collect").click()
    teacher.wait_for_selector("[data-job]")
    until_over(teacher)
    until_row_says(teacher, "Carte", "1 in trouble")
    collected = school.homes / school.login / "perso/devoirs/ramasses/Carte3eB"
    assert (collected / ZOE / "carte.odt").read_text() == "by Zoé"
    assert (mine / "Collected.txt").exists()
    teacher.goto(f"{school.url}/documents/{number}")
    first = words_of(teacher.locator("tbody tr").first)
    assert "Malo Colin" in first
    assert "The folder is empty" in first
    shoot(teacher, "document")
    (folder_of(school, MALO, "Carte3eB") / "en retard.odt").write_text("at last")
    teacher.click("text=Collect from 1 who is late")
    teacher.wait_for_selector("[data-job]")
    until_over(teacher)
    assert (collected / MALO / "en retard.odt").read_text() == "at last"
    teacher.select_option("select[name=state]", "uncollected")
    teacher.click("#filter button[type=submit]:has-text('Filter')")
    assert "No student fits." in teacher.locator("main").inner_text()
    teacher.click("text=Show all of them")
    teacher.click("th button:has-text('Student')")
    names = teacher.locator("tbody th").all_inner_texts()
    assert names == sorted(names, key=str.casefold) or names[0].startswith("Adam")
    (collected / ZOE / "carte.odt").write_text("well done")
    teacher.click("a:has-text('Return')")
    teacher.check("input[name=mail]")
    teacher.fill("#body", "Voilà, corrigé ✅")
    teacher.click("button[value=preview]")
    assert "eop@school.example" in teacher.locator("main").inner_text()
    shoot(teacher, "document-return")
    teacher.click("button[value=return]")
    teacher.wait_for_selector("[data-job]")
    until_over(teacher)
    wait_until(lambda: len(post.letters) == 12, 30, "twelve mails")
    until_over(teacher)
    letter = next(one for one in post.letters if one["To"] == f"{ZOE}@school.example")
    assert letter.get_content().strip() == "Voilà, corrigé ✅"
    assert "Camille Lefèvre" in letter["From"]
    assert (mine / "correction/carte.odt").read_text() == "well done"
    assert (mine / "carte.odt").read_text() == "by Zoé"
    assert "12 returned" in words_of(teacher.locator(".steps4").first)


def test_a_student_without_a_share_reads_and_hands_in_on_the_page(
    browser, teacher, school, tmp_path
):
    number = give(teacher, school, "Lettre", file(tmp_path, "lettre.odt", b"Write here"))
    with new_page(browser) as page:
        enter(page, school, ZOE)
        page.wait_for_url("**/eleve/documents")
        shoot(page, "student-documents")
        page.click("a:has-text('Lettre')")
        with page.expect_download() as download:
            page.click("a:has-text('Download')")
        assert Path(download.value.path()).read_bytes() == b"Write here"
        assert download.value.suggested_filename == "lettre.odt"
        page.wait_for_selector("#send[aria-disabled=true]")
        page.set_input_files("#add-document", str(file(tmp_path, "lettre.odt", b"Dear all")))
        page.wait_for_selector("#file-list li[data-upload]", timeout=PATIENCE)
        shoot(page, "student-document")
        page.click("#send")
        page.wait_for_selector("text=Your work is in the folder")
        assert (folder_of(school, ZOE, "Lettre3eB") / "lettre.odt").read_bytes() == b"Dear all"
    teacher.goto(f"{school.url}/documents/{number}")
    zoe = words_of(teacher.locator("tbody tr", has_text="Zoé Martin"))
    assert "Opened" in zoe
    assert "changed" in zoe
    teacher.get_by_role("button", name="Collect").first.click()
    teacher.wait_for_selector("[data-job]")
    until_over(teacher)
    with new_page(browser) as page:
        enter(page, school, ZOE)
        page.click("a:has-text('Lettre')")
        assert "Collected.txt" in page.locator("main").inner_text()


def test_a_test_is_hidden_until_its_moment(teacher, school, tmp_path):
    fill(teacher, school, "Contrôle", file(tmp_path, "contrôle.pdf"))
    teacher.check("#hidden")
    teacher.fill("#until", "2020-01-07T08:10")
    teacher.check("input[value=simple]")
    teacher.click("#send")
    assert "The moment must be ahead of us" in teacher.locator("#error").inner_text()
    tomorrow = datetime.now().astimezone() + timedelta(days=1)
    teacher.fill("#until", tomorrow.strftime("%Y-%m-%dT%H:%M"))
    teacher.click("#send")
    teacher.wait_for_url("**/documents/?show=*")
    told = words_of(row(teacher, "Contrôle"))
    assert "hidden until" in told
    assert "0 given" in told
    assert not folder_of(school, ZOE, "Contrôle3eB").exists()
    shoot(teacher, "documents-hidden")
    row(teacher, "Contrôle").get_by_role("button", name="Give now").click()
    teacher.wait_for_selector("[data-job]")
    until_over(teacher)
    until_row_says(teacher, "Contrôle", "12 given")
    assert (folder_of(school, ZOE, "Contrôle3eB") / "contrôle.pdf").exists()


def test_a_reference_used_twice_is_told_and_anothers_is_no_matter(
    browser, teacher, school, tmp_path
):
    work = file(tmp_path, "même.odt", b"Camille's")
    give(teacher, school, "Même", work)
    fill(teacher, school, "mÊME", work)
    teacher.click("#send")
    note = teacher.locator("#error")
    assert "You have given “Même” to 3eB already" in note.inner_text()
    assert teacher.locator("#file-list li").count() == 1  # nothing has to be sent up again
    shoot(teacher, "document-twice")
    with new_page(browser) as page:
        enter(page, school, "anne.roux")
        give(page, school, "Même", file(tmp_path, "autre.odt", b"Anne's"))
    assert (folder_of(school, ZOE, "Même3eB") / "même.odt").read_bytes() == b"Camille's"
    theirs = folder_of(school, ZOE, "Même3eB", "anne.roux")
    assert (theirs / "autre.odt").read_bytes() == b"Anne's"


def test_a_sending_that_is_cut_goes_on_where_it_was(teacher, school, tmp_path):
    pieces = []

    def cut(route):
        pieces.append(route.request.url)
        if len(pieces) in (3, 4):
            route.abort()
        else:
            route.continue_()

    teacher.route("**/api/v1/uploads/*?offset=*", cut)
    data = os.urandom(6 * MEGABYTE)
    give(teacher, school, "Coupé", file(tmp_path, "long.bin", data))
    offsets = [int(one.split("offset=")[1]) for one in pieces]
    assert offsets.count(offsets[2]) >= 2  # said again, from where it was
    assert len(offsets) <= 9
    assert (folder_of(school, ZOE, "Coupé3eB") / "long.bin").read_bytes() == data


def test_a_document_is_removed_and_its_reference_is_free(teacher, school, tmp_path):
    number = give(
        teacher, school, "Passé", file(tmp_path, "a.odt"), annexes=[file(tmp_path, "b.pdf")]
    )
    folder = folder_of(school, ZOE, "Passé3eB")
    teacher.goto(f"{school.url}/documents/{number}")
    teacher.click("text=Remove…")
    shoot(teacher, "document-remove")
    teacher.click("button[data-kind=danger]")
    teacher.wait_for_url("**/documents/?done=removing")
    wait_until(lambda: not (folder / "b.pdf").exists(), 20, "the annex is gone")
    assert (folder / "a.odt").exists()
    until_over(teacher)
    (folder / "mine.txt").write_text("my own")
    teacher.goto(f"{school.url}/documents/{number}/remove")
    teacher.check("input[value=everything]")
    teacher.click("button[data-kind=danger]")
    wait_until(lambda: not (folder / "a.odt").exists(), 20, "all of it is gone")
    assert (folder / "mine.txt").read_text() == "my own"
    wait_until(lambda: "Passé" not in _list(teacher, school), 20, "it is forgotten")


def _list(page, school):
    page.goto(school.url + "/documents/")
    return page.locator("main").inner_text()


def test_the_pages_never_scroll_sideways(teacher, school):
    number = teacher.context.request.get(f"{school.url}/api/v1/documents").json()[0]["id"]
    for width in (360, 390, 768, 1280):
        teacher.set_viewport_size({"width": width, "height": 844})
        for path in ("", "new", number, f"{number}/return", f"{number}/remove"):
            teacher.goto(f"{school.url}/documents/{path}")
            overflow = "document.documentElement.scrollWidth - innerWidth"
            assert teacher.evaluate(overflow) <= 0, (width, path)


def test_some_students_are_chosen(teacher, school, tmp_path):
    fill(teacher, school, "Groupe", file(tmp_path, "a.odt"))
    teacher.click("label:has-text('Chosen ones')")
    teacher.check("label:has-text('Zoé Martin') input")
    assert teacher.locator("#send").inner_text() == "Give to 1 student"
    teacher.check("label:has-text('Malo Colin') input")
    assert teacher.locator("#send").inner_text() == "Give to 2 students"
    shoot(teacher, "documents-chosen")
    teacher.click("#send")
    teacher.wait_for_url("**/documents/?show=*")
    until_over(teacher)
    until_row_says(teacher, "Groupe", "2 given")
    assert (folder_of(school, ZOE, "Groupe3eB") / "a.odt").exists()
    assert not folder_of(school, "adam.petit", "Groupe3eB").exists()


def test_axe_finds_nothing_on_any_page_of_documents(browser, school):
    found = []
    for login in (school.login, ZOE):
        with new_page(browser, reduced_motion="reduce") as page:
            enter(page, school, login)
            own = "" if login == school.login else "own-"
            listed = page.context.request.get(f"{school.url}/api/v1/{own}documents").json()
            paths = [f"/eleve/documents/{listed[0]['id']}", "/eleve/documents"]
            if not own:
                number = next(one["id"] for one in listed if one["counts"]["collected"])
                verbs = ("", "new", number, f"{number}/return", f"{number}/remove")
                paths = [f"/documents/{verb}" for verb in verbs]
            for path in paths:
                page.goto(school.url + path)
                found += problems_in_every_theme(page)
    assert not found, "\n".join(found)
