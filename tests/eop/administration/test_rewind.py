from eop.audit.tables import audit
from tests.eop.administration.pages import follow, get, send, words
from tests.eop.installation import error

PATH = "/admin/rewind"


def test_it_is_off_until_an_administrator_switches_it_on_in_a_room(school):
    boss = school.signed_in("carla")
    page = words(get(boss, PATH))
    assert "S12" in page
    assert "not kept" in page
    assert "Switch on in room S12" in page
    page = words(follow(boss, send(boss, PATH, room="S12", value="on")))
    assert "From now on the last five minutes are kept in this room." in page
    assert "kept for five minutes" in page
    assert "carla, 2" in page
    assert school.daemon.hub.seat(school.id).rewind.is_on
    teacher = school.signed_in("camille")
    assert teacher.get(f"workstations/{school.id}/rewind").json["pictures"] == []
    page = words(follow(boss, send(boss, PATH, room="S12", value="off")))
    assert "what was kept is forgotten" in page
    assert not school.daemon.hub.seat(school.id).rewind.is_on
    assert error(teacher.get(f"workstations/{school.id}/rewind")) == (403, "rewind_off")
    with school.parts.database.read() as connection:
        kinds = connection.execute(audit.select().where(audit.c.user == "carla")).all()
    assert [row.kind for row in kinds][-2:] == ["room_setting_on", "room_setting_off"]


def test_a_room_that_is_not_there_is_not_switched_on_but_may_be_switched_off(school):
    boss = school.signed_in("carla")
    assert send(boss, PATH, room="S99", value="on").status_code == 404
    assert send(boss, PATH, room="S12", value="on").status_code == 303
    school.parts.daemon.remove("pc-01")
    assert "Switch off in room S12" in words(get(boss, PATH))
    assert send(boss, PATH, room="S12", value="off").status_code == 303
    assert "There is no room yet" in words(get(boss, PATH))


def test_only_the_word_on_switches_it_on(school):
    boss = school.signed_in("carla")
    send(boss, PATH, room="S12", value="perhaps")
    assert not school.daemon.hub.seat(school.id).rewind.is_on


def test_a_daemon_that_is_down_hears_it_later(school):
    boss = school.signed_in("carla")
    send(boss, PATH, room="S12", value="on")
    school.stop_daemon()
    page = get(boss, PATH)
    assert "only rooms where it is on are listed" in words(page)
    page = follow(boss, send(boss, PATH, room="S12", value="off"))
    assert "told to controle-vnc as soon as it answers" in words(page)
