import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from eop.aaa import accounts, login
from eop.aaa.login import Credentials, Visit
from eop.aaa.tables import revocation, session
from eop.directory import classes, importer, users
from eop.directory.people_plan import DAY_MS
from eop.directory.tables import class_member, school_class, temporary_grant, user, user_grant
from eop.directory.users import NewUser
from eop.errors import InvalidError, RefusedError
from tests.eop.directory.schools import RULES, SOURCE, carry_out, group, person, school
from tests.eop.installation import HASH, PASSWORD


def everybody(house):
    with house.parts.database.read() as connection:
        return {one.login: one for one in users.list_all(connection)}


def lists(house):
    with house.parts.database.read() as connection:
        return {one.name: one.students for one in classes.list_all(connection)}


def give_password(house, *logins):
    with house.parts.database.write() as connection:
        for one in logins:
            users.set_password(connection, one, HASH)


def count(house, table):
    with house.parts.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_a_school_is_stored_with_what_its_source_says(quiet):
    carry_out(
        quiet.parts,
        school(
            person(1, "Zoe", name="Zoé"),
            person(2, "camille", "teacher", ["3eB"], ["S12"]),
            groups=[group(7, "3eB", "zoe", "not.known")],
        ),
    )
    people = everybody(quiet)
    assert (people["zoe"].name, people["zoe"].source, people["zoe"].external_id) == (
        "Zoé", SOURCE, "1",
    )  # fmt: skip
    assert (people["camille"].rooms, people["camille"].classes) == (("S12",), ("3eB",))
    assert lists(quiet) == {"3eB": ("not.known", "zoe")}


def test_an_import_of_the_same_again_writes_nothing(quiet, statements):
    snapshot = school(person(1), groups=[group(7, "3eB", "p1")])
    carry_out(quiet.parts, snapshot)
    given = statements(lambda: carry_out(quiet.parts, snapshot))
    assert given
    assert {one.split()[0] for one in given} == {"SELECT"}


def test_two_people_swap_their_logins_and_keep_everything_else(quiet):
    groups = [group(7, "3eA", "a"), group(8, "3eB", "b")]
    carry_out(quiet.parts, school(person(1, "a"), person(2, "b"), groups=groups))
    with quiet.parts.database.write() as connection:
        classes.save(connection, "local class", ["a"])
    before = everybody(quiet)
    groups = [group(7, "3eA", "b"), group(8, "3eB", "a")]
    carry_out(quiet.parts, school(person(1, "b"), person(2, "a"), groups=groups))
    after = everybody(quiet)
    assert (after["b"].id, after["a"].id) == (before["a"].id, before["b"].id)
    assert lists(quiet) == {"3eA": ("b",), "3eB": ("a",), "local class": ("b",)}


def test_logins_go_round_in_a_ring_of_hundreds(quiet):
    size = 1200  # more than are named in one statement
    carry_out(quiet.parts, school(*(person(n) for n in range(size))))
    ring = [person(n, f"p{(n + 1) % size}", name=f"Person {n}") for n in range(size)]
    carry_out(quiet.parts, school(*ring))
    assert {one.external_id: name for name, one in everybody(quiet).items()} == {
        str(n): f"p{(n + 1) % size}" for n in range(size)
    }


def test_a_class_that_is_renamed_takes_along_what_was_given_of_it(quiet):
    quiet.add_user("by.hand", rooms=(), classes=("4eA",))
    quiet.add_user("both", rooms=(), classes=("4eA", "3eA"))
    carry_out(quiet.parts, school(person(1), groups=[group(7, "4eA", "p1")]))
    with quiet.parts.database.write() as connection:
        connection.execute(
            temporary_grant.insert().values(
                user_id=1, kind="class", value="4eA", from_at=0, until_at=1, given_by="x"
            )
        )
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3eA", "p1")]))
    assert lists(quiet) == {"3eA": ("p1",)}
    people = everybody(quiet)
    assert people["by.hand"].classes == ("3eA",)
    assert people["both"].classes == ("3eA",)
    with quiet.parts.database.read() as connection:
        assert connection.scalar(select(temporary_grant.c.value)) == "3eA"


def test_two_classes_swap_their_names(quiet):
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3eA", "p1"), group(8, "3eB")]))
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3eB", "p1"), group(8, "3eA")]))
    assert lists(quiet) == {"3eA": (), "3eB": ("p1",)}


def test_what_was_given_by_hand_outlives_what_the_source_takes_away(quiet):
    carry_out(quiet.parts, school(person(1, "camille", "teacher", rooms=["S12"])))
    parts = quiet.parts
    new = NewUser("camille", "teacher", "Person 1", None, rooms=("S12", "S14"))
    accounts.change(parts.database, parts.door.sessions, new, parts.now_ms())
    assert everybody(quiet)["camille"].rooms == ("S12", "S14")
    carry_out(quiet.parts, school(person(1, "camille", "teacher", rooms=["S16"])))
    assert everybody(quiet)["camille"].rooms == ("S14", "S16")
    accounts.change(parts.database, parts.door.sessions, replace(new, rooms=()), parts.now_ms())
    assert everybody(quiet)["camille"].rooms == ("S16",)


def test_what_was_given_by_hand_first_stays_given_by_hand(quiet):
    carry_out(quiet.parts, school(person(1, "camille", "teacher")))
    parts = quiet.parts
    new = NewUser("camille", "teacher", "Person 1", None, rooms=("S12",))
    accounts.change(parts.database, parts.door.sessions, new, parts.now_ms())
    carry_out(quiet.parts, school(person(1, "camille", "teacher", rooms=["S12"])))
    carry_out(quiet.parts, school(person(1, "camille", "teacher")))
    assert everybody(quiet)["camille"].rooms == ("S12",)


def test_a_disabled_teacher_is_out_at_once_and_does_not_get_in_again(house):
    teacher = person(1, "t.one", "teacher", rooms=["*"])
    carry_out(house.parts, school(teacher))
    give_password(house, "t.one")
    browser = house.signed_in("t.one")
    carry_out(house.parts, school(replace(teacher, state="disabled")))
    assert browser.get("session").status_code == 401
    assert count(house, revocation) == 1
    answer = house.browser().sign_in("t.one")
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "account_disabled")
    carry_out(house.parts, school(teacher))
    assert house.browser().sign_in("t.one").status_code == 200


def test_sessions_of_who_keeps_his_rights_go_on(house):
    teacher = person(1, "t.one", "teacher", rooms=["S12"])
    carry_out(house.parts, school(teacher, person(2)))
    give_password(house, "t.one")
    browser, other = house.signed_in("t.one"), house.signed_in()
    more = replace(teacher, rooms=frozenset({"S12", "S14"}), name="New Name")
    carry_out(house.parts, school(more))
    assert browser.get("session").json["name"] == "New Name"
    assert other.get("session").status_code == 200
    carry_out(house.parts, school(replace(more, rooms=frozenset({"S14"}))))
    assert browser.get("session").status_code == 401


def test_who_is_gone_for_long_is_deleted_with_all_he_had(house):
    carry_out(house.parts, school(person(1, "t.one", "teacher", rooms=["*"]), person(2)))
    give_password(house, "t.one")
    house.signed_in("t.one")
    rules = replace(RULES, delete_days=30)
    carry_out(house.parts, school(person(2)), rules)
    assert everybody(house)["t.one"].state == "disabled"
    later = replace(rules, now_ms=rules.now_ms + 30 * DAY_MS)
    carry_out(house.parts, school(person(2)), later)
    assert "t.one" not in everybody(house)
    with house.parts.database.read() as connection:
        sources = select(user_grant.c.source).where(user_grant.c.source == SOURCE)
        assert connection.scalars(sources).all() == []
    assert count(house, session) == 0


def test_a_login_is_given_up_to_somebody_new(quiet):
    carry_out(quiet.parts, school(person(1, "zoe"), person(2), groups=[group(7, "3eB", "zoe")]))
    old = everybody(quiet)["zoe"].id
    carry_out(quiet.parts, school(person(3, "zoe"), person(2), groups=[group(7, "3eB", "zoe")]))
    people = everybody(quiet)
    assert people["zoe"].id != old
    assert people[f"zoe~{old}"].state == "disabled"
    assert lists(quiet) == {"3eB": ("zoe",)}
    assert quiet.browser().sign_in(f"zoe~{old}").status_code == 401
    carry_out(quiet.parts, school(person(1, "zoe"), person(2)))
    assert everybody(quiet)["zoe"].id == old


def test_a_local_account_that_is_taken_over_keeps_its_password_and_grants(house):
    carry_out(
        house.parts,
        school(person(1, "camille", "teacher", rooms=["S12"])),
        replace(RULES, adopt=True),
    )
    found = everybody(house)["camille"]
    assert (found.source, found.external_id, found.rooms) == (SOURCE, "1", ("*", "S12"))
    assert house.signed_in("camille").get("session").status_code == 200


def test_two_sources_live_side_by_side(quiet):
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3eA", "p1")]))
    carry_out(quiet.parts, school(person(1, "q1"), groups=[group(7, "3eB", "q1")]), source="ldap")
    carry_out(quiet.parts, school(person(2, "q2")), source="ldap")
    people = everybody(quiet)
    assert (people["p1"].state, people["q1"].state, people["q2"].source) == (
        "active", "disabled", "ldap",
    )  # fmt: skip
    assert lists(quiet) == {"3eA": ("p1",)}


def test_what_breaks_in_the_middle_leaves_nothing_half_done(house, monkeypatch):
    carry_out(house.parts, school(person(1, "t.one", "teacher", rooms=["*"]), person(2)))
    give_password(house, "t.one")
    browser = house.signed_in("t.one")

    def broken(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(importer, "_store_members", broken)
    with pytest.raises(OSError, match="the disk is full"):
        carry_out(house.parts, school(person(3), groups=[group(7, "3eB", "p3")]))
    people = everybody(house)
    assert set(people) == {"camille", "t.one", "p2"}
    assert people["t.one"].state == "active"
    assert count(house, school_class) == count(house, class_member) == 0
    assert browser.get("session").status_code == 200
    assert count(house, revocation) == 0


def test_someone_who_signs_in_during_an_import_that_disables_him_stays_out(house, monkeypatch):
    """His password is checked before, his session would begin after: the account decides."""
    teacher = person(1, "t.one", "teacher", rooms=["*"])
    carry_out(house.parts, school(teacher))
    give_password(house, "t.one")
    door, checked, go_on = house.parts.door, threading.Event(), threading.Event()
    authenticator = door.authenticators[0]

    class Waiting:
        name = "local"

        def authenticate(self, typed, password):
            answer = authenticator.authenticate(typed, password)
            checked.set()
            assert go_on.wait(10)
            return answer

    codes = []

    def sign_in():
        try:
            login.sign_in(
                replace(door, authenticators=(Waiting(),)), Credentials("t.one", PASSWORD),
                Visit("127.0.0.1"), house.parts.now_ms(),
            )  # fmt: skip
        except RefusedError as error:
            codes.append(error.code)

    thread = threading.Thread(target=sign_in)
    thread.start()
    assert checked.wait(10)
    carry_out(house.parts, school(replace(teacher, state="disabled")))
    go_on.set()
    thread.join(10)
    assert codes == ["account_disabled"]
    assert count(house, session) == 0


def test_an_import_reads_the_same_number_of_times_however_many_there_are(quiet, statements):
    carry_out(quiet.parts, school(*(person(n) for n in range(5))))
    few = statements(
        lambda: carry_out(quiet.parts, school(*(person(n, name="X") for n in range(5))))
    )
    carry_out(quiet.parts, school(*(person(n) for n in range(500))))
    many = statements(
        lambda: carry_out(quiet.parts, school(*(person(n, name="X") for n in range(500))))
    )
    assert len(few) == len(many)


def test_a_list_of_all_users_takes_one_statement(quiet, statements):
    carry_out(quiet.parts, school(*(person(n, role="teacher", rooms=["S12"]) for n in range(9))))
    with quiet.parts.database.read() as connection:
        assert len(statements(lambda: users.list_all(connection))) == 1
        found = users.list_all(connection)
        assert found == [users.get(connection, one.login) for one in found]
        assert [one.login for one in found] == sorted(one.login for one in found)


def test_columns_of_an_import_are_kept_by_it_alone(quiet):
    carry_out(quiet.parts, school(person(1)))
    with quiet.parts.database.read() as connection:
        row = connection.execute(select(user).where(user.c.login == "p1")).one()
    assert (row.password, row.source_state, row.gone_at) == (None, "active", None)


def test_a_class_of_a_source_is_changed_there_alone(quiet):
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3eB", "p1")]))
    for change in (
        lambda connection: classes.save(connection, "3eB", ["x"], replace=True),
        lambda connection: classes.remove(connection, "3eB"),
    ):
        with (
            pytest.raises(InvalidError, match="'3eB' comes from the source file: change it there"),
            quiet.parts.database.write() as connection,
        ):
            change(connection)
    assert lists(quiet) == {"3eB": ("p1",)}


def births_of(house):
    with house.parts.database.read() as connection:
        rows = connection.execute(select(user.c.login, user.c.last_name, user.c.birth_date))
        return {row.login: (row.last_name, row.birth_date) for row in rows}


def test_birth_dates_are_kept_changed_and_forgotten_as_the_source_says(quiet):
    born = person(1, "zoe", last_name="Martin", birth_date="2012-03-14")
    carry_out(quiet.parts, school(born, person(2, "malo")))
    assert births_of(quiet) == {"zoe": ("Martin", "2012-03-14"), "malo": (None, None)}
    made = carry_out(quiet.parts, school(replace(born, birth_date=""), person(2, "malo")))
    assert [step.kinds for step in made.people] == [frozenset({"changed"})]
    assert births_of(quiet)["zoe"] == ("Martin", None)


def test_the_birth_date_of_who_is_gone_is_forgotten(quiet):
    born = person(1, "zoe", birth_date="2012-03-14")
    carry_out(quiet.parts, school(born, person(2, "malo")))
    carry_out(quiet.parts, school(person(2, "malo")))
    assert births_of(quiet)["zoe"] == (None, None)


def test_who_is_head_teacher_no_longer_is_signed_out(quiet):
    groups = [group(7, "3eB", "p1")]
    head = person(2, "anna", "head_teacher", ["3eB"], heads=frozenset({"3eB"}))
    carry_out(quiet.parts, school(person(1), head, groups=groups))
    assert everybody(quiet)["anna"].heads == ("3eB",)
    give_password(quiet, "anna")
    browser = quiet.signed_in("anna")
    carry_out(quiet.parts, school(person(1), replace(head, heads=frozenset()), groups=groups))
    assert everybody(quiet)["anna"].heads == ()
    assert browser.get("session").status_code == 401


def test_a_head_teacher_keeps_a_class_that_gets_another_name(quiet):
    head = NewUser("anna", "head_teacher", "Anna", HASH, (), ("3eB",))
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3eB", "p1")]))
    accounts.add(quiet.parts.database, head, quiet.parts.now_ms())
    carry_out(quiet.parts, school(person(1), groups=[group(7, "3e B", "p1")]))
    assert everybody(quiet)["anna"].heads == everybody(quiet)["anna"].classes == ("3e B",)
