"""controle-vnc-files beside `eopctl serve`: started where it may be, explained to others."""

import os
import signal
import subprocess
from dataclasses import replace

import pytest

from eop.cli import files
from tests.desktops import wait_until
from tests.files_process import FilesProcess, placing
from tests.stack import EOPCTL, Stack


@pytest.fixture
def settings(quiet):
    return replace(quiet.shared, FILES_SOCKET=str(quiet.home / "files.sock"))


def test_root_starts_it_for_the_homes_of_the_machine(settings, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program = files.program(settings, print)
    assert (program.name, program.command[1:]) == (
        "controle-vnc-files", ("-P", "-m", "controle_vnc.files"),
    )  # fmt: skip


def test_somebody_else_is_told_what_root_has_to_run(settings, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = []
    assert files.program(settings, said.append) is None
    (sentence,) = said
    assert "we are not root, and FILES_HOMES names no folder of homes" in sentence
    assert "-P -m controle_vnc.files --user USER" in sentence


def test_anybody_starts_it_where_a_folder_of_homes_is_named(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert files.program(replace(settings, FILES_HOMES=str(tmp_path)), print) is not None


def test_a_path_that_no_socket_can_have_is_told(settings):
    said = []
    assert files.program(replace(settings, FILES_SOCKET="/" + "x" * 108), said.append) is None
    assert "set FILES_SOCKET to a shorter path" in said[0]


def test_one_that_runs_already_is_left_alone(settings):
    with FilesProcess() as process:
        said = []
        running = replace(settings, FILES_SOCKET=str(process.socket))
        assert files.answers(running)
        assert files.program(running, said.append) is None
        assert said == []
    assert not files.answers(running)


@pytest.fixture
def alone():
    """`eopctl serve --app files` in a folder of its own."""
    process = FilesProcess()
    process.command = (EOPCTL, "serve", "--app", "files")
    with process:
        yield process


def test_alone_it_serves_and_is_started_again_when_it_dies(alone):
    def helpers():
        found = subprocess.run(
            ["pgrep", "-P", str(alone.process.pid)], capture_output=True, text=True
        )
        return [int(one) for one in found.stdout.split()]

    alone.ask(placing(alone.upload(b"x")))
    (helper,) = helpers()
    os.kill(helper, signal.SIGKILL)
    wait_until(lambda: helpers() not in ([], [helper]), 10, "it is started again")
    wait_until(lambda: files_answer(alone), 10, "it answers again")
    assert alone.ask(placing(alone.upload(b"x"))).was_there
    alone.stop()
    assert alone.process.returncode == 0
    assert not alone.socket.exists()


def files_answer(process):
    try:
        return process.upload(b"x")
    except OSError:
        return None


def test_a_demonstration_has_homes_of_its_own():
    with Stack() as stack:
        detail = next(
            line for line in stack.eopctl("diagnose").splitlines() if "controle-vnc-files" in line
        )
        assert detail.endswith("=> Ok")
        assert (stack.home / "homes").is_dir()
