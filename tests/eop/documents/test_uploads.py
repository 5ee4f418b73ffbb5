import hashlib
import random
from dataclasses import replace

import pytest

from eop.directory import users
from eop.documents import steps, store, uploads
from eop.errors import RefusedError
from tests.eop.documents.conftest import give, put, send_up
from tests.eop.installation import error

SIZE = 700_000
DATA = random.Random(7).randbytes(SIZE)


def begin(browser, name="a.odt", size=SIZE, changed_at=5):
    return browser.post("uploads", {"name": name, "size": size, "changed_at": changed_at})


def check(browser, upload, data=DATA):
    return browser.post(f"uploads/{upload}/check", {"sha256": hashlib.sha256(data).hexdigest()})


def test_a_file_that_was_cut_is_taken_up_where_it_was(school):
    browser = school.signed_in()
    first = begin(browser).json
    assert put(browser, first["id"], 0, DATA[:300_000]).json["received"] == 300_000
    again = begin(browser).json
    assert (again["id"], again["received"]) == (first["id"], 300_000)
    assert browser.get(f"uploads/{first['id']}").json["received"] == 300_000
    assert put(browser, first["id"], 300_000, DATA[300_000:]).json["received"] == len(DATA)
    assert check(browser, first["id"]).json["whole"]
    assert begin(browser).json["whole"]


def test_a_piece_that_is_said_twice_is_kept_once(school):
    browser = school.signed_in()
    upload = begin(browser).json["id"]
    for _ in range(2):
        assert put(browser, upload, 0, DATA[:100_000]).json["received"] == 100_000
    # one that leaves a gap adds nothing, and says where to go on
    assert put(browser, upload, 200_000, DATA[200_000:300_000]).json["received"] == 100_000
    assert put(browser, upload, 100_000, DATA[100_000:]).json["received"] == len(DATA)
    assert check(browser, upload).status_code == 200


def test_another_content_than_was_said_is_refused(school):
    browser = school.signed_in()
    upload = begin(browser).json["id"]
    put(browser, upload, 0, DATA)
    assert error(check(browser, upload, b"another")) == (409, "upload_damaged")


def test_limits_hold_at_the_limit_and_one_past_it(school):
    browser = school.signed_in()
    most = school.shared.UPLOAD_LIMIT * uploads.MEGABYTE
    assert begin(browser, size=most).status_code == 201
    assert error(begin(browser, size=most + 1)) == (413, "file_too_large")
    upload = begin(browser, size=2 * uploads.MAX_BODY_BYTES).json["id"]
    piece = bytes(uploads.MAX_BODY_BYTES)
    assert put(browser, upload, 0, piece + b"x").status_code == 413
    assert put(browser, upload, 0, piece).status_code == 200
    small = begin(browser, "b.odt", size=10).json["id"]
    assert error(put(browser, small, 0, bytes(11))) == (413, "file_too_large")
    assert put(browser, small, 0, bytes(10)).status_code == 200
    for size in (-1, uploads.MEGABYTE * 0.5, "1"):
        assert begin(browser, size=size).status_code == 422


def test_an_empty_file_can_be_given(school):
    browser = school.signed_in()
    give(browser, b"")
    school.walk()
    assert (school.work("zoe") / "camille/TP33eB/devoir.odt").read_bytes() == b""


def test_a_name_becomes_one_that_can_be_kept(school):
    browser = school.signed_in()
    assert begin(browser, "C:\\Users\\me\\a?.odt").json["name"] == "C__Users_me_a_.odt"
    assert begin(browser, "..").status_code == 422
    assert begin(browser, "\u202e").status_code == 422


def test_anothers_upload_is_not_there(school):
    upload = send_up(school.signed_in(), b"mine")
    anna = school.signed_in("anna")
    assert error(anna.get(f"uploads/{upload}")) == (410, "upload_unknown")
    assert error(put(anna, upload, 0, b"x")) == (410, "upload_unknown")
    assert anna.delete(f"uploads/{upload}").status_code == 404
    body = {"reference": "TP", "class": "3eB", "files": [{"upload": upload}]}
    assert error(anna.post("documents", body)) == (410, "upload_unknown")


def test_who_gives_nothing_and_was_given_nothing_sends_nothing(school):
    school.add_user("sec", role="security_officer")
    assert error(begin(school.signed_in("sec"))) == (403, "denied")
    assert error(begin(school.signed_in("zoe"))) == (409, "not_collected")
    assert error(begin(school.browser())) == (401, "signed_out")


def test_a_piece_needs_the_token_of_its_session(school):
    browser = school.signed_in()
    upload = begin(browser).json["id"]
    browser.csrf = "x" * 20
    assert error(put(browser, upload, 0, b"x")) == (403, "csrf")


def test_too_many_at_once_are_refused(school, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_AT_ONCE", 2)
    browser = school.signed_in()
    for name in ("a", "b"):
        assert begin(browser, name).status_code == 201
    assert error(begin(browser, "c")) == (409, "too_many_uploads")
    assert begin(school.signed_in("anna"), "c").status_code == 201


def test_a_student_sends_only_what_can_be_collected_from_him(school):
    camille, zoe = school.signed_in(), school.signed_in("zoe")
    give(camille, collect=False)
    school.walk()
    assert error(begin(zoe)) == (409, "not_collected")
    give(camille, reference="TP4", students=["malo"])
    school.walk()
    assert error(begin(zoe)) == (409, "not_collected")
    give(camille, reference="TP5", hidden_until=school.parts.now_ms() + 3600_000)
    school.walk()
    assert error(begin(zoe)) == (409, "not_collected")
    give(camille, reference="TP6")
    school.walk()
    assert begin(zoe).status_code == 201


def test_one_student_has_few_uploads_under_way(school):
    give(school.signed_in())
    school.walk()
    zoe = school.signed_in("zoe")
    for number in range(uploads.MAX_OF_STUDENT):
        assert begin(zoe, f"{number}.odt", size=0).status_code == 201
    assert error(begin(zoe, "more.odt", size=0)) == (409, "too_many_uploads")
    assert begin(zoe, "0.odt", size=0).status_code == 201  # that one is taken up
    assert begin(school.signed_in("malo"), size=0).status_code == 201


def test_one_student_has_twice_the_largest_file_under_way(school):
    give(school.signed_in())
    school.walk()
    zoe, most = school.signed_in("zoe"), school.shared.UPLOAD_LIMIT * uploads.MEGABYTE
    assert begin(zoe, "a", size=most).status_code == 201
    assert begin(zoe, "b", size=most - 1).status_code == 201
    assert error(begin(zoe, "c", size=2)) == (409, "too_many_uploads")
    assert begin(zoe, "d", size=1).status_code == 201


def test_students_together_leave_space_and_count_to_their_teachers(school, monkeypatch):
    larger = replace(school.shared, UPLOAD_LIMIT=school.shared.UPLOAD_SPACE // uploads.SHARE)
    school.parts = replace(school.parts, shared=larger)
    camille, zoe, malo = (school.signed_in(one) for one in ("camille", "zoe", "malo"))
    give(camille)
    school.walk()
    quarter = school.shared.UPLOAD_SPACE * uploads.MEGABYTE // uploads.SHARE
    assert begin(zoe, size=quarter - 1).status_code == 201
    assert error(begin(malo, size=2)) == (503, "uploads_busy")
    assert begin(malo, size=1).status_code == 201
    assert begin(camille, size=2).status_code == 201
    monkeypatch.setattr(uploads, "MAX_OF_STUDENTS", 3)
    assert begin(malo, "last.odt", size=0).status_code == 201
    assert error(begin(malo, "more.odt", size=0)) == (503, "uploads_busy")


def test_what_was_given_to_nobody_is_dropped_in_time(school):
    browser = school.signed_in()
    upload = send_up(browser, DATA)
    assert uploads.clean_up(school.parts) == 0
    school.offset = school.shared.UPLOAD_EXPIRES * 60 + 1
    assert uploads.clean_up(school.parts) == 1
    assert error(browser.get(f"uploads/{upload}")) in [
        (410, "upload_unknown"), (401, "signed_out"),
    ]  # fmt: skip


def test_what_a_document_still_needs_stays_and_goes_with_it(school):
    browser = school.signed_in()
    made = give(browser)
    school.offset = 10 * 3600
    assert uploads.clean_up(school.parts) == 0
    assert school.walk() == 3
    assert uploads.clean_up(school.parts) == 1
    assert not school.parts.daemon.uploads()
    assert made["counts"]["students"] == 3


def test_one_teacher_does_not_fill_the_space_with_what_waits(school, monkeypatch):
    monkeypatch.setattr(uploads, "MEGABYTE", 10)  # a limit of 1000 bytes, a quarter of 5000
    browser, anna = school.signed_in(), school.signed_in("anna")
    made = give(browser, bytes(1000), hidden_until=school.parts.now_ms() + 3600_000)
    for number in range(3):
        send_up(browser, bytes(1000), f"{number}.odt")
    assert begin(browser, "a", size=1000).status_code == 201
    assert error(begin(browser, "b", size=1)) == (409, "uploads_full")
    assert begin(anna, "b", size=1).status_code == 201
    assert browser.post(f"documents/{made['id']}/open", {}).status_code == 202
    school.walk()  # what is with the students waits no more
    assert begin(browser, "b", size=1000).status_code == 201


def test_what_was_stopped_or_failed_is_kept_for_some_time(school, monkeypatch):
    browser, place = school.signed_in(), steps._DO["place"]
    failed, stopped = give(browser, students=["zoe"]), give(browser, reference="TP4")
    browser.post(f"document-jobs/{stopped['jobs'][0]['id']}/stop", {})

    def full(*_):
        raise RefusedError("no_space")

    monkeypatch.setitem(steps._DO, "place", full)
    school.walk()
    monkeypatch.setitem(steps._DO, "place", place)
    assert browser.get(f"documents/{failed['id']}").json["counts"]["troubles"] == 1
    school.offset = store.KEPT_MS / 1000 - 60
    assert uploads.clean_up(school.parts) == 0
    school.offset = store.KEPT_MS / 1000 + 60
    assert uploads.clean_up(school.parts) == 2
    browser = school.signed_in()
    for made in (failed, stopped):
        number = made["jobs"][0]["id"]
        browser.post(f"documents/{made['id']}/retry", {})
        browser.post(f"document-jobs/{number}/go-on", {})
        school.walk()
        told = browser.get(f"documents/{made['id']}").json["students"]
        assert "upload_unknown" in {one["trouble"] for one in told}


def test_what_a_deleted_account_sent_up_is_dropped_even_where_nothing_else_is_kept(school):
    send_up(school.signed_in("anna"), DATA)
    with school.parts.database.write() as connection:
        users.remove(connection, "anna")
    assert uploads.clean_up(school.parts) == 1
    assert not school.parts.daemon.uploads()


def test_without_any_document_the_files_may_be_away(school, files):
    files.kill()
    assert uploads.clean_up(school.parts) == 0


def test_where_something_is_kept_it_is_told_that_the_files_are_away(school, files):
    give(school.signed_in())
    files.kill()
    with pytest.raises(RefusedError, match="files_down|does not answer"):
        uploads.clean_up(school.parts)


@pytest.mark.parametrize("offset", ["-1", "x", "", str(2**60)])
def test_an_offset_that_is_none_is_refused(school, offset):
    browser = school.signed_in()
    upload = begin(browser).json["id"]
    assert put(browser, upload, offset, b"x").status_code == 422
