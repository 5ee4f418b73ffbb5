"""eop-pam beside `eopctl serve`: started by root, explained to others."""

import os
import signal
import subprocess
from dataclasses import replace

import pytest
import requests

from eop.cli import pam
from eop.pam import client
from tests.desktops import wait_until
from tests.machine import PASSWORD, Account, Helper, needs_machine, new_machine
from tests.stack import EOPCTL


@pytest.fixture
def with_pam(quiet, monkeypatch):
    """Settings that name pam, on a machine that has the service, and we are root."""
    monkeypatch.setattr("eop.pam.service.check", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return replace(quiet.site, AUTHENTICATORS=["local", "pam"])


def test_nothing_is_started_and_said_where_nobody_wants_it(quiet):
    said = []
    assert pam.program(quiet.site, said.append) is None
    assert said == []


def test_root_starts_it_for_the_socket_of_the_settings(with_pam):
    program = pam.program(with_pam, print)
    assert program.name == "eop-pam"
    assert program.command[1:] == ("-P", "-m", "eop.pam", "--socket", str(with_pam.pam_socket))


def test_somebody_else_is_told_what_root_has_to_run(with_pam, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = []
    assert pam.program(with_pam, said.append) is None
    (sentence,) = said
    assert "we are not root" in sentence
    assert f"-P -m eop.pam --socket {with_pam.pam_socket} --user USER" in sentence


def test_a_missing_service_is_told_and_the_rest_goes_on(quiet, monkeypatch):
    monkeypatch.setattr("eop.pam.service.FOLDERS", (quiet.home,))
    said = []
    site = replace(quiet.site, AUTHENTICATORS=["pam"])
    assert pam.program(site, said.append) is None
    assert "there is no /etc/pam.d/eop: EOP brings one, deploy/pam.d/eop" in said[0]


def test_a_path_that_no_socket_can_have_is_told(with_pam, monkeypatch):
    monkeypatch.setenv("EOP_HOME", "/" + "x" * 100)
    said = []
    assert pam.program(with_pam, said.append) is None
    assert "too long for a socket, set PAM_SOCKET to a shorter path" in said[0]


@needs_machine
def test_one_that_runs_already_is_left_alone(with_pam):
    with new_machine() as machine, Helper(machine) as running:
        site = replace(with_pam, PAM_SOCKET=str(running.socket))
        assert pam.program(site, pytest.fail) is None


@needs_machine
def test_serve_starts_it_and_a_teacher_of_the_machine_signs_in(quiet, tmp_path):
    environment = {**os.environ, **quiet.environ, "EOP_AUTHENTICATORS": "local,pam"}
    for arguments in (
        ("db", "upgrade"),
        ("user", "add", "camille", "--role", "teacher", "--no-password"),
    ):
        subprocess.run([EOPCTL, *arguments], env=environment, check=True, capture_output=True)
    errors = tmp_path / "stderr.txt"
    socket = quiet.site.pam_socket
    with new_machine() as machine, errors.open("w") as file:
        machine.add(Account("camille"))
        process = subprocess.Popen(
            machine.command(EOPCTL, "serve"), env=environment, stdin=subprocess.DEVNULL, stderr=file
        )
        try:
            wait_until(lambda: "EOP is served at" in errors.read_text(), 30, "everything answers")
            assert client.hello(socket) == "eop"
            answer = requests.post(
                f"http://127.0.0.1:{quiet.shared.WEB_PORT}/eoleapps/eop/api/v1/session",
                json={"username": "camille", "password": PASSWORD},
                timeout=10,
            )
            assert answer.json()["user"] == "camille"
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
    assert not socket.exists()
    assert PASSWORD not in errors.read_text()
