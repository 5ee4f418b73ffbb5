import pytest
from sqlalchemy import select

from eop.aaa import accounts, passwords, revocations
from eop.aaa.accounts import NAMES_AN_EVENT, Terms
from eop.aaa.password_policy import PasswordPolicy, PasswordRefusedError
from eop.aaa.tables import password_history
from eop.audit.tables import audit
from eop.directory import users
from eop.directory.classes import MAX_STUDENTS
from eop.directory.users import NewUser
from eop.errors import ExistsError, InvalidError, NotFoundError
from tests.eop.installation import HASH, PASSWORD, error


def live_ids(house):
    with house.parts.database.read() as connection:
        live = house.parts.door.sessions.live(connection, house.parts.now_ms())
        return [one.id for one in live]


def is_ended(house, browser, ids):
    assert revocations.deliver(house.parts.database, house.parts.daemon)
    assert browser.get("session").status_code == 401
    return all(house.daemon.revoked(one) for one in ids)


def test_a_removed_user_is_out_at_once(house):
    browser = house.signed_in()
    ids = live_ids(house)
    accounts.remove(
        house.parts.database, house.parts.door.sessions, "camille", house.parts.now_ms()
    )
    assert is_ended(house, browser, ids)
    assert house.browser().sign_in().status_code == 401


def test_another_role_or_grant_ends_the_sessions(house):
    browser = house.signed_in()
    ids = live_ids(house)
    new = NewUser("camille", "teacher", "Camille", None, ("S14",), ())
    changed = accounts.change(
        house.parts.database, house.parts.door.sessions, new, house.parts.now_ms()
    )
    assert changed.rooms == ("S14",)
    assert is_ended(house, browser, ids)
    assert house.signed_in().get("session").json["user"] == "camille"


def test_another_password_ends_sessions_and_lifts_locks(house):
    browser = house.signed_in()
    ids = live_ids(house)
    for _ in range(5):
        house.browser().sign_in(password="wrong")
    assert house.browser().sign_in().status_code == 423
    parts = house.parts
    accounts.set_password(
        parts.database, parts.door.sessions, "Camille", "another password", parts.now_ms()
    )
    assert is_ended(house, browser, ids)
    assert error(house.browser().sign_in()) == (401, "wrong")
    assert house.browser().sign_in(password="another password").status_code == 200


def test_a_class_that_changes_ends_the_sessions_that_watch_by_it(house):
    house.add_class("3eB", "zoe")
    house.add_user("class", rooms=(), classes=("3eB",))
    house.add_user("room", rooms=("S12",), classes=())
    by_class, by_room = house.signed_in("class"), house.signed_in("room")
    now_ms = house.parts.now_ms()
    accounts.save_class(
        house.parts.database, house.parts.door.sessions, "3eB", ["malo"], now_ms, replace=True
    )
    assert by_class.get("session").status_code == 401
    assert by_room.get("session").status_code == 200
    by_class = house.signed_in("class")
    accounts.remove_class(house.parts.database, house.parts.door.sessions, "3eB", now_ms)
    assert by_class.get("session").status_code == 401


@pytest.mark.parametrize(
    "new",
    [
        NewUser("two words", "teacher", "X", HASH),
        NewUser("", "teacher", "X", HASH),
        NewUser("x" * 65, "teacher", "X", HASH),
        NewUser("x", "king", "X", HASH),
        NewUser("x", "teacher", "", HASH),
        NewUser("x", "teacher", "a\nb", HASH),
        NewUser("x", "teacher", "n" * 121, HASH),
        NewUser("x", "teacher", "X", HASH, ("r" * 65,)),
        NewUser("x", "teacher", "X", HASH, tuple(f"S{n}" for n in range(501))),
    ],
)
def test_what_cannot_be_stored_is_refused(quiet, new):
    with pytest.raises(InvalidError):
        accounts.add(quiet.parts.database, new, 0)


def test_logins_are_one_whatever_their_case(house):
    with pytest.raises(ExistsError):
        house.add_user("CAMILLE")
    assert house.browser().sign_in(" Camille ").json["user"] == "camille"
    with pytest.raises(NotFoundError):
        accounts.remove(house.parts.database, house.parts.door.sessions, "nobody", 0)


def history(house):
    with house.parts.database.read() as connection:
        return connection.scalars(select(password_history.c.password)).all()


def test_replaced_passwords_are_kept_as_far_as_the_history_goes(house):
    parts = house.parts
    terms = Terms(PasswordPolicy(history=3))
    for word in ("first", "second", "third", "fourth"):
        accounts.set_password(
            parts.database, parts.door.sessions, "camille", f"{word} quiet horse",
            parts.now_ms(), terms,
        )  # fmt: skip
    kept = history(house)
    assert len(kept) == 2
    assert [passwords.matches(one, word) for one, word in zip(
        kept, ("second quiet horse", "third quiet horse"), strict=True,
    )] == [True, True]  # fmt: skip
    terms = Terms(PasswordPolicy(history=0))
    accounts.set_password(
        parts.database, parts.door.sessions, "camille", "fifth quiet horse", parts.now_ms(), terms
    )
    assert history(house) == []


def test_a_password_is_dated_when_it_is_set_and_not_when_its_hash_is_renewed(house, monkeypatch):
    parts = house.parts
    with parts.database.read() as connection:
        camille = users.get(connection, "camille")
        assert users.password_since(connection, camille.id) <= parts.now_ms()
    accounts.set_password(
        parts.database, parts.door.sessions, "camille", PASSWORD, 42, Terms(must_change=True)
    )
    monkeypatch.setattr(passwords, "is_outdated", lambda stored: True)
    assert house.browser().sign_in().json["error"]["code"] == "must_change"
    with parts.database.read() as connection:
        assert users.password_since(connection, camille.id) == 42
        assert users.get(connection, "camille").must_change


@pytest.fixture
def reset_meanwhile(house, monkeypatch):
    """The next password that is right is another one as soon as it was compared."""
    parts, compare = house.parts, passwords.matches

    def matches(stored, password):
        monkeypatch.setattr(passwords, "matches", compare)
        right = compare(stored, password)
        accounts.set_password(
            parts.database, parts.door.sessions, "camille", "a new long password", parts.now_ms()
        )
        return right

    monkeypatch.setattr(passwords, "matches", matches)


@pytest.mark.parametrize("is_outdated", [False, True])
def test_a_password_that_was_reset_while_it_was_compared_opens_nothing(
    house, monkeypatch, reset_meanwhile, is_outdated
):
    monkeypatch.setattr(passwords, "is_outdated", lambda stored: is_outdated)
    assert error(house.browser().sign_in()) == (401, "wrong")
    assert live_ids(house) == []
    assert error(house.browser().sign_in()) == (401, "wrong")
    assert house.browser().sign_in(password="a new long password").status_code == 200


def test_of_a_password_that_is_not_stored_nothing_changes(house):
    parts, browser = house.parts, house.signed_in()
    with pytest.raises(PasswordRefusedError):
        accounts.set_password(
            parts.database, parts.door.sessions, "camille", "password", parts.now_ms()
        )
    assert browser.get("session").status_code == 200
    assert history(house) == []


def details_of(house, kind):
    with house.parts.database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == kind).order_by(audit.c.id))
        return [row.details for row in rows]


def test_who_came_into_a_class_and_who_left_it_is_in_the_audit(house):
    def save(*students):
        parts = house.parts
        accounts.save_class(
            parts.database, parts.door.sessions, "3e B", list(students), 1, replace=True
        )
        return details_of(house, "class_saved")

    named = {"class": "3e B"}
    assert save("malo", "zoe")[-1] == named | {"added": ["malo", "zoe"], "removed": []}
    assert save("zoe", "anne")[-1] == named | {"added": ["anne"], "removed": ["malo"]}
    assert save("zoe", "anne")[-1] == named | {"added": [], "removed": []}
    save(*(f"{number:03}" + "é" * 61 for number in range(MAX_STUDENTS)))
    kept = save()[3:]
    assert len(kept) == 2 * MAX_STUDENTS // NAMES_AN_EVENT
    assert kept[0]["removed"] == ["anne", "zoe"]
    assert sum(len(one["added"]) for one in kept) == MAX_STUDENTS
    assert sum(len(one["removed"]) for one in kept) == MAX_STUDENTS + 2


def test_that_an_account_was_opened_to_its_password_is_in_the_audit(house):
    parts = house.parts
    accounts.open_to_password(parts.database, parts.door.sessions, "camille", 1)
    assert details_of(house, "account_opened") == [{"login": "camille"}]


def test_every_change_is_in_the_audit_with_who_made_it(house):
    parts, sessions = house.parts, house.parts.door.sessions
    house.add_class("3e B", "zoe.martin")
    accounts.change(parts.database, sessions, NewUser("camille", "teacher", "C", None), 1)
    accounts.set_password(parts.database, sessions, "camille", "a new long password", 2)
    accounts.save_class(parts.database, sessions, "3e B", ["malo"], 3, replace=True)
    accounts.remove_class(parts.database, sessions, "3e B", 4)
    accounts.remove(parts.database, sessions, "camille", 5)
    with parts.database.read() as connection:
        kept = connection.execute(select(audit).order_by(audit.c.id)).all()
    assert [row.kind for row in kept] == [
        "account_added", "account_changed", "password_set", "class_saved", "class_removed",
        "account_removed",
    ]  # fmt: skip
    assert all(row.user.startswith("eopctl:") for row in kept)
    assert kept[-1].details["login"] == "camille"
    assert "password" not in str([row.details for row in kept])
