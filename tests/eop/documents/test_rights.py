"""Logins change hands, rights end, classes change: what was asked for may still be due then."""

from sqlalchemy import delete, update

from eop.directory.tables import user
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
