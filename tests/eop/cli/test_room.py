import getpass

from eop.audit.tables import audit


def test_a_setting_of_a_room_is_switched_on_and_off(house, eopctl):
    id_ = house.add_workstation("pc-01", "S12")
    house.add_workstation("pc-02", "S13")
    done = eopctl("room", "set", "S12", "rewind", "on")
    assert (done.code, done.out) == (0, "rewind is on in room S12\n")
    assert house.daemon.hub.seat(id_).rewind.is_on
    assert eopctl("room", "list", "--json").json == [
        {"name": "S12", "workstations": 1, "rewind": True},
        {"name": "S13", "workstations": 1, "rewind": False},
    ]
    assert eopctl("room", "list").out.splitlines() == [
        "room  workstations  rewind", "S12   1             on", "S13   1             off",
    ]  # fmt: skip
    done = eopctl("room", "set", "S12", "rewind", "off", "--json")
    assert done.json == {"room": "S12", "rewind": False, "heard": True}
    assert not house.daemon.hub.seat(id_).rewind.is_on
    with house.parts.database.read() as connection:
        rows = connection.execute(audit.select().order_by(audit.c.id.desc()).limit(2)).all()
    assert [(row.kind, row.user) for row in rows] == [
        ("room_setting_off", f"eopctl:{getpass.getuser()}"),
        ("room_setting_on", f"eopctl:{getpass.getuser()}"),
    ]


def test_an_unknown_room_or_setting_is_refused(house, eopctl):
    done = eopctl("room", "set", "S99", "rewind", "on")
    assert (done.code, done.out) == (1, "")
    assert eopctl("room", "set", "S12", "exam", "on").code == 2
    assert eopctl("room", "set", "S12", "rewind", "perhaps").code == 2


def test_a_daemon_that_is_down_hears_it_later(house, eopctl):
    house.add_workstation("pc-01", "S12")
    eopctl("room", "set", "S12", "rewind", "on")
    house.stop_daemon()
    done = eopctl("room", "set", "S12", "rewind", "off")
    assert done.code == 1
    assert "controle-vnc did not hear it yet" in done.out
    done = eopctl("room", "list", "--json")
    assert (done.json, done.code) == ([], 0)
    assert "controle-vnc does not answer" in done.err
