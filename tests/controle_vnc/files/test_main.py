import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from controle_vnc.control import messages as m
from controle_vnc.errors import SettingsError
from controle_vnc.files.__main__ import check
from controle_vnc.settings import Settings
from tests.files_process import FilesProcess, placing


def ended(process):
    done = subprocess.run(
        process.command, env=process.environment, capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stderr


def test_a_second_one_does_not_start_beside_the_first(tmp_path):
    with FilesProcess() as process:
        code, said = ended(process)
        assert (code, "another controle-vnc-files listens" in said) == (1, True), said
        process.environment["EOP_FILES_SOCKET"] = str(process.folder / "other/files.sock")
        code, said = ended(process)
        assert (code, "another controle-vnc-files works in" in said) == (1, True), said
        assert process.ask(m.GetFilesStatus())


def test_it_takes_the_place_of_one_that_was_killed():
    with FilesProcess() as process:
        process.kill()
        assert process.socket.exists()
        process.start()
        assert process.ask(m.GetFilesStatus())


def test_it_ends_at_once_and_leaves_no_socket():
    process = FilesProcess()
    with process:
        process.stop()
        assert process.process.returncode == 0
        assert not process.socket.exists()


def test_where_others_may_write_it_does_not_listen():
    process = FilesProcess()
    process.socket.parent.mkdir(parents=True)
    process.socket.parent.chmod(0o777)
    code, said = ended(process)
    shutil.rmtree(process.folder)
    assert (code, "writable by nobody else" in said) == (1, True), said


def test_what_is_no_socket_is_not_removed():
    process = FilesProcess()
    process.socket.parent.mkdir(parents=True)
    process.socket.parent.chmod(0o700)
    process.socket.write_text("a file")
    code, said = ended(process)
    kept = process.socket.read_text()
    shutil.rmtree(process.folder)
    assert (code, "is no socket" in said, kept) == (1, True, "a file"), said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPLOAD_LIMIT", 0),
        ("UPLOAD_EXPIRES", 0),
        ("UPLOAD_SPACE", -1),
        ("FILES_HOMES", "homes"),
        ("FILES_HOMES", "/"),
        ("FILES_HOMES", "/home"),
    ],
)
def test_senseless_settings_are_refused_by_name(name, value):
    with pytest.raises(SettingsError, match=name):
        check(Settings(**{name: value}))


def test_a_request_that_cannot_be_read_ends_its_connection_alone():
    with FilesProcess() as process:
        for said in (b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\x05hello"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(str(process.socket))
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) == b""
        assert isinstance(process.ask(placing(process.upload(b"x"))), m.Placed)


def test_what_is_too_long_for_a_message_is_no_request():
    with FilesProcess() as process:
        file = process.upload(b"x")
        for wrong in ({"login": "x" * 65}, {"folder": "x" * 256}, {"key": "short"}, {"login": ""}):
            with pytest.raises(OSError, match="hung up"):
                process.ask(placing(file, **wrong))
        assert isinstance(process.ask(placing(file, login="x" * 64)), m.Placed)


PASSED = """
import os, socket, sys
path = os.environ["EOP_HOME"] + "/run/controle-vnc-files/files.sock"
os.makedirs(os.path.dirname(path))
one = socket.socket(socket.AF_UNIX)
one.bind(path)
one.listen()
os.dup2(one.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[1])
os.execv(sys.executable, [sys.executable, "-m", "controle_vnc.files"])
"""


def test_a_socket_of_systemd_is_used_and_left_where_it_is():
    with FilesProcess(program=("-c", PASSED), arguments=("1",)) as process:
        assert process.ask(m.GetFilesStatus())
        process.stop()
        assert process.socket.exists()


def test_more_sockets_than_one_are_a_mistake():
    process = FilesProcess(program=("-c", PASSED), arguments=("2",))
    code, said = ended(process)
    shutil.rmtree(process.folder)
    assert (code, "must pass one socket" in said) == (1, True), said


UNIT = Path(__file__).resolve().parents[3] / "deploy/systemd/controle-vnc-files.service"


def test_the_unit_gives_the_three_rights_and_no_others():
    lines = dict(
        line.split("=", 1)
        for line in UNIT.read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    three = {"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"}
    assert set(lines["CapabilityBoundingSet"].split()) == three
    assert set(lines["AmbientCapabilities"].split()) == three
    assert lines["NoNewPrivileges"] == "yes"
    assert lines["User"] not in {"root", "0"}


def test_the_unit_hides_what_the_right_to_read_homes_would_open():
    hidden = [
        path.removeprefix("-")
        for line in UNIT.read_text().splitlines()
        if line.startswith("InaccessiblePaths=")
        for path in line.split("=", 1)[1].split()
    ]
    assert {"/root", "/etc/shadow", "/etc/gshadow"} <= set(hidden)
    assert not [path for path in hidden if "/home".startswith(path) or path.startswith("/home")]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_reads_the_units():
    for name in ("controle-vnc-files.service", "controle-vnc-files.socket"):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(UNIT.with_name(name))],
            capture_output=True,
            text=True,
            env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
        )
        assert "Unknown" not in done.stderr, done.stderr
