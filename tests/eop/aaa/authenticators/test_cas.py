"""CAS against the real server process of tests.fakes, and against answers no server should give."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from eop.aaa.authenticators.base import AuthenticatorDownError, Trip, Who
from eop.aaa.authenticators.cas import MAX_ENDED, CasServer, CasSignOn
from eop.aaa.authenticators.outbound import Bounds
from tests.desktops import free_port
from tests.eop.aaa.authenticators.test_strict_xml import HOSTILE
from tests.fakes.certificate import certificate
from tests.fakes.scripted_http import ScriptedServer, whole
from tests.server_process import ModuleProcess

CALLBACK = "https://eop.example/login/cas/callback"
SHORT = Bounds(connect=1.0, read=0.4, whole=0.8)


def trip(state="s" * 43, callback=CALLBACK):
    return Trip(callback, state, "n", "v", 0)


@pytest.fixture(scope="module")
def server():
    """Where a real CAS server answers."""
    port = free_port()
    arguments = ("--port", str(port), "--user", "camille:pw", "--user", "d'été <&>:pw")
    with ModuleProcess("tests.fakes.cas_server", *arguments):
        yield f"http://127.0.0.1:{port}/cas"


def signed_on(address, username="camille", verify=True):
    """What the server sends a browser back with, as the arguments of the callback."""
    with requests.Session() as browser:
        form = browser.get(address, timeout=5, verify=verify)
        service = parse_qs(urlsplit(address).query)["service"][0]
        assert "password" in form.text
        answer = browser.post(
            address.partition("?")[0],
            data={"username": username, "password": "pw", "service": service},
            allow_redirects=False,
            timeout=5,
            verify=verify,
        )
    back = answer.headers["Location"]
    assert back.startswith(service + "&ticket=ST-")
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_service_ticket_says_who_it_is(server, version, slash):
    sign_on = CasSignOn(CasServer(server + slash, version))
    arguments = signed_on(sign_on.begin(trip()))
    assert sign_on.finish(trip(), arguments) == Who("camille", "cas", arguments["ticket"])


def test_a_login_comes_as_it_is_written(server):
    sign_on = CasSignOn(CasServer(server))
    arguments = signed_on(sign_on.begin(trip()), "d'été <&>")
    assert sign_on.finish(trip(), arguments).login == "d'été <&>"


def test_a_ticket_is_good_once(server):
    sign_on = CasSignOn(CasServer(server))
    arguments = signed_on(sign_on.begin(trip()))
    assert sign_on.finish(trip(), arguments)
    assert sign_on.finish(trip(), arguments) is None


@pytest.mark.parametrize(
    "other", [trip("t" * 43), trip(callback="https://other.example/login/cas/callback")]
)
def test_a_ticket_for_another_service_proves_nothing(server, other):
    sign_on = CasSignOn(CasServer(server))
    arguments = signed_on(sign_on.begin(other))
    assert sign_on.finish(trip(), arguments) is None


def test_the_login_may_be_an_attribute(server):
    sign_on = CasSignOn(CasServer(server, login_attribute="uid"))
    assert sign_on.finish(trip(), signed_on(sign_on.begin(trip()))).login == "camille"


@pytest.mark.parametrize(("version", "attribute"), [(3, "memberOf"), (3, "nowhere"), (2, "uid")])
def test_an_attribute_that_is_not_there_once_is_told(server, version, attribute):
    sign_on = CasSignOn(CasServer(server, version, attribute))
    with pytest.raises(AuthenticatorDownError, match=f"no one {attribute}"):
        sign_on.finish(trip(), signed_on(sign_on.begin(trip())))


@pytest.mark.parametrize(
    "ticket", ["", "ST-", "PT-1", "ST-a b", "ST-é", "ST-" + "a" * 501, "x", "ST-\n1"]
)
def test_what_is_no_ticket_is_not_asked_about(ticket):
    sign_on = CasSignOn(CasServer("http://127.0.0.1:1/cas"))
    assert sign_on.finish(trip(), {"ticket": ticket}) is None
    assert sign_on.finish(trip(), {}) is None


def test_a_ticket_is_never_in_the_reason_of_a_failure():
    sign_on = CasSignOn(CasServer("http://127.0.0.1:1/cas"))
    with pytest.raises(AuthenticatorDownError) as failed:
        sign_on.finish(trip(), {"ticket": "ST-secret"})
    assert str(failed.value) == "ConnectionError"


def answered(body, **options):
    """What comes of an answer to the validation."""
    with ScriptedServer(lambda *_: whole(body, **options)) as server:
        sign_on = CasSignOn(CasServer(server.url + "/cas"), SHORT)
        return sign_on.finish(trip(), {"ticket": "ST-1"})


def response(content, namespace="http://www.yale.edu/tp/cas"):
    return f'<cas:serviceResponse xmlns:cas="{namespace}">{content}</cas:serviceResponse>'.encode()


SUCCESS = "<cas:authenticationSuccess>{}</cas:authenticationSuccess>"


def test_the_scripted_answer_works_where_it_is_right():
    assert answered(response(SUCCESS.format("<cas:user>camille</cas:user>"))).login == "camille"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"yes\ncamille\n",
        b"<html><body>Service unavailable</body></html>",
        response(""),
        response(SUCCESS.format("")),
        response(SUCCESS.format("<cas:user/>")),
        response(SUCCESS.format("<cas:user>" + "x" * 257 + "</cas:user>")),
        response(SUCCESS.format("<cas:user>a</cas:user>"), "urn:other"),
        # an attribute called user, before the user
        response(
            SUCCESS.format(
                "<cas:attributes><cas:user>admin</cas:user></cas:attributes>"
                "<cas:user>camille</cas:user>"
            )
        ),
        response('<cas:authenticationFailure code="INTERNAL_ERROR">x</cas:authenticationFailure>'),
        b"x" * (Bounds().answer_bytes + 1),
        response(SUCCESS.format("<cas:user>a</cas:user>") + "<x/>" * 5000),
        response(SUCCESS.format("<cas:user>a</cas:user>")).replace(b"cas:serviceResponse>", b"a>"),
    ],
)
def test_an_answer_that_is_none_is_believed_in_nothing(body):
    with pytest.raises(AuthenticatorDownError):
        answered(body)


@pytest.mark.parametrize("kind", HOSTILE)
def test_entities_in_an_answer_are_refused_before_it_is_read(kind):
    declared, _, _ = HOSTILE[kind].partition("<a")
    body = declared.encode() + response(SUCCESS.format("<cas:user>camille</cas:user>"))
    with pytest.raises(AuthenticatorDownError, match="document type"):
        answered(body)


def test_a_failure_of_the_server_is_no_proof_however_it_is_called():
    for code in ("INVALID_TICKET", "INVALID_SERVICE", "", "<&", "a\nb"):
        code = code.replace("&", "&amp;").replace("<", "&lt;")
        body = response(f'<cas:authenticationFailure code="{code}"/>')
        assert answered(body) is None


def test_a_slow_server_is_left():
    def slow(*_):
        server.pause(5)
        return []

    with ScriptedServer(slow) as server:
        sign_on = CasSignOn(CasServer(server.url + "/cas"), SHORT)
        with pytest.raises(AuthenticatorDownError, match="ReadTimeout"):
            sign_on.finish(trip(), {"ticket": "ST-1"})


def test_over_tls_the_certificate_is_checked(tmp_path):
    cert, key = certificate(tmp_path)
    port = free_port()
    arguments = ("--port", str(port), "--user", "camille:pw")
    tls = ("--certificate", str(cert), "--key", str(key))
    with ModuleProcess("tests.fakes.cas_server", *arguments, *tls):
        url = f"https://127.0.0.1:{port}/cas"
        trusting = CasSignOn(CasServer(url, ca_file=str(cert)))
        arguments = signed_on(trusting.begin(trip()), verify=str(cert))
        with pytest.raises(AuthenticatorDownError, match="SSLError"):
            CasSignOn(CasServer(url)).finish(trip(), arguments)
        assert trusting.finish(trip(), arguments).login == "camille"


def logout(*tickets, name="LogoutRequest", namespace="urn:oasis:names:tc:SAML:2.0:protocol"):
    indexes = "".join(f"<s:SessionIndex>{one}</s:SessionIndex>" for one in tickets)
    return f'<s:{name} xmlns:s="{namespace}" ID="a">{indexes}</s:{name}>'


def ended(text):
    return CasSignOn(CasServer("https://cas.example")).ended({"logoutRequest": text}, 0)


def test_a_logout_request_names_its_tickets():
    assert ended(logout("ST-1")) == ["ST-1"]
    assert ended(logout(" ST-1\n", "ST-2")) == ["ST-1", "ST-2"]
    assert ended(logout("what is no ticket")) == []
    assert ended('<?xml version="1.0" encoding="UTF-16"?>' + logout("ST-1")) == ["ST-1"]
    assert len(ended(logout(*["ST-1"] * MAX_ENDED))) == MAX_ENDED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<a/>",
        "ST-1",
        logout(),
        logout("ST-1", name="LogoutResponse"),
        logout("ST-1", namespace="urn:other"),
        logout(*["ST-1"] * (MAX_ENDED + 1)),
        *HOSTILE.values(),
        re.sub("<s:L", "<!DOCTYPE x [<!ENTITY t 'ST-1'>]><s:L", logout("&t;")),
    ],
)
def test_what_is_no_logout_request_is_refused(text):
    assert ended(text) is None


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_of_a_logout_request(text):
    for one in (text, logout("ST-1").replace("ST-1", text), logout("ST-1").replace("s:", text)):
        found = ended(one)
        assert found is None or all(ticket.startswith("ST-") for ticket in found)


def test_nothing_sent_is_refused():
    assert CasSignOn(CasServer("https://cas.example")).ended({}, 0) is None


def test_signing_out_leads_to_the_server_and_back():
    for version, word in ((3, "service"), (2, "url")):
        sign_on = CasSignOn(CasServer("https://cas.example/cas", version))
        assert sign_on.sign_out_address("https://eop.example/login") == (
            f"https://cas.example/cas/logout?{word}=https%3A%2F%2Feop.example%2Flogin"
        )
