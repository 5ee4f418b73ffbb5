import pytest
from msgspec import structs

from eop.daemon import Daemon
from eop.documents import jobs, lease, steps
from eop.documents.walk import MAX_HOLDS, MAX_TRIES, Walk
from eop.errors import RefusedError
from tests.desktops import wait_until
from tests.eop.documents.conftest import STUDENTS, give, send_up
from tests.eop.installation import error


def state(school, browser, document):
    return browser.get(f"documents/{document['id']}").json


def test_a_document_reaches_every_student_and_is_counted(school):
    browser = school.signed_in()
    made = give(browser, b"work")
    assert made["counts"] == {
        "students": 3, "placed": 0, "opened": 0, "collected": 0, "returned": 0, "troubles": 0,
    }  # fmt: skip
    assert school.walk() == 3
    for login in STUDENTS:
        placed = school.work(login) / "camille/TP33eB/devoir.odt"
        assert placed.read_bytes() == b"work"
    told = state(school, browser, made)
    assert told["counts"]["placed"] == 3
    assert [(one["state"], one["done"], one["total"]) for one in told["jobs"]] == [("done", 3, 3)]
    assert school.walk() == 0


def test_collecting_takes_work_again_and_late(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    for login in ("zoe", "malo"):
        (school.work(login) / "camille/TP33eB/devoir.odt").write_text(f"by {login}")
    (school.work("ada") / "camille/TP33eB/devoir.odt").unlink()
    assert browser.post(f"documents/{made['id']}/collect", {}).status_code == 202
    school.walk()
    there = school.work("camille") / "ramasses/TP33eB"
    assert (there / "zoe/devoir.odt").read_text() == "by zoe"
    notice = (school.work("zoe") / "camille/TP33eB/Collected.txt").read_text()
    assert notice.startswith("“TP3” was collected by Camille on ")
    told = state(school, browser, made)
    assert told["counts"] == {
        "students": 3, "placed": 3, "opened": 3, "collected": 2, "returned": 0, "troubles": 1,
    }  # fmt: skip
    ada = next(one for one in told["students"] if one["login"] == "ada")
    assert ada["trouble"] == "nothing_there"
    (school.work("ada") / "camille/TP33eB/late.odt").write_text("at last")
    assert browser.post(f"documents/{made['id']}/collect", {"who": "late"}).status_code == 202
    assert school.walk() == 1
    assert (there / "ada/late.odt").read_text() == "at last"
    ada = next(one for one in state(school, browser, made)["students"] if one["login"] == "ada")
    assert ada["late"]
    assert ada["trouble"] is None


def test_only_the_last_jobs_of_a_document_are_kept(school, monkeypatch):
    monkeypatch.setattr(jobs, "MAX_KEPT", 3)
    browser = school.signed_in()
    made = give(browser, students=["zoe"])
    school.walk()
    for _ in range(4):
        assert browser.post(f"documents/{made['id']}/collect", {}).status_code == 202
        school.walk()
    for _ in range(5):
        assert browser.post(f"documents/{made['id']}/return", {}).status_code == 202
        school.walk()
    kept = [one["kind"] for one in state(school, browser, made)["jobs"]]
    assert kept == ["return", "return", "return", "collect", "place"]
    with school.parts.database.read() as connection:
        found = jobs.of_document(connection, made["id"])
    assert [one.round for one in found if one.kind == "return"] == [5, 4, 3]


def test_returning_puts_corrections_beside_the_students_own(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    browser.post(f"documents/{made['id']}/collect", {})
    school.walk()
    copy = school.work("camille") / "ramasses/TP33eB/zoe/devoir.odt"
    copy.write_text("well done")
    assert browser.post(f"documents/{made['id']}/return", {}).status_code == 202
    school.walk()
    folder = school.work("zoe") / "camille/TP33eB"
    assert (folder / "correction/devoir.odt").read_text() == "well done"
    assert (folder / "devoir.odt").read_text() == "work"
    told = state(school, browser, made)
    assert told["counts"]["returned"] == 3
    assert told["state"] == "done"


def test_removing_takes_back_what_was_given_and_forgets_the_document(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    own = school.work("zoe") / "camille/TP33eB/mine.txt"
    own.write_text("my own")
    answer = browser.post(f"documents/{made['id']}/remove", {"what": "everything"})
    assert answer.status_code == 202
    school.walk()
    assert own.read_text() == "my own"
    assert not (school.work("malo") / "camille/TP33eB").exists()
    assert browser.get(f"documents/{made['id']}").status_code == 404
    give(browser)  # the reference is free again


def give_with_annex(school, browser, **more):
    files = [
        {"upload": send_up(browser, b"work", "a.odt")},
        {"upload": send_up(browser, b"read me", "b.pdf"), "annex": True},
    ]
    body = {"reference": "TP3", "class": "3eB", "files": files, **more}
    answer = browser.post("documents", body)
    assert answer.status_code == 201, answer.text
    return answer.json


def test_annexes_are_not_taken_back_before_all_is_given(school):
    browser = school.signed_in()
    made = give_with_annex(school, browser, hidden_until=school.parts.now_ms() + 3600_000)
    body = {"what": "annexes"}
    answer = browser.post(f"documents/{made['id']}/remove", body)
    assert error(answer) == (409, "document_busy")
    school.offset = 3601
    assert school.walk() == 3
    assert browser.post(f"documents/{made['id']}/remove", body).status_code == 202
    assert school.walk() == 3
    folder = school.work("zoe") / "camille/TP33eB"
    assert [one.name for one in folder.iterdir()] == ["a.odt"]


def test_taking_annexes_back_leaves_a_failed_giving_to_be_tried_again(school, monkeypatch):
    browser = school.signed_in()
    made = give_with_annex(school, browser)
    place = steps._DO["place"]

    def full(parts, task):
        if task.step.login == "zoe":
            raise RefusedError("no_space")
        return place(parts, task)

    monkeypatch.setitem(steps._DO, "place", full)
    school.walk()
    monkeypatch.setitem(steps._DO, "place", place)
    browser.post(f"documents/{made['id']}/remove", {"what": "annexes"})
    school.walk()
    told = {one["login"]: one["trouble"] for one in state(school, browser, made)["students"]}
    assert told == {"ada": None, "malo": None, "zoe": "no_space"}
    assert browser.post(f"documents/{made['id']}/retry", {}).status_code == 202
    assert school.walk() == 1
    folder = school.work("zoe") / "camille/TP33eB"
    assert [one.name for one in folder.iterdir()] == ["a.odt"]  # the annex does not come back


def test_who_has_no_home_does_not_lose_the_way_to_his_work(school, monkeypatch):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    work = school.work("zoe") / "camille/TP33eB/devoir.odt"
    work.write_text("what zoe wrote")
    look_at = Daemon.look_at

    def homeless(*arguments):  # every home of this school is a folder that it has
        return [structs.replace(one, has_home=False) for one in look_at(*arguments)]

    monkeypatch.setattr(Daemon, "look_at", homeless)
    browser.post(f"documents/{made['id']}/remove", {"what": "everything"})
    school.walk()
    told = {one["login"]: one["trouble"] for one in state(school, browser, made)["students"]}
    assert told == {"ada": None, "malo": None, "zoe": "work_there"}
    zoe = school.signed_in("zoe")
    read = zoe.get(f"own-documents/{made['id']}/file", name="devoir.odt")
    assert read.text == "what zoe wrote"
    browser.post(f"documents/{made['id']}/remove", {"what": "everything", "changed": True})
    school.walk()
    assert not work.exists()
    assert browser.get("documents").json == []


def test_a_hidden_document_is_with_nobody_before_its_moment(school):
    browser = school.signed_in()
    at = school.parts.now_ms() + 3600_000
    made = give(browser, hidden_until=at)
    assert made["state"] == "hidden"
    assert school.walk() == 0
    assert not (school.work("zoe") / "camille").exists()
    school.offset = 3601
    assert school.walk() == 3


def test_a_hidden_document_can_be_given_at_once(school):
    browser = school.signed_in()
    made = give(browser, hidden_until=school.parts.now_ms() + 3600_000)
    assert browser.post(f"documents/{made['id']}/open", {}).status_code == 202
    assert school.walk() == 3


def test_while_the_files_cannot_be_reached_a_job_waits_and_goes_on(school, files):
    browser = school.signed_in()
    made = give(browser)
    files.kill()
    try:
        assert school.walker.step() > 0
        (job,) = state(school, browser, made)["jobs"]
        assert (job["state"], job["held"], job["done"]) == ("open", "files_down", 0)
    finally:
        files.start()
    assert school.walk() == 3
    (job,) = state(school, browser, made)["jobs"]
    assert (job["state"], job["held"], job["failed"]) == ("done", None, 0)


def test_a_student_who_is_never_answered_for_comes_last_and_is_given_up(school, monkeypatch):
    browser = school.signed_in()
    made = give(browser)
    place, said = steps._DO["place"], []

    def killing(parts, task):
        said.append(task.step.login)
        if task.step.login == "ada":
            raise RefusedError("files_down")
        return place(parts, task)

    monkeypatch.setattr("eop.documents.steps._DO", {"place": killing})
    assert school.walk() == 2 + MAX_HOLDS
    assert said == ["ada", "malo", "zoe", *["ada"] * (MAX_HOLDS - 1)]
    told = state(school, browser, made)
    (job,) = told["jobs"]
    assert (job["state"], job["held"], job["failed"]) == ("done", None, 1)
    assert [one["trouble"] for one in told["students"]] == ["no_answer", None, None]


def test_a_step_that_holds_up_does_not_keep_other_jobs(school, monkeypatch):
    browser = school.signed_in()
    give(browser, students=["ada"])
    give(browser, reference="TP4", students=["zoe"])
    place = steps._DO["place"]

    def killing(parts, task):
        if task.step.login == "ada":
            raise RefusedError("daemon_down")
        return place(parts, task)

    monkeypatch.setattr("eop.documents.steps._DO", {"place": killing})
    assert school.walker.step() > 0
    assert school.walker.step() == 0
    assert (school.work("zoe") / "camille/TP43eB/devoir.odt").exists()


def test_where_nobody_is_served_no_student_is_given_up(school, files):
    browser = school.signed_in()
    made = give(browser)
    files.kill()
    try:
        for _ in range(3 * 2 * MAX_HOLDS):
            assert school.walker.step() > 0
    finally:
        files.start()
    assert school.walk() == 3
    (job,) = state(school, browser, made)["jobs"]
    assert (job["state"], job["failed"]) == ("done", 0)


def test_a_stopped_job_keeps_what_it_did_and_goes_on(school):
    browser = school.signed_in()
    made = give(browser)
    number = made["jobs"][0]["id"]
    assert school.walker.step() == 0
    assert browser.post(f"document-jobs/{number}/stop", {}).json["state"] == "stopped"
    assert school.walk() == 0
    assert state(school, browser, made)["counts"]["placed"] == 1
    assert browser.post(f"document-jobs/{number}/go-on", {}).json["state"] == "open"
    assert school.walk() == 2


def test_a_step_is_said_again_where_its_answer_was_lost(school, monkeypatch):
    browser = school.signed_in()
    made = give(browser)
    monkeypatch.setattr(jobs, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        school.walker.step()  # the file is there, and nobody knows it
    monkeypatch.undo()
    for name, value in school.environ.items():
        monkeypatch.setenv(name, value)
    assert state(school, browser, made)["counts"]["placed"] == 0
    first = next(one for one in sorted(STUDENTS) if (school.work(one) / "camille/TP33eB").exists())
    (school.work(first) / "camille/TP33eB/devoir.odt").write_text("begun already")
    school.walker = Walk(school.parts)
    assert school.walk() == 3
    assert (school.work(first) / "camille/TP33eB/devoir.odt").read_text() == "begun already"
    assert state(school, browser, made)["counts"]["placed"] == 3


def test_what_may_pass_is_tried_again_and_then_told(school, monkeypatch):
    browser = school.signed_in()
    made = give(browser, students=["zoe"])
    monkeypatch.setattr("eop.documents.steps._DO", {"place": lambda *_: 1 / 0})
    waits = [school.walker.step() for _ in range(MAX_TRIES + 1)]
    assert [wait and wait > 0 for wait in waits] == [True] * (MAX_TRIES - 1) + [0.0, None]
    (zoe,) = state(school, browser, made)["students"]
    assert zoe["trouble"] == "internal"


def test_one_worker_walks_and_another_takes_over(school):
    give(school.signed_in())
    now = school.parts.now_ms()
    with school.parts.database.write() as connection:
        assert lease.take(connection, "one", now)
        assert lease.take(connection, "one", now + 1)
        assert not lease.take(connection, "two", now + lease.LEASE_MS)
        assert lease.take(connection, "two", now + lease.LEASE_MS + 1)
        assert not lease.take(connection, "one", now + lease.LEASE_MS + 2)
        lease.give_up(connection, "two")
        assert lease.take(connection, "one", now + lease.LEASE_MS + 3)


def test_a_clock_that_was_set_back_keeps_nobody_out(school):
    now = school.parts.now_ms()
    with school.parts.database.write() as connection:
        assert lease.take(connection, "one", now + 3600_000)
        assert lease.take(connection, "two", now)


def test_threads_walk_while_something_is_due_and_leave_the_lease(school):
    browser = school.signed_in()
    made = give(browser)
    other = Walk(school.parts)
    school.walker.tick()
    other.tick()
    assert not other._threads
    wait_until(lambda: state(school, browser, made)["counts"]["placed"] == 3, 20, "all have it")
    wait_until(lambda: not any(one.is_alive() for one in school.walker._threads), 5, "idle")
    school.walker.tick()
    give(browser, reference="TP4")
    third = Walk(school.parts)
    third.tick()
    assert third._threads
    third.stop()
