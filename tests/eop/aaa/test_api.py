import pytest

from eop.aaa.devices import KNOWN_SECONDS
from tests.eop.installation import API, MOUNT, PASSWORD, error


def test_signing_in_gives_a_session_and_its_token(house):
    browser = house.browser()
    answer = browser.sign_in()
    assert answer.status_code == 200
    assert answer.json["user"] == "camille"
    assert answer.json["roles"] == ["teacher"]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("eop_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/;" in cookie + ";"
    assert browser.get("session").json == answer.json


def test_over_https_the_cookie_belongs_to_this_host_alone(house):
    browser = house.browser("eop.example")
    proxied = {"X-Forwarded-Host": "eop.example", "X-Forwarded-Proto": "https"}
    answer = browser.sign_in(headers=proxied)
    assert answer.headers["Set-Cookie"].startswith("__Host-eop_session=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_only_a_hash_of_the_session_is_stored(house):
    browser = house.signed_in()
    token = browser.client.get_cookie("eop_session", domain="127.0.0.1")
    stored = (house.home / "var/lib/eop/eop.db").read_bytes()
    stored += (house.home / "var/lib/eop/eop.db-wal").read_bytes()
    assert token.value.encode() not in stored


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"username": 1, "password": "x"}', "application/json", 422),
        (b'{"username": "x"}', "application/json", 422),
        (b'{"username": "x", "password": "y", "role": "administrator"}', "application/json", 422),
        (b'{"username": "\\ud800", "password": "y"}', "application/json", 422),
        (b'{"username": "camille", "password": "\\ud800"}', "application/json", 401),
        (b'{"username": "cam\\u0000", "password": "y"}', "application/json", 422),
        (b'{"username": "x", "password": "' + b"p" * 1024 + b'"}', "application/json", 401),
        (b'{"username": "x", "password": "' + b"p" * 1025 + b'"}', "application/json", 422),
        (b"username=camille", "application/x-www-form-urlencoded", 415),
        (b"{}", None, 415),
        (b'{"username": "' + b"a" * 65536 + b'"}', "application/json", 413),
        (b'{"username": "nobody", "password": "wrong"}', "application/json", 401),
    ],
)
def test_a_bad_sign_in_is_told_by_its_status(house, body, kind, status):
    answer = house.browser().post("session", body, content_type=kind)
    assert answer.status_code == status
    assert answer.json["error"]["message"]


def test_a_body_of_64_kib_is_read_and_one_byte_more_is_not(house):
    head, tail = b'{"username": "x", "password": "', b'"}'
    for size, status in ((65536, 422), (65537, 413)):
        body = head + b"p" * (size - len(head) - len(tail)) + tail
        assert house.browser().post("session", body).status_code == status


def test_unknown_and_known_names_are_refused_alike(house):
    answers = [house.browser().sign_in(login, "wrong") for login in ("camille", "nobody")]
    assert [error(answer) for answer in answers] == [(401, "wrong")] * 2
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize("login", ["camille", "nobody"])
def test_the_sixth_try_is_locked_even_with_the_right_password(house, login):
    statuses = [house.browser().sign_in(login, "wrong").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [423]
    locked = house.browser().sign_in(login)
    assert error(locked) == (423, "locked")
    assert 0 < int(locked.headers["Retry-After"]) <= 30 * 60
    assert "30" in locked.json["error"]["message"]


def test_a_lock_is_of_one_address_and_ends_after_half_an_hour(house):
    for _ in range(5):
        house.browser().sign_in(password="wrong")
    elsewhere = house.browser().sign_in(environ={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200
    house.offset = 29 * 60
    assert house.browser().sign_in().status_code == 423
    house.offset = 30 * 60 + 1
    assert house.browser().sign_in().status_code == 200


def test_many_failures_of_one_address_are_throttled_with_retry_after(house, monkeypatch):
    monkeypatch.setattr("eop.aaa.throttle.FAILURES_AN_ADDRESS", 8)
    statuses = [house.browser().sign_in(f"name{n}", "wrong").status_code for n in range(9)]
    assert statuses == [401] * 8 + [429]
    answer = house.browser().sign_in("yet.another", "wrong")
    assert error(answer) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 30 * 60


def test_who_fails_from_everywhere_keeps_nobody_from_a_device_known_before(house, monkeypatch):
    monkeypatch.setattr("eop.aaa.throttle.EVERYWHERE_TIMES", 1)
    owner = house.signed_in()
    assert owner.delete("session").status_code == 204
    for number in range(5):
        house.browser().sign_in(password="no", environ={"REMOTE_ADDR": f"192.0.2.{number}"})
    assert error(house.browser().sign_in()) == (423, "locked")
    assert owner.sign_in(environ={"REMOTE_ADDR": "198.51.100.1"}).status_code == 200


def test_the_cookie_of_a_device_outlives_the_session_and_no_script_reads_it(house):
    answer = house.browser("eop.example").sign_in(
        headers={"X-Forwarded-Host": "eop.example", "X-Forwarded-Proto": "https"}
    )
    _, cookie = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-eop_device=")
    for attribute in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/", f"Max-Age={KNOWN_SECONDS}"):
        assert f"; {attribute}" in cookie


def test_an_ipv6_network_is_one_address(house):
    for number in range(5):
        stranger = {"REMOTE_ADDR": f"2001:db8::{number}"}
        assert house.browser().sign_in(password="no", environ=stranger).status_code == 401
    assert house.browser().sign_in(environ={"REMOTE_ADDR": "2001:db8::99"}).status_code == 423
    assert house.browser().sign_in(environ={"REMOTE_ADDR": "2001:db8:1::"}).status_code == 200


def test_a_stranger_cannot_choose_the_address_that_is_throttled(house):
    for n in range(6):
        stranger = {"REMOTE_ADDR": "192.0.2.9"}
        forged = {"X-Forwarded-For": f"10.0.0.{n}", "X-Forwarded-Host": "x"}
        answer = house.browser().sign_in(password="no", environ=stranger, headers=forged)
    assert answer.status_code == 423


def test_a_foreign_origin_is_refused_and_an_absent_one_is_not(house):
    assert error(house.browser().sign_in(headers={"Origin": "https://evil.example"})) == (
        403,
        "origin",
    )
    assert error(house.browser().sign_in(headers={"Origin": "null"}))[0] == 403
    own = f"http://127.0.0.1:{house.shared.WEB_PORT}"
    assert house.browser().sign_in(headers={"Origin": own}).status_code == 200


def test_nothing_is_answered_without_a_session(house):
    for call in ("session", "rooms", "classes", "workstations"):
        assert error(house.browser().get(call)) == (401, "signed_out")
    assert error(house.browser().post("tickets", {})) == (401, "signed_out")
    assert error(house.browser().delete("session")) == (401, "signed_out")


def test_a_change_needs_the_token_of_its_own_session(house):
    first, second = house.signed_in(), house.signed_in()
    body = {"kind": "wall", "room": "S12"}
    first.csrf = ""
    assert error(first.post("tickets", body)) == (403, "csrf")
    first.csrf = second.csrf
    assert error(first.post("tickets", body)) == (403, "csrf")
    first.csrf = "é"
    assert error(first.post("tickets", body)) == (403, "csrf")


def test_signing_out_ends_the_session_and_tells_the_daemon_at_once(house):
    browser = house.signed_in()
    with house.parts.database.read() as connection:
        (alive,) = house.parts.door.sessions.live(connection, house.parts.now_ms())
    answer = browser.delete("session")
    assert answer.status_code == 204
    assert answer.data == b""
    assert house.daemon.revoked(alive.id)
    assert browser.get("session").status_code == 401


def test_signing_out_works_while_the_daemon_is_down_and_is_told_later(house):
    browser = house.signed_in()
    house.stop_daemon()
    house.parts.daemon.close()
    assert browser.delete("session").status_code == 204
    assert browser.get("session").status_code == 401
    daemon = house.start_daemon()
    from eop.aaa import revocations

    assert revocations.deliver(house.parts.database, house.parts.daemon)
    assert len(daemon.leases._tombstones) == 1


def test_signing_in_again_ends_the_session_before(house):
    browser = house.signed_in()
    before = browser.client.get_cookie("eop_session", domain="127.0.0.1").value
    assert browser.sign_in().status_code == 200
    thief = house.browser()
    thief.client.set_cookie("eop_session", before, domain="127.0.0.1")
    assert thief.get("session").status_code == 401


def test_a_session_ends_when_its_time_is_over_whatever_its_use(house):
    browser = house.signed_in()
    for hour in range(1, 12):
        house.offset = hour * 3600
        assert browser.get("session").status_code == 200
    house.offset = 12 * 3600 + 1
    assert browser.get("session").status_code == 401


def test_a_session_nobody_uses_ends_sooner(house):
    browser = house.signed_in()
    house.offset = 241 * 60
    assert browser.get("session").status_code == 401


@pytest.mark.parametrize(
    "cookie",
    [
        "$envole.user=x",
        "eop_session=%%%; $Version=1",
        "eop_session=" + "a" * 43,
        "eop_session=" + "é" * 20,
        "a b=c; =; ;;",
        "eop_session=" + "x" * 4000,
    ],
)
def test_a_foreign_cookie_breaks_nothing(house, cookie):
    headers = {"Cookie": cookie.encode().decode("latin-1")}
    browser = house.browser()
    assert browser.open(f"{API}/session", headers=headers).status_code == 401
    assert browser.open("/login", headers=headers).status_code == 200


def test_a_student_signs_in_and_may_do_nothing_more(house):
    house.add_user("lea", "student", (), ())
    student = house.signed_in("lea")
    assert student.get("session").json["roles"] == ["student"]
    assert error(student.get("rooms")) == (403, "denied")
    assert error(student.post("tickets", {"kind": "wall", "room": "S12"})) == (403, "denied")
    assert student.open(MOUNT + "/observe/").status_code == 403
    assert student.open(MOUNT + "/documents/").status_code == 403
    assert student.delete("session").status_code == 204


def test_sentences_are_in_the_language_of_the_browser(house):
    from eop.i18n import compile_catalogues

    compile_catalogues()
    answer = house.browser().sign_in(password="no", headers={"Accept-Language": "fr"})
    assert answer.json["error"]["message"] == "Identifiant ou mot de passe incorrect."


def test_a_password_in_a_wrong_place_reaches_no_log(house, caplog):
    house.browser().sign_in(PASSWORD, PASSWORD)
    assert PASSWORD not in caplog.text
    assert PASSWORD.encode() not in (house.home / "var/lib/eop/eop.db-wal").read_bytes()
