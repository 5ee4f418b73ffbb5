import html
import io
import re

import pytest

from eop.aaa.guard import MAX_BODY_BYTES
from eop.administration import workstation_import
from eop.administration.workstation_csv import MAX_FILE_BYTES
from eop.audit.tables import audit
from tests.eop.administration.pages import follow, get, words
from tests.eop.administration.test_workstations import known, password_of
from tests.eop.installation import MOUNT

PATH = "/admin/workstations/import"
HEAD = "name;room;address;port;password;user\n"
FILE = HEAD + "pc-01;S14;127.0.0.1;5905;;zoe\npc-02;S14;10.0.0.2;;hush-hush;\n"


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def post(browser, path, **fields):
    data = {"csrf_token": browser.csrf, **fields}
    return browser.open(MOUNT + path, "POST", data=data, content_type="multipart/form-data")


def preview(browser, text, **fields):
    data = text if isinstance(text, bytes) else text.encode()
    return post(browser, PATH, file=(io.BytesIO(data), "workstations.csv"), **fields)


def sealed(page):
    return html.unescape(re.search(r'name="sealed" value="([^"]+)"', page.text)[1])


def carry_out(browser, page):
    return post(browser, PATH + "/carry-out", sealed=sealed(page))


def test_a_dry_run_says_in_words_what_would_change_and_changes_nothing(school, boss):
    before = school.parts.daemon.workstations()
    page = preview(boss, FILE)
    assert page.status_code == 200
    assert "Nothing has been changed yet." in words(page)
    assert "To add: 1, to change: 1, as they are: 0." in words(page)
    assert "room: S12 → S14" in words(page)
    assert "→ 127.0.0.1:5905" in words(page)
    assert "pc-02 S14 · 10.0.0.2:5900 · with a password" in words(page)
    assert school.parts.daemon.workstations() == before


def test_what_was_shown_is_carried_out_and_told(school, boss):
    page = follow(boss, carry_out(boss, preview(boss, FILE)))
    assert "The file was carried out." in words(page)
    found = known(school)
    assert (found["pc-01"].id, found["pc-01"].room) == (school.id, "S14")
    assert found["pc-02"].address == "10.0.0.2:5900"
    assert password_of(school, "pc-01") == b"pw"
    assert password_of(school, "pc-02") == b"hush-hush"
    with school.parts.database.read() as connection:
        row = connection.execute(
            audit.select().where(audit.c.kind == "workstations_imported")
        ).one()
    assert (row.user, row.details) == ("carla", {"added": 1, "changed": 1})
    kinds = [(one.kind, one.user) for one in school.daemon.journal.after(0)][-2:]
    assert kinds == [("workstation_changed", "carla"), ("workstation_added", "carla")]


def test_a_password_is_nowhere_in_the_page(school, boss):
    page = preview(boss, FILE)
    assert "hush" not in page.text
    assert "hush" not in preview(boss, FILE + "pc-03;;x;;hush2;\n").text


def test_wrong_lines_are_named_and_nothing_can_be_carried_out(school, boss):
    page = preview(boss, FILE + "pc-03;;10.0.0.3;;;\npc-02;S14;10.0.0.4;;;\n")
    assert page.status_code == 422
    assert "Line 4 The room has 1 to 64 printable characters." in words(page)
    assert "Line 5 pc-02 is in line 3 already." in words(page)
    assert "sealed" not in page.text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "The first line must name the columns"),
        (b"a,b\n1,2\n", "The first line must name the columns"),
        ("name,room,address\né,S,x".encode("latin-1"), "The file is not UTF-8"),
        (b"x" * (MAX_FILE_BYTES + 1), "The file is larger than 96 KiB"),
    ],
)
def test_a_file_of_something_else_is_told(school, boss, data, why):
    page = preview(boss, data)
    assert page.status_code == 422
    assert why in words(page)


def test_a_form_without_a_file_is_told(school, boss):
    page = post(boss, PATH)
    assert page.status_code == 422
    assert "Choose a file." in words(page)


def test_a_file_that_changes_nothing_offers_nothing(school, boss):
    export = get(boss, "/admin/workstations/export").get_data()
    page = preview(boss, export)
    assert "There is nothing to change." in words(page)
    assert "sealed" not in page.text


def test_a_whole_school_goes_through(school, boss):
    hosts = [f"pc-{n:04}.salle-{n % 40}.ecole.example" for n in range(1500)]
    data = HEAD + "".join(f"{one[:7]};S{n % 40};{one};;;\n" for n, one in enumerate(hosts))
    assert MAX_BODY_BYTES < len(data) <= MAX_FILE_BYTES
    page = preview(boss, data)
    assert "To add: 1,500" in words(page)
    assert "and 1,300 more" in words(page)
    follow(boss, carry_out(boss, page))
    assert len(known(school)) == 1501


def test_more_than_can_be_sent_is_refused_before_it_is_read(school, boss):
    limit = workstation_import.MAX_REQUEST_BYTES
    assert preview(boss, b"x" * (limit - 1000)).status_code == 422
    assert preview(boss, b"x" * (limit + 1)).status_code == 413


def test_other_forms_stay_as_small_as_they_were(boss):
    assert post(boss, "/admin/rooms/rename", room="x" * (MAX_BODY_BYTES + 1)).status_code == 413
    assert post(boss, "/admin/rooms/rename", room="x" * 2000).status_code == 422


def test_workstations_that_changed_meanwhile_are_shown_again(school, boss):
    page = preview(boss, FILE)
    school.add_workstation("pc-02", "S12")
    again = carry_out(boss, page)
    assert again.status_code == 200
    assert "Workstations have changed meanwhile." in words(again)
    assert "as they are: 0" in words(again)
    assert known(school)["pc-02"].room == "S12"
    follow(boss, carry_out(boss, again))
    assert known(school)["pc-02"].room == "S14"


def test_what_another_session_saw_or_what_is_old_or_forged_is_not_carried_out(school, boss):
    page = preview(boss, FILE)
    other = school.signed_in("carla")
    refusals = [carry_out(other, page), post(boss, PATH + "/carry-out", sealed="x" * 100)]
    school.offset = workstation_import.SEALED_SECONDS + 1
    refusals.append(carry_out(boss, page))
    for answer in refusals:
        assert answer.status_code == 422
        assert "choose the file again" in words(answer)
    assert list(known(school)) == ["pc-01"]


def test_a_daemon_that_is_down_is_told_at_each_step(school, boss):
    page = preview(boss, FILE)
    school.stop_daemon()
    assert preview(boss, FILE).status_code == 503
    answer = carry_out(boss, page)
    assert answer.status_code == 503
    assert "controle-vnc does not answer." in words(answer)


def test_more_than_controle_vnc_keeps_changes_nothing(school, boss, monkeypatch):
    from controle_vnc import store

    monkeypatch.setattr(store, "MAX_WORKSTATIONS", 2)
    answer = carry_out(boss, preview(boss, FILE + "pc-03;S14;10.0.0.3;;;\n"))
    assert answer.status_code == 503
    assert known(school)["pc-01"].room == "S12"


@pytest.mark.parametrize("path", [PATH, PATH + "/carry-out"])
def test_a_file_needs_the_right_and_the_token(school, boss, path):
    teacher = school.signed_in("anna")
    file = {"file": (io.BytesIO(FILE.encode()), "x.csv")}
    assert post(teacher, path, **file).status_code == 403
    boss.csrf = "0" * 64
    file = {"file": (io.BytesIO(FILE.encode()), "x.csv")}
    assert post(boss, path, **file).status_code == 403
    assert post(school.browser(), path).status_code == 303
