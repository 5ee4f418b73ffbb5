from datetime import datetime, timedelta

import pytest
from babel.dates import format_date

from tests.eop.administration.pages import follow, get, send, words
from tests.eop.installation import error

PATH = "/admin/substitutes"
WALL = {"kind": "wall", "room": "S12"}


def day(ahead=0):
    return (datetime.now() + timedelta(days=ahead)).strftime("%Y-%m-%d")


def told(ahead=0):
    return format_date(datetime.now() + timedelta(days=ahead), "medium", "en_GB")


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def test_a_room_is_given_for_today_and_counts_at_once(school, boss):
    substitute = school.signed_in("anna")
    assert error(substitute.post("tickets", WALL)) == (403, "grant")
    fields = {"login": "anna", "rooms": "S12", "from": day(), "until": day()}
    page = follow(boss, send(boss, PATH, **fields))
    assert "they end by themselves" in words(page)
    assert f"room S12 now {told()} carla" in words(page)
    assert substitute.post("tickets", WALL).status_code == 200


def test_what_an_absent_teacher_has_is_copied(school, boss):
    school.add_user("bob", rooms=("S12",), classes=("3eB",))
    fields = {"login": "anna", "absent": "bob", "from": day(), "until": day(2)}
    page = words(follow(boss, send(boss, PATH, **fields)))
    assert "room S12" in page
    assert "class 3eB" in page
    assert told(2) in page


def test_a_right_is_taken_back_and_what_was_open_closes(school, boss):
    substitute = school.signed_in("anna")
    send(boss, PATH, login="anna", rooms="S12", until=day())
    ticket = substitute.post("tickets", WALL).json["ticket"]
    closing = school.daemon.leases.open(school.daemon.office.redeem(ticket))
    page = follow(boss, send(boss, PATH + "/1/remove"))
    assert "The right was taken back" in words(page)
    assert closing.code == "rights_changed"
    assert error(substitute.post("tickets", WALL)) == (403, "grant")
    assert send(boss, PATH + "/1/remove").status_code == 404


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"login": "nobody", "rooms": "S12"}, "There is no such account."),
        ({"login": "anna", "absent": "nobody"}, "There is no such account."),
        ({"login": "anna"}, "Name a room, a class, or an absent teacher who has some."),
        ({"login": "carla", "rooms": "S12"}, "carla does not teach: a substitute does."),
        ({"login": "anna", "rooms": "S12", "from": "x"}, "“x” is no day"),
        ({"login": "anna", "rooms": "S12", "until": "1999-01-01"}, "after the beginning"),
        ({"login": "anna", "rooms": "S12", "until": "2999-01-01"}, "At most 31 days"),
        ({"login": "anna", "rooms": "x" * 65}, "1 to 64 printable characters"),
    ],
)
def test_what_cannot_be_given_is_told_and_what_was_typed_stays(school, boss, fields, told):
    answer = send(boss, PATH, **fields)
    assert answer.status_code == 422
    assert told in words(answer)
    assert f'name="login" list="teachers" value="{fields["login"]}"' in answer.text
    assert "Nobody substitutes now." in words(answer)


def test_the_page_opens_while_the_daemon_is_down(school, boss):
    school.stop_daemon()
    page = words(get(boss, PATH))
    assert "None can be listed now." in page
    assert "3eB" in page
