import pytest

from eop.administration.sessions import A_PAGE
from eop.audit.tables import audit
from tests.eop.administration.pages import follow, get, send, words

PATH = "/admin/sessions"


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def live(school, login=None):
    with school.parts.database.read() as connection:
        found = school.parts.door.sessions.live(connection, school.parts.now_ms())
    return [one for one in found if login in (None, one.login)]


def audited(school, kind):
    with school.parts.database.read() as connection:
        rows = connection.execute(audit.select().where(audit.c.kind == kind)).all()
    return [(row.user, row.details["login"]) for row in rows]


def test_everybodys_sessions_are_listed_the_last_used_first(school, boss):
    school.offset = 120
    school.signed_in("anna")
    page = words(get(boss, PATH))
    assert "Open sessions: 2, people: 2." in page
    assert page.index("Carla carla 127.0.0.1") < page.index("Anna anna 127.0.0.1")
    assert "by local" in page
    assert "all of them" in page
    assert "yours" in page


def test_one_session_ends_and_its_screens_close(school, boss):
    teacher, other = school.signed_in("camille"), school.signed_in("camille")
    ticket = teacher.post("tickets", {"kind": "wall", "room": "S12"}).json["ticket"]
    closing = school.daemon.leases.open(school.daemon.office.redeem(ticket))
    first = live(school, "camille")[0].id
    page = follow(boss, send(boss, PATH + "/end", session=first))
    assert "The session has ended" in words(page)
    assert closing.code == "signed_out"
    assert teacher.get("session").status_code == 401
    assert other.get("session").status_code == 200
    assert audited(school, "session_revoked") == [("carla", "camille")]


def test_all_sessions_of_a_person_end(school, boss):
    first, second = school.signed_in("anna"), school.signed_in("anna")
    assert "End all 2" in words(get(boss, PATH, text="anna"))
    page = follow(boss, send(boss, PATH + "/end-all", login="anna", text="anna"))
    assert "All sessions of this person have ended" in words(page)
    assert "No session fits." in words(page)
    assert [one.get("session").status_code for one in (first, second)] == [401, 401]
    assert audited(school, "sessions_ended") == [("carla", "anna")]


def test_ones_own_session_is_marked_and_has_no_button(school, boss):
    assert "/admin/sessions/end" not in get(boss, PATH).text


def test_what_has_ended_already_is_told(school, boss):
    for session in ("0" * 64, "", "x" * 500):
        page = follow(boss, send(boss, PATH + "/end", session=session))
        assert "It had ended already." in words(page)
    page = follow(boss, send(boss, PATH + "/end-all", login="anna"))
    assert "It had ended already." in words(page)
    assert send(boss, PATH + "/end-all", login="nobody").status_code == 404


def test_sessions_are_searched_and_in_pages(school, boss):
    with school.parts.database.write() as connection:
        from eop.aaa.session import Beginning
        from eop.directory import users

        anna = users.get(connection, "anna")
        for n in range(A_PAGE):
            beginning = Beginning(anna.id, "anna", "local", f"192.0.2.{n}")
            school.parts.door.sessions.start(connection, beginning, school.parts.now_ms())
    assert f"1 to {A_PAGE} of {A_PAGE + 1}" in words(get(boss, PATH))
    assert f"{A_PAGE + 1} to {A_PAGE + 1} of" in words(get(boss, PATH, page="99"))
    assert "1 to 1 of 1" in words(get(boss, PATH, text="192.0.2.49"))
    assert "1 to 50 of 50" in words(get(boss, PATH, text="ANNA"))
