"""One's own account: password, second factor, and where one is signed in."""

import re

import pyotp
import pytest
from sqlalchemy import select, update

from eop.aaa import passwords, revocations, second_factor, throttle
from eop.aaa.login import Visit, attempt_of
from eop.audit.tables import audit
from eop.directory import users
from eop.directory.tables import user
from tests.eop.aaa.conftest import Person
from tests.eop.aaa.test_step_pages import code_of, enrol, events_of, wrong_code
from tests.eop.installation import HASH, MOUNT, PASSWORD

NEW = "seven quiet horses"
CHANGE = {"current": PASSWORD, "password": NEW, "again": NEW}


@pytest.fixture
def inside(house, camille):
    camille.enter()
    return camille


def live(house, login="camille"):
    with house.parts.database.read() as connection:
        found = users.get(connection, login)
        sessions = house.parts.door.sessions
        return sessions.of_user(connection, found.id, house.parts.now_ms())


def rows(page):
    """The ids of the sessions that the page lists, in its order."""
    return re.findall(r'name="session" value="([0-9a-f]{64})"', page.text)


@pytest.mark.parametrize(
    "role", ["student", "teacher", "head_teacher", "administrator", "security_officer"]
)
def test_everyone_who_may_sign_in_has_an_account_page(house, role):
    house.add_user("someone", role, rooms=(), classes=())
    someone = Person(house, "someone")
    someone.enter()
    page = someone.get("/account")
    assert page.status_code == 200
    assert "someone" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_who_is_not_signed_in_signs_in_first(house, camille):
    answer = camille.get("/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/account")
    assert camille.post("/account/password", **CHANGE).headers["Location"] == "/login"
    assert len(live(house)) == 0


def test_the_banner_leads_to_the_account(inside):
    assert inside.get(MOUNT + "/").text.count('href="/account"') == 3


@pytest.mark.parametrize(
    "path",
    [
        "password", "second-factor", "second-factor/remove", "recovery-codes", "sessions/end",
        "sessions/end-others",
    ],
)  # fmt: skip
def test_every_change_needs_the_token_of_its_session(inside, path):
    for forged in ({}, {"csrf_token": "0" * 64}):
        assert inside.post(f"/account/{path}", **CHANGE, **forged).status_code == 403
    assert inside.is_inside


def test_another_password_keeps_this_session_under_a_new_token_and_ends_the_others(house, inside):
    other = Person(house)
    other.enter()
    before, ids = inside.cookie("eop_session"), [one.id for one in live(house)]
    done = inside.change("/account/password", **CHANGE)
    assert (done.status_code, done.headers["Location"]) == (303, "/account?done=password")
    assert inside.is_inside
    assert not other.is_inside
    assert inside.cookie("eop_session") != before
    thief = Person(house)
    thief.browser.client.set_cookie("eop_session", before, domain="127.0.0.1")
    assert not thief.is_inside
    assert all(house.daemon.revoked(one) for one in ids)
    assert [one.authenticator for one in live(house)] == ["local"]
    assert "Your password was changed." in inside.get("/account?done=password").text
    assert events_of(house)[-2:] == ["password_changed", "signed_in"]
    with house.parts.database.read() as connection:
        begun = connection.scalar(select(audit.c.session).order_by(audit.c.id.desc()).limit(1))
    assert [one.id for one in live(house)] == [begun]
    assert Person(house).enter().status_code == 401
    assert Person(house).enter(NEW).status_code == 303


def test_the_current_password_is_asked_and_guessed_five_times(house, inside):
    wrong = CHANGE | {"current": "wrong"}
    for _ in range(5):
        answer = inside.change("/account/password", **wrong)
        assert answer.status_code == 403
        assert "This is not your current password." in answer.text
    locked = inside.change("/account/password", **CHANGE)
    assert locked.status_code == 423
    assert int(locked.headers["Retry-After"]) > 0
    assert inside.is_inside
    assert "sign_in_failed" in events_of(house)
    house.offset = 30 * 60 + 1
    assert inside.change("/account/password", **CHANGE).status_code == 303


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"again": "another"}, "The two new passwords are not the same."),
        ({"password": "short", "again": "short"}, "at least 8 characters"),
        ({"password": PASSWORD, "again": PASSWORD}, "You have used it before"),
        ({"password": "camille1", "again": "camille1"}, "too easy to guess"),
    ],
)
def test_what_is_wrong_with_a_new_password_is_told(inside, changes, words):
    answer = inside.change("/account/password", **(CHANGE | changes))
    assert answer.status_code == 422
    assert words in answer.text
    assert 'role="alert"' in answer.text
    assert PASSWORD not in answer.text


def test_the_schools_rule_is_shown_before_and_after(installed):
    house = installed(
        PASSWORD_RULE=r'{"*": ".*[0-9].*"}', PASSWORD_RULE_TEXT='{"en": "A digit, please."}'
    )
    camille = Person(house)
    camille.enter()
    assert "A digit, please." in camille.get("/account").text
    answer = camille.change("/account/password", **CHANGE)
    assert (answer.status_code, "A digit, please." in answer.text) == (422, True)
    digits = {"current": PASSWORD, "password": NEW + " 7", "again": NEW + " 7"}
    assert camille.change("/account/password", **digits).status_code == 303


def test_a_list_of_leaked_passwords_that_is_gone_lets_nothing_pass(installed, tmp_path):
    leaked = tmp_path / "words.txt"
    leaked.write_text("something\n")
    house = installed(PASSWORD_LEAKED_FILE=str(leaked))
    camille = Person(house)
    camille.enter()
    leaked.unlink()
    answer = camille.change("/account/password", **CHANGE)
    assert answer.status_code == 503
    assert "list of stolen passwords" in answer.text
    leaked.write_text(NEW.upper() + "\n")
    answer = camille.change("/account/password", **CHANGE)
    assert (answer.status_code, "stolen elsewhere" in answer.text) == (422, True)


def test_whose_password_is_elsewhere_is_told_where(house, inside):
    with house.parts.database.write() as connection:
        connection.execute(update(user).values(password=None, source="ldap"))
    page = inside.get("/account")
    assert "kept in the school's directory" in page.text.replace("&#39;", "'")
    assert 'name="current"' not in page.text
    assert inside.change("/account/password", **CHANGE).status_code == 403
    with house.parts.database.read() as connection:
        assert users.password_of(connection, "camille") is None


def test_a_session_that_a_single_sign_on_began_ends_with_the_old_password(house, inside):
    with house.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE session SET authenticator = 'cas'")
    answer = inside.change("/account/password", **CHANGE)
    assert answer.headers["Location"] == "/login"
    assert not inside.is_inside
    assert live(house) == []


def enrolment(person):
    """A new key from the page, and the hidden field that carries it."""
    page = person.get("/account/second-factor")
    pending = re.search(r'name="pending" value="([^"]+)"', page.text).group(1)
    key = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text).group(1).replace(" ", "")
    return key, pending


def set_up(person, **form):
    return person.change("/account/second-factor", **{"current": PASSWORD, **form})


def test_an_open_session_alone_sets_up_no_second_factor(house, inside):
    key, pending = enrolment(inside)
    assert 'name="current"' in inside.get("/account/second-factor").text
    for wrong in ("", "wrong", "x" * 1025):
        answer = set_up(inside, pending=pending, code=code_of(house, key), current=wrong)
        assert answer.status_code == 403
        assert "This is not your current password." in answer.text
        assert pending in answer.text
    for _ in range(2):
        set_up(inside, pending=pending, code=code_of(house, key), current="wrong")
    locked = set_up(inside, pending=pending, code=code_of(house, key))
    assert locked.status_code == 423
    with house.parts.database.read() as connection:
        assert not users.get(connection, "camille").has_second_factor


def test_who_has_no_password_here_is_asked_for_none(house, inside):
    with house.parts.database.write() as connection:
        connection.execute(update(user).values(password=None))
    key, pending = enrolment(inside)
    assert 'name="current"' not in inside.get("/account/second-factor").text
    done = set_up(inside, pending=pending, code=code_of(house, key), current="")
    assert done.status_code == 200
    with house.parts.database.read() as connection:
        kept = select(audit).where(audit.c.kind == "second_factor_enrolled")
        assert connection.execute(kept).one().details == {"address": "127.0.0.1"}


@pytest.mark.parametrize("current", [PASSWORD, "wrong"])
def test_what_failed_while_a_password_was_compared_counts(house, inside, monkeypatch, current):
    door, compare = house.parts.door, passwords.matches
    here = Visit("127.0.0.1", device=inside.cookie("eop_device"))
    attempt = attempt_of(door, "camille", here, house.parts.now_ms())

    def matches(stored, password):
        right = compare(stored, password)
        with house.parts.database.write() as connection:
            for _ in range(throttle.ATTEMPTS):
                throttle.failed(connection, attempt)
        return right

    monkeypatch.setattr(passwords, "matches", matches)
    answer = inside.change("/account/password", **(CHANGE | {"current": current}))
    assert answer.status_code == 423
    with house.parts.database.read() as connection:
        assert users.password_of(connection, "camille") == HASH


def test_a_second_factor_is_set_up_by_its_first_code(house, inside):
    key, pending = enrolment(inside)
    wrong = set_up(inside, pending=pending, code=wrong_code(house, key))
    assert wrong.status_code == 401
    assert pending in wrong.text
    done = set_up(inside, pending=pending, code=code_of(house, key))
    assert len(re.findall(r"<li>[a-z2-9]{5}-[a-z2-9]{5}</li>", done.text)) == 10
    assert "10 recovery codes are left" in inside.get("/account").text
    assert "second_factor_enrolled" in events_of(house)
    other = Person(house)
    assert other.enter().headers["Location"] == "/login/step"
    assert other.step(code=code_of(house, key)).status_code == 401
    assert other.step(code=code_of(house, key, 1)).status_code == 303


def test_setting_it_up_ends_what_was_begun_at_the_door_without_it(house, inside):
    with house.parts.database.write() as connection:
        connection.execute(update(user).values(must_change=True))
    other = Person(house)
    other.enter()
    key, pending = enrolment(inside)
    set_up(inside, pending=pending, code=code_of(house, key))
    assert other.get("/login/step").headers["Location"] == "/login"


def test_a_page_that_is_too_old_or_anothers_sets_up_nothing(house, inside):
    key, pending = enrolment(inside)
    house.add_user("malo")
    malo = Person(house, "malo")
    malo.enter()
    foreign = set_up(malo, pending=pending, code=code_of(house, key))
    assert foreign.status_code == 401
    house.offset = 601
    old = set_up(inside, pending=pending, code=code_of(house, key))
    assert (old.status_code, "took too long" in old.text) == (401, True)
    assert set_up(inside, pending="", code="1").status_code == 401
    with house.parts.database.read() as connection:
        assert not any(one.has_second_factor for one in users.list_all(connection))


def test_setting_it_up_anew_needs_a_code_of_the_one_there_is(house, inside):
    old, codes = enrol(house)
    key, pending = enrolment(inside)
    form = {"pending": pending, "code": code_of(house, key)}
    assert set_up(inside, **form).status_code == 401
    assert set_up(inside, **form, code_before="000").status_code == 401
    done = set_up(inside, **form, code_before=codes[0])
    assert done.status_code == 200
    other = Person(house)
    other.enter()
    assert other.step(code=code_of(house, old)).status_code == 401
    assert other.step(code=codes[1]).status_code == 401, "old recovery codes are worth nothing"
    assert other.step(code=code_of(house, key, 1)).status_code == 303


def test_it_is_removed_with_a_code(house, inside):
    key, _ = enrol(house)
    wrong = inside.change("/account/second-factor/remove", code=wrong_code(house, key))
    assert wrong.status_code == 401
    done = inside.change("/account/second-factor/remove", code=code_of(house, key))
    assert done.headers["Location"] == "/account?done=removed"
    assert "second_factor_removed" in events_of(house)
    assert Person(house).enter().headers["Location"] == MOUNT + "/"


def test_codes_are_guessed_five_times_on_the_account_too(house, inside):
    key, _ = enrol(house)
    statuses = [
        inside.change("/account/recovery-codes", code=wrong_code(house, key)).status_code
        for _ in range(6)
    ]
    assert statuses == [401] * 5 + [423]
    remove = "/account/second-factor/remove"
    assert inside.change(remove, code=code_of(house, key)).status_code == 423


def test_who_must_have_one_cannot_remove_it(installed):
    house = installed(TOTP_REQUIRED_ROLES="teacher")
    key, _ = enrol(house)
    camille = Person(house)
    camille.enter()
    camille.step(code=code_of(house, key))
    assert "/account/second-factor/remove" not in camille.get("/account").text
    answer = camille.change("/account/second-factor/remove", code=code_of(house, key, 1))
    assert answer.status_code == 403
    assert "replace it instead" in answer.text


def test_new_recovery_codes_are_shown_once(house, inside):
    key, codes = enrol(house)
    done = inside.change("/account/recovery-codes", code=code_of(house, key))
    new = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", done.text)
    assert len(new) == 10
    assert not set(new) & set(codes)
    assert new[0] not in inside.get("/account").text
    assert "recovery_codes_renewed" in events_of(house)


def test_sessions_are_listed_this_one_first(house, inside):
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"
    other = Person(house, address="192.0.2.7")
    other.browser.open(
        "/login", "POST", data={"username": "camille", "password": PASSWORD},
        headers={"User-Agent": firefox}, environ=other.environ,
    )  # fmt: skip
    page = inside.get("/account")
    here = house.parts.door.keys.session_id(inside.cookie("eop_session"))
    assert rows(page)[0] == here
    assert len(rows(page)) == 2
    assert "Firefox on Linux" in page.text
    assert "192.0.2.7" in page.text
    assert page.text.count("This browser") == 1


def test_one_session_is_signed_out_and_its_screens_close(house, inside):
    other = Person(house)
    other.enter()
    (wanted,) = [one for one in rows(inside.get("/account"))[1:]]
    done = inside.change("/account/sessions/end", session=wanted)
    assert done.headers["Location"] == "/account?done=session"
    assert not other.is_inside
    assert inside.is_inside
    assert house.daemon.revoked(wanted)
    assert "session_ended" in events_of(house)


def test_signing_out_ones_own_session_leads_to_the_door(house, inside):
    (here,) = rows(inside.get("/account"))
    assert inside.change("/account/sessions/end", session=here).headers["Location"] == "/login"
    assert not inside.is_inside
    assert not inside.cookie("eop_session")


def test_the_session_of_another_user_cannot_be_signed_out(house, inside):
    house.add_user("malo")
    malo = Person(house, "malo")
    malo.enter()
    foreign = house.parts.door.keys.session_id(malo.cookie("eop_session"))
    for wanted in (foreign, "", "x" * 65, "é"):
        inside.change("/account/sessions/end", session=wanted)
    assert malo.is_inside
    assert "session_ended" not in events_of(house)


def test_everywhere_else_is_signed_out_at_once(house, inside):
    others = [Person(house) for _ in range(3)]
    for one in others:
        one.enter()
    ids = [one.id for one in live(house)]
    done = inside.change("/account/sessions/end-others")
    assert done.headers["Location"] == "/account?done=sessions"
    assert inside.is_inside
    assert not any(one.is_inside for one in others)
    here = house.parts.door.keys.session_id(inside.cookie("eop_session"))
    assert {one for one in ids if house.daemon.revoked(one)} == set(ids) - {here}
    with house.parts.database.read() as connection:
        kept = connection.execute(select(audit).where(audit.c.kind == "other_sessions_ended")).one()
    assert kept.details == {"ended": 3}


def test_what_is_made_from_this_session_stays_with_it(house, inside):
    from eop.aaa.session import Beginning

    here = house.parts.door.keys.session_id(inside.cookie("eop_session"))
    with house.parts.database.write() as connection:
        camille = users.get(connection, "camille")
        made = Beginning(camille.id, "camille", "local", "", application="notes", parent=here)
        sessions, now_ms = house.parts.door.sessions, house.parts.now_ms()
        _, child = sessions.start(connection, made, now_ms)
    assert rows(inside.get("/account")) == [here]
    inside.change("/account/sessions/end-others")
    assert child.id in [one.id for one in live(house)]


def test_signing_out_elsewhere_is_told_later_while_the_daemon_is_down(house, inside):
    other = Person(house)
    other.enter()
    house.stop_daemon()
    house.parts.daemon.close()
    assert inside.change("/account/sessions/end-others").status_code == 303
    assert not other.is_inside
    daemon = house.start_daemon()
    assert revocations.deliver(house.parts.database, house.parts.daemon)
    assert len(daemon.leases._tombstones) == 1


def test_nothing_secret_is_on_the_account_page(house, inside):
    key, codes = enrol(house)
    page = inside.get("/account").text
    for secret in (key, *codes, "argon2", inside.cookie("eop_session")):
        assert secret not in page
    assert second_factor.shown(key) not in page
    assert pyotp.TOTP(key).now() not in page
