"""Site, sign-in and screens through Apache: one origin, one port, nothing secret in its logs."""

import json
import struct

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.apache_server import ApacheServer
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
    """A session through Apache, signed in as the demonstration teacher."""
    with requests.Session() as session:
        session.verify = str(apache.certificate)
        session.trust_env = False
        answer = session.post(
            f"{apache.origin}{MOUNT}/api/v1/session",
            json={"username": apache.stack.login, "password": apache.stack.password},
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


def first_event(socket):
    """The first frame of a wall, however it is cut."""
    data = b""
    while len(data) < 4 or len(data) < 4 + struct.unpack_from(">I", data)[0]:
        data += socket.recv(timeout=10)
    return json.loads(data[5 : 4 + struct.unpack_from(">I", data)[0]])


def test_debian_accepts_the_configuration(apache):
    assert "Syntax OK" in apache.check_syntax()


def test_the_cookie_is_bound_to_this_secure_host(apache, http):
    names = {cookie.name: cookie.secure for cookie in http.cookies}
    assert names == {"__Host-eop_session": True}


def test_a_wall_opens_on_the_same_origin_and_port(apache, http):
    issued = ticket(http, apache)
    assert issued["url"] == f"wss://127.0.0.1:{apache.port}/websockify"
    offered = ["binary", f"ticket.{issued['ticket']}"]
    with dial(apache, issued["url"], subprotocols=offered) as socket:
        assert socket.subprotocol == "binary"
        assert first_event(socket)["event"] == "snapshot"


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
    with dial(apache, url, subprotocols=offered) as socket:
        assert first_event(socket)
    with dial(apache, f"{url}?token={in_query['ticket']}", subprotocols=["binary"]) as socket:
        assert first_event(socket)
    logs = "".join(path.read_text() for path in apache.folder.glob("*.log"))
    assert "/websockify" in logs
    assert in_header["ticket"] not in logs
    assert in_query["ticket"] not in logs
    assert "token=" not in logs
