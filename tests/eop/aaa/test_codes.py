"""Signing in to an application under another host name: one-time codes, and what misuses them."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from sqlalchemy import func, select
from werkzeug.test import Client

from eop import runner
from eop.aaa import codes
from eop.aaa.codes import Wanted
from eop.aaa.session import new_token
from eop.aaa.tables import sign_in_code
from tests.desktops import free_port, wait_until
from tests.eop.installation import API, MOUNT, PASSWORD, error

AAA, EOP = "aaa.example", "eop.example"
RETURN = f"https://{EOP}{MOUNT}"
TLS = {"X-Forwarded-Proto": "https"}


class Host:
    """One of two hosts that share a database, and a browser's cookies there."""

    def __init__(self, house, name, part, **settings):
        self.name = name
        self.site = replace(house.site, PUBLIC_URL=f"https://{name}", **settings)
        self.client = Client(
            runner.compose([self.site], replace(house.parts, site=self.site), part)
        )

    def open(self, address, method="GET", **options):
        parts = urlsplit(address)
        assert parts.netloc in ("", self.name), f"{address} is not on {self.name}"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": self.name, "X-Forwarded-Host": self.name, **TLS}
        environ = {"REMOTE_ADDR": "127.0.0.1"}
        return self.client.open(
            path, method=method, headers=headers, environ_overrides=environ, buffered=True,
            **options,
        )  # fmt: skip


class Pair:
    """The sign-in service and EOP, under two names."""

    def __init__(self, house, **settings):
        self.house = house
        self.aaa = Host(house, AAA, "aaa", APPLICATIONS=[RETURN])
        self.eop = Host(house, EOP, "eop", AAA_URL=f"https://{AAA}", **settings)

    def asked(self, page=MOUNT + "/"):
        """The address at the sign-in service to which a page of EOP leads."""
        door = self.eop.open(page).headers["Location"]
        return self.eop.open(door).headers["Location"]

    def sign_in(self, address="/login", **more):
        """The address to which signing in there leads."""
        parts = urlsplit(address)
        following = f"/login?{parts.query}" if parts.query else ""
        form = {"username": "camille", "password": PASSWORD, "next": following, **more}
        return self.aaa.open("/login", "POST", data=form).headers["Location"]

    def code_address(self):
        """Back at EOP with a code, not yet opened."""
        asked = self.asked()
        return self.aaa.open(self.sign_in(asked)).headers["Location"]

    def enter(self):
        return self.eop.open(self.code_address())


@pytest.fixture
def pair(house):
    return Pair(house)


def sessions(house):
    with house.parts.database.read() as connection:
        return house.parts.door.sessions.live(connection, house.parts.now_ms())


def changed(address, **arguments):
    """`address` with other arguments; None takes one away."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    query = {k: v for k, v in (query | arguments).items() if v is not None}
    return f"{address.partition('?')[0]}?{urlencode(query)}"


def test_a_page_leads_to_the_other_host_and_back_to_itself(pair, house):
    page = MOUNT + "/observe/?x=1"
    asked = pair.asked(page)
    assert asked.startswith(f"https://{AAA}/login?application=https%3A%2F%2F{EOP}")
    door = pair.aaa.open(asked)
    assert door.status_code == 200
    assert RETURN not in door.headers.get("Location", "")
    back = pair.aaa.open(pair.sign_in(asked)).headers["Location"]
    assert back.startswith(f"{RETURN}/session?code=")
    entered = pair.eop.open(back)
    assert (entered.status_code, entered.headers["Location"]) == (303, page)
    assert pair.eop.open(MOUNT + "/").status_code == 200
    parent, child = sessions(house)
    assert (parent.application, parent.parent) == ("", None)
    assert (child.application, child.parent, child.ends_at) == ("eop", parent.id, parent.ends_at)


def test_ones_account_is_at_the_sign_in_service(house):
    house.add_user("admin", role="administrator")
    pair = Pair(house)
    pair.eop.open(pair.aaa.open(pair.sign_in(pair.asked(), username="admin")).headers["Location"])
    account = f"https://{AAA}/account"
    assert pair.eop.open(MOUNT + "/").text.count(f'href="{account}"') == 3
    functions = pair.eop.open(MOUNT + "/admin/").text
    assert functions.count(f'href="{account}"') == 3
    assert 'href="/account"' not in functions
    assert pair.aaa.open(account).status_code == 200


def test_who_is_signed_in_already_is_asked_nothing(pair):
    pair.enter()
    pair.eop.client.delete_cookie("__Host-eop_session_eop", domain=EOP)
    back = pair.aaa.open(pair.asked()).headers["Location"]
    assert pair.eop.open(back).headers["Location"] == MOUNT + "/"


def test_its_cookie_is_its_own_host_bound_and_not_the_sign_in_services(pair):
    cookies = {c.split("=")[0]: c for c in pair.enter().headers.getlist("Set-Cookie")}
    own = cookies["__Host-eop_session_eop"]
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert f"; {attribute}" in own
    assert "Max-Age=0" in cookies["__Host-eop_state_eop"]
    token = own.split("=")[1].split(";")[0]
    pair.aaa.client.set_cookie("__Host-eop_session", token, domain=AAA)
    assert pair.aaa.open("/eoleauth").status_code == 401


def test_a_code_opens_once(pair):
    address = pair.code_address()
    state = pair.eop.client.get_cookie("__Host-eop_state_eop", domain=EOP).value
    assert pair.eop.open(address).status_code == 303
    pair.eop.client.delete_cookie("__Host-eop_session_eop", domain=EOP)
    pair.eop.client.set_cookie("__Host-eop_state_eop", state, domain=EOP)
    answer = pair.eop.open(address)
    assert answer.status_code == 403
    assert "took too long, or was used before" in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("seconds", "status"), [(59, 303), (60, 403), (61, 403)])
def test_a_code_lives_a_minute(house, seconds, status):
    now = house.clock()
    pair = Pair(house_at(house, now))
    address = pair.code_address()
    pair.eop = Host(house_at(house, now + seconds), EOP, "eop", AAA_URL=f"https://{AAA}")
    state = parse_qs(urlsplit(address).query)["state"][0]
    pair.eop.client.set_cookie("__Host-eop_state_eop", state, domain=EOP)
    assert pair.eop.open(address).status_code == status


def house_at(house, now):
    """The same installation, whose clock stands still."""
    return SimpleNamespace(site=house.site, parts=replace(house.parts, clock=lambda: now))


@pytest.mark.parametrize(
    "change",
    [
        {"state": None}, {"state": ""}, {"state": "é"}, {"state": "x" * 43}, {"code": None},
        {"code": ""}, {"code": "x" * 43}, {"code": "x" * 5000},
    ],
)  # fmt: skip
def test_another_code_or_state_opens_nothing(pair, house, change):
    answer = pair.eop.open(changed(pair.code_address(), **change))
    assert answer.status_code == 403
    assert [one.application for one in sessions(house)] == [""]


def test_a_code_sent_to_another_browser_signs_nobody_in(pair, house):
    address = pair.code_address()
    victim = Pair(house)
    assert victim.eop.open(address).status_code == 403  # no state at all
    victim.asked()
    assert victim.eop.open(address).status_code == 403  # a state of its own
    assert "__Host-eop_session_eop" not in {name for _, _, name in victim.eop.client._cookies}


def test_a_code_for_another_application_opens_nothing(house):
    other = "https://other.example/lib"
    pair = Pair(house)
    pair.aaa = Host(house, AAA, "aaa", APPLICATIONS=[RETURN, other])
    asked = changed(pair.asked(), application=other)
    back = pair.aaa.open(pair.sign_in(asked)).headers["Location"]
    assert back.startswith(f"{other}/session?code=")
    query = urlsplit(back).query
    assert pair.eop.open(f"{MOUNT}/session?{query}").status_code == 403


@pytest.mark.parametrize(
    "application",
    [
        "https://evil.example/eoleapps/eop", "https://eop.example.evil.example/eoleapps/eop",
        RETURN + "/", RETURN + "/..", RETURN + "?x", "http://eop.example/eoleapps/eop",
        "https://eop.example", "//eop.example/eoleapps/eop", "https://eop.example:444" + MOUNT,
        "https://evil@eop.example" + MOUNT, "HTTPS://eop.example" + MOUNT, "javascript:alert(1)",
        "", RETURN + "\r\nX: y", "x" * 5000,
    ],
)  # fmt: skip
def test_the_sign_in_service_leads_to_no_other_address(pair, application):
    pair.sign_in()
    answer = pair.aaa.open("/login?" + urlencode({"application": application, "state": "s" * 43}))
    assert answer.status_code == 403
    assert "may not sign in here" in answer.text
    assert "Location" not in answer.headers


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "/\\evil"])
def test_the_page_to_go_on_to_is_checked_at_the_application(pair, following):
    address = changed(pair.code_address(), next=following)
    assert pair.eop.open(address).headers["Location"] == MOUNT + "/"


def test_a_state_that_is_no_token_is_refused_at_once(pair):
    answer = pair.aaa.open(changed(pair.asked(), state="short"))
    assert answer.status_code == 403


def test_tabs_opened_together_share_a_state_and_all_come_back(pair):
    first, second = pair.asked(MOUNT + "/"), pair.asked(MOUNT + "/observe/")
    assert parse_qs(urlsplit(first).query)["state"] == parse_qs(urlsplit(second).query)["state"]
    back = pair.aaa.open(pair.sign_in(first)).headers["Location"]
    later = pair.aaa.open(second).headers["Location"]
    assert pair.eop.open(back).headers["Location"] == MOUNT + "/"
    assert pair.eop.open(later).headers["Location"] == MOUNT + "/observe/"


def test_signing_out_at_the_sign_in_service_reaches_the_application(pair, house):
    pair.enter()
    page = pair.aaa.open("/logout").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    done = pair.aaa.open("/logout", "POST", data={"csrf_token": token})
    assert done.headers["Location"] == "/login"
    assert pair.eop.open(MOUNT + "/").status_code == 303
    assert sessions(house) == []


@pytest.mark.parametrize(("mode", "left"), [("global", 0), ("local", 1)])
def test_signing_out_of_the_application_ends_what_its_mode_says(house, mode, left):
    pair = Pair(house, SESSION_MODE=mode)
    pair.enter()
    page = pair.eop.open(f"{MOUNT}/logout").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    done = pair.eop.open(f"{MOUNT}/logout", "POST", data={"csrf_token": token})
    assert done.headers["Location"] == f"{MOUNT}/logout"
    told = pair.eop.open(done.headers["Location"])
    assert "You are signed out" in told.text
    assert f'href="{MOUNT}/login"' in told.text
    assert pair.eop.open(MOUNT + "/").status_code == 303
    assert len(sessions(house)) == left


def test_an_administrators_end_of_the_one_session_ends_both(pair, house):
    pair.enter()
    with house.parts.database.write() as connection:
        parent = house.parts.door.sessions.live(connection, house.parts.now_ms())[0]
        house.parts.door.sessions.end(connection, [parent.id], house.parts.now_ms())
    assert pair.eop.open(MOUNT + "/").status_code == 303


def test_nothing_is_made_from_a_session_that_ended_meanwhile(pair, house):
    address = pair.code_address()
    with house.parts.database.write() as connection:
        user = house.parts.door.sessions.live(connection, house.parts.now_ms())[0]
        house.parts.door.sessions.end(connection, [user.id], house.parts.now_ms())
    assert pair.eop.open(address).status_code == 401
    assert sessions(house) == []


def test_a_session_has_so_many_codes_and_no_more(house):
    now_ms, keys = house.parts.now_ms(), house.parts.door.keys
    asked = Wanted(RETURN, new_token())
    with house.parts.database.write() as connection:
        for _ in range(codes.MAX_CODES_A_SESSION):
            codes.issue(connection, keys, "s", asked, now_ms)
        with pytest.raises(codes.RefusedError, match="throttled"):
            codes.issue(connection, keys, "s", asked, now_ms)
        codes.issue(connection, keys, "another", asked, now_ms)
        codes.issue(connection, keys, "s", asked, now_ms + 60_000)
        assert connection.scalar(select(func.count()).select_from(sign_in_code)) == 1


def test_only_a_hash_of_a_code_is_stored(pair, house):
    code = parse_qs(urlsplit(pair.code_address()).query)["code"][0]
    for suffix in ("", "-wal"):
        assert code.encode() not in (house.home / f"var/lib/eop/eop.db{suffix}").read_bytes()


def test_the_form_may_lead_on_to_the_applications_and_nowhere_else(pair):
    policy = pair.aaa.open(pair.asked()).headers["Content-Security-Policy"]
    assert f"form-action 'self' https://{EOP};" in policy
    pair.enter()
    policy = pair.eop.open(MOUNT + "/").headers["Content-Security-Policy"]
    assert f"form-action 'self' https://{AAA};" in policy


def test_without_a_page_the_sign_in_service_leads_to_its_first_application(pair):
    assert pair.sign_in() == RETURN + "/"
    assert pair.aaa.open("/").headers["Location"] == RETURN + "/"


def test_a_sign_in_service_alone_has_its_files_and_no_site(pair):
    assert pair.aaa.open(f"{MOUNT}/static/eop.css").status_code == 200
    for path in (MOUNT + "/", API + "/rooms"):
        assert pair.aaa.open(path).status_code == 404


def test_a_site_alone_has_no_sign_in_pages(pair):
    for path in ("/login", "/logout", "/eoleauth"):
        answer = pair.eop.open(path)
        assert answer.status_code == 404
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert pair.eop.open("/ping").text == "pong"
    assert pair.eop.open("/").headers["Location"] == MOUNT + "/"


def test_on_one_host_name_both_share_the_cookie(house):
    aaa = Host(house, EOP, "aaa")
    eop = Host(house, EOP, "eop", AAA_URL=f"https://{EOP}")
    assert eop.open(MOUNT + "/").headers["Location"] == f"/login?next={MOUNT}/"
    form = {"username": "camille", "password": PASSWORD, "next": MOUNT + "/"}
    assert aaa.open("/login", "POST", data=form).headers["Location"] == MOUNT + "/"
    cookie = aaa.client.get_cookie("__Host-eop_session", domain=EOP).value
    eop.client.set_cookie("__Host-eop_session", cookie, domain=EOP)
    assert eop.open(MOUNT + "/").status_code == 200


def test_the_api_takes_no_password_on_the_applications_own_host(pair, house):
    for password in (PASSWORD, "wrong"):
        body = {"username": "camille", "password": password}
        answer = pair.eop.open(API + "/session", "POST", json=body)
        assert error(answer) == (403, "sign_in_elsewhere")
        assert f"sign in at https://{AAA}." in answer.json["error"]["message"]
    assert sessions(house) == []


def test_the_api_knows_who_came_with_a_code(pair):
    pair.enter()
    assert pair.eop.open(API + "/session").json["user"] == "camille"
    assert error(pair.eop.open(API + "/session", "DELETE")) == (403, "csrf")


# two real servers


@pytest.fixture
def served(house):
    """gunicorn twice: the sign-in service on 127.0.0.1, EOP on localhost."""
    ports = {"root": free_port(), "site": free_port()}
    house.aaa = f"http://127.0.0.1:{ports['root']}"
    house.eop = f"http://localhost:{ports['site']}"
    own = {
        "root": {"EOP_APPLICATIONS": house.eop + MOUNT},
        "site": {"EOP_AAA_URL": house.aaa},
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "python:eop.gunicorn_conf", f"eop.wsgi:{one}"],
            env={**os.environ, **house.environ, "EOP_WEB_PORT": str(port), **own[one]},
            stderr=subprocess.PIPE,
        )
        for one, port in ports.items()
    ]
    try:
        for origin in (house.aaa, house.eop):
            wait_until(lambda origin=origin: is_answering(origin), 20, origin)
        yield house
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.communicate(timeout=10)


def is_answering(origin):
    try:
        return requests.get(f"{origin}/ping", timeout=1).text == "pong"
    except (requests.ConnectionError, requests.Timeout):
        return False


def test_two_servers_under_two_names_share_one_sign_in(served):
    browser = requests.Session()
    door = browser.get(f"{served.eop}{MOUNT}/", timeout=10)
    assert door.url.startswith(f"{served.aaa}/login?application=")
    following = door.text.split('name="next" value="')[1].split('"')[0].replace("&amp;", "&")
    form = {"username": "camille", "password": PASSWORD, "next": following}
    home = browser.post(f"{served.aaa}/login", data=form, timeout=10)
    assert (home.status_code, home.url) == (200, f"{served.eop}{MOUNT}/")
    code = next(one.url for one in home.history if "/session?" in one.url)
    names = {(cookie.domain, cookie.name) for cookie in browser.cookies}
    assert {("127.0.0.1", "eop_session"), ("localhost.local", "eop_session_eop")} <= names
    stranger = requests.get(code, timeout=10)
    assert stranger.status_code == 403
    out = browser.get(f"{served.aaa}/logout", timeout=10).text
    token = out.split('name="csrf_token" value="')[1].split('"')[0]
    browser.post(f"{served.aaa}/logout", data={"csrf_token": token}, timeout=10)
    again = browser.get(f"{served.eop}{MOUNT}/", timeout=10)
    assert again.url.startswith(f"{served.aaa}/login?application=")
    assert 'name="password"' in again.text
    for log in (served.home / "var/log/eoleflask").iterdir():
        assert "code=" not in log.read_text()
