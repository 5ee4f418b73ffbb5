"""controle-vnc as it is run: a process, a real desktop, the gateway in front."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from controle_vnc.control import messages as m
from controle_vnc.control.client import ControlClient, hello
from controle_vnc.errors import AuthenticationError, DaemonUnreachableError, RequestRefusedError
from controle_vnc.settings import Settings
from tests.desktops import XvncDesktop, free_port, wait_until
from tests.gateway_process import GatewayProcess
from tests.wall_client import Tile, WallClient

SECRET = b"a secret for the daemon's own tests"


class Daemon:
    """`python -m controle_vnc` in a folder and on a port of its own."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cv-", dir="/tmp"))
        self.port = free_port()
        self.settings = replace(Settings(), CONTROL_PORT=self.port)
        self.environment = {
            **os.environ,
            "EOP_HOME": str(self.folder / "home"),
            "EOP_RUN_DIR": str(self.folder),
            "EOP_CONTROL_PORT": str(self.port),
        }
        self.etc = self.folder / "home/etc/controlevnc"
        self.etc.mkdir(parents=True)
        secret = self.etc / ".secret"
        secret.write_bytes(SECRET + b"\n")
        secret.chmod(0o600)
        self.log = self.folder / "home/var/log/controle-vnc/main.log"
        self.process = None

    def run(self, *arguments):
        """Run it to its end."""
        return subprocess.run(
            [sys.executable, "-m", "controle_vnc", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=15,
        )

    def start(self):
        assert self.run("init").returncode == 0
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "controle_vnc"],
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.answers, 15, "the daemon answers")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return hello(self.settings, SECRET)
        except DaemonUnreachableError:
            return None

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(5)


@pytest.fixture
def stopped():
    daemon = Daemon()
    yield daemon
    daemon.stop()
    shutil.rmtree(daemon.folder)


@pytest.fixture
def daemon(stopped):
    return stopped.start()


@pytest.fixture
def client(daemon):
    with ControlClient(daemon.settings, SECRET, timeout=10) as client:
        yield client


@pytest.fixture
def gateway(daemon):
    with GatewayProcess(daemon.folder) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def desktop():
    folder = Path(tempfile.mkdtemp(prefix="xv-", dir="/tmp"))
    with XvncDesktop(folder) as desktop:
        yield desktop
    shutil.rmtree(folder)


@pytest.fixture
def workstation(client, desktop):
    return client.request(
        m.SaveWorkstation(
            name="pc-01", room="S12", address=desktop.address, password=desktop.password
        )
    ).id


def camille(session="session", seconds=600):
    ends_at = int((time.time() + seconds) * 1000)
    return m.Viewer(session=session, ends_at=ends_at, user="camille", name="Camille")


def screen_ticket(client, workstation, mode="view", viewer=None):
    return client.request(
        m.IssueScreenTicket(viewer=viewer or camille(), workstation=workstation, mode=mode)
    ).ticket


def closes(browser, seconds):
    """Whether the WebSocket is closed in time."""
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            browser.recv(max(0.01, deadline - time.monotonic()))
    except ConnectionClosed:
        return True
    except TimeoutError:
        return False
    return False


def test_a_ticket_opens_a_real_screen_through_the_gateway(client, gateway, workstation):
    with gateway.open(screen_ticket(client, workstation)) as browser:
        assert browser.recv(10) == b"RFB 003.008\n"
        browser.send(b"RFB 003.008\n")
        assert browser.recv(10) == b"\x01\x01"  # one security type: None
        assert client.request(m.GetStatus()).screens == 1
    wait_until(lambda: client.request(m.GetStatus()).screens == 0, 5, "it is closed")


def test_one_screen_more_than_the_setting_allows_gets_503(stopped, desktop):
    stopped.environment["EOP_GATEWAY_CONNECTIONS"] = "1"
    with (
        GatewayProcess(stopped.start().folder) as gateway,
        ControlClient(stopped.settings, SECRET, timeout=10) as client,
    ):
        row = client.request(
            m.SaveWorkstation(
                name="pc-01", room="S12", address=desktop.address, password=desktop.password
            )
        )
        with gateway.open(screen_ticket(client, row.id)):
            with pytest.raises(InvalidStatus) as refused:
                gateway.open(screen_ticket(client, row.id))
            assert refused.value.response.status_code == 503


def opening(client):
    events = client.request(m.PullEvents(after=0)).events
    return next((event for event in events if event.kind == "screen_opened"), None)


def test_the_opening_is_in_the_journal(client, gateway, workstation):
    with gateway.open(screen_ticket(client, workstation)) as browser:
        assert browser.recv(10) == b"RFB 003.008\n"
        browser.send(b"RFB 003.008\n")
        browser.recv(10)
        browser.send(b"\x01")
        assert browser.recv(10)
        opened = wait_until(lambda: opening(client), 5, "the event")
    assert (opened.user, opened.workstation) == ("camille", workstation)


def test_the_start_is_in_the_journal_before_anything_else(client):
    events = client.request(m.PullEvents(after=0)).events
    assert (events[0].number, events[0].kind) == (1, "service_started")


def test_a_wall_shows_the_desktop(client, gateway, workstation):
    ticket = client.request(m.IssueWallTicket(viewer=camille(), room="S12")).ticket
    with gateway.open(ticket) as browser:
        wall = WallClient(browser)
        snapshot = wall.event("snapshot", 10)
        (seat,) = snapshot["workstations"]
        assert (seat["id"], seat["name"]) == (workstation, "pc-01")
        wall.show([seat["number"]])
        tile = wall.until(lambda item: isinstance(item, Tile), 10)
        assert tile.number == seat["number"]
        assert tile.jpeg.startswith(b"\xff\xd8")


@pytest.mark.parametrize("kind", ["screen", "wall"])
def test_a_revoked_session_closes_within_a_second(client, gateway, workstation, kind):
    if kind == "screen":
        ticket = screen_ticket(client, workstation)
    else:
        ticket = client.request(m.IssueWallTicket(viewer=camille(), room="S12")).ticket
    with gateway.open(ticket) as browser:
        browser.recv(10)
        client.request(m.RevokeSessions(sessions=["session"]))
        assert closes(browser, 1)
    with pytest.raises(RequestRefusedError):
        screen_ticket(client, workstation)


def test_a_wall_is_told_why_it_closes(client, gateway, workstation):
    ticket = client.request(m.IssueWallTicket(viewer=camille(), room="S12")).ticket
    with gateway.open(ticket) as browser:
        wall = WallClient(browser)
        wall.event("snapshot", 10)
        client.request(m.RevokeSessions(sessions=["session"]))
        assert wall.event("bye", 1)["code"] == "signed_out"


@pytest.mark.parametrize("kind", ["screen", "wall"])
def test_closing_all_screens_closes_within_a_second_and_refuses_new_ones(
    client, gateway, workstation, kind
):
    def ticket():
        if kind == "screen":
            return screen_ticket(client, workstation)
        return client.request(m.IssueWallTicket(viewer=camille(), room="S12")).ticket

    unused = ticket()
    with gateway.open(ticket()) as browser:
        browser.recv(5)
        assert client.request(m.SwitchScreens(closed=True, at=1)) == m.Done(count=1)
        assert closes(browser, 1)
    with pytest.raises(RequestRefusedError) as refused:
        ticket()
    assert refused.value.code == "switched_off"
    with pytest.raises(InvalidStatus) as shut:
        gateway.open(unused)
    assert shut.value.response.status_code in {403, 503}
    client.request(m.SwitchScreens(closed=False, at=2))
    with gateway.open(ticket()) as browser:
        browser.recv(5)


def test_screens_stay_closed_when_it_starts_again(daemon, gateway):
    with ControlClient(daemon.settings, SECRET, timeout=10) as client:
        client.request(m.SwitchScreens(closed=True, at=1))
    daemon.process.kill()
    daemon.process.wait(5)
    daemon.start()
    with ControlClient(daemon.settings, SECRET, timeout=10) as client:
        assert client.request(m.GetStatus()).screens_closed
        with pytest.raises(RequestRefusedError) as refused:
            client.request(m.IssueWallTicket(viewer=camille(), room="S12"))
        assert refused.value.code == "switched_off"


def test_a_wall_whose_rights_changed_is_told_so_and_may_open_again(client, gateway, workstation):
    wanted = m.IssueWallTicket(viewer=camille(), room="S12")
    with gateway.open(client.request(wanted).ticket) as browser:
        wall = WallClient(browser)
        wall.event("snapshot")
        client.request(m.CloseViewers(sessions=["session"]))
        assert wall.event("bye", 1)["code"] == "rights_changed"
    with gateway.open(client.request(wanted).ticket) as browser:
        WallClient(browser).event("snapshot")


def test_a_session_closes_at_its_end(client, gateway, workstation):
    ticket = screen_ticket(client, workstation, viewer=camille(seconds=1))
    with gateway.open(ticket) as browser:
        browser.recv(10)
        assert closes(browser, 2.5)


def test_a_second_daemon_fails_and_leaves_the_first_its_sockets(daemon, client):
    second = daemon.run()
    assert second.returncode == 1
    assert "cannot listen" in second.stderr
    assert (daemon.folder / "gateway.sock").exists()
    assert client.request(m.GetStatus()).workstations == 0


def test_a_socket_that_cannot_be_opened_is_told_by_its_name(stopped):
    assert stopped.run("init").returncode == 0
    (stopped.folder / "gateway.sock").mkdir()
    done = stopped.run()
    assert done.returncode == 1
    assert f"cannot listen on {stopped.folder}/gateway.sock" in done.stderr


def test_sigterm_ends_it_within_three_seconds_with_everything_open(
    daemon, client, gateway, workstation
):
    ticket = client.request(m.IssueWallTicket(viewer=camille(), room="S12")).ticket
    with (
        gateway.open(ticket) as wall,
        gateway.open(screen_ticket(client, workstation)) as screen,
    ):
        assert WallClient(wall).event("snapshot", 10)
        assert screen.recv(10)
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(3) == 0
        assert time.monotonic() - began < 3
    text = daemon.log.read_text()
    assert "Traceback" not in text
    assert not list(daemon.folder.glob("*.sock"))


def test_it_starts_again_after_it_was_killed(daemon, client, workstation):
    daemon.process.kill()
    daemon.process.wait(5)
    assert list(daemon.folder.glob("*.sock"))
    daemon.start()
    (one,) = client.request(m.ListWorkstations()).workstations
    assert one.id == workstation


def test_tickets_die_with_the_daemon(daemon, client, gateway, workstation):
    ticket = screen_ticket(client, workstation)
    daemon.stop()
    daemon.start()
    with pytest.raises(InvalidStatus) as caught:
        gateway.open(ticket)
    assert caught.value.response.status_code == 403


def test_another_secret_is_refused(daemon):
    with pytest.raises(AuthenticationError, match="the secrets differ"):
        hello(daemon.settings, b"not this secret but another")
    wait_until(lambda: "the secrets differ" in daemon.log.read_text(), 5, "a line in the log")


def test_nothing_secret_is_logged_or_left_in_files(daemon, client, gateway, desktop, workstation):
    ticket = screen_ticket(client, workstation)
    with gateway.open(ticket) as browser:
        browser.recv(10)
    daemon.stop()
    for file in daemon.folder.rglob("*"):
        if file.is_file() and file.name != ".secret":
            data = file.read_bytes()
            for secret in (ticket.encode(), SECRET, desktop.password.encode()):
                assert secret not in data, file


def test_the_run_directory_is_private(daemon):
    assert stat.S_IMODE(daemon.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda d: None, "eopctl init"),
        (lambda d: (d.run("init"), (d.etc / ".secret").unlink()), "eopctl init"),
        (lambda d: (d.run("init"), (d.etc / ".secret").write_text("changeme")), "default secret"),
        (
            lambda d: (d.run("init"), (d.folder / "home/var/lib/controle-vnc/store.db").unlink()),
            "eopctl db upgrade",
        ),
        (
            lambda d: (d.run("init"), d.environment.update(EOP_CONTROL_HOST="0.0.0.0")),
            "CONTROL_CERTIFICATE",
        ),
        (lambda d: d.environment.update(EOP_LOG_LEVEL="LOUD"), "LOG_LEVEL"),
    ],
)
def test_what_is_wrong_is_told_with_its_remedy(stopped, spoil, word):
    spoil(stopped)
    done = stopped.run()
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_argument_is_refused(stopped):
    assert stopped.run("--help-me").returncode == 2


def test_init_may_be_run_again(stopped):
    assert stopped.run("init").returncode == 0
    key = (stopped.etc / ".store-key").read_bytes()
    assert stopped.run("init").returncode == 0
    assert (stopped.etc / ".store-key").read_bytes() == key


def test_a_port_check_leaves_no_line(daemon):
    before = daemon.log.read_text()
    for _ in range(5):
        socket.create_connection(("127.0.0.1", daemon.port), 5).close()
    hello(daemon.settings, SECRET)
    assert daemon.log.read_text() == before
