import pytest
from sqlalchemy import select

from eop.aaa import people
from eop.aaa.people import Desk, Rights
from eop.aaa.tables import revocation
from eop.audit.tables import audit
from eop.directory import users
from eop.directory.tables import user
from eop.errors import InvalidError, NotFoundError


@pytest.fixture
def school(quiet):
    quiet.add_user("carla", role="administrator", rooms=(), classes=())
    quiet.add_user("anna", rooms=("S12",), classes=())
    return quiet


def desk(school, login="anna", by="carla"):
    return Desk(school.parts.door, by, login, school.parts.now_ms())


def rights(**values):
    plain = {"name": "Anna", "role": "teacher", "rooms": ("S12",), "classes": ()}
    return Rights(**{**plain, **values})


def audited(school):
    with school.parts.database.read() as connection:
        kinds = audit.c.kind.not_in(("signed_in", "sign_in_failed", "account_added"))
        rows = connection.execute(select(audit.c.kind, audit.c.user, audit.c.details).where(kinds))
        return [tuple(row) for row in rows]


def endings(school):
    with school.parts.database.read() as connection:
        return len(connection.execute(select(revocation)).all())


def make_imported(school, login):
    with school.parts.database.write() as connection:
        connection.execute(user.update().where(user.c.login == login).values(source="ldap"))


def test_another_role_or_grant_ends_the_sessions_and_is_written_down(school):
    browser = school.signed_in("anna")
    changed = people.change(desk(school), rights(rooms=("S12", "S14"), role="head_teacher"))
    assert (changed.role, changed.rooms) == ("head_teacher", ("S12", "S14"))
    assert browser.get("session").status_code == 401
    assert endings(school) == 1
    assert audited(school) == [
        (
            "account_changed",
            "carla",
            {
                "login": "anna",
                "role": ["teacher", "head_teacher"],
                "rooms": [["S12"], ["S12", "S14"]],
            },
        )
    ]


def test_what_is_kept_as_it_was_ends_nothing(school):
    browser = school.signed_in("anna")
    people.change(desk(school), rights())
    assert browser.get("session").status_code == 200
    assert audited(school) == []


def test_the_password_stays_when_the_rights_change(school):
    people.change(desk(school), rights(rooms=("S14",)))
    assert school.browser().sign_in("anna").status_code == 200


def test_a_disabled_account_is_out_and_cannot_enter_until_enabled(school):
    browser = school.signed_in("anna")
    assert people.set_state(desk(school), False).state == "disabled"
    assert browser.get("session").status_code == 401
    assert school.browser().sign_in("anna").status_code in {401, 403}
    people.set_state(desk(school), False)  # again changes nothing
    people.set_state(desk(school), True)
    assert school.browser().sign_in("anna").status_code == 200
    assert [kind for kind, _, _ in audited(school)] == ["account_disabled", "account_enabled"]


def test_sessions_end_everywhere(school):
    browsers = [school.signed_in("anna"), school.signed_in("anna")]
    assert people.end_sessions(desk(school)) == 2
    assert [one.get("session").status_code for one in browsers] == [401, 401]
    assert people.end_sessions(desk(school)) == 0
    assert audited(school) == [("sessions_ended", "carla", {"login": "anna", "sessions": 2})]


def test_an_account_that_was_locked_by_wrong_passwords_is_unlocked(school):
    for _ in range(5):
        school.browser().sign_in("anna", password="wrong")
    assert school.browser().sign_in("anna").status_code == 423
    people.unlock(desk(school, login="Anna"))
    assert school.browser().sign_in("anna").status_code == 200
    assert audited(school)[-1] == ("account_unlocked", "carla", {"login": "anna"})


def test_an_imported_account_is_changed_where_it_is_kept(school):
    make_imported(school, "anna")
    for change in (
        lambda: people.change(desk(school), rights(role="administrator")),
        lambda: people.set_state(desk(school), False),
    ):
        with pytest.raises(InvalidError, match="^anna is kept by the source “ldap”"):
            change()
    people.end_sessions(desk(school))
    people.unlock(desk(school))


def test_nobody_shuts_himself_out(school):
    school.add_user("dora", role="administrator", rooms=(), classes=())
    own = desk(school, "carla")
    for change in (
        lambda: people.change(own, rights(name="Carla", role="teacher")),
        lambda: people.set_state(own, False),
    ):
        with pytest.raises(InvalidError, match="^Another administrator changes"):
            change()
    people.change(own, rights(name="Carla R.", role="administrator", rooms=()))


def test_the_last_administrator_stays(school):
    last = desk(school, "carla", by="someone")
    for change in (
        lambda: people.change(last, rights(name="Carla", role="teacher")),
        lambda: people.set_state(last, False),
    ):
        with pytest.raises(InvalidError, match="^carla is the last active local administrator.$"):
            change()
    with school.parts.database.read() as connection:
        assert users.get(connection, "carla").state == "active"
    school.add_user("dora", role="administrator", rooms=(), classes=())
    assert people.set_state(last, False).state == "disabled"


@pytest.mark.parametrize(
    "values",
    [{"role": "king"}, {"name": ""}, {"rooms": ("x" * 65,)}, {"classes": ("a\nb",)}],
)
def test_what_cannot_be_kept_is_refused(school, values):
    with pytest.raises(InvalidError):
        people.change(desk(school), rights(**values))
    assert audited(school) == []


def test_nobody_looks_after_who_is_not_there(school):
    with pytest.raises(NotFoundError):
        people.unlock(desk(school, "nobody"))
