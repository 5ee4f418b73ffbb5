"""What stands between a right password and the session."""

import re

import pyotp
import pytest
from sqlalchemy import select, update

from eop.aaa import accounts, passwords, second_factor, steps, throttle
from eop.aaa.authenticators.base import Who
from eop.aaa.login import Visit, sign_in_as
from eop.aaa.steps import MAX_A_USER, MAX_CODES, MAX_PASSWORDS, STEP_SECONDS, Pending
from eop.aaa.tables import sign_in_step
from eop.audit.tables import audit
from eop.directory import users
from eop.directory.tables import user
from tests.eop.aaa.conftest import Person
from tests.eop.installation import MOUNT, PASSWORD, error

NEW = "seven quiet horses"
HOME = MOUNT + "/"


def must_change(house, login="camille"):
    with house.parts.database.write() as connection:
        users.date_password(
            connection, users.get(connection, login).id, house.parts.now_ms(), must_change=True
        )


def enrol(house, login="camille"):
    """Give someone a second factor; his key, whose codes were not used yet."""
    key = second_factor.new_key()
    with house.parts.database.write() as connection:
        found = users.get(connection, login)
        codes = second_factor.enrol(connection, house.parts.door.keys, found.id, key, 0)
    return key, codes


def code_of(house, key, steps_later=0):
    return pyotp.TOTP(key).at(int(house.clock()) + 30 * steps_later)


def wrong_code(house, key):
    near = {code_of(house, key, shift) for shift in (-2, -1, 0, 1, 2)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


def events_of(house):
    with house.parts.database.read() as connection:
        return [row.kind for row in connection.execute(select(audit).order_by(audit.c.id))]


def steps_stored(house):
    with house.parts.database.read() as connection:
        return connection.execute(select(sign_in_step)).all()


def test_a_password_that_must_be_changed_gives_no_session_before_it_is(house, camille):
    must_change(house)
    entered = camille.enter(next=MOUNT + "/observe/")
    assert (entered.status_code, entered.headers["Location"]) == (303, "/login/step")
    assert not camille.cookie("eop_session")
    assert not camille.is_inside
    assert camille.get(HOME).status_code == 303
    done = camille.step(password=NEW, again=NEW)
    assert (done.status_code, done.headers["Location"]) == (303, MOUNT + "/observe/")
    assert camille.is_inside
    assert not camille.cookie("eop_step")
    assert not steps_stored(house)
    assert "password_changed" in events_of(house)
    assert error(house.browser().sign_in()) == (401, "wrong")
    assert house.browser().sign_in(password=NEW).status_code == 200


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [
        (PASSWORD, PASSWORD, "You have used it before"),
        (NEW, NEW + "x", "not the same"),
        ("short", "short", "at least 8"),
        ("password", "password", "too easy to guess"),
        ("x" * 1025, "x" * 1025, "at most 1024 bytes"),
        ("", "", "at least 8"),
    ],
)
def test_a_new_password_that_may_not_be_is_told_why(house, camille, password, again, words):
    must_change(house)
    camille.enter()
    answer = camille.step(password=password, again=again)
    assert answer.status_code == 422
    assert words in answer.text
    assert not camille.is_inside
    assert camille.step(password=NEW, again=NEW).status_code == 303


def test_advice_on_a_weak_password_is_shown(house, camille):
    must_change(house)
    camille.enter()
    assert "Add another word or two." in camille.step(password="password", again="password").text


def test_a_password_is_refused_a_bounded_number_of_times(house, camille, monkeypatch):
    must_change(house)
    camille.enter()
    for _ in range(MAX_PASSWORDS - 1):
        assert camille.step(password="short", again="short").status_code == 422
    over = camille.step(password="short", again="short")
    assert over.status_code == 401
    assert "too many tries" in over.text
    assert camille.step(password=NEW, again=NEW).status_code == 401
    camille.enter()
    assert camille.step(password=NEW, again=NEW).status_code == 303


def test_a_password_that_has_outlived_itself_must_be_changed(installed):
    house = installed(PASSWORD_LIFETIME="30")
    camille = Person(house)
    day = 24 * 3600
    house.offset = 30 * day - 60
    assert camille.enter().headers["Location"] == HOME
    house.offset = 30 * day + 60
    assert camille.enter().headers["Location"] == "/login/step"
    assert camille.step(password=NEW, again=NEW).headers["Location"] == HOME
    assert Person(house).enter(NEW).headers["Location"] == HOME


def test_the_last_passwords_cannot_be_chosen_again_and_older_ones_can(installed):
    house = installed(PASSWORD_HISTORY="3")
    camille = Person(house)
    camille.enter()
    worn = [PASSWORD, "first quiet horse", "second quiet horse", "third quiet horse"]
    for before, after in zip(worn, worn[1:], strict=False):
        form = {"current": before, "password": after, "again": after}
        assert camille.change("/account/password", **form).status_code == 303
    for old, status in ((worn[3], 422), (worn[2], 422), (worn[1], 422), (worn[0], 303)):
        form = {"current": worn[3], "password": old, "again": old}
        assert camille.change("/account/password", **form).status_code == status, old


def test_a_second_factor_is_asked_for_after_the_password(house, camille):
    key, _ = enrol(house)
    assert camille.enter().headers["Location"] == "/login/step"
    assert not camille.cookie("eop_session")
    assert not camille.is_inside
    page = camille.get("/login/step")
    assert 'autocomplete="one-time-code"' in page.text
    assert key not in page.text.replace(" ", "")
    done = camille.step(code=code_of(house, key))
    assert done.headers["Location"] == HOME
    assert camille.is_inside


def test_a_code_is_taken_once_even_for_a_second_sign_in(house, camille):
    key, _ = enrol(house)
    camille.enter()
    code = code_of(house, key)
    assert camille.step(code=code).status_code == 303
    other = Person(house)
    other.enter()
    answer = other.step(code=code)
    assert answer.status_code == 401
    assert "was used already" in answer.text
    assert not other.is_inside
    assert other.step(code=code_of(house, key, 1)).status_code == 303


def test_a_recovery_code_opens_once(house, camille):
    _, codes = enrol(house)
    camille.enter()
    assert camille.step(code=codes[0]).status_code == 303
    assert "recovery_code_used" in events_of(house)
    other = Person(house)
    other.enter()
    assert other.step(code=codes[0]).status_code == 401
    assert other.step(code=codes[1]).status_code == 303


def test_codes_are_guessed_five_times_then_the_account_is_locked_here(house, camille):
    key, _ = enrol(house)
    camille.enter()
    for _ in range(MAX_CODES - 1):
        assert camille.step(code=wrong_code(house, key)).status_code == 401
    over = camille.step(code=wrong_code(house, key))
    assert over.status_code == 401
    assert "too many tries" in over.text
    assert camille.step(code=code_of(house, key)).status_code == 401
    assert camille.enter().status_code == 423
    assert "sign_in_failed" in events_of(house)
    elsewhere = Person(house, address="192.0.2.1")
    elsewhere.enter()
    assert elsewhere.step(code=code_of(house, key)).status_code == 303
    house.offset = 30 * 60 + 1
    camille.enter()
    assert camille.step(code=code_of(house, key)).status_code == 303


def test_knowing_the_password_gives_no_more_guesses_at_the_code(house, camille):
    key, _ = enrol(house)
    guesses = 0
    while camille.enter().status_code == 303:
        camille.step(code=wrong_code(house, key))
        guesses += 1
    assert guesses == throttle.ATTEMPTS


def test_a_step_is_over_after_ten_minutes(house, camille):
    key, _ = enrol(house)
    camille.enter()
    house.offset = STEP_SECONDS - 2
    assert camille.get("/login/step").status_code == 200
    token = camille.cookie("eop_step")
    form = {"csrf_token": steps.csrf_token(house.parts.door.keys, token)}
    house.offset = STEP_SECONDS + 1
    assert camille.get("/login/step").headers["Location"] == "/login"
    answer = camille.post("/login/step", code=code_of(house, key), **form)
    assert answer.status_code == 401
    assert "took too long" in answer.text
    assert not camille.is_inside
    with house.parts.database.write() as connection:
        steps.purge(connection, house.parts.now_ms())
    assert not steps_stored(house)


def test_a_step_is_taken_once(house, camille):
    key, _ = enrol(house)
    camille.enter()
    token = camille.cookie("eop_step")
    assert camille.step(code=code_of(house, key)).status_code == 303
    thief = Person(house)
    thief.browser.client.set_cookie("eop_step", token, domain="127.0.0.1")
    assert thief.get("/login/step").headers["Location"] == "/login"


def test_the_step_of_one_takes_no_code_of_another(house, camille):
    camilles, _ = enrol(house)
    house.add_user("malo")
    malos, _ = enrol(house, "malo")
    malo = Person(house, "malo")
    camille.enter()
    malo.enter()
    assert camille.step(code=code_of(house, malos)).status_code == 401
    foreign = steps.csrf_token(house.parts.door.keys, malo.cookie("eop_step"))
    answer = camille.post("/login/step", csrf_token=foreign, code=code_of(house, camilles))
    assert answer.status_code == 403
    assert camille.step(code=code_of(house, camilles)).status_code == 303
    assert camille.get("/eoleauth").text == "camille"


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 43, "a" * 4000])
def test_a_foreign_step_cookie_leads_to_the_door(house, camille, token):
    camille.browser.client.set_cookie("eop_step", token, domain="127.0.0.1")
    assert camille.get("/login/step").headers["Location"] == "/login"
    assert camille.post("/login/step", code="123456").status_code == 401


def test_a_step_needs_its_token_and_our_own_origin(house, camille):
    key, _ = enrol(house)
    camille.enter()
    for forged in ({}, {"csrf_token": ""}, {"csrf_token": "0" * 64}, {"csrf_token": "é"}):
        answer = camille.post("/login/step", code=code_of(house, key), **forged)
        assert answer.status_code == 403
    foreign = camille.browser.open(
        "/login/step", "POST", data={"code": "1"}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    assert not camille.is_inside


def test_over_https_the_cookie_of_a_step_belongs_to_this_host_alone(house):
    enrol(house)
    answer = house.browser("eop.example").open(
        "/login", "POST", data={"username": "camille", "password": PASSWORD},
        headers={"X-Forwarded-Host": "eop.example", "X-Forwarded-Proto": "https"},
    )  # fmt: skip
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-eop_step=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={STEP_SECONDS}"):
        assert f"; {attribute}" in cookie


def test_only_a_hash_of_a_steps_token_is_stored(house, camille):
    enrol(house)
    camille.enter()
    stored = (house.home / "var/lib/eop/eop.db").read_bytes()
    stored += (house.home / "var/lib/eop/eop.db-wal").read_bytes()
    assert len(camille.cookie("eop_step")) == 43
    assert camille.cookie("eop_step").encode() not in stored


def test_who_knows_a_password_fills_no_table_with_steps(house):
    enrol(house)
    for _ in range(MAX_A_USER + 3):
        Person(house).enter()
    assert len(steps_stored(house)) == MAX_A_USER


def test_the_factor_comes_before_the_change_of_the_password(house, camille):
    key, _ = enrol(house)
    must_change(house)
    camille.enter()
    assert "one-time-code" in camille.get("/login/step").text
    first = camille.cookie("eop_step")
    assert camille.step(code=code_of(house, key)).headers["Location"] == "/login/step"
    assert camille.cookie("eop_step") != first
    assert not camille.is_inside
    assert camille.step(password=NEW, again=NEW).headers["Location"] == HOME
    assert camille.is_inside


def test_a_role_that_needs_a_second_factor_enrols_it_at_the_door(installed):
    house = installed(TOTP_REQUIRED_ROLES="administrator", TOTP_ISSUER="Jaurès")
    house.add_user("root", "administrator")
    root, camille = Person(house, "root"), Person(house)
    assert camille.enter().headers["Location"] == HOME
    assert root.enter(next=MOUNT + "/admin/").headers["Location"] == "/login/step"
    page = root.get("/login/step")
    assert 'src="data:image/svg+xml' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    key = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text).group(1).replace(" ", "")
    assert root.step(code=wrong_code(house, key)).status_code == 401
    done = root.step(code=code_of(house, key))
    assert done.status_code == 200
    shown = re.findall(r"<li>([a-z2-9]{5}-[a-z2-9]{5})</li>", done.text)
    assert len(shown) == 10
    assert f'href="{MOUNT}/admin/"' in done.text
    assert root.is_inside
    assert "second_factor_enrolled" in events_of(house)
    again = Person(house, "root")
    again.enter()
    assert again.step(code=code_of(house, key)).status_code == 401, "the code was used to enrol"
    assert again.step(code=shown[0]).status_code == 303


def test_a_step_begun_without_a_second_factor_does_not_replace_one(installed):
    house = installed(TOTP_REQUIRED_ROLES="teacher")
    thief = Person(house)
    thief.enter()
    theirs = re.search(r'class="secret">([A-Z2-7 ]+)<', thief.get("/login/step").text).group(1)
    key, _ = enrol(house)
    answer = thief.step(code=code_of(house, theirs.replace(" ", "")))
    assert (answer.status_code, "Begin again" in answer.text) == (401, True)
    assert not thief.is_inside
    camille = Person(house)
    camille.enter()
    assert camille.step(code=code_of(house, key)).status_code == 303


def test_a_step_begun_before_a_second_factor_does_not_go_round_it(house, camille):
    must_change(house)
    camille.enter()
    key, _ = enrol(house)
    assert camille.step(password=NEW, again=NEW).headers["Location"] == "/login/step"
    assert not camille.is_inside
    assert camille.step(code=code_of(house, key)).headers["Location"] == HOME


def test_enrolling_at_the_door_ends_the_other_steps(installed):
    house = installed(TOTP_REQUIRED_ROLES="teacher")
    first, second = Person(house), Person(house)
    first.enter()
    second.enter()
    key = re.search(r'class="secret">([A-Z2-7 ]+)<', first.get("/login/step").text).group(1)
    assert first.step(code=code_of(house, key.replace(" ", ""))).status_code == 200
    assert not steps_stored(house)


def test_mistakes_while_enrolling_lock_nobody_out(installed):
    house = installed(TOTP_REQUIRED_ROLES="teacher")
    camille = Person(house)
    for _ in range(2):
        camille.enter()
        for _ in range(MAX_CODES):
            camille.step(code="no code")
        assert camille.get("/login/step").headers["Location"] == "/login"
    assert camille.enter().status_code == 303


def test_the_api_says_what_is_due_and_takes_a_code(house):
    key, _ = enrol(house)
    assert error(house.browser().sign_in()) == (401, "second_factor")
    assert not steps_stored(house)
    body = {"username": "camille", "password": PASSWORD, "code": wrong_code(house, key)}
    assert error(house.browser().post("session", body)) == (401, "wrong_code")
    body["code"] = code_of(house, key)
    assert house.browser().post("session", body).status_code == 200
    assert error(house.browser().post("session", body)) == (401, "wrong_code")
    body["code"] = "x" * 41
    assert house.browser().post("session", body).status_code == 422


def test_a_code_is_not_asked_of_who_has_none(house):
    body = {"username": "camille", "password": PASSWORD, "code": "123456"}
    assert house.browser().post("session", body).status_code == 200


def test_a_wrong_password_is_told_before_any_code(house):
    key, _ = enrol(house)
    body = {"username": "camille", "password": "wrong", "code": code_of(house, key)}
    assert error(house.browser().post("session", body)) == (401, "wrong")


def test_codes_are_guessed_through_the_api_no_longer_than_passwords(house):
    key, _ = enrol(house)
    body = {"username": "camille", "password": PASSWORD, "code": wrong_code(house, key)}
    statuses = [house.browser().post("session", body).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [423]


def test_the_api_changes_no_password(house):
    must_change(house)
    assert error(house.browser().sign_in()) == (401, "must_change")


def test_who_comes_from_a_single_sign_on_shows_his_factor_too(house, camille):
    key, _ = enrol(house)
    with house.parts.database.write() as connection:  # of a password that is not asked for
        connection.execute(update(user).values(password=None, must_change=True))
    who, now_ms = Who("camille", "cas", "ST-1"), house.parts.now_ms()
    pending = sign_in_as(house.parts.door, who, Visit("127.0.0.1"), now_ms)
    assert isinstance(pending, Pending)
    assert pending.step == "second_factor"
    camille.browser.client.set_cookie("eop_step", pending.token, domain="127.0.0.1")
    assert camille.step(code=code_of(house, key)).status_code == 303
    with house.parts.database.read() as connection:
        ticket = house.parts.door.keys.derived("ticket", "ST-1")
        assert len(house.parts.door.sessions.of_ticket(connection, ticket)) == 1


def test_an_account_that_was_locked_meanwhile_does_not_open(house, camille):
    key, _ = enrol(house)
    camille.enter()
    with house.parts.database.write() as connection:
        connection.execute(update(user).values(state="locked"))
    answer = camille.step(code=code_of(house, key))
    assert answer.status_code == 403
    assert "Your account is locked" in answer.text
    assert not camille.is_inside


def test_another_password_or_state_ends_what_was_begun(house, camille):
    enrol(house)
    parts = house.parts
    camille.enter()
    accounts.set_password(parts.database, parts.door.sessions, "camille", NEW, parts.now_ms())
    assert camille.get("/login/step").headers["Location"] == "/login"
    camille.enter(NEW)
    accounts.set_state(parts.database, parts.door.sessions, "camille", "locked", parts.now_ms())
    assert camille.get("/login/step").headers["Location"] == "/login"


def test_a_second_factor_that_cannot_be_read_is_told(house, camille):
    enrol(house)
    with house.parts.database.write() as connection:
        connection.execute(update(user).values(totp_key="gAAAA not ours"))
    camille.enter()
    answer = camille.step(code="123456")
    assert answer.status_code == 403
    assert "cannot be read any more" in answer.text


def test_a_form_of_64_kib_is_read_and_one_byte_more_is_not(house, camille):
    must_change(house)
    camille.enter()
    head = b"csrf_token=" + Person.token(camille.get("/login/step")).encode() + b"&password="
    for size, status in ((65536, 422), (65537, 413)):
        data = head + b"p" * (size - len(head))
        answer = camille.browser.open(
            "/login/step", "POST", data=data, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == status


def test_an_old_session_ends_when_a_step_gives_a_new_one(house, camille):
    camille.enter()
    before = camille.cookie("eop_session")
    key, _ = enrol(house)
    camille.enter()
    assert camille.cookie("eop_session") == before
    camille.step(code=code_of(house, key))
    assert camille.cookie("eop_session") != before
    thief = Person(house)
    thief.browser.client.set_cookie("eop_session", before, domain="127.0.0.1")
    assert not thief.is_inside


@pytest.mark.parametrize("login", ["camille", "nobody", "student"])
def test_one_hash_is_computed_whoever_signs_in(house, monkeypatch, login):
    with house.parts.database.write() as connection:
        users.add(connection, users.NewUser("student", "student", "S", None), 0)
    done = []
    verify = type(passwords._hasher).verify
    monkeypatch.setattr(
        type(passwords._hasher), "verify",
        lambda self, stored, password: done.append(stored) or verify(self, stored, password),
    )  # fmt: skip
    assert error(house.browser().sign_in(login, "wrong")) == (401, "wrong")
    assert len(done) == 1
    assert done[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
