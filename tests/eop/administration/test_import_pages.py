import re

import pytest

from eop.administration import import_run, import_store
from eop.administration.import_lock import only_import
from eop.administration.import_store import QUEUED, Order
from tests.eop.installation import MOUNT

IMPORT = MOUNT + "/admin/import/"


@pytest.fixture
def admin(house, files):
    """A signed-in administrator."""
    house.add_user("root", role="administrator", rooms=(), classes=())
    return house.signed_in("root")


def ask(browser, **fields):
    fields = {"csrf_token": browser.csrf, "source": "file", **fields}
    return browser.open(IMPORT, "POST", data=fields)


def number_of(answer):
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].rpartition("/")[2])


def done(house, answer):
    """The run that was asked for, carried out as the worker would."""
    return import_run.run_queued(house.parts, number_of(answer))


def page(browser, run):
    shown = browser.open(f"{IMPORT}{run.id}")
    assert shown.status_code == 200
    return shown.text


@pytest.mark.parametrize("path", ["", "1", "1/status"])
def test_only_administrators_import(house, files, path):
    assert house.browser().open(IMPORT + path).status_code == 303
    assert house.signed_in().open(IMPORT + path).status_code == 403
    assert ask(house.signed_in()).status_code == 403


def test_a_form_without_its_token_is_refused(admin):
    admin.csrf = "wrong"
    assert ask(admin).status_code == 403


def test_the_page_is_among_the_functions_and_names_the_sources(house, files, admin, monkeypatch):
    assert IMPORT in admin.open(MOUNT + "/admin/").text
    text = admin.open(IMPORT).text
    assert "Imported only when asked." in text
    assert "Nothing was imported yet." in text
    files.set(monkeypatch, IMPORT_AT="02:30")
    assert "Imported every day at 02:30." in house.signed_in("root").open(IMPORT).text


def test_without_a_source_the_page_says_what_to_set(house):
    house.add_user("root", role="administrator")
    assert "Name one in IMPORT_SOURCES" in house.signed_in("root").open(IMPORT).text


def test_a_dry_run_shows_groups_and_leads_to_the_import(house, admin):
    run = done(house, ask(admin, do="preview"))
    assert run.by == "root"
    text = page(admin, run)
    assert "What an import would change" in text
    assert "New people: 11" in text
    assert "Student 1" in text
    assert 'value="import"' in text
    imported = done(house, ask(admin, do="import"))
    assert imported.outcome == "done"
    assert "New people: 11" in page(admin, imported)
    assert "New people: 11" in admin.open(IMPORT).text


def test_long_lists_are_closed_and_bounded(house, files, admin):
    for number in range(100, 160):
        files.student(number)
    text = page(admin, done(house, ask(admin, do="preview")))
    assert "and 21 more" in text
    assert '<details class="panel import-group">' in text


def test_a_braked_import_is_explained_and_can_be_confirmed_once_looked_at(house, files, admin):
    done(house, ask(admin, do="import"))
    files.remove("p1", "p2", "p3")
    run = done(house, ask(admin, do="import"))
    text = page(admin, run)
    assert "The brake stopped this import: nothing was changed." in text
    assert "3 of 11 people would be disabled." in text
    assert "Import all the same" in text
    for fields in ({"confirms": run.id}, {"sure": "yes"}, {"sure": "yes", "confirms": "x"}):
        assert done(house, ask(admin, do="import", **fields)).outcome == "braked"
    confirmed = done(house, ask(admin, do="import", confirms=run.id, sure="yes"))
    assert confirmed.outcome == "done"
    assert "The brake was lifted for this import." in page(admin, confirmed)


def test_a_confirmation_of_something_else_does_not_lift_the_brake(house, files, admin):
    first = done(house, ask(admin, do="import"))
    files.remove("p1", "p2", "p3")
    assert done(house, ask(admin, do="import", confirms=first.id, sure="yes")).outcome == "braked"
    shown = done(house, ask(admin, do="preview"))
    files.remove("p4")
    assert done(house, ask(admin, do="import", confirms=shown.id, sure="yes")).outcome == "braked"


def test_a_source_that_says_nothing_offers_no_confirmation(house, files, admin):
    done(house, ask(admin, do="import"))
    files.remove(*list(files.rows))
    text = page(admin, done(house, ask(admin, do="import")))
    assert "The source names nobody at all." in text
    assert "Import all the same" not in text


def test_what_failed_says_why_and_conflicts_say_with_whom(house, files, admin):
    house.add_user("p1", role="student")
    text = page(admin, done(house, ask(admin, do="import")))
    assert "Left as they are" in text
    assert "This name belongs to one that is kept here." in text
    (files.folder / "people.csv").write_text("<b>what</b>\n")
    text = page(admin, done(house, ask(admin, do="import")))
    assert "Nothing was changed: the import failed." in text
    assert "no column is called login" in text


def test_local_accounts_are_taken_over_where_that_is_ticked(house, admin):
    house.add_user("p1", role="student")
    run = done(house, ask(admin, do="preview", adopt="yes"))
    assert run.summary["counts"]["adopted"] == 1
    assert 'name="adopt" value="yes"' in page(admin, run)


def test_who_waits_is_told_for_what(house, admin):
    number = number_of(ask(admin, do="import"))
    shown = admin.open(f"{IMPORT}{number}")
    assert "import.js" in shown.text
    assert '<noscript><meta http-equiv="refresh"' in shown.text

    def status():
        return admin.open(f"{IMPORT}{number}/status").json

    assert status() == {"outcome": "queued", "over": False, "text": ""}
    with only_import():
        assert "this one follows" in status()["text"]
    house.offset = 11
    assert "eop-worker" in status()["text"]
    import_run.run_queued(house.parts, number)
    assert (status()["outcome"], status()["over"]) == ("done", True)


def test_no_more_than_five_wait(house, admin):
    with house.parts.database.write() as connection:
        for _ in range(4):
            import_store.add(connection, Order("file", "x"), QUEUED, house.parts.now_ms())
    assert ask(admin, do="import").status_code == 303
    busy = ask(admin, do="import")
    assert busy.status_code == 409
    assert "Several imports are waiting already." in busy.text


@pytest.mark.parametrize(
    "path", ["999", "999/status", "4294967296", "99999999999999999999", "-1", "x"]
)
def test_unknown_runs_are_not_found(admin, path):
    assert admin.open(IMPORT + path).status_code == 404


def test_unknown_sources_are_not_found(admin):
    assert ask(admin, source="ldap").status_code == 404


def test_hostile_names_do_not_leave_their_place(house, files, admin):
    files.student(1, name="<script>alert(1)</script>")
    text = page(admin, done(house, ask(admin, do="preview")))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_every_conflict_brake_and_kind_has_words(house, files, admin):
    from eop.administration import import_words
    from eop.cli import import_people
    from eop.directory.import_report import KINDS

    assert set(import_words.KINDS) == set(import_people.WORDS) == set(KINDS)
    assert re.search("Import people", admin.open(IMPORT).text)
