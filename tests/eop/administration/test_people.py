import pytest

from eop.directory import users
from eop.directory.tables import user
from tests.eop.administration.pages import follow, get, send, words

PATH = "/admin/people"


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def fields(**values):
    return {"name": "Anna", "role": "teacher", "rooms": "", "classes": "", **values}


def test_the_list_shows_who_there_is(school, boss):
    school.signed_in("anna")
    page = words(get(boss, PATH))
    assert "Accounts: 3" in page
    assert "Anna anna Teacher local active nothing no 1" in page
    assert "Camille camille Teacher local active every room, every class no 0" in page


def test_the_list_is_searched_and_keeps_what_was_asked(school, boss):
    page = get(boss, PATH, text="ann", role="teacher")
    assert "Accounts: 1" in words(page)
    assert 'value="ann"' in page.text
    assert '<option value="teacher" selected>' in page.text
    assert "No account fits." in words(get(boss, PATH, text="nobody"))
    assert get(boss, PATH, page="9" * 30, text="x" * 500, role="y" * 500).status_code == 200


def test_there_are_fifty_on_a_page(school, boss):
    for n in range(48):
        school.add_user(f"x{n:02}", role="student")
    first = get(boss, PATH)
    assert "1 to 50 of 51" in words(first)
    assert "page=2" in first.text
    second = get(boss, PATH, page="2")
    assert "51 to 51 of 51" in words(second)
    assert "page=1" in second.text


def test_grants_are_changed_and_open_screens_close(school, boss):
    teacher = school.signed_in("camille")
    ticket = teacher.post("tickets", {"kind": "wall", "room": "S12"}).json["ticket"]
    closing = school.daemon.leases.open(school.daemon.office.redeem(ticket))
    changed = fields(name="Camille", rooms="S14, S15,,S14", classes=" 3eB ")
    page = follow(boss, send(boss, PATH + "/camille", **changed))
    assert "The account was changed." in words(page)
    assert 'value="S14, S15"' in page.text
    assert closing.code == "signed_out"
    assert teacher.get("session").status_code == 401
    assert school.signed_in("camille").get("rooms").json == []


def test_a_wrong_change_is_told_and_what_was_typed_stays(school, boss):
    answer = send(boss, PATH + "/anna", **fields(name="A" * 121, rooms="S77"))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="S77"' in answer.text


def test_an_account_is_disabled_and_enabled(school, boss):
    teacher = school.signed_in("anna")
    page = follow(boss, send(boss, PATH + "/anna/state", active="no"))
    assert "The account is disabled" in words(page)
    assert teacher.get("session").status_code == 401
    page = follow(boss, send(boss, PATH + "/anna/state", active="yes"))
    assert "The account is enabled again." in words(page)
    assert school.browser().sign_in("anna").status_code == 200


def test_sessions_end_and_locks_are_lifted(school, boss):
    teacher = school.signed_in("anna")
    assert "Sign out everywhere" in get(boss, PATH + "/anna").text
    follow(boss, send(boss, PATH + "/anna/sessions"))
    assert teacher.get("session").status_code == 401
    assert "Not signed in anywhere." in words(get(boss, PATH + "/anna"))
    for _ in range(5):
        school.browser().sign_in("anna", password="wrong")
    assert "Locked after wrong passwords until" in words(get(boss, PATH + "/anna"))
    page = follow(boss, send(boss, PATH + "/anna/unlock"))
    assert "The account is unlocked." in words(page)
    assert school.browser().sign_in("anna").status_code == 200


def test_an_imported_account_shows_what_its_source_keeps(school, boss):
    with school.parts.database.write() as connection:
        values = {"source": "ldap", "external_id": "uuid-1", "state": "expired"}
        connection.execute(user.update().where(user.c.login == "anna").values(**values))
    page = get(boss, PATH + "/anna")
    assert "kept by the source “ldap”" in words(page)
    assert "uuid-1" in page.text
    assert "expired" in words(page)
    assert 'name="role"' not in page.text
    refused = send(boss, PATH + "/anna/state", active="yes")
    assert refused.status_code == 422
    assert "change it there" in words(refused)


def test_the_own_account_is_not_disabled(school, boss):
    answer = send(boss, PATH + "/carla/state", active="no")
    assert answer.status_code == 422
    assert "Another administrator changes your own role and state." in words(answer)
    assert boss.get("session").status_code == 200


@pytest.mark.parametrize("login", ["nobody", "x" * 300, "%00", "../admin", "a b"])
def test_who_is_not_there_is_told(school, boss, login):
    assert get(boss, f"{PATH}/{login}").status_code in {404, 400}


def heads_of(school, login):
    with school.parts.database.read() as connection:
        return users.get(connection, login).heads


def test_an_administrator_says_whose_head_teacher_someone_is(school, boss):
    changed = fields(role="head_teacher", classes="3eB, 4eC", heads="3eB")
    page = follow(boss, send(boss, PATH + "/anna", **changed))
    assert 'name="heads" value="3eB"' in page.text
    assert heads_of(school, "anna") == ("3eB",)
    send(boss, PATH + "/anna", **fields(role="head_teacher", classes="3eB", heads=""))
    assert heads_of(school, "anna") == ()
    send(boss, PATH + "/anna", **fields(role="teacher", classes="3eB", heads="3eB"))
    assert heads_of(school, "anna") == (), "a teacher heads none"
