import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from tests.desktops import wait_until
from tests.eop.installation import PASSWORD

GUNICORN = ["-m", "gunicorn", "-c", "python:eop.gunicorn_conf", "eop.wsgi:application"]


def is_answering(house):
    try:
        return requests.get(f"{house.origin}/ping", timeout=1).text == "pong"
    except (requests.ConnectionError, requests.Timeout):
        return False


@pytest.fixture
def served(house):
    """The house behind a real gunicorn; `origin` is where."""
    house.origin = f"http://127.0.0.1:{house.shared.WEB_PORT}"
    house.add_workstation("pc-01", "S12")
    process = subprocess.Popen(
        [sys.executable, *GUNICORN],
        env={**os.environ, **house.environ},
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: is_answering(house), 20, "gunicorn")
        yield house
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors


def sign_in(house):
    session = requests.Session()
    answer = session.post(
        f"{house.origin}/eoleapps/eop/api/v1/session",
        json={"username": "camille", "password": PASSWORD},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    session.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return session


def test_a_teacher_signs_in_gets_a_ticket_and_signs_out(served):
    api = f"{served.origin}/eoleapps/eop/api/v1"
    session = sign_in(served)
    assert session.get(f"{api}/rooms", timeout=10).json()[0]["name"] == "S12"
    ticket = session.post(f"{api}/tickets", json={"kind": "wall", "room": "S12"}, timeout=10)
    assert ticket.json()["url"] == f"ws://127.0.0.1:{served.shared.GATEWAY_PORT}/websockify"
    assert session.delete(f"{api}/session", timeout=10).status_code == 204
    assert session.get(f"{api}/session", timeout=10).status_code == 401


def test_logs_hold_neither_query_nor_password(served):
    secret = "a-secret-in-the-query"
    requests.get(f"{served.origin}/login?next=/{secret}", timeout=10)
    requests.post(f"{served.origin}/login", data={"username": "x", "password": secret}, timeout=10)
    requests.get(f"{served.origin}/eoleapps/eop/api/v1/rooms", timeout=10)
    logs = served.home / "var/log/eoleflask"
    wait_until(
        lambda: (logs / "gunicorn-access.log").read_text().count("/login") == 2, 5, "two lines"
    )
    wait_until(
        lambda: '"GET /eoleapps/eop/api/v1/rooms ' in (logs / "gunicorn-access.log").read_text(),
        5,
        "the whole path",
    )
    for path in logs.iterdir():
        assert secret not in path.read_text()


def ask(house, request):
    """The first line answered to a request written by hand."""
    with socket.create_connection(("127.0.0.1", house.shared.WEB_PORT), 5) as raw:
        raw.sendall(request + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        return raw.makefile("rb").readline()


def test_a_path_forges_no_line_of_the_log(served):
    forged = b'/eoleapps/eop/%0a%0d%1b[31m%22%5c%c3%a9 10.0.0.1 [today] "GET /forged HTTP/1.1" 200'
    ask(served, b"GET " + forged.replace(b" ", b"%20").replace(b'"', b"%22") + b" HTTP/1.1")
    ask(served, b"GET /last HTTP/1.1")
    log = served.home / "var/log/eoleflask/gunicorn-access.log"
    wait_until(lambda: '"GET /last ' in log.read_text(), 5, "the last line")
    first, last = [line for line in log.read_text().splitlines() if "/ping" not in line]
    assert first.startswith("127.0.0.1 [")
    assert '"GET /eoleapps/eop/%0A%0D%1B%5B31m%22%5C%C3%A9%2010.0.0.1%20' in first
    assert first.count('"') == 2


def test_a_request_that_cannot_be_read_leaves_no_word_of_its_own_in_the_log(served):
    for request in (
        b"GET /x?secret-1",
        b"GET /x?a secret-2 HTTP/1.1",
        b"GET /x HTTP/1.1\r\nsecret-3",
    ):
        assert b" 400 " in ask(served, request)
    log = served.home / "var/log/eoleflask/gunicorn-error.log"
    wait_until(
        lambda: log.read_text().count("Invalid request from ip=127.0.0.1: ") == 3, 5, "three"
    )
    for path in log.parent.iterdir():
        assert "secret-" not in path.read_text()


def test_a_header_cannot_move_the_request_elsewhere(served):
    headers = {"SCRIPT_NAME": "/eoleapps/eop", "Script-Name": "/x", "PATH_INFO": "/eoleauth"}
    assert requests.get(f"{served.origin}/ping", headers=headers, timeout=10).text == "pong"


def test_a_body_without_a_length_is_bounded_too(served):
    answer = requests.post(
        f"{served.origin}/eoleapps/eop/api/v1/session",
        data=(b"x" * 8192 for _ in range(10)),
        headers={"Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"


def test_a_request_that_cannot_be_read_harms_nobody(served):
    with socket.create_connection(("127.0.0.1", served.shared.WEB_PORT), 5) as raw:
        raw.sendall(b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\nCookie: $x=\xff\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 ")
    assert is_answering(served)


def test_without_an_application_gunicorn_says_so(quiet):
    (quiet.home / "etc/eole/flask/enabled/eop.conf").unlink()
    done = subprocess.run(
        [sys.executable, *GUNICORN],
        env={**os.environ, **quiet.environ},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert done.stderr == "NoApplicationError: No application loaded\n"
    assert done.stderr in (quiet.home / "var/log/eoleflask/gunicorn-error.log").read_text()


def test_a_secret_that_differs_stops_gunicorn_with_the_remedy(quiet):
    conf = quiet.home / "etc/eole/flask/available/eop.conf"
    values = json.loads(conf.read_text()) | {"SECRET_KEY": "a secret from elsewhere"}
    conf.write_text(json.dumps(values))
    done = subprocess.run(
        [sys.executable, *GUNICORN],
        env={**os.environ, **quiet.environ},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert "the secrets differ" in done.stderr
