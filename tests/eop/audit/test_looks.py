from dataclasses import asdict

from eop.audit import looks
from eop.audit.chain import Entry
from tests.eop.audit.school import write

LASTING = 1_000_000
NOW = 500_000


def screen(at, kind="screen_opened", **details):
    words = {
        "look": "g1", "mode": "view", "workstation": "pc-01", "room": "S12", "watched": "zoe",
        "name": "Camille Lefèvre",
    }  # fmt: skip
    return Entry(at, kind, "camille", "s", "w1", words | details)


def wall(at, kind="wall_opened", **details):
    words = {"look": "g2", "room": "S12", "name": "Camille Lefèvre"}
    return Entry(at, kind, "camille", "s", None, words | details)


def mine(database, login="zoe", now=NOW, **options):
    with database.read() as connection:
        return looks.at(connection, login, LASTING, now, **options)


def test_a_look_is_told_with_who_how_where_and_until_when(database):
    write(database, screen(1000), screen(61_000, "screen_closed", seconds=60, code="left"))
    (look,) = mine(database).looks
    assert asdict(look) == {
        "at": 1000, "user": "camille", "name": "Camille Lefèvre", "how": "view", "place": "S12",
        "workstation": "pc-01", "ended": "closed", "until": 61_000,
    }  # fmt: skip


def test_control_and_a_refusal_are_told_as_such(database):
    write(
        database,
        screen(1000, mode="control", look="a"),
        screen(2000, look="b"),
        screen(2000, "screen_refused", look="b", code="no_answer"),
    )
    assert [(one.how, one.ended) for one in mine(database).looks] == [
        ("view", "refused"), ("control", "open"),
    ]  # fmt: skip


def test_everyone_on_a_wall_sees_it_from_when_he_was_there(database):
    write(
        database,
        wall(1000, watched="zoe malo"),
        wall(5000, "wall_shown", watched="leo"),
        wall(9000, "wall_closed", seconds=8, code="left"),
    )
    assert [(one.how, one.at, one.until) for one in mine(database).looks] == [("tile", 1000, 9000)]
    assert [one.at for one in mine(database, "leo").looks] == [5000]
    assert mine(database, "camille").looks == []


def test_a_class_is_named_where_there_is_no_room(database):
    write(database, Entry(1, "wall_opened", "camille", details={"class": "3eB", "watched": "zoe"}))
    assert mine(database).looks[0].place == "3eB"


def test_a_look_without_an_end_lasts_no_longer_than_a_session(database):
    write(database, screen(1000))
    assert mine(database, now=1000 + LASTING - 1).looks[0].ended == "open"
    assert mine(database, now=1000 + LASTING).looks[0].ended == "unknown"


def test_a_look_that_was_open_when_the_service_was_killed_is_over(database):
    write(database, screen(1000), Entry(2000, "service_started"), screen(2000, look="b"))
    assert [one.ended for one in mine(database).looks] == ["open", "unknown"]


def test_a_look_back_is_told_with_the_times_that_were_looked_at(database):
    words = {"workstation": "pc-01", "room": "S12", "watched": "zoe", "name": "Camille Lefèvre"}
    times = {"from": 60_000, "to": 120_000}
    write(database, Entry(200_000, "rewind_looked", "camille", "s", "w1", words | times))
    (look,) = mine(database).looks
    assert asdict(look) == {
        "at": 60_000, "user": "camille", "name": "Camille Lefèvre", "how": "rewind",
        "place": "S12", "workstation": "pc-01", "ended": "closed", "until": 120_000,
    }  # fmt: skip


def test_looks_come_in_pages(database):
    write(database, *(screen(1000 + n, look=f"g{n}") for n in range(60)))
    first = mine(database)
    second = mine(database, before=first.older)
    assert (len(first.looks), len(second.looks), second.older) == (50, 10, None)
    assert mine(database, after=second.newer).looks == first.looks
