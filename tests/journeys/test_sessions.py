"""An end of a session, however it comes, reaches open screens within a second; in both stores."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed

from tests.desktops import XvncDesktop, free_port, wait_until
from tests.eop.aaa.test_codes import is_answering
from tests.journeys.conftest import sign_in
from tests.journeys.test_browser import until_status
from tests.redis_server import RedisServer
from tests.stack import Stack

CLOSED_SECONDS = 5.0  # a second is promised; the rest is for what else the machine does
PASSWORD = "a long enough password"


@pytest.fixture(scope="module", params=["sql", "redis"])
def place(request, tmp_path_factory):
    """A running product with one desktop, `place.desktop`, over either store."""
    folder = tmp_path_factory.mktemp("desktop")
    if request.param == "sql":
        stack = request.getfixturevalue("stack")
        with XvncDesktop(folder) as desktop:
            stack.desktop = stack.add_workstation("pc-ends", desktop, room="S77")
            yield stack
        return
    with (
        RedisServer("a secret") as server,
        XvncDesktop(folder) as desktop,
    ):
        secret = folder / "redis.txt"
        secret.write_text("a secret\n")
        secret.chmod(0o600)
        settings = {
            "EOP_SESSION_STORE": server.url,
            "EOP_SESSION_STORE_PASSWORD_FILE": str(secret),
        }
        with Stack(**settings) as stack:
            stack.redis = server
            stack.desktop = stack.add_workstation("pc-ends", desktop, room="S77")
            yield stack


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "password.txt"
    path.write_text(PASSWORD + "\n")
    return str(path)


@pytest.fixture
def teacher(place, secret):
    """Someone of this test alone."""
    place.eopctl(
        "user", "add", "noor", "--role", "teacher", "--password-file", secret, "--room", "S77",
        "--replace",
    )  # fmt: skip
    yield place.sign_in("noor", PASSWORD)
    place.eopctl("user", "remove", "noor")


class Open:
    """A wall and a screen of one session; `closed()` says when (seconds since 1970) they were."""

    def __init__(self, api, desktop):
        self.ends = []
        self.sockets = [
            api.open(kind="wall", room="S77"),
            api.open(kind="screen", workstation=desktop, mode="control"),
        ]
        self.threads = [threading.Thread(target=self._read, args=[one]) for one in self.sockets]
        for thread in self.threads:
            thread.start()

    def _read(self, socket):
        try:
            while True:
                socket.recv(timeout=30)
        except ConnectionClosed:
            self.ends.append(time.time())

    def closed(self):
        wait_until(lambda: len(self.ends) == 2, 3, "both to be closed")
        for thread in self.threads:
            thread.join(5)
        return max(self.ends)


def told_at(stack, kind):
    """When the last event of that kind was begun, in seconds since 1970."""
    with sqlite3.connect(f"file:{stack.home}/var/lib/eop/eop.db?mode=ro", uri=True) as database:
        row = database.execute("SELECT max(at) FROM audit WHERE kind = ?", [kind]).fetchone()
    database.close()
    return row[0] / 1000


def test_signing_out_closes_what_is_open(place, teacher):
    opened = Open(teacher, place.desktop)
    assert teacher.delete("session").status_code == 204
    assert opened.closed() - told_at(place, "signed_out") < CLOSED_SECONDS


def test_an_administrators_end_of_a_session_closes_what_is_open(place, teacher):
    opened = Open(teacher, place.desktop)
    listed = json.loads(place.eopctl("session", "list", "--user", "noor", "--json"))
    assert len(listed) == 1
    place.eopctl("session", "revoke", listed[0]["id"][:12])
    assert opened.closed() - told_at(place, "session_revoked") < CLOSED_SECONDS
    assert teacher.get("session").status_code == 401


@pytest.mark.parametrize("change", ["password", "right", "removal", "revoke"])
def test_a_change_of_the_account_closes_what_is_open(place, teacher, secret, change):
    opened = Open(teacher, place.desktop)
    arguments = {
        "password": ("user", "passwd", "noor", "--password-file", secret),
        "right": ("user", "add", "noor", "--role", "teacher", "--room", "S12",
                  "--password-file", secret, "--replace"),
        "removal": ("user", "remove", "noor"),
        "revoke": ("session", "revoke", "--user", "noor"),
    }[change]  # fmt: skip
    place.eopctl(*arguments)
    assert opened.closed() - time.time() < 0  # before the command has told that it is done
    assert teacher.get("session").status_code == 401
    if change == "removal":
        place.eopctl("user", "add", "noor", "--role", "student", "--password-file", secret)


def test_the_page_of_a_screen_says_that_its_session_has_ended(page, place, teacher):
    page.goto(f"{place.origin}/login")
    page.fill("input[name=username]", "noor")
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[data-kind=main]")
    page.wait_for_url("**/eoleapps/eop/")
    page.goto(f"{place.url}/observe/screen/{place.desktop}?room=S77")
    until_status(page, "open")
    place.eopctl("session", "revoke", "--user", "noor")
    page.wait_for_selector("text=Your session has ended", timeout=2000)


@contextlib.contextmanager
def sign_in_service_alone(place):
    """The address of one that shares the store and has no controle-vnc beside it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:eop.gunicorn_conf", "eop.wsgi:root"],
        env={**place.environment, "EOP_WEB_PORT": str(port), "EOP_CONTROL_PORT": "9"},
        cwd=place.folder,
    )
    origin = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_answering(origin), 20, "the sign-in service")
        yield origin
    finally:
        process.terminate()
        process.wait(15)


def test_signing_out_at_a_service_on_its_own_closes_what_is_open(place, teacher):
    opened = Open(teacher, place.desktop)
    with sign_in_service_alone(place) as origin:
        page = teacher.http.get(f"{origin}/logout", timeout=10)
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        done = teacher.http.post(f"{origin}/logout", data={"csrf_token": token}, timeout=10)
        assert done.url == f"{origin}/login"
        assert opened.closed() - told_at(place, "signed_out") < CLOSED_SECONDS


@pytest.mark.parametrize("place", ["redis"], indirect=True)
def test_while_the_store_is_away_nobody_enters_and_all_come_back(page, place):
    sign_in(page, place)
    place.redis.freeze()
    try:
        page.goto(f"{place.url}/")
        assert "Sign-in does not work just now" in page.inner_text("main")
    finally:
        place.redis.thaw()
    page.click("a:has-text('Try again')")
    page.wait_for_selector("h1:has-text('Camille')", timeout=5000)
