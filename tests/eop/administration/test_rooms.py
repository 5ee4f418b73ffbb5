import pytest
from sqlalchemy import select

from eop.aaa import substitution
from eop.audit.tables import audit
from eop.directory import users
from eop.directory.substitutes import Substitution
from eop.directory.tables import user_grant
from tests.eop.administration.pages import follow, get, send, words

PATH = "/admin/rooms"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def rooms_of(school, login):
    with school.parts.database.read() as connection:
        return users.get(connection, login).rooms


def lend(school, login, room):
    now_ms = school.parts.now_ms()
    given = Substitution(login, (room,), (), now_ms, now_ms + DAY_MS, "carla")
    substitution.give(school.parts.database, given, now_ms)


def rename(browser, room, name):
    return send(browser, PATH + "/rename", room=room, name=name)


def where(school):
    return {one.name: one.room for one in school.parts.daemon.workstations()}


def test_a_room_shows_its_workstations_and_to_whom_it_is_given(school, boss):
    school.add_user("bruno", rooms=("S12", "S99"), classes=())
    lend(school, "anna", "S12")
    page = words(get(boss, PATH))
    assert "S12 1 not looked at: 1 Anna until" in page
    assert ", Bruno Observe" in page
    assert "S99 0 no workstation yet Bruno" in page
    assert "Every room is given to: Camille" in page


def test_a_long_list_of_people_unfolds(school, boss):
    for n in range(7):
        school.add_user(f"t{n}", rooms=("S12",), classes=())
    assert "<summary>and 2 more</summary>" in get(boss, PATH).text


def test_a_renamed_room_takes_workstations_and_rights_with_it(school, boss):
    school.add_workstation("pc-02", "S12")
    school.add_workstation("pc-03", "S15")
    school.add_user("bruno", rooms=("S12", "S15"), classes=())
    lend(school, "anna", "S12")
    page = get(boss, PATH + "/rename", room="S12")
    assert "Workstations that move: 2." in words(page)
    assert "Rights that follow: 2. Anna, Bruno" in words(page)
    done = follow(boss, rename(boss, "S12", " Salle 12 "))
    assert "The room was renamed" in words(done)
    assert where(school) == {"pc-01": "Salle 12", "pc-02": "Salle 12", "pc-03": "S15"}
    assert rooms_of(school, "bruno") == ("S15", "Salle 12")
    assert [one["name"] for one in school.signed_in("anna").get("rooms").json] == ["Salle 12"]
    with school.parts.database.read() as connection:
        row = connection.execute(audit.select().where(audit.c.kind == "room_renamed")).one()
    assert row.user == "carla"
    assert row.details == {"before": "S12", "room": "Salle 12", "workstations": 2, "grants": 2}
    events = [one for one in school.daemon.journal.after(0) if one.kind == "workstation_changed"]
    assert {(one.user, one.details["room"]) for one in events} == {("carla", "Salle 12")}


def test_users_and_passwords_of_workstations_stay(school, boss):
    from tests.eop.administration.test_workstations import password_of

    follow(boss, rename(boss, "S12", "S13"))
    (one,) = school.parts.daemon.workstations()
    assert (one.id, one.user) == (school.id, "zoe")
    assert password_of(school, "pc-01") == b"pw"


def test_who_was_given_both_names_keeps_one(school, boss):
    school.add_user("bruno", rooms=("S12", "S13"), classes=())
    follow(boss, rename(boss, "S12", "S13"))
    assert rooms_of(school, "bruno") == ("S13",)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("S12", "This is its name already."),
        ("S15", "There is a room “S15” already"),
        ("*", "no room can be called so"),
        ("", "1 to 64 printable characters"),
        ("x" * 65, "1 to 64 printable characters"),
    ],
)
def test_a_name_that_cannot_be_is_told_and_nothing_changes(school, boss, name, why):
    school.add_workstation("pc-02", "S15")
    school.add_user("bruno", rooms=("S12",), classes=())
    answer = rename(boss, "S12", name)
    assert answer.status_code == 422
    assert why in words(answer)
    assert where(school) == {"pc-01": "S12", "pc-02": "S15"}
    assert rooms_of(school, "bruno") == ("S12",)


def test_rights_stay_where_controle_vnc_is_down(school, boss):
    school.add_user("bruno", rooms=("S12",), classes=())
    school.stop_daemon()
    assert rename(boss, "S12", "S13").status_code == 503
    assert rooms_of(school, "bruno") == ("S12",)
    assert get(boss, PATH).status_code == 503


def test_rights_stay_where_controle_vnc_refuses(school, boss, monkeypatch):
    from eop.errors import RefusedError

    def refuse(*_):
        raise RefusedError("daemon_refused", detail="pc-01: the journal cannot be written")

    school.add_user("bruno", rooms=("S12",), classes=())
    monkeypatch.setattr(school.parts.daemon, "save_all", refuse)
    answer = rename(boss, "S12", "S13")
    assert answer.status_code == 502
    assert "the journal cannot be written" in words(answer)
    assert rooms_of(school, "bruno") == ("S12",)


def test_an_interrupted_rename_is_finished_by_another(school, boss):
    """Workstations have moved, the answer was lost: what was given still has the old name."""
    school.add_user("bruno", rooms=("S12",), classes=())
    other = school.add_workstation("pc-02", "S13")
    school.parts.daemon.remove(school.id)
    assert where(school) == {"pc-02": "S13"}
    assert other
    follow(boss, rename(boss, "S12", "S13"))
    assert rooms_of(school, "bruno") == ("S13",)


def test_no_room_in_use_takes_in_what_another_one_has(school, boss):
    """A name that only rights have left is not renamed to a room that others were given."""
    school.add_workstation("pc-02", "S13")
    school.add_user("bruno", rooms=("S99",), classes=())
    school.add_user("dora", rooms=("S13",), classes=())
    answer = rename(boss, "S99", "S13")
    assert answer.status_code == 422
    assert "There is a room “S13” already" in words(answer)
    assert rooms_of(school, "bruno") == ("S99",)


def test_who_was_given_the_new_name_already_is_named_before_he_sees_these_screens(school, boss):
    school.add_user("bruno", rooms=("S13",), classes=())
    school.add_user("dora", rooms=("S12", "S13"), classes=())
    answer = rename(boss, "S12", "S13")
    assert answer.status_code == 422
    assert "S13 was given to one person already" in words(answer)
    assert "Bruno" in words(answer)
    assert "Dora" not in words(answer).split("already, who")[1]
    assert where(school) == {"pc-01": "S12"}
    done = send(boss, PATH + "/rename", room="S12", name="S13", agreed="S14")
    assert done.status_code == 422, "another name was agreed to"
    follow(boss, send(boss, PATH + "/rename", room="S12", name="S13", agreed="S13"))
    assert where(school) == {"pc-01": "S13"}


def test_rights_of_a_source_are_named(school, boss):
    school.add_user("bruno", rooms=("S12",), classes=())
    with school.parts.database.write() as connection:
        connection.execute(user_grant.update().values(source="ldap"))
        assert connection.scalar(select(user_grant.c.source).limit(1)) == "ldap"
    assert "Some of these rights come from ldap" in words(get(boss, PATH + "/rename", room="S12"))


@pytest.mark.parametrize("room", ["nowhere", "", "x" * 300])
def test_a_room_that_is_not_there_is_told(school, boss, room):
    assert get(boss, PATH + "/rename", room=room).status_code == 404
    assert rename(boss, room, "S77").status_code == 404
