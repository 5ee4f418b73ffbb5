import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from eop.directory import rooms, users
from eop.directory.users import NewUser
from eop.observation.tables import seating_plan


@pytest.fixture
def connection(quiet):
    with quiet.parts.database.write() as opened:
        yield opened


def add(connection, login, *given):
    users.add(connection, NewUser(login, "teacher", login.capitalize(), None, given), 0)


def test_rooms_are_given_by_name_and_a_class_of_that_name_is_none(connection):
    users.add(connection, NewUser("zoe", "teacher", "Zoe", None, ("S12",), ("S13",)), 0)
    add(connection, "anna", "S12", "*")
    given = rooms.given(connection, 0)
    assert {room: [one.name for one in people] for room, people in given.items()} == {
        "S12": ["Anna", "Zoe"],
        "*": ["Anna"],
    }


def test_every_room_is_never_renamed(connection):
    add(connection, "anna", "*")
    assert rooms.rename(connection, "*", "S12") == 0
    assert rooms.rename(connection, "S12", "*") == 0
    assert users.get(connection, "anna").rooms == ("*",)


def test_what_names_rooms_elsewhere_follows_and_leftovers_give_way(connection, monkeypatch):
    plan = Table(
        "plan_of_this_test",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("room", String(64), unique=True),
        Column("text", String(8)),
    )
    plan.create(connection)
    connection.execute(
        insert(plan), [{"room": "S12", "text": "new"}, {"room": "S13", "text": "old"}]
    )
    monkeypatch.setattr(rooms, "_following", [])
    rooms.follow(plan.c.room)
    rooms.rename(connection, "S12", "S13")
    assert connection.execute(select(plan.c.room, plan.c.text)).all() == [("S13", "new")]


def test_of_what_is_not_one_a_room_nothing_gives_way(connection, monkeypatch):
    seen = Table("seen_of_this_test", MetaData(), Column("room", String(64)))
    seen.create(connection)
    connection.execute(insert(seen), [{"room": "S12"}, {"room": "S13"}])
    monkeypatch.setattr(rooms, "_following", [])
    rooms.follow(seen.c.room, leftovers_give_way=False)
    assert not rooms.is_named(connection, "S12")
    rooms.rename(connection, "S12", "S13")
    assert connection.execute(select(seen.c.room)).scalars().all() == ["S13", "S13"]


def test_a_room_is_named_by_what_was_given_and_by_what_is_kept_of_it(connection):
    assert not rooms.is_named(connection, "S12")
    add(connection, "anna", "S12")
    assert rooms.is_named(connection, "S12")
    connection.execute(
        insert(seating_plan).values(
            room="S13",
            version=1,
            columns=1,
            rows=1,
            aisles=[],
            seats=[],
            at=0,
            by="anna",
        )
    )
    assert rooms.is_named(connection, "S13")
