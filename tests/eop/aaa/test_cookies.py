"""Whatever cookies come along, a request is answered; of our own name the first token counts."""

import socket
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eop.aaa.session import new_token
from eop.cookie_filter import ReadableCookies
from tests.eop.installation import API, MOUNT, Browser
from tests.eop.test_wsgi import served

__all__ = ["served"]

SETTINGS = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

OWN = ("eop_session", "eop_device", "eop_language", "eop_state_eop", "__Host-eop_session")
FOREIGN = ("$envole.user", "$Version", "$Path", "envole.user", "a b", "a,b", '"', "=", "é", "")

header_bytes = st.binary(max_size=400).filter(lambda b: not set(b) & {0, 10, 13})
names = st.sampled_from([name.encode() for name in OWN + FOREIGN]) | header_bytes
values = header_bytes | st.sampled_from(
    [b'"', b'"unfinished', b'"\\377"', b"x" * 8192, b"\xff" * 100, b"\xc3", b"%00", b"=;=;", b"{}"]
)
headers = st.lists(st.tuples(names, values), max_size=6).map(
    lambda pairs: b"; ".join(name + b"=" + value for name, value in pairs)
)


@pytest.fixture
def browser(house):
    return house.signed_in()


def token_of(browser):
    return browser.client.get_cookie("eop_session", domain="127.0.0.1").value


def answered(browser, cookies, path=f"{API}/session"):
    """The status of a request with exactly this header (bytes)."""
    sender = Sender(browser)
    return sender.open(path, headers={"Cookie": cookies.decode("latin-1")})


class Sender(Browser):
    """A client without cookies of its own, before the same application."""

    def __init__(self, browser):
        self.client, self.host, self.csrf = browser.client, browser.host, ""
        self.client = type(browser.client)(browser.client.application, use_cookies=False)


@SETTINGS
@given(cookies=headers)
def test_foreign_cookies_break_no_page(browser, cookies):
    assert answered(browser, cookies).status_code == 401
    for path in ("/login", "/ping", f"{MOUNT}/static/eop.css"):
        assert answered(browser, cookies, path).status_code == 200


@SETTINGS
@given(before=headers, after=headers)
def test_our_cookie_is_found_among_them(browser, before, after):
    own = f"eop_session={token_of(browser)}".encode()
    cookies = b"; ".join([before, own, after])
    status = answered(browser, cookies).status_code
    first = next(iter(candidates(cookies)), None)
    # only where a neighbour's bytes form another token of our name before it is it not ours
    assert status == (200 if first == token_of(browser) else 401)


def candidates(cookies):
    """The tokens under our name, as the contract reads a header: parts of ASCII alone."""
    from eop.aaa.session import is_token

    for part in cookies.split(b";"):
        name, _, value = part.decode("latin-1").partition("=")
        readable = part.isascii() and part.decode("latin-1").isprintable()
        if readable and name.strip() == "eop_session" and is_token(value.strip()):
            yield value.strip()


def test_of_two_of_our_name_the_first_that_can_be_a_token_counts(house):
    first, second = house.signed_in(), house.signed_in()
    one, two, none = token_of(first), token_of(second), new_token()

    def who(*tokens):
        cookies = "; ".join(f"eop_session={token}" for token in tokens).encode("latin-1")
        answer = answered(first, cookies)
        return answer.json.get("csrf_token") if answer.status_code == 200 else None

    assert who(one, two) == first.csrf
    assert who(two, one) == second.csrf
    assert who("%%%", one) == first.csrf
    assert who("", one, "\xff") == first.csrf
    assert who(none, one) is None  # a token nobody has: that of a session that is over


def test_over_tls_a_cookie_without_the_prefix_counts_for_nothing(house):
    browser = house.signed_in()
    sender = Sender(browser)
    proxied = {"X-Forwarded-Host": "eop.example", "X-Forwarded-Proto": "https"}
    for name, status in (("eop_session", 401), ("__Host-eop_session", 200)):
        headers = {"Cookie": f"{name}={token_of(browser)}", **proxied}
        assert sender.open(f"{API}/session", headers=headers).status_code == status


def test_a_public_address_over_tls_says_so_where_the_proxy_does_not(house):
    house.site = replace(house.site, PUBLIC_URL="https://eop.example", HSTS=600)
    house.parts = replace(house.parts, site=house.site)
    browser = house.browser("eop.example")
    answer = browser.sign_in()
    assert answer.headers["Strict-Transport-Security"] == "max-age=600"
    given = answer.headers.getlist("Set-Cookie")
    assert [one.partition("=")[0] for one in given] == ["__Host-eop_session", "__Host-eop_device"]
    given += browser.open("/login?language=fr").headers.getlist("Set-Cookie")
    assert len(given) == 3
    assert all("; Secure" in one for one in given)
    assert browser.get("session").status_code == 200


def test_what_can_be_read_passes_unchanged():
    seen = []
    application = ReadableCookies(lambda environ, _: seen.append(environ.get("HTTP_COOKIE")) or [])
    passed = {
        "a=1; b=2": "a=1; b=2",
        "$envole.user=x; a=1": "$envole.user=x; a=1",
        "": "",
        "a=\xff; b=2": " b=2",
        "a=1;b=\x7f": "a=1",
        "\xc3\xa9=1": "",
        'a="; b=2; c="': " b=2",
        'a="x\\"; b=2': " b=2",
        'a="x\\"y\\054"; b=2': 'a="x\\"y\\054"; b=2',
        'a="x" y; b=x"y': ' b=x"y',
    }
    for sent in passed:
        application({"HTTP_COOKIE": sent}, None)
    application({}, None)
    assert seen == [*passed.values(), None]


RECORDED = [
    b"$envole.user=jean; eop_session=x",
    b'$Version="1"; $Path=/; $Domain=.school',
    b"neighbour=" + b"v" * 8192,
    b"; ".join(b"n%d=" % n + b"v" * 4000 for n in range(7)),
    b"portal=\xff\xfe\x80; other=\xc3\xa9",
    b'quoted="unfinished; eop_language="\\377"',
    b"=; ;;; a b=c; eop_session; eop_session=",
]


@pytest.mark.parametrize("cookies", RECORDED, ids=range(len(RECORDED)))
def test_a_real_server_answers_whatever_the_neighbours_set(served, cookies):
    browser = served.signed_in()
    own = f"eop_session={token_of(browser)}".encode()
    for sent, path, status in (
        (cookies, "/login", 200),
        (cookies, API + "/session", 401),
        (cookies + b"; " + own, API + "/session", 200),
    ):
        assert ask(served, path, sent) == status


def ask(house, path, cookies):
    """The status of one request written by hand."""
    with socket.create_connection(("127.0.0.1", house.shared.WEB_PORT), 5) as raw:
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: "
        raw.sendall(request.encode() + cookies + b"\r\n\r\n")
        return int(raw.makefile("rb").readline().split()[1])


def test_cookies_beyond_the_limit_are_refused_and_not_read(served):
    assert ask(served, "/ping", b"n=" + b"v" * 32000) == 200
    assert ask(served, "/ping", b"n=" + b"v" * 33000) in {400, 431}
