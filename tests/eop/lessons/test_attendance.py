from controle_vnc.control.messages import Workstation
from eop.lessons.attendance import take

NAMES = {"zoe": "Zoé Martin", "malo": "Malo Colin", "ada": "Ada Petit", "eva": "éva Dubois"}


def seat(name, room, user):
    return Workstation(
        id=name, number=1, name=name, room=room, address="", kind="vnc", user=user,
        state="ready", reason=None, checked_at=None,
    )  # fmt: skip


def logins(seats):
    return [one.login for one in seats]


def test_of_a_room_everyone_signed_in_is_in_and_nobody_is_missing():
    listed = [seat("pc-1", "S12", "zoe"), seat("pc-2", "S12", None), seat("pc-3", "S12", "malo")]
    found = take(listed, NAMES, "S12", None)
    assert [(one.name, one.workstation) for one in found.present] == [
        ("Malo Colin", "pc-3"),
        ("Zoé Martin", "pc-1"),
    ]
    assert (found.absent, found.others, found.expected) == ((), (), None)


def test_of_a_class_in_a_room_who_sits_elsewhere_is_missing_with_his_place():
    listed = [
        seat("pc-1", "S12", "zoe"), seat("pc-9", "S14", "malo"), seat("pc-2", "S12", "guest"),
    ]  # fmt: skip
    found = take(listed, NAMES, "S12", ("ada", "malo", "zoe"))
    assert logins(found.present) == ["zoe"]
    assert [(one.login, one.workstation, one.room) for one in found.absent] == [
        ("ada", "", ""),
        ("malo", "pc-9", "S14"),
    ]
    assert [(one.login, one.name) for one in found.others] == [("guest", "guest")]
    assert found.expected == 3


def test_of_a_class_without_a_room_everyone_signed_in_anywhere_is_in():
    listed = [seat("pc-1", "S12", "zoe"), seat("pc-9", "S14", "malo")]
    found = take(listed, NAMES, None, ("ada", "malo", "zoe"))
    assert logins(found.present) == ["malo", "zoe"]
    assert logins(found.absent) == ["ada"]


def test_who_is_signed_in_twice_counts_once():
    listed = [seat("pc-1", "S12", "zoe"), seat("pc-2", "S12", "zoe")]
    assert [one.workstation for one in take(listed, NAMES, "S12", None).present] == ["pc-1"]


def test_an_empty_class_has_nobody_missing():
    found = take([seat("pc-1", "S12", "zoe")], NAMES, "S12", ())
    assert (found.present, found.absent, found.expected) == ((), (), 0)
    assert logins(found.others) == ["zoe"]


def test_names_are_in_the_order_of_their_readers_alphabet():
    names = {"a": "Luty", "b": "Łucja", "c": "Maja", "d": "Éva", "e": "Eve"}
    listed = [seat(f"pc-{login}", "S12", login) for login in names]
    assert logins(take(listed, names, "S12", None, "pl").present) == ["d", "e", "a", "b", "c"]
