import csv
import io
import json
import re
from datetime import datetime

import pytest

from eop.audit import pages
from eop.audit.chain import Entry
from tests.eop.audit.school import rows, write
from tests.eop.installation import MOUNT

AUDIT, EXPORT, MINE = (MOUNT + path for path in ("/admin/audit", "/admin/audit/export", "/mine"))


@pytest.fixture
def school(house):
    """An administrator, a security officer, a student; the teacher looked at the student."""
    for login, role in (("admin", "administrator"), ("officer", "security_officer"),
                        ("zoe.martin", "student")):  # fmt: skip
        house.add_user(login, role=role, rooms=(), classes=())
    house.pc = house.add_workstation("pc-01", "S12", user="zoe.martin")
    now = house.parts.now_ms()
    look = {"look": "g1", "mode": "view", "workstation": "pc-01", "room": "S12",
            "watched": "zoe.martin", "name": "Mme Camille"}  # fmt: skip
    write(
        house.parts.database,
        Entry(now - 90_000, "screen_opened", "camille", "s", house.pc, look),
        Entry(now, "screen_closed", "camille", "s", house.pc,
              look | {"seconds": 90, "code": "left"}),
    )  # fmt: skip
    return house


def table(answer):
    assert answer.status_code == 200, answer.text
    body = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    found = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def search(browser, **query):
    return table(browser.open(AUDIT, query_string=query))


def test_the_administrator_finds_who_looked_at_whom(school):
    browser = school.signed_in("admin")
    looks = search(browser, kind="look")
    assert len(looks) == 2
    assert "Camille camille Left the screen of pc-01 (S12) after 2 minutes" in looks[0]
    assert "Zoe.martin pc-01" in looks[1]
    for person in ("zoe.martin", "Zoe", "camille"):
        assert search(browser, person=person, kind="screen_opened") == [looks[1]]
    assert search(browser, person="camille", part="whom", kind="look") == []
    assert search(browser, person="zoe.martin", part="whom", kind="look") == looks
    for workstation in ("pc-01", "PC-01", school.pc):
        assert search(browser, workstation=workstation, kind="look") == looks
    assert search(browser, workstation="pc-99") == []


def test_days_are_those_of_the_school(school):
    browser = school.signed_in("admin")
    today = datetime.now().astimezone().date().isoformat()
    assert search(browser, since=today, until=today)
    assert search(browser, until="2020-01-01") == []
    assert search(browser, since="2999-01-01") == []


@pytest.mark.parametrize(
    "query",
    [{"since": "yesterday"}, {"until": "0001-01-01"}, {"until": "9999-12-31"}, {"kind": "nonsense"},
     {"part": "nonsense"}],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_told(school, query):
    answer = school.signed_in("admin").open(AUDIT, query_string=query)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<tbody>" not in answer.text


@pytest.mark.parametrize(
    "query",
    [{"before": "nonsense"}, {"before": "1-" + "9" * 60}, {"after": "-1-5"}, {"before": "٣-٣"},
     {"person": "x" * 5000}, {"person": "\udc80"}, {"workstation": "%' OR 1=1 --"}],
)  # fmt: skip
def test_nonsense_in_the_address_breaks_nothing(school, query):
    pairs = {key: value.encode("utf-8", "surrogateescape") for key, value in query.items()}
    assert school.signed_in("admin").open(AUDIT, query_string=pairs).status_code == 200


def test_a_zero_byte_in_the_address_is_refused(school):
    answer = school.signed_in("admin").open(AUDIT + "?person=%00")
    assert answer.status_code == 400


def test_pages_follow_each_other_and_keep_the_filters(school):
    now = school.parts.now_ms()
    write(school.parts.database, *(Entry(now + n, "signed_out", "camille") for n in range(120)))
    browser = school.signed_in("admin")
    answer = browser.open(AUDIT, query_string={"kind": "signed_out", "person": "camille"})
    sizes = []
    while True:
        sizes.append(len(table(answer)))
        older = re.search(r'rel="next" href="([^"]+)"', answer.text)
        if older is None:
            break
        address = older[1].replace("&amp;", "&")
        assert "kind=signed_out" in address
        assert "person=camille" in address
        answer = browser.open(AUDIT + address)
    assert sizes == [50, 50, 20]
    assert 'rel="prev"' in answer.text
    assert len(search(browser, kind="signed_out", after="0-0")) == 50


def test_names_are_escaped(school):
    hostile = '<script>alert("x")</script>'
    details = {"watched": hostile.replace(" ", ""), hostile: hostile, "workstation": hostile}
    entry = Entry(school.parts.now_ms(), hostile, hostile, "", hostile, details)
    write(school.parts.database, entry)
    text = school.signed_in("admin").open(AUDIT, query_string={"person": hostile}).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


def test_an_event_of_no_possible_time_is_shown(school):
    write(school.parts.database, Entry(2**62, "signed_out", "camille"), Entry(-5, "signed_out"))
    assert search(school.signed_in("admin"), kind="signed_out")


def test_many_names_unfold(school):
    watched = " ".join(f"student{number}" for number in range(8))
    write(
        school.parts.database,
        Entry(school.parts.now_ms(), "wall_opened", "camille", details={"watched": watched}),
    )
    text = school.signed_in("admin").open(AUDIT, query_string={"kind": "wall_opened"}).text
    assert "<summary>and 3 more</summary>" in text


def test_it_is_in_the_readers_language(school):
    page = school.signed_in("admin").open(AUDIT, headers={"Accept-Language": "fr"})
    assert '<html lang="fr"' in page.text


@pytest.mark.parametrize(
    ("login", "status"), [("admin", 200), ("officer", 200), ("camille", 403), ("zoe.martin", 403)]
)
def test_only_who_may_read_the_audit_reads_it(school, login, status):
    browser = school.signed_in(login)
    assert browser.open(AUDIT).status_code == status
    assert export(browser, "csv").status_code == status


def test_the_audit_works_while_the_daemon_is_down(quiet):
    quiet.add_user("admin", role="administrator")
    assert len(search(quiet.signed_in("admin"), workstation="pc-01")) == 0


def test_it_is_listed_among_the_functions(school):
    assert f'href="{AUDIT}"' in school.signed_in("officer").open(MOUNT + "/admin/").text
    assert AUDIT not in school.signed_in("camille").open(MOUNT + "/").text


def export(browser, form, **fields):
    data = {"csrf_token": browser.csrf, "format": form, **fields}
    return browser.open(EXPORT, "POST", data=data)


def test_what_was_found_is_exported_and_that_is_an_event(school):
    browser = school.signed_in("admin")
    answer = export(browser, "jsonl", kind="look")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    assert answer.headers["Cache-Control"] == "no-store"
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["kind"] for one in found] == ["screen_opened", "screen_closed"]
    event = rows(school.parts.database)[-1]
    assert (event.kind, event.user) == ("audit_exported", "admin")
    assert event.details == {"format": "jsonl", "rows": 2, "filters": {"kind": "look"}}


def test_no_cell_of_the_csv_is_a_formula(school):
    for beginning in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a\nb"):
        write(school.parts.database, Entry(1, "action", beginning))
    answer = export(school.signed_in("admin"), "csv", kind="action")
    found = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["user"] for row in found] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", " x", "a b",
    ]  # fmt: skip
    assert found[0]["time"] == "1970-01-01T00:00:00.001+00:00"


def test_others_write_while_an_export_is_counted(school, monkeypatch):
    browser, counted = school.signed_in("admin"), pages.count

    def count(connection, *arguments):
        found = counted(connection, *arguments)
        write(school.parts.database, Entry(1, "action", "camille"))  # waits for no lock
        return found

    monkeypatch.setattr(pages, "count", count)
    assert export(browser, "csv", kind="look").status_code == 200
    assert [one.kind for one in rows(school.parts.database)][-2:] == ["action", "audit_exported"]


def test_an_export_has_a_bound(school, monkeypatch):
    browser = school.signed_in("admin")
    monkeypatch.setattr(pages, "MAX_EXPORT_ROWS", 2)
    assert export(browser, "csv", kind="look").status_code == 200
    monkeypatch.setattr(pages, "MAX_EXPORT_ROWS", 1)
    answer = export(browser, "csv", kind="look")
    assert answer.status_code == 422
    assert "More than 1 events" in answer.text


def test_an_export_needs_a_known_format_and_the_forms_token(school):
    browser = school.signed_in("admin")
    assert export(browser, "xls").status_code == 422
    browser.csrf = "wrong"
    assert export(browser, "csv").status_code == 403


# --- my page


def test_the_watched_reads_who_looked_when_how_and_for_how_long(school):
    page = school.signed_in("zoe.martin").open(MINE)
    (look,) = table(page)
    assert look.startswith("Mme Camille ")
    assert "watched the screen pc-01, S12 2 minutes, until " in look
    assert "365 days" in page.text


def test_nobody_reads_the_page_of_another(school):
    assert "Nobody looked at your screen." in school.signed_in("camille").open(MINE).text
    school.add_user("malo.colin", role="student")
    assert (
        table(school.signed_in("malo.colin").open(MINE, query_string={"person": "zoe.martin"}))
        == []
    )


def test_who_is_not_signed_in_is_led_to_the_door(school):
    answer = school.browser().open(MINE)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/login?next=/eoleapps/eop/mine")


@pytest.mark.parametrize("login", ["camille", "admin", "officer", "zoe.martin"])
def test_everyone_finds_the_way_to_his_page(school, login):
    browser = school.signed_in(login)
    assert f'href="{MINE}"' in browser.open(MOUNT + "/", follow_redirects=True).text
    page = browser.open(MINE)
    assert re.search(f'href="{MINE}"[^>]* aria-current="page"', page.text)


def test_my_page_comes_in_pages(school):
    now = school.parts.now_ms()
    write(school.parts.database, *(
        Entry(now + n, "wall_opened", "camille", details={"watched": "zoe.martin", "room": "S12"})
        for n in range(50)
    ))  # fmt: skip
    browser = school.signed_in("zoe.martin")
    first = browser.open(MINE)
    older = re.search(r'rel="next" href="([^"]+)"', first.text)[1]
    assert len(table(first)) == 50
    assert len(table(browser.open(MINE + older))) == 1
    assert "There is nothing more." in browser.open(MINE + "?before=1-1").text
