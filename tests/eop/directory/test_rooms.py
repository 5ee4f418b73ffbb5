import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from eop.directory import rooms, users
from eop.directory.users import NewUser


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
