"""Site, sign-in and screens through Apache: one origin, one port, nothing secret in its logs."""

import contextlib
import json
import socket
import struct
import time

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.apache_server import ApacheServer, make_certificate
from tests.desktops import free_port
from tests.stack import Stack

MOUNT = "/eoleapps/eop"


@pytest.fixture(scope="module")
def apache(tmp_path_factory):
    with Stack(workstations=0) as stack:
        folder = tmp_path_factory.mktemp("apache")
        with ApacheServer(folder, stack.web, stack.gateway) as server:
            server.stack = stack
            yield server


@pytest.fixture
def http(apache):
    with signed_in(apache, apache.stack) as session:
        yield session


@contextlib.contextmanager
def signed_in(apache, stack):
    """A session through Apache, signed in as the demonstration teacher."""
    with requests.Session() as session:
        session.verify = str(apache.certificate)
        session.trust_env = False
        answer = session.post(
            f"{apache.origin}{MOUNT}/api/v1/session",
            json={"username": stack.login, "password": stack.password},
            headers={"Origin": apache.origin},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        session.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        session.headers["Origin"] = apache.origin
        yield session


def ticket(http, apache, **headers):
    rooms = http.get(f"{apache.origin}{MOUNT}/api/v1/rooms", timeout=10)
    assert rooms.status_code == 200, rooms.text
    answer = http.post(
        f"{apache.origin}{MOUNT}/api/v1/tickets",
        json={"kind": "wall", "class": "3eB"},
        headers=headers,
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def dial(apache, url, origin=None, **options):
    return connect(
        url,
        origin=origin or apache.origin,
        ssl=apache.trusting(),
        compression=None,
        proxy=None,
        open_timeout=10,
        **options,
    )


def first_event(wall):
    """The first frame of a wall, however it is cut."""
    data = b""
    while len(data) < 4 or len(data) < 4 + struct.unpack_from(">I", data)[0]:
        data += wall.recv(timeout=10)
    return json.loads(data[5 : 4 + struct.unpack_from(">I", data)[0]])


def test_debian_accepts_the_configuration(apache):
    assert "Syntax OK" in apache.check_syntax()


def test_the_cookies_are_bound_to_this_secure_host(apache, http):
    names = {cookie.name: cookie.secure for cookie in http.cookies}
    assert names == {"__Host-eop_session": True, "__Host-eop_device": True}


def test_a_wall_opens_on_the_same_origin_and_port(apache, http):
    issued = ticket(http, apache)
    assert issued["url"] == f"wss://127.0.0.1:{apache.port}/websockify"
    offered = ["binary", f"ticket.{issued['ticket']}"]
    with dial(apache, issued["url"], subprotocols=offered) as wall:
        assert wall.subprotocol == "binary"
        assert first_event(wall)["event"] == "snapshot"


def test_a_foreign_page_opens_nothing(apache, http):
    issued = ticket(http, apache)
    offered = ["binary", f"ticket.{issued['ticket']}"]
    with pytest.raises(InvalidStatus) as refused:
        dial(apache, issued["url"], origin="https://elsewhere.example", subprotocols=offered)
    assert refused.value.response.status_code == 403


def test_what_a_browser_says_of_its_address_is_not_believed(apache, http):
    forged = {
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "192.0.2.1",
        "Forwarded": "host=elsewhere.example",
        "X-Forwarded-Prefix": "/elsewhere",
    }
    assert ticket(http, apache, **forged)["url"] == f"wss://127.0.0.1:{apache.port}/websockify"


def test_a_forged_address_is_not_the_one_a_refused_sign_in_is_counted_for(apache):
    answer = requests.post(
        f"{apache.origin}{MOUNT}/api/v1/session",
        json={"username": "nobody", "password": "not a password of anyone"},
        headers={"X-Forwarded-For": "192.0.2.77", "Forwarded": "for=192.0.2.77"},
        verify=str(apache.certificate),
        timeout=10,
    )
    assert answer.status_code == 401
    logs = apache.stack.home / "var/log/eoleflask"
    assert "sign-in refused from 127.0.0.1" in (logs / "eop.log").read_text()
    assert not [path for path in logs.iterdir() if "192.0.2.77" in path.read_text()]


def test_documents_lead_to_those_of_eop_on_this_origin(apache):
    answer = requests.get(
        f"{apache.origin}/documents",
        verify=str(apache.certificate),
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] in {
        f"{MOUNT}/documents/", f"{apache.origin}{MOUNT}/documents/",
    }  # fmt: skip


def test_other_sites_are_not_fetched(apache):
    """Apache is no forward proxy: our own door answers, whatever address is asked for."""
    for asked in ("GET http://192.0.2.1/", "CONNECT 192.0.2.1:80"):
        said = ask(apache, f"{asked} HTTP/1.1\r\nHost: 192.0.2.1\r\n")
        assert said.split()[1] == b"302", (asked, said)


def ask(apache, head):
    """The first line Apache answers to a request written by hand."""
    with dial_tls(apache) as secured:
        secured.sendall(f"{head}Connection: close\r\n\r\n".encode())
        return secured.makefile("rb").readline()


@contextlib.contextmanager
def dial_tls(apache):
    with (
        socket.create_connection(("127.0.0.1", apache.port), 5) as plain,
        apache.trusting().wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        yield secured


@pytest.mark.parametrize(
    "begun", ["", "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"]
)
def test_a_request_that_does_not_go_on_is_ended(apache, begun):
    with dial_tls(apache) as slow:
        began = time.monotonic()
        head = f"POST {MOUNT}/api/v1/session HTTP/1.1\r\nHost: 127.0.0.1:{apache.port}\r\n"
        slow.sendall(f"{head}{begun}".encode())
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began < 4


def test_a_body_too_large_is_told_by_the_site_and_a_huge_one_not_passed_on(apache):
    said = []
    for size in (2**16 + 1, 2**17, 2**17 + 1):
        answer = requests.post(
            f"{apache.origin}{MOUNT}/api/v1/session",
            data=b"x" * size,
            headers={"Content-Type": "application/json"},
            verify=str(apache.certificate),
            timeout=10,
        )
        assert answer.status_code == 413, size
        said.append(answer.headers["Content-Type"])
    assert said == ["application/json", "application/json", "text/html; charset=iso-8859-1"]


def test_pages_lead_to_the_sign_in_of_this_origin(apache):
    answer = requests.get(
        f"{apache.origin}/", verify=str(apache.certificate), timeout=10, allow_redirects=True
    )
    assert answer.status_code == 200
    assert answer.url.startswith(f"{apache.origin}/login")
    assert f"wss://127.0.0.1:{apache.port}/websockify" in answer.headers["Content-Security-Policy"]


def test_a_plain_get_of_the_gateway_tells_that_the_certificate_is_accepted(apache):
    answer = requests.get(f"{apache.origin}/websockify", verify=str(apache.certificate), timeout=10)
    assert answer.status_code == 200
    assert "accept" in answer.text


def test_no_log_holds_a_ticket(apache, http):
    in_header, in_query = ticket(http, apache), ticket(http, apache)
    url = in_header["url"]
    offered = ["binary", f"ticket.{in_header['ticket']}"]
    with dial(apache, url, subprotocols=offered) as wall:
        assert first_event(wall)
    with dial(apache, f"{url}?token={in_query['ticket']}", subprotocols=["binary"]) as wall:
        assert first_event(wall)
    assert "/websockify" in apache.logs()
    assert in_header["ticket"] not in apache.logs()
    assert in_query["ticket"] not in apache.logs()
    assert "token=" not in apache.logs()


def test_a_wall_opens_where_the_gateway_speaks_tls(tmp_path):
    (tmp_path / "gateway").mkdir()
    certificate, key = make_certificate(tmp_path / "gateway")
    secured = {"EOP_GATEWAY_CERTIFICATE": str(certificate), "EOP_GATEWAY_KEY": str(key)}
    with (
        Stack(workstations=0, **secured) as stack,
        ApacheServer(tmp_path, stack.web, stack.gateway, certificate) as apache,
        signed_in(apache, stack) as http,
    ):
        issued = ticket(http, apache)
        offered = ["binary", f"ticket.{issued['ticket']}"]
        with dial(apache, issued["url"], subprotocols=offered) as wall:
            assert first_event(wall)["event"] == "snapshot"
        assert "websockify (RFB) => Ok" in stack.eopctl("diagnose")


def test_no_log_holds_a_ticket_of_a_gateway_that_is_not_there(tmp_path):
    with ApacheServer(tmp_path, free_port(), free_port()) as apache:
        url = f"wss://127.0.0.1:{apache.port}/websockify?token=a-ticket-of-the-query"
        with pytest.raises(InvalidStatus) as refused:
            dial(apache, url, subprotocols=["binary", "ticket.a-ticket-of-the-header"])
        assert refused.value.response.status_code == 503
        assert "failed" in apache.logs()
        assert "a-ticket-of" not in apache.logs()
