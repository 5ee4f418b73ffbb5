"""How eop-pam is started, and refuses to be."""

import configparser
import os
from pathlib import Path

import pytest

from eop.pam.__main__ import main

UNITS = Path("deploy/systemd")


@pytest.fixture
def as_root(monkeypatch):
    """What comes before anything is done, met by whoever runs the tests."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("eop.pam.service.check", lambda _name: None)


def test_only_root_may_start_it(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["--socket", "/nowhere/s"]) == 2
    assert "must be started by root" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --socket, or let systemd pass one"),
        (["--socket", "/nowhere/s", "--minimum-uid", "0"], "root never signs in"),
        (["--socket", "/nowhere/s", "--user", "no-such-user"], "there is no account"),
        (["--socket", "/nowhere/s", "--user", "nobody"], "no number for"),
    ],
)
def test_a_wrong_start_says_what_is_wrong(as_root, capsys, arguments, words):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no-such-service", "EOP brings one: deploy/pam.d/eop"),
        ("../shadow", "no name of a PAM service"),
        ("a" * 33, "no name of a PAM service"),
    ],
)
def test_a_service_that_is_not_there_is_told(monkeypatch, capsys, name, words):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert main(["--socket", "/nowhere/s", "--service", name]) == 2
    assert words.replace("brings one: ", "brings one, ") in capsys.readouterr().err


def unit(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNITS / name)
    return parser


def test_the_units_name_what_there_is():
    service, listening = unit("eop-pam.service"), unit("eop-pam.socket")
    command = service["Service"]["ExecStart"].split()
    assert command[1:] == ["-I", "-m", "eop.pam", "--user", listening["Socket"]["SocketGroup"]]
    assert service["Unit"]["Requires"] == "eop-pam.socket"
    # where the site looks when nothing else is set, on an installation at /
    assert listening["Socket"]["ListenStream"] == "/run/eop-pam/eop-pam.sock"
    assert listening["Socket"]["SocketMode"] == "0660"
    assert service["Service"]["NoNewPrivileges"] == "yes"
