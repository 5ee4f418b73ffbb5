import pytest
from sqlalchemy import select

from controle_vnc.errors import TicketRefusedError
from eop.aaa import revocations, substitution
from eop.aaa.tables import revocation
from eop.audit.tables import audit
from eop.directory.substitutes import DAY_MS, Substitution
from eop.errors import NotFoundError
from tests.eop.installation import error


@pytest.fixture
def school(house):
    house.add_user("anna", rooms=(), classes=())
    house.id = house.add_workstation("pc-01", "S12", "zoe")
    house.add_class("3eB", "zoe")
    return house


def give(school, rooms=("S12",), classes=(), milliseconds=DAY_MS, begins=0):
    now_ms = school.parts.now_ms()
    given = Substitution("anna", rooms, classes, now_ms + begins, now_ms + milliseconds, "admin")
    return substitution.give(school.parts.database, given, now_ms)


def audited(school):
    with school.parts.database.read() as connection:
        rows = connection.execute(
            select(audit.c.kind, audit.c.user, audit.c.details)
            .where(audit.c.kind.like("substitute%"))
            .order_by(audit.c.id)
        )
        return [tuple(row) for row in rows]


def queued(school):
    with school.parts.database.read() as connection:
        return [row.is_over for row in connection.execute(select(revocation))]


def end_over(school):
    parts = school.parts
    return substitution.end_over(parts.database, parts.door.sessions, parts.now_ms())


def sees(browser, **wanted):
    return browser.post("tickets", {"kind": "wall", **wanted})


def test_what_is_given_counts_at_once_for_who_is_signed_in_and_ends_by_itself(school):
    browser = school.signed_in("anna")
    assert error(sees(browser, room="S12")) == (403, "grant")
    give(school, milliseconds=60_000)
    assert sees(browser, room="S12").status_code == 200
    assert [room["name"] for room in browser.get("rooms").json] == ["S12"]
    school.offset = 60.0
    assert error(sees(browser, room="S12")) == (403, "grant")
    assert browser.get("rooms").json == []
    assert browser.get("session").status_code == 200


def test_what_begins_tomorrow_is_not_there_today(school):
    give(school, begins=DAY_MS // 2)
    browser = school.signed_in("anna")
    assert error(sees(browser, room="S12")) == (403, "grant")
    school.offset = DAY_MS / 2000
    assert sees(school.signed_in("anna"), room="S12").status_code == 200


def test_a_class_is_given_like_a_room(school):
    give(school, rooms=(), classes=("3eB",))
    browser = school.signed_in("anna")
    assert sees(browser, **{"class": "3eB"}).status_code == 200
    screen = {"kind": "screen", "workstation": school.id, "mode": "control"}
    assert browser.post("tickets", screen).status_code == 200
    assert error(sees(browser, room="S12")) == (403, "grant")


def test_giving_ends_nothing(school):
    school.signed_in("anna")
    give(school)
    assert queued(school) == []


def test_at_the_end_the_screens_of_its_sessions_close_and_the_sessions_live_on(school):
    browser = school.signed_in("anna")
    give(school, milliseconds=60_000)
    assert end_over(school) == 0
    school.offset = 60.0
    assert end_over(school) == 1
    assert queued(school) == [False]
    assert end_over(school) == 0
    assert browser.get("session").status_code == 200


def test_taking_back_closes_too_and_what_has_not_begun_closes_nothing(school):
    school.signed_in("anna")
    (now,) = give(school)
    (later,) = give(school, begins=1000)
    parts = school.parts
    for one, closings in ((later, []), (now, [False])):
        substitution.remove(parts.database, parts.door.sessions, one.id, "carla", parts.now_ms())
        assert queued(school) == closings
    with pytest.raises(NotFoundError):
        substitution.remove(parts.database, parts.door.sessions, now.id, "carla", parts.now_ms())


def test_a_right_that_ends_while_a_ticket_is_made_opens_nothing(school, monkeypatch):
    browser = school.signed_in("anna")
    (given,) = give(school)
    parts, make = school.parts, school.parts.daemon.wall_ticket
    tickets = []

    def slow(*wanted):
        substitution.remove(parts.database, parts.door.sessions, given.id, "carla", parts.now_ms())
        revocations.deliver(parts.database, parts.daemon)
        tickets.append(make(*wanted).ticket)
        return

    monkeypatch.setattr(parts.daemon, "wall_ticket", slow)
    assert error(sees(browser, room="S12")) == (403, "grant")
    with pytest.raises(TicketRefusedError):
        school.daemon.office.redeem(tickets[0])
    assert browser.get("session").status_code == 200


def test_each_step_is_in_the_audit(school):
    (first,) = give(school, milliseconds=1000)
    (second,) = give(school)
    parts = school.parts
    substitution.remove(parts.database, parts.door.sessions, second.id, "carla", parts.now_ms())
    school.offset = 10.0
    end_over(school)
    kinds = [(kind, user) for kind, user, _ in audited(school)]
    assert kinds == [
        ("substitute_given", "admin"),
        ("substitute_given", "admin"),
        ("substitute_removed", "carla"),
        ("substitute_ended", ""),
    ]
    assert audited(school)[0][2] == {
        "login": "anna", "rooms": ["S12"], "classes": [],
        "from": first.from_at, "until": first.until_at,
    }  # fmt: skip
    assert audited(school)[3][2] == {
        "login": "anna", "room": "S12", "until": first.until_at, "given_by": "admin",
    }  # fmt: skip


def test_the_rooms_and_classes_of_who_is_absent_are_copied(school):
    school.add_user("bob", rooms=("S14", "S15"), classes=("3eB",))
    with school.parts.database.read() as connection:
        assert substitution.copied(connection, "Bob") == (("S14", "S15"), ("3eB",))
        with pytest.raises(NotFoundError):
            substitution.copied(connection, "nobody")
