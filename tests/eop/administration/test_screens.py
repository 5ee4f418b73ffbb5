from tests.eop.administration.pages import follow, get, send, words
from tests.eop.installation import error

WALL = {"kind": "wall", "room": "S12"}


def test_closing_asks_first_and_says_how_many_are_open(school):
    teacher, boss = school.signed_in("camille"), school.signed_in("carla")
    ticket = teacher.post("tickets", WALL).json["ticket"]
    closing = school.daemon.leases.open(school.daemon.office.redeem(ticket))
    assert "Open now: screens 0, walls 1." in words(get(boss, "/admin/screens/close"))
    assert closing.code is None
    page = follow(boss, send(boss, "/admin/screens", closed="yes"))
    assert closing.code == "switched_off"
    assert "All screens are closed, new ones are refused." in words(page)
    assert "Closed by carla since" in words(page)
    assert error(teacher.post("tickets", WALL)) == (403, "switched_off")


def test_every_page_says_it_until_screens_are_allowed_again(school):
    teacher, boss = school.signed_in("camille"), school.signed_in("carla")
    sentence = "An administrator has closed all screens."
    assert sentence not in get(teacher, "/").text
    send(boss, "/admin/screens", closed="yes")
    assert sentence in get(teacher, "/").text
    assert "/admin/screens" not in get(teacher, "/").text
    assert 'href="/eoleapps/eop/admin/screens"' in get(boss, "/").text
    page = follow(boss, send(boss, "/admin/screens", closed="no"))
    assert "Screens may be opened again." in words(page)
    assert "Allowed by carla since" in words(page)
    assert sentence not in get(teacher, "/").text
    assert teacher.post("tickets", WALL).status_code == 200


def test_a_daemon_that_is_down_is_told_and_hears_it_later(school):
    boss = school.signed_in("carla")
    school.stop_daemon()
    assert "how many screens are open is not known" in words(get(boss, "/admin/screens"))
    page = follow(boss, send(boss, "/admin/screens", closed="yes"))
    assert "told to controle-vnc as soon as it answers" in words(page)
    assert error(school.signed_in("camille").post("tickets", WALL))[0] in {403, 503}


def test_only_the_word_yes_closes(school):
    boss = school.signed_in("carla")
    send(boss, "/admin/screens", closed="perhaps")
    assert not school.parts.daemon.status().screens_closed
