"""Single sign-on as a browser meets it: our real pages, and real servers in their processes."""

import json
import re
import time
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from eop import services
from eop.aaa import endings, sign_on_routes
from eop.aaa.authenticators.base import Trip, Who
from eop.aaa.departures import LIVES_SECONDS
from eop.aaa.login import Visit
from eop.aaa.rate import Pace, Rate
from eop.aaa.sign_on import ended, finish
from eop.aaa.sign_on_routes import MAX_TOLD_BYTES
from eop.aaa.tables import session, sign_in_failure, sign_in_step, sign_on_state
from eop.audit.tables import audit
from eop.directory import users
from eop.errors import RefusedError
from tests.desktops import free_port
from tests.eop.aaa.authenticators.test_cas import logout
from tests.eop.aaa.authenticators.test_oidc import SHORT, Hostile
from tests.eop.installation import HASH, MOUNT, PASSWORD, Installation
from tests.fakes.scripted_http import ScriptedServer
from tests.server_process import ModuleProcess

HOST = "eop.example"
ORIGIN = f"https://{HOST}"
USERS = ("--user", "camille:pw", "--user", "stranger:pw")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The settings of two real servers."""
    cas, oidc = free_port(), free_port()
    issuer = f"http://localhost:{oidc}"
    secret = tmp_path_factory.mktemp("secret") / "client.txt"
    secret.write_text("a secret\n")
    secret.chmod(0o600)
    provider = (
        "--port", str(oidc), "--issuer", issuer, "--client", "eop", "--secret", "a secret",
        "--redirect", f"{ORIGIN}/login/oidc/callback",
    )  # fmt: skip
    with (
        ModuleProcess("tests.fakes.cas_server", "--port", str(cas), *USERS),
        ModuleProcess("tests.fakes.oidc_server", *provider, *USERS),
    ):
        yield {
            "cas": {"EOP_CAS_URL": f"http://127.0.0.1:{cas}/cas", "EOP_CAS_LABEL": "ENT"},
            "oidc": {
                "EOP_OIDC_ISSUER": issuer,
                "EOP_OIDC_CLIENT_ID": "eop",
                "EOP_OIDC_CLIENT_SECRET_FILE": str(secret),
            },
        }


@pytest.fixture
def open_house(monkeypatch):
    """`open_house(**settings)`: an installation with a daemon and two teachers."""
    opened = []

    def make(**environment):
        made = Installation(EOP_PUBLIC_URL=ORIGIN, **environment)
        opened.append(made)
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        made.start_daemon()
        made.add_user(password=None)  # her only way in is the server
        made.add_user("malo")
        return made

    monkeypatch.setattr(sign_on_routes, "_told_rate", Rate(sign_on_routes.TOLD_PACE))
    yield make
    for one in opened:
        one.close()


@pytest.fixture
def school(open_house, servers):
    return open_house(**servers["cas"], **servers["oidc"])


def at_server(address, username="camille"):
    """Sign in at the server's own form; the address it sends the browser back to."""
    parts = urlsplit(address)
    with requests.Session() as browser:
        form = browser.get(address, timeout=5).text
        hidden = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form)
        fields = {name: value.replace("&amp;", "&") for name, value in hidden}
        answer = browser.post(
            f"{parts.scheme}://{parts.netloc}{parts.path}",
            data={**fields, "username": username, "password": "pw"},
            allow_redirects=False,
            timeout=5,
        )
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def relative(address):
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
    return f"{parts.path}?{parts.query}"


PROXIED = {"X-Forwarded-Host": HOST, "X-Forwarded-Proto": "https"}


def ask(browser, path, method="GET", **options):
    return browser.open(path, method, headers={**PROXIED, **options.pop("headers", {})}, **options)


def begin(browser, name, asked=""):
    answer = ask(browser, f"/login/{name}" + (f"?next={quote(asked)}" if asked else ""))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def sign_on(browser, name, asked="", username="camille"):
    return ask(browser, relative(at_server(begin(browser, name, asked), username)))


def user_of(browser):
    return ask(browser, "/eoleauth").text


def rows(house, table):
    with house.parts.database.read() as connection:
        return connection.execute(table.select()).all()


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_who_signs_in_at_the_server_is_signed_in_here(school, name):
    browser = school.browser(HOST)
    answer = sign_on(browser, name, f"{MOUNT}/observe/?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{MOUNT}/observe/?x=1")
    assert user_of(browser) == "camille"
    cookies = " ".join(answer.headers.getlist("Set-Cookie"))
    assert "__Host-eop_session=" in cookies
    assert "__Host-eop_sign_on=; " in cookies
    kept = rows(school, session)[0]
    assert (kept.authenticator, len(kept.ticket)) == (name, 64)
    event = next(row for row in rows(school, audit) if row.kind == "signed_in")
    assert (event.user, event.details["authenticator"]) == ("camille", name)


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_the_cookie_of_a_sign_on_is_short_lived_and_no_script_s(school, name):
    answer = ask(school.browser(HOST), f"/login/{name}")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-eop_sign_on=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", f"Max-Age={LIVES_SECONDS}", "Path=/"):
        assert word in cookie


@pytest.mark.parametrize("name", ["cas", "oidc"])
@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "/\\evil", "x"])
def test_a_sign_on_leads_nowhere_else(school, name, following):
    answer = sign_on(school.browser(HOST), name, following)
    assert answer.headers["Location"] == f"{MOUNT}/"


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_another_browser_cannot_be_signed_in_with_my_sign_on(school, name):
    mine, victim = school.browser(HOST), school.browser(HOST)
    back = relative(at_server(begin(mine, name)))
    begin(victim, name)  # it has a cookie, of a sign-on of its own
    answer = ask(victim, back)
    assert answer.status_code == 401
    assert "began elsewhere" in answer.text
    assert user_of(victim) == ""
    assert ask(school.browser(HOST), back).status_code == 401
    assert ask(mine, back).status_code == 303


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_a_sign_on_comes_back_once_even_with_its_cookie_kept(school, name):
    browser = school.browser(HOST)
    back = relative(at_server(begin(browser, name)))
    kept = browser.client.get_cookie("__Host-eop_sign_on", domain=HOST)
    assert ask(browser, back).status_code == 303
    thief = school.browser(HOST)
    thief.client.set_cookie(kept.key, kept.value, domain=HOST)
    answer = ask(thief, back)
    assert (answer.status_code, user_of(thief)) == (401, "")
    assert "began elsewhere" in answer.text


def test_a_sign_on_at_one_server_does_not_end_at_the_other(school):
    browser = school.browser(HOST)
    back = relative(at_server(begin(browser, "cas")))
    assert ask(browser, back.replace("/cas/", "/oidc/")).status_code == 401
    assert user_of(browser) == ""


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_a_sign_on_that_takes_ten_minutes_begins_again(school, name):
    browser = school.browser(HOST)
    back = relative(at_server(begin(browser, name)))
    school.offset = LIVES_SECONDS + 1
    answer = ask(browser, back)
    assert answer.status_code == 401
    assert "too long ago" in answer.text


@pytest.mark.parametrize(("name", "secret"), [("cas", "ticket"), ("oidc", "code")])
def test_no_log_knows_what_a_browser_came_back_with(school, caplog, name, secret):
    caplog.set_level("DEBUG")
    browser = school.browser(HOST)
    back = relative(at_server(begin(browser, name)))
    for answer in (ask(browser, back), ask(browser, back)):
        assert answer.status_code in {303, 401}
    refused = relative(at_server(begin(browser := school.browser(HOST), name)))
    assert ask(browser, refused.replace(f"{secret}=", f"{secret}=ST-x")).status_code == 401
    sent = parse_qs(urlsplit(back).query)[secret][0]
    assert caplog.text
    assert sent not in caplog.text
    assert "ST-x" not in caplog.text


def test_several_windows_may_sign_in_at_once(school):
    browser = school.browser(HOST)
    first = relative(at_server(begin(browser, "cas", f"{MOUNT}/observe/")))
    begin(browser, "oidc")
    assert ask(browser, first).headers["Location"] == f"{MOUNT}/observe/"
    cookie = browser.client.get_cookie("__Host-eop_sign_on", domain=HOST)
    assert cookie.value


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_whom_eop_does_not_know_reads_it_kindly(school, name):
    browser = school.browser(HOST)
    answer = sign_on(browser, name, username="stranger")
    assert answer.status_code == 403
    assert "The sign-on server knows you, but EOP does not yet." in answer.text
    assert user_of(browser) == ""
    event = next(row for row in rows(school, audit) if row.kind == "sign_in_failed")
    assert (event.user, event.details["reason"]) == ("", "unknown")


def test_an_id_is_not_kept_over_a_sign_on(school):
    browser = school.browser(HOST)
    back = relative(at_server(begin(browser, "cas")))
    assert sign_on(browser, "oidc").status_code == 303
    before = rows(school, session)[0].id
    assert ask(browser, back).status_code == 303
    assert [one.id for one in rows(school, session)] != [before]
    assert len(rows(school, session)) == 1
    assert school.daemon.revoked(before)


def test_who_is_signed_in_goes_straight_on(school):
    browser = school.browser(HOST)
    sign_on(browser, "cas")
    answer = ask(browser, "/login/cas?next=/eoleapps/eop/observe/")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{MOUNT}/observe/")


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_who_has_a_password_here_is_not_whom_a_server_calls_so(school, name):
    with school.parts.database.write() as connection:
        users.set_password(connection, "camille", HASH)
    answer = sign_on(school.browser(HOST), name)
    assert answer.status_code == 403
    assert "Your account has a password of its own here" in answer.text
    assert rows(school, session) == []
    (failure,) = [row for row in rows(school, audit) if row.kind == "sign_in_failed"]
    assert (failure.user, failure.details["reason"]) == ("camille", "kept_here")


def test_a_refused_ticket_is_told_recorded_and_counted(school):
    for number in range(61):
        browser = school.browser(HOST)
        service = parse_qs(urlsplit(begin(browser, "cas")).query)["service"][0]
        answer = ask(browser, relative(service) + "&ticket=ST-guessed")
        assert answer.status_code == (401 if number < 60 else 429), number
    assert int(answer.headers["Retry-After"]) > 0
    failures = [row for row in rows(school, audit) if row.kind == "sign_in_failed"]
    assert len(failures) == 10  # of one address in a minute
    assert failures[0].details == {"address": "127.0.0.1", "reason": "cas"}
    # passwords from there are counted with them, and from elsewhere everything goes on
    assert school.browser().sign_in("malo").status_code == 429
    elsewhere = school.browser().sign_in("malo", environ={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 200


def test_what_any_page_can_make_a_browser_ask_is_not_counted(school):
    for _ in range(61):
        ask(school.browser(HOST), "/login/cas/callback?state=x&ticket=ST-1")
    assert school.browser().sign_in("malo").status_code == 200


@pytest.mark.parametrize(
    "query", ["", "state=", "ticket=ST-1", "state=" + "s" * 43, "state=é&code=x",
              "&".join(f"a{n}=1" for n in range(100))]
)  # fmt: skip
@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_an_odd_callback_is_refused(school, name, query):
    answer = ask(school.browser(HOST), f"/login/{name}/callback?{query}")
    assert answer.status_code == 401


def test_too_many_arguments_are_refused(school):
    browser = school.browser(HOST)
    back = relative(at_server(begin(browser, "cas")))
    answer = ask(browser, back + "".join(f"&a{n}=1" for n in range(20)))
    assert (answer.status_code, user_of(browser)) == (401, "")


def test_a_cookie_that_is_not_ours_breaks_nothing(school):
    browser = school.browser(HOST)
    browser.client.set_cookie("__Host-eop_sign_on", "x" * 3000, domain=HOST)
    assert sign_on(browser, "cas").status_code == 303


@pytest.mark.parametrize("path", ["/login/none", "/login/none/callback", "/login/local"])
def test_a_server_that_is_not_set_is_not_there(school, path):
    for method in ("GET", "POST"):
        assert ask(school.browser(HOST), path, method).status_code == 404


def test_without_servers_the_door_is_as_it_was(house):
    page = house.browser().open("/login")
    assert "/login/cas" not in page.text
    assert house.browser().open("/login/cas").status_code == 404


def test_the_door_has_a_button_for_each_server(school):
    page = ask(school.browser(HOST), f"/login?next={MOUNT}/observe/").text
    for name, words in (("cas", "Sign in with ENT"), ("oidc", "Sign in with OpenID Connect")):
        assert f'href="/login/{name}?next={MOUNT}/observe/">{words}</a>' in page
    assert 'name="password"' in page


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_a_server_that_is_down_is_told_at_the_door(open_house, name, monkeypatch):
    settings = {
        "cas": {"EOP_CAS_URL": "http://127.0.0.1:1/cas"},
        "oidc": {"EOP_OIDC_ISSUER": "http://127.0.0.1:1", "EOP_OIDC_CLIENT_ID": "eop"},
    }
    browser = open_house(**settings[name]).browser(HOST)
    answer = ask(browser, f"/login/{name}")
    if name == "cas":  # its address is known without asking
        service = parse_qs(urlsplit(answer.headers["Location"]).query)["service"][0]
        answer = ask(browser, relative(service) + "&ticket=ST-1")
    assert answer.status_code == 503
    assert "The sign-on server does not answer as it should." in answer.text
    assert 'name="password"' in answer.text


@pytest.mark.parametrize("path", ["/token", "/userinfo"])
def test_who_meets_a_slow_provider_reads_it_and_signs_in_at_the_next_try(open_house, path):
    """What he asked for is not forgotten, and nothing counts against him."""
    with Hostile(int(time.time())) as provider:
        house = open_house(EOP_OIDC_ISSUER=provider.server.url, EOP_OIDC_CLIENT_ID="eop")
        house.parts.door.single_sign_on[0]._provider.bounds = SHORT
        browser, asked = house.browser(HOST), f"{MOUNT}/observe/?x=1"

        def come_back():
            query = parse_qs(urlsplit(begin(browser, "oidc", asked)).query)
            provider.claims = {"nonce": query["nonce"][0], "preferred_username": None}
            state = query["state"][0]
            return ask(browser, f"/login/oidc/callback?code=c&state={state}")

        provider.raw[path] = (provider.server.pause(5) or b"" for _ in range(1))
        answer = come_back()
        assert answer.status_code == 503
        assert "does not answer as it should. Try again in a moment." in answer.text
        again = re.search(r'href="(/login/oidc[^"]*)"', answer.text).group(1)
        assert parse_qs(urlsplit(again).query)["next"] == [asked]
        assert rows(house, sign_in_failure) == []
        del provider.raw[path]
        answer = come_back()
        assert (answer.status_code, answer.headers["Location"]) == (303, asked)


def test_without_a_public_url_the_browser_comes_back_to_where_it_was(open_house, servers):
    house = open_house(**servers["cas"])
    house.parts.close()
    house.site = replace(house.site, PUBLIC_URL="")
    house.parts = services.make(house.site, house.shared, house.clock)
    answer = house.browser("127.0.0.1:5000").open("/login/cas")
    service = parse_qs(urlsplit(answer.headers["Location"]).query)["service"][0]
    assert service.startswith("http://127.0.0.1:5000/login/cas/callback?state=")


# the server's own sign-out -----------------------------------------------------------------------


def tell(house, form, path="/login/cas", address="192.0.2.9", **options):
    options.setdefault("content_type", FORM)
    data = form if isinstance(form, bytes) else form.encode()
    environ = {"REMOTE_ADDR": address}
    return house.browser(HOST).open(path, "POST", data=data, environ=environ, **options)


def told(ticket):
    return "logoutRequest=" + quote(logout(ticket))


def ticket_of(browser, **options):
    back = at_server(begin(browser, "cas"))
    assert ask(browser, relative(back)).status_code == 303
    return parse_qs(urlsplit(back).query)["ticket"][0], relative(back)


@pytest.mark.parametrize("at_callback", [False, True])
def test_the_server_s_sign_out_ends_the_session_at_once(school, at_callback):
    browser = school.browser(HOST)
    ticket, back = ticket_of(browser)
    kept = rows(school, session)[0]
    assert ticket not in kept.ticket
    path = back.partition("&ticket=")[0] if at_callback else "/login/cas"
    answer = tell(school, told(ticket), path)
    assert (answer.status_code, answer.data) == (200, b"")
    assert user_of(browser) == ""
    assert rows(school, session) == []
    assert school.daemon.revoked(kept.id)
    event = next(row for row in rows(school, audit) if row.kind == "signed_out")
    assert (event.user, event.session) == ("camille", kept.id)
    assert event.details == {"by": "cas", "address": "192.0.2.9"}


def with_second_factor(house):
    """Everyone of camille's role must enrol one, so that there is a step before the session."""
    house.parts.close()
    house.site = replace(house.site, TOTP_REQUIRED_ROLES=["teacher"])
    house.parts = services.make(house.site, house.shared, house.clock)
    return house


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_a_second_factor_is_asked_for_after_a_sign_on_too(school, name):
    browser = with_second_factor(school).browser(HOST)
    answer = sign_on(browser, name, f"{MOUNT}/observe/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login/step")
    assert user_of(browser) == ""
    step = rows(school, sign_in_step)[0]
    assert (step.authenticator, step.next) == (name, f"{MOUNT}/observe/")
    assert len(step.ticket) == 64


def test_the_server_s_sign_out_ends_a_sign_in_that_is_not_done_yet(school):
    browser = with_second_factor(school).browser(HOST)
    ticket, _ = ticket_of(browser)
    assert ask(browser, "/login/step").status_code == 200
    assert tell(school, told(ticket)).status_code == 200
    assert rows(school, sign_in_step) == []
    assert ask(browser, "/login/step").status_code != 200


class Overtaken:
    """A sign-on server whose sign-out arrives while its own word of the sign-in is on its way."""

    name, label = "cas", "ENT"

    def __init__(self, house):
        self.door, self.ends_early = house.parts.door, False

    def finish(self, trip, arguments):
        if self.ends_early:
            self.end(trip.now_ms)
        return Who("noor", "cas", "ST-1")

    def ended(self, form, now_ms):
        return ["ST-1"]

    def end(self, now_ms):
        return ended(self.door, self, {}, "192.0.2.9", now_ms)

    def sign_in(self, now_ms):
        back = Trip("", "state", "", "", now_ms)
        return finish(self.door, self, back, {}, Visit("192.0.2.1"))


@pytest.mark.parametrize("has_factor", [False, True])
def test_a_sign_out_that_overtakes_its_sign_in_ends_it(house, has_factor):
    if has_factor:
        with_second_factor(house)
    house.add_user("noor", password=None)
    server, now_ms = Overtaken(house), house.parts.now_ms()
    server.ends_early = True
    with pytest.raises(RefusedError) as refused:
        server.sign_in(now_ms)
    assert refused.value.code == "signed_out"
    assert rows(house, session) == rows(house, sign_in_step) == []


def test_a_sign_in_under_the_same_name_after_its_sign_out_is_a_new_one(house):
    house.add_user("noor", password=None)
    server, now_ms = Overtaken(house), house.parts.now_ms()
    assert server.end(now_ms) == 0
    server.sign_in(now_ms + 1)
    assert len(rows(house, session)) == 1
    assert server.end(now_ms + 2) == 1
    assert server.end(now_ms + 3) == 0
    kept = rows(house, sign_on_state)
    assert [one.ends_at for one in kept] == [now_ms + 3 + endings.KEPT_SECONDS * 1000]


def test_sign_outs_are_kept_up_to_a_limit(house, monkeypatch):
    monkeypatch.setattr(endings, "MOST", 3)
    with house.parts.database.write() as connection:
        endings.keep(connection, ["a", "b"], 1)
        endings.keep(connection, ["c", "d"], 1)
        endings.keep(connection, ["e"], 1)
    assert [one.id for one in rows(house, sign_on_state)] == ["a", "b", "c"]


def test_the_answer_does_not_say_whether_a_ticket_was_known(school):
    browser = school.browser(HOST)
    ticket, _ = ticket_of(browser)
    unknown = tell(school, told("ST-unknown"))
    assert user_of(browser) == "camille"
    known = tell(school, told(ticket))
    again = tell(school, told(ticket))
    drop = {"Date", "Content-Security-Policy"}
    answers = [
        (one.status_code, one.data, [h for h in one.headers if h[0] not in drop])
        for one in (unknown, known, again)
    ]
    assert answers[0] == answers[1] == answers[2]


def test_neither_origin_nor_cookie_nor_token_matters_to_a_server(school):
    browser = school.browser(HOST)
    ticket, _ = ticket_of(browser)
    headers = {"Origin": "https://sso.example", **PROXIED}
    answer = browser.open(
        "/login/cas", "POST", data=told(ticket), content_type=FORM, headers=headers
    )
    assert answer.status_code == 200
    assert user_of(browser) == ""


def test_sixteen_kib_are_read_and_one_byte_more_is_not(school):
    browser = school.browser(HOST)
    ticket, _ = ticket_of(browser)
    form = told(ticket) + "&pad="
    for size, status in ((MAX_TOLD_BYTES + 1, 413), (MAX_TOLD_BYTES, 200)):
        assert user_of(browser) == "camille"
        assert tell(school, form + "x" * (size - len(form))).status_code == status
    assert user_of(browser) == ""
    assert tell(school, "a=" + "x" * 70_000).status_code == 413


@pytest.mark.parametrize(
    ("form", "kind", "status"),
    [
        ("", FORM, 400),
        ("logoutRequest=", FORM, 400),
        ("other=1", FORM, 400),
        ("logoutRequest=%ff", FORM, 400),
        (b"logoutRequest=\xff", FORM, 400),
        ("logoutRequest=<a/>", FORM, 400),
        ("&".join(f"a{n}=1" for n in range(9)), FORM, 400),
        (told("ST-1") + "&" + told("ST-2"), FORM, 400),
        ("logoutRequest=" + quote("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"),
         FORM, 400),
        (told("ST-1"), "text/plain", 415),
        (logout("ST-1"), "application/xml", 415),
        (json.dumps({"logoutRequest": logout("ST-1")}), "application/json", 415),
        (told("ST-1"), FORM + "; charset=UTF-8", 200),
    ],
)  # fmt: skip
def test_a_malformed_sign_out_is_told_by_its_status_alone(school, form, kind, status):
    answer = tell(school, form, content_type=kind)
    assert (answer.status_code, answer.data) == (status, b"")


def test_who_tells_too_much_is_slowed_down_and_nobody_else(school, monkeypatch):
    monkeypatch.setattr(sign_on_routes, "_told_rate", Rate(Pace(burst=2, per_second=0.001)))
    statuses = [tell(school, told("ST-1")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert tell(school, told("ST-1"), address="192.0.2.10").status_code == 200


def test_the_provider_s_back_channel_ends_the_session(open_house, servers):
    """Its token is made by the provider's own sign-out, and caught on its way."""
    caught = []

    def catch(_method, _path, body):
        caught.append(body)
        return [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]

    port = free_port()
    issuer = f"http://localhost:{port}"
    settings = servers["oidc"] | {"EOP_OIDC_ISSUER": issuer}
    with ScriptedServer(catch) as wire:
        arguments = (
            "--port", str(port), "--issuer", issuer, "--client", "eop", "--secret", "a secret",
            "--redirect", f"{ORIGIN}/login/oidc/callback", "--backchannel", wire.url, *USERS,
        )  # fmt: skip
        with ModuleProcess("tests.fakes.oidc_server", *arguments):
            house = open_house(**settings)
            browser = house.browser(HOST)
            address = begin(browser, "oidc")
            with requests.Session() as there:
                hidden = {n: v[0] for n, v in parse_qs(urlsplit(address).query).items()}
                there.get(address, timeout=5)
                back = there.post(
                    address.partition("?")[0],
                    data=hidden | {"username": "camille", "password": "pw"},
                    allow_redirects=False, timeout=5,
                ).headers["Location"]  # fmt: skip
                assert ask(browser, relative(back)).status_code == 303
                assert user_of(browser) == "camille"
                there.get(issuer + "/logout", timeout=5)
            kept = rows(house, session)[0].id
            answer = tell(house, caught[0], "/login/oidc")
            assert (answer.status_code, answer.data) == (200, b"")
            assert user_of(browser) == ""
            assert house.daemon.revoked(kept)
            assert tell(house, "logout_token=a.b.c", "/login/oidc").status_code == 400


# the one server, and signing out of it -----------------------------------------------------------


def test_with_one_server_alone_the_door_leads_straight_there(open_house, servers):
    house = open_house(**servers["cas"], EOP_SINGLE_SIGN_ON_ONLY="yes")
    browser = house.browser(HOST)
    page = ask(browser, f"/login?next={MOUNT}/observe/%3Fx%3D1%26y%3D%22")
    assert page.status_code == 200
    address = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', page.text).group(1)
    assert address == f"/login/cas?next={MOUNT}/observe/%3Fx%3D1%26y%3D%22"
    assert 'name="password"' not in page.text
    back = relative(at_server(ask(browser, address).headers["Location"]))
    assert ask(browser, back).headers["Location"] == f"{MOUNT}/observe/?x=1&y=%22"


def test_the_form_is_still_there_for_who_asks_for_it(open_house, servers):
    house = open_house(**servers["cas"], EOP_SINGLE_SIGN_ON_ONLY="yes")
    browser = house.browser(HOST)
    page = ask(browser, "/login?local=1").text
    assert 'name="password"' in page
    assert "/login?local=1&amp;language=fr" in page or "/login?local=1&language=fr" in page
    typed = {"username": "malo", "password": "wrong"}
    refused = ask(browser, "/login", "POST", data=typed)
    assert refused.status_code == 401
    assert 'name="password"' in refused.text
    typed["password"] = PASSWORD
    assert ask(browser, "/login", "POST", data=typed).status_code == 303


def test_a_failure_does_not_go_round_in_circles(open_house, servers):
    house = open_house(**servers["cas"], EOP_SINGLE_SIGN_ON_ONLY="yes")
    answer = sign_on(house.browser(HOST), "cas", username="stranger")
    assert answer.status_code == 403
    assert "refresh" not in answer.text
    assert 'name="password"' not in answer.text
    assert 'href="/login/cas?next=' in answer.text
    assert "/login?local=1" in answer.text


def test_signing_out_here_does_not_sign_in_again_by_itself(open_house, servers):
    house = open_house(**servers["cas"], EOP_SINGLE_SIGN_ON_ONLY="yes")
    browser = house.browser(HOST)
    sign_on(browser, "cas")
    out = sign_out(browser)
    assert (out.status_code, out.headers["Location"]) == (303, "/login?out=1")
    page = ask(browser, "/login?out=1").text
    assert "refresh" not in page
    assert "Sign in with ENT" in page


def sign_out(browser):
    token = re.search(r'name="csrf_token" value="([^"]*)"', ask(browser, "/logout").text).group(1)
    return ask(browser, "/logout", "POST", data={"csrf_token": token})


@pytest.mark.parametrize("name", ["cas", "oidc"])
def test_signing_out_here_may_sign_out_there(open_house, servers, name):
    house = open_house(**servers["cas"], **servers["oidc"], EOP_SINGLE_SIGN_OUT="yes")
    browser = house.browser(HOST)
    sign_on(browser, name)
    out = sign_out(browser)
    assert out.status_code == 200
    address = re.search(r'content="0; url=([^"]*)"', out.text).group(1).replace("&amp;", "&")
    query = parse_qs(urlsplit(address).query)
    back = query["service" if name == "cas" else "post_logout_redirect_uri"]
    assert back == [f"{ORIGIN}/login"]
    assert "form-action 'self';" in out.headers["Content-Security-Policy"]
    assert user_of(browser) == ""
    assert rows(house, session) == []


def test_who_signed_in_by_password_signs_out_here_alone(open_house, servers):
    house = open_house(**servers["cas"], EOP_SINGLE_SIGN_OUT="yes")
    browser = house.browser(HOST)
    ask(browser, "/login", "POST", data={"username": "malo", "password": PASSWORD})
    assert sign_out(browser).headers["Location"] == "/login"
