import pytest

from eop.aaa import room_settings
from eop.aaa.policy import Target
from eop.audit.tables import audit
from eop.directory import rooms
from eop.errors import InvalidError
from eop.worker import Worker
from tests.desktops import wait_until

NOW = 1_000_000


def change(installation, room="S12", value=True, name="rewind", now=NOW):
    return room_settings.change(installation.parts.database, room, name, value, "carla", now)


def settings(installation):
    with installation.parts.database.read() as connection:
        return [(one.room, one.is_on, one.at, one.by) for one in room_settings.listed(connection)]


def events(installation):
    with installation.parts.database.read() as connection:
        rows = connection.execute(audit.select().order_by(audit.c.id)).all()
    return [(row.kind, row.user, row.details) for row in rows]


def test_everything_is_off_in_a_room_that_was_never_touched(quiet):
    with quiet.parts.database.read() as connection:
        assert not room_settings.is_on(connection, "S12", "rewind")
        assert not room_settings.is_on(connection, None, "rewind")
        found = room_settings.circumstances(connection, "rewind", Target("S12"))
    assert not found.rewinds
    assert settings(quiet) == []


def test_a_change_is_kept_and_written_down_once(quiet):
    assert change(quiet)
    assert not change(quiet, now=NOW + 1)
    assert settings(quiet) == [("S12", True, NOW, "carla")]
    assert change(quiet, value=False, now=NOW + 2)
    assert settings(quiet) == [("S12", False, NOW + 2, "carla")]
    details = {"room": "S12", "setting": "rewind"}
    assert events(quiet) == [
        ("room_setting_on", "carla", details), ("room_setting_off", "carla", details),
    ]  # fmt: skip


def test_switching_off_what_was_never_on_changes_nothing(quiet):
    assert not change(quiet, value=False)
    assert settings(quiet) == events(quiet) == []


def test_it_holds_in_its_room_and_for_its_action_alone(quiet):
    change(quiet)
    with quiet.parts.database.read() as connection:
        for action, room, rewinds in (
            ("rewind", "S12", True), ("rewind", "S13", False), ("rewind", None, False),
            ("view", "S12", False),
        ):  # fmt: skip
            found = room_settings.circumstances(connection, action, Target(room))
            assert found.rewinds is rewinds


def test_each_change_is_later_than_the_one_before_whatever_the_clock_says(quiet):
    change(quiet, "S12", now=NOW)
    change(quiet, "S13", now=NOW - 5000)
    assert sorted(at for _, _, at, _ in settings(quiet)) == [NOW, NOW + 1]


@pytest.mark.parametrize("room", ["", "x" * 65, "S\n12"])
def test_a_room_has_a_name(quiet, room):
    with pytest.raises(InvalidError, match="1 to 64 printable characters"):
        change(quiet, room)
    assert change(quiet, "x" * 64)


def test_there_are_no_other_settings(quiet):
    with pytest.raises(InvalidError, match="'exam' is no setting; there is: rewind"):
        change(quiet, name="exam")


def test_only_so_many_rooms_have_settings(quiet, monkeypatch):
    monkeypatch.setattr(room_settings, "MAX_ROOMS", 2)
    assert change(quiet, "S12")
    assert change(quiet, "S13")
    with pytest.raises(InvalidError, match="at most 2 rooms"):
        change(quiet, "S14")
    assert change(quiet, "S12", value=False)
    assert change(quiet, "S12")


def test_the_daemon_is_told_and_told_again_when_it_has_started_anew(house):
    id_ = house.add_workstation("pc-01", "S12")
    change(house)
    house.steady = 0.0
    worker = Worker(house.parts, lambda: house.steady)
    worker.tick()
    assert house.daemon.hub.seat(id_).rewind.is_on
    house.stop_daemon()
    house.parts.daemon.close()
    house.steady = 10.0
    worker.tick()
    daemon = house.start_daemon()
    assert not daemon.hub.seat(id_).rewind.is_on
    house.steady = 20.0
    worker.tick()
    wait_until(lambda: daemon.hub.seat(id_).rewind.is_on, 2, "told again")
    change(house, value=False, now=NOW + 1)
    assert room_settings.tell(house.parts.database, house.parts.daemon, house.parts.now_ms())
    assert not daemon.hub.seat(id_).rewind.is_on


def test_a_daemon_that_is_down_did_not_hear(quiet):
    assert not room_settings.tell(quiet.parts.database, quiet.parts.daemon, NOW)


@pytest.mark.parametrize("before", ["S12", "S13"])
def test_a_renamed_room_keeps_its_setting_and_the_daemon_follows(house, before):
    """Whether the old name had a setting or not: what was left at the new one holds no more."""
    id_ = house.add_workstation("pc-01", "S14")
    parts = house.parts
    change(house)
    change(house, "S14", now=NOW + 5)  # later than every other, and about to give way
    assert room_settings.tell(parts.database, parts.daemon, NOW + 5)
    assert house.daemon.hub.seat(id_).rewind.is_on
    with parts.database.write() as connection:
        rooms.rename(connection, before, "S14")
    assert room_settings.tell(parts.database, parts.daemon, NOW + 6)
    assert house.daemon.hub.seat(id_).rewind.is_on is (before == "S12")
    assert [one[:2] for one in settings(house)] == [("S14" if before == "S12" else "S12", True)]


def test_what_was_asked_before_another_change_does_not_undo_it(house):
    id_ = house.add_workstation("pc-01", "S12")
    parts = house.parts
    change(house, now=NOW + 5)
    room_settings.tell(parts.database, parts.daemon, NOW + 5)
    parts.daemon.keep_rewind([], NOW + 4)
    assert house.daemon.hub.seat(id_).rewind.is_on
