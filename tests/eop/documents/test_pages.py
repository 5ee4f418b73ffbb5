import re
from dataclasses import replace

import pytest

from eop.daemon import Daemon
from eop.documents import jobs, own
from eop.errors import RefusedError
from tests.desktops import free_port
from tests.eop.administration.pages import follow, get, send, words
from tests.eop.documents.conftest import STUDENTS, give, send_up
from tests.eop.installation import MOUNT, error


def form(browser, *uploads, **fields):
    """Send the form; its answer."""
    wanted = {
        "reference": "TP3", "class": "3eB", "who": "all", "kind": "collect",
        "file": list(uploads), **fields,
    }  # fmt: skip
    return send(browser, "/documents/", **wanted)


def test_the_address_of_the_original_leads_to_the_page(school):
    browser = school.signed_in()
    answer = browser.open("/documents")
    assert answer.headers["Location"].endswith(f"{MOUNT}/documents/")
    assert "You have given nothing yet." in words(get(browser, "/documents/"))


def test_the_form_gives_a_document_and_the_table_offers_what_comes_next(school):
    browser = school.signed_in()
    answer = form(browser, send_up(browser, b"x"))
    page = follow(browser, answer)
    assert "The document is being given." in words(page)
    assert "0 of 3 students" in words(page)
    school.walk()
    page = get(browser, "/documents/")
    assert "3 given 0 opened 0 collected 0 returned" in words(page)
    assert "Giving “TP3” to 3eB : 3 of 3 students" in words(page)
    number = re.search(r'action="[^"]+/documents/(\w{32})/collect"', page.text)[1]
    follow(browser, send(browser, f"/documents/{number}/collect", **{"from": "list"}))
    school.walk()
    assert f"/documents/{number}/return" in get(browser, "/documents/").text
    follow(browser, send(browser, f"/documents/{number}/return"))
    school.walk()
    assert "Finished" in words(get(browser, "/documents/"))


def test_a_document_that_cannot_be_looked_at_takes_no_page_away(school, monkeypatch):
    browser = school.signed_in()
    broken, sound = give(browser), give(browser, reference="TP4")
    school.walk()
    (school.work("zoe") / "camille/TP43eB/devoir.odt").write_text("changed")
    look_at, said = Daemon.look_at, []

    def failing(self, logins, teacher, folder, owner_key):
        said.append(owner_key)
        if owner_key == broken["id"]:
            raise RefusedError("daemon_refused")
        return look_at(self, logins, teacher, folder, owner_key)

    monkeypatch.setattr(Daemon, "look_at", failing)
    page = get(browser, "/documents/")
    assert page.status_code == 200
    assert "3 given 1 opened" in words(page)  # the other one was looked at
    assert "who has opened what is not known just now" in words(page)
    assert set(said) == {broken["id"], sound["id"]}
    assert get(browser, f"/documents/{broken['id']}").status_code == 200
    assert browser.get(f"documents/{broken['id']}").status_code == 200


def test_only_chosen_students_get_it(school):
    browser = school.signed_in()
    shown = get(browser, "/documents/students", **{"class": "3eB"})
    assert words(shown) == "Ada Malo Zoe"
    answer = form(browser, send_up(browser, b"x"), who="some", student=["ada", "zoe"])
    assert "2 students" in words(follow(browser, answer))
    school.walk()
    has = [one for one in STUDENTS if (school.work(one) / "camille/TP33eB").exists()]
    assert has == ["zoe", "ada"]
    again = form(browser, send_up(browser, b"x"), reference="TP4", who="some")
    assert again.status_code == 422
    assert "Choose at least one student." in words(again)


def test_what_is_missing_is_said_on_the_form_and_nothing_is_lost(school):
    browser = school.signed_in()
    upload = send_up(browser, b"x", "kept.odt")
    for fields, told in (
        ({"reference": ""}, "Reference: 1 to 100 printable characters"),
        ({"reference": "x" * 101}, "Reference: 1 to 100"),
        ({"class": "9zZ"}, "There is no such class."),
        ({"hidden": "yes", "until": "tomorrow"}, "Say the day and the time"),
        ({"hidden": "yes", "until": "2020-01-01T08:00"}, "must be ahead of us"),
        ({"hidden": "yes", "until": "9999-12-31T23:59"}, "must be ahead of us"),
    ):
        answer = form(browser, upload, **fields)
        assert answer.status_code in {404, 422}, fields
        assert told in words(answer)
        assert "kept.odt" in words(answer)
    assert "Add a document first" in words(form(browser))
    assert form(browser, upload).status_code == 303


def test_two_files_of_one_name_are_told(school):
    browser = school.signed_in()
    first, second = send_up(browser, b"x", "Été.odt"), send_up(browser, b"yy", "été.ODT")
    answer = form(browser, first, second)
    assert answer.status_code == 422
    assert "Two files are called “été.ODT”: rename one." in words(answer)


def test_the_same_reference_twice_is_told_with_the_document_that_has_it(school):
    browser = school.signed_in()
    made = give(browser, reference="Même")
    answer = form(browser, send_up(browser, b"x"), reference="mÊme")
    assert answer.status_code == 409
    assert "You have given “Même” to 3eB already" in words(answer)
    assert f"/documents/{made['id']}" in answer.text
    assert error(
        browser.post(
            "documents",
            {"reference": "Même", "class": "3eB", "files": [{"upload": send_up(browser, b"y")}]},
        )
    ) == (409, "reference_used")
    give(school.signed_in("anna"), reference="Même")  # another teacher's folder is another
    assert school.walk() == 6


def test_where_it_does_not_fit_nothing_is_given_before_it_is_confirmed(school, monkeypatch):
    daemon, space = school.parts.daemon, type(school.parts.daemon).space

    def full(self, login, wanted=0):
        found = space(self, login, wanted)
        return found if login != "malo" else type(found)(
            has_home=True, free=5, fits=False, limit="quota"
        )  # fmt: skip

    monkeypatch.setattr(type(daemon), "space", full)
    browser = school.signed_in()
    upload = send_up(browser, b"x" * 10)
    answer = form(browser, upload)
    assert answer.status_code == 409
    assert "Malo : Quota used up; nothing is lost" in words(answer).replace("Malo:", "Malo :")
    assert "Nothing has been given yet." in words(answer)
    assert "You have given nothing yet." in words(get(browser, "/documents/"))
    assert form(browser, upload, sure="yes").status_code == 303


def test_a_teacher_gives_to_his_classes_alone(school):
    for login, status in (("anna", 201), ("klein", 403)):
        browser = school.signed_in(login)
        body = {"reference": "A", "class": "3eB", "files": [{"upload": send_up(browser, b"x")}]}
        assert browser.post("documents", body).status_code == status
    klein = school.signed_in("klein")
    assert "No class with students was given to you." in words(get(klein, "/documents/new"))
    assert get(klein, "/documents/students", **{"class": "3eB"}).status_code == 403
    school.add_class("4eC", "lou")
    anna = school.signed_in("anna")
    assert get(anna, "/documents/students", **{"class": "4eC"}).status_code == 403
    body = {
        "reference": "B", "class": "3eB", "students": ["lou"],
        "files": [{"upload": send_up(anna, b"x")}],
    }  # fmt: skip
    assert error(anna.post("documents", body)) == (403, "grant")


def test_anothers_document_is_not_there(school):
    made = give(school.signed_in())
    school.walk()
    number, job = made["id"], made["jobs"][0]["id"]
    anna = school.signed_in("anna")
    assert get(anna, f"/documents/{number}").status_code == 404
    assert get(anna, f"/documents/jobs/{job}").status_code == 404
    for verb in ("collect", "retry", "open", "return"):
        assert anna.post(f"documents/{number}/{verb}", {}).status_code == 404
        assert send(anna, f"/documents/{number}/{verb}").status_code == 404
    assert anna.post(f"documents/{number}/remove", {"what": "everything"}).status_code == 404
    assert anna.post(f"document-jobs/{job}/stop", {}).status_code == 404
    for odd in ("x" * 32, "..", "a" * 31, "0" * 32):
        assert anna.get(f"documents/{odd}").status_code == 404


@pytest.mark.parametrize("login", ["zoe", "sec"])
def test_others_have_no_such_pages(school, login):
    school.add_user("sec", role="security_officer")
    browser = school.signed_in(login)
    for path in ("/documents/", "/documents/new", "/documents/" + "0" * 32):
        assert get(browser, path).status_code == 403
    assert error(browser.get("documents")) == (403, "denied")


def test_who_lost_the_class_may_look_and_remove_but_not_collect(school):
    made = give(school.signed_in("anna"))
    school.walk()
    with school.parts.database.write() as connection:
        from eop.directory import users

        users.set_grants(connection, users.get(connection, "anna").id, "class", [])
    anna = school.signed_in("anna")
    assert anna.get(f"documents/{made['id']}").status_code == 200
    assert error(anna.post(f"documents/{made['id']}/collect", {})) == (403, "grant")
    answer = anna.post(f"documents/{made['id']}/remove", {"what": "everything"})
    assert answer.status_code == 202


def test_a_plain_document_is_not_collected(school):
    browser = school.signed_in()
    made = give(browser, collect=False)
    school.walk()
    assert error(browser.post(f"documents/{made['id']}/collect", {})) == (409, "not_collected")
    assert "not to be collected" in words(get(browser, "/documents/"))


def test_one_thing_at_a_time_is_done_with_a_document(school):
    browser = school.signed_in()
    made = give(browser)
    for verb in ("collect", "return", "retry"):
        answer = browser.post(f"documents/{made['id']}/{verb}", {})
        assert error(answer) == (409, "document_busy")
    school.walk()
    assert error(browser.post(f"documents/{made['id']}/return", {})) == (409, "nobody_due")
    assert error(browser.post(f"documents/{made['id']}/retry", {})) == (409, "nobody_due")


def test_the_table_is_sorted_and_filtered(school):
    browser = school.signed_in()
    for name in ("Beta", "alpha", "Émile"):
        give(browser, reference=name)
        school.offset += 60
    school.walk()

    def listed(**query):
        page = get(browser, "/documents/", **query).text
        return re.findall(r'<th scope="row"><a [^>]+>([^<]+)<', page)

    assert listed() == ["Émile", "alpha", "Beta"]
    assert listed(sort="reference") == ["alpha", "Beta", "Émile"]
    assert listed(sort="-reference") == ["Émile", "Beta", "alpha"]
    assert listed(sort="given") == ["Beta", "alpha", "Émile"]
    assert listed(text="emi") == ["Émile"]
    assert listed(state="collect") == ["Émile", "alpha", "Beta"]
    assert listed(state="return") == []
    assert listed(**{"class": "9zZ"}) == []
    assert listed(sort="nonsense", state="nonsense") == ["Émile", "alpha", "Beta"]


def test_the_mail_is_seen_before_it_is_sent_and_its_text_checked(school, monkeypatch):
    made = give(school.signed_in())
    school.walk()
    browser = school.signed_in()
    browser.post(f"documents/{made['id']}/collect", {})
    school.walk()
    path = f"/documents/{made['id']}/return"
    assert "This server sends no mail" in words(get(browser, path))
    letter = {"mail": {"title": "Hello", "body": "there"}}
    assert error(browser.post(path[1:], letter)) == (409, "mail_not_set")


def test_a_teacher_causes_only_so_many_mails_a_day(school, monkeypatch):
    monkeypatch.setattr(own, "MAX_MAILS_A_DAY", 4)
    school.site = replace(
        school.site, SMTP_SERVER=f"127.0.0.1:{free_port()}", SMTP_SECURITY="none",
        MAIL_FROM="eop@school.example", MAIL_ADDRESS="{login}@school.example",
    )  # fmt: skip
    school.parts = replace(school.parts, site=school.site)
    browser = school.signed_in()
    made, other = give(browser), give(browser, reference="TP4", students=["zoe"])
    school.walk()
    for one in (made, other):
        browser.post(f"documents/{one['id']}/collect", {})
    school.walk()
    letter = {"mail": {"title": "Hello", "body": "there"}}

    def answer(one, body):
        given = browser.post(f"documents/{one['id']}/return", body)
        school.walk()
        return given

    assert answer(made, letter).status_code == 202
    assert error(answer(made, letter)) == (429, "too_many_mails")
    assert answer(made, {}).status_code == 202
    assert answer(other, letter).status_code == 202  # the fourth
    assert error(answer(other, letter)) == (429, "too_many_mails")
    fields = {"mail": "yes", "title": "Hello", "body": "there"}
    page = send(browser, f"/documents/{made['id']}/return", **fields)
    assert page.status_code == 429
    assert "too many mails within a day" in words(page)
    school.offset = 24 * 3600 + 60
    browser = school.signed_in()
    assert answer(made, letter).status_code == 202


def test_every_change_is_in_the_audit(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    browser.post(f"documents/{made['id']}/collect", {})
    school.walk()
    browser.post(f"documents/{made['id']}/return", {})
    school.walk()
    browser.post(f"documents/{made['id']}/remove", {"what": "everything", "collected": True})
    school.walk()
    school.add_user("carla", role="administrator")
    page = words(get(school.signed_in("carla"), "/admin/audit", group="document"))
    for told in (
        "Gave the document “TP3” to 3 students of 3eB.",
        "Collected “TP3” from 3 students of 3eB.",
        "Returned “TP3” to 3 students of 3eB.",
        "Removed the document “TP3” at 3 students of 3eB.",
    ):
        assert told in page
    assert not (school.work("camille") / "ramasses/TP33eB/zoe").exists()


def test_a_failure_is_told_and_tried_again(school):
    (school.work("malo")).mkdir(parents=True)
    (school.work("malo") / "camille").write_text("a file stands there")
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    page = words(get(browser, f"/documents/{made['id']}"))
    assert "A link or a file stands where a folder must be" in page
    (school.work("malo") / "camille").unlink()
    follow(browser, send(browser, f"/documents/{made['id']}/retry"))
    assert school.walk() == 1
    told = browser.get(f"documents/{made['id']}").json["counts"]
    assert (told["placed"], told["troubles"]) == (3, 0)


def test_a_year_is_the_furthest_moment(school):
    browser = school.signed_in()
    now = school.parts.now_ms()
    body = {"class": "3eB", "reference": "A", "files": [{"upload": send_up(browser, b"x")}]}
    too_far = {**body, "hidden_until": now + own.MAX_HIDDEN_MS + 60_000}
    assert browser.post("documents", too_far).status_code == 422
    near = {**body, "hidden_until": now + own.MAX_HIDDEN_MS - 60_000}
    assert browser.post("documents", near).status_code == 201


def test_what_is_over_is_told_for_a_while_and_what_is_stopped_until_it_goes_on(school):
    browser = school.signed_in()
    done, stopped = give(browser, reference="Done"), give(browser, reference="Stopped")
    follow(browser, send(browser, f"/documents/jobs/{stopped['jobs'][0]['id']}/stop"))
    school.walk()
    shown = words(get(browser, "/documents/"))
    assert "Giving “Done” to 3eB : 3 of 3 students" in shown
    assert "Giving “Stopped” to 3eB : 0 of 3 students, stopped: what is done stays" in shown
    school.offset = jobs.SHOWN_MS / 1000 + 1
    shown = words(get(browser, "/documents/"))
    assert "Giving “Done”" not in shown
    assert "Giving “Stopped”" in shown
    follow(browser, send(browser, f"/documents/jobs/{stopped['jobs'][0]['id']}/go-on"))
    assert school.walk() == 3
    assert done["id"] != stopped["id"]
