"""Logins change hands, rights end, classes change: what was asked for may still be due then."""

from sqlalchemy import delete, update

from eop.directory import classes, substitutes, users
from eop.directory.substitutes import Substitution
from eop.directory.tables import user
from tests.eop.administration.pages import get, words
from tests.eop.documents.conftest import give
from tests.eop.installation import error


def rename(school, before, after):
    """As an import does."""
    with school.parts.database.write() as connection:
        connection.execute(update(user).where(user.c.login == before).values(login=after))


def state(school, browser, document):
    return browser.get(f"documents/{document['id']}").json


def troubles(school, browser, document):
    told = state(school, browser, document)
    return {one["login"]: one["trouble"] for one in told["students"]}


def test_a_hidden_document_is_not_given_once_the_right_has_ended(school):
    now = school.parts.now_ms()
    friday = now + 5 * 3600_000
    with school.parts.database.write() as connection:
        given = Substitution("klein", (), ("3eB",), now - 1000, friday, "admin")
        substitutes.give(connection, given, now)
    klein = school.signed_in("klein")
    made = give(klein, hidden_until=friday + 3600_000)
    sooner = give(klein, reference="TP4", hidden_until=friday - 3600_000)
    school.offset = 4 * 3600 + 60
    assert school.walk() == 3
    school.offset = 6 * 3600 + 60
    school.walk()
    klein = school.signed_in("klein")
    assert set(troubles(school, klein, sooner).values()) == {None}
    assert set(troubles(school, klein, made).values()) == {"grant"}
    assert not (school.work("zoe") / "klein/TP33eB").exists()


def test_nothing_is_carried_out_for_a_locked_account(school):
    made = give(school.signed_in("anna"), hidden_until=school.parts.now_ms() + 3600_000)
    with school.parts.database.write() as connection:
        users.set_state(connection, "anna", users.LOCKED)
    school.offset = 3700
    school.walk()
    assert not (school.work("zoe") / "anna").exists()
    with school.parts.database.write() as connection:
        users.set_state(connection, "anna", users.ACTIVE)
    anna = school.signed_in("anna")
    assert set(troubles(school, anna, made).values()) == {"grant"}
    assert anna.post(f"documents/{made['id']}/retry", {}).status_code == 202
    assert school.walk() == 3
    assert set(troubles(school, anna, made).values()) == {None}


def test_who_has_left_the_class_is_left_alone_and_told(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    work = school.work("zoe") / "camille/TP33eB/devoir.odt"
    work.write_text("what zoe wrote")
    later = give(browser, reference="TP4", hidden_until=school.parts.now_ms() + 3600_000)
    with school.parts.database.write() as connection:
        classes.save(connection, "3eB", ("malo", "ada"), replace=True)
    browser.post(f"documents/{made['id']}/collect", {})
    school.offset = 3700
    school.walk()
    expected = {"ada": None, "malo": None, "zoe": "left_class"}
    browser = school.signed_in()
    assert troubles(school, browser, made) == expected
    assert troubles(school, browser, later) == expected
    assert not (school.work("camille") / "ramasses/TP33eB/zoe").exists()
    assert not (school.work("zoe") / "camille/TP43eB").exists()
    page = get(browser, f"/documents/{made['id']}")
    assert "Not in the class any more" in words(page)
    assert work.read_text() == "what zoe wrote"


def test_who_has_lost_the_class_takes_no_changed_work_away(school):
    anna = school.signed_in("anna")
    made = give(anna)
    school.walk()
    work = school.work("zoe") / "anna/TP33eB/devoir.odt"
    work.write_text("what zoe wrote")
    with school.parts.database.write() as connection:
        users.set_grants(connection, users.get(connection, "anna").id, (), ())
    anna = school.signed_in("anna")
    body = {"what": "everything", "changed": True}
    assert error(anna.post(f"documents/{made['id']}/remove", body)) == (403, "grant")
    body = {"what": "everything"}
    assert anna.post(f"documents/{made['id']}/remove", body).status_code == 202
    school.walk()
    assert work.read_text() == "what zoe wrote"
    assert not (school.work("malo") / "anna/TP33eB").exists()


def test_a_login_that_changes_hands_takes_no_document_along(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    work = school.work("zoe") / "camille/TP33eB/devoir.odt"
    work.write_text("what the first wrote")
    rename(school, "zoe", "zoe2")
    school.add_user("zoe", role="student", rooms=(), classes=())
    second = school.signed_in("zoe")
    assert second.get("own-documents").json == []
    for call in ("files", "file"):
        answer = second.get(f"own-documents/{made['id']}/{call}", name="devoir.odt")
        assert answer.status_code == 404
    first = school.signed_in("zoe2")
    assert [one["id"] for one in first.get("own-documents").json] == [made["id"]]
    # the home of that login is another's now, too
    answer = first.get(f"own-documents/{made['id']}/files")
    assert error(answer) == (409, "login_changed")
    page = get(first, f"/eleve/documents/{made['id']}")
    assert page.status_code == 409
    assert "its files are under the old one" in words(page)
    browser.post(f"documents/{made['id']}/collect", {})
    school.walk()
    assert troubles(school, browser, made) == {"ada": None, "malo": None, "zoe": "other_person"}
    assert not (school.work("camille") / "ramasses/TP33eB/zoe").exists()
    # what was given is taken back even so; what was changed is not
    removal = {"what": "everything", "changed": True, "collected": True}
    assert browser.post(f"documents/{made['id']}/remove", removal).status_code == 202
    school.walk()
    assert work.read_text() == "what the first wrote"
    assert not (school.work("malo") / "camille/TP33eB").exists()
    assert browser.get("documents").json == []


def test_who_comes_after_a_deleted_account_finds_nothing(school):
    browser = school.signed_in()
    made = give(browser)
    school.walk()
    with school.parts.database.write() as connection:
        connection.execute(delete(user).where(user.c.login == "zoe"))
    school.add_user("zoe", role="student", rooms=(), classes=())
    zoe = school.signed_in("zoe")
    assert zoe.get("own-documents").json == []
    assert zoe.get(f"own-documents/{made['id']}/files").status_code == 404
    browser.post(f"documents/{made['id']}/collect", {})
    school.walk()
    assert troubles(school, browser, made)["zoe"] == "other_person"


def test_a_student_without_an_account_is_served_until_another_has_his_login(school):
    (school.files.homes / "leo").mkdir()
    school.add_class("4eA", "leo")
    browser = school.signed_in()
    made = give(browser, **{"class": "4eA"})
    school.walk()
    assert (school.work("leo") / "camille/TP34eA/devoir.odt").exists()
    school.add_user("leo", role="student", rooms=(), classes=())
    browser.post(f"documents/{made['id']}/collect", {})
    school.walk()
    assert troubles(school, browser, made) == {"leo": "other_person"}


def test_a_teacher_whose_login_changed_puts_nothing_into_anothers_home(school):
    browser = school.signed_in("anna")
    made = give(browser)
    school.walk()
    browser.post(f"documents/{made['id']}/collect", {})  # asked for, and not done yet
    rename(school, "anna", "anna2")
    school.add_user("anna", rooms=(), classes=("3eB",))
    school.walk()
    assert not (school.work("anna") / "ramasses").exists()
    first = school.signed_in("anna2")
    assert set(troubles(school, first, made).values()) == {"login_changed"}
    for call in ("collect", "return"):
        answer = first.post(f"documents/{made['id']}/{call}", {})
        assert error(answer) == (409, "login_changed")
    body = {"what": "everything", "collected": True}
    answer = first.post(f"documents/{made['id']}/remove", body)
    assert error(answer) == (409, "login_changed")
    assert school.signed_in("anna").get("documents").json == []
    first.post(f"documents/{made['id']}/remove", {"what": "everything"})
    school.walk()
    assert not (school.work("zoe") / "anna/TP33eB").exists()
    assert first.get("documents").json == []
