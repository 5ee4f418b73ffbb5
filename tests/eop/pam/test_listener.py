import os
import socket
import subprocess
import sys

import pytest

from eop.pam import client, listener
from eop.pam.listener import CannotListenError
from tests.desktops import wait_until
from tests.machine import needs_machine, needs_root

ACTIVATED = """
import os, socket, sys
listening = socket.socket(getattr(socket, sys.argv[2]), getattr(socket, sys.argv[3]))
if sys.argv[2] == "AF_UNIX":
    listening.bind(sys.argv[1])
if sys.argv[4] == "listening":
    listening.listen()
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": sys.argv[5]}
os.execv(sys.executable, [sys.executable, "-P", "-m", "eop.pam", *sys.argv[6:]])
"""


def activated(machine, name, *more, family="AF_UNIX", kind="SOCK_STREAM", state="listening", fds=1):
    """The command that starts eop-pam as systemd does, its socket already open as 3."""
    path = machine.folder / f"{name}.sock"
    return path, machine.command(
        sys.executable, "-c", ACTIVATED, str(path), family, kind, state, str(fds), *more
    )


@needs_machine
def test_it_serves_on_the_socket_that_systemd_passes(machine):
    path, command = activated(machine, "passed")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: client.answers(path), 15, "eop-pam answers")
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert path.exists()  # it is systemd's to remove


@needs_machine
@pytest.mark.parametrize(
    ("passed", "more", "words"),
    [
        ({"fds": 2}, (), "systemd must pass one socket"),
        ({"state": "silent"}, (), "no listening unix stream socket"),
        ({"family": "AF_INET"}, (), "no listening unix stream socket"),
        ({"kind": "SOCK_DGRAM", "state": "silent"}, (), "no listening unix stream socket"),
        ({}, ("--socket", "/nowhere/s"), "give --socket, or let systemd pass one, and not both"),
    ],
)
def test_another_thing_that_is_passed_is_refused(machine, passed, more, words):
    path, command = activated(machine, "refused", *more, **passed)
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    path.unlink(missing_ok=True)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_number_of_another_process_passes_nothing():
    assert not listener.is_passed({"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1"})
    assert not listener.is_passed({})


@needs_root
@pytest.mark.parametrize("mode", [0o770, 0o757, 0o1777])
def test_a_folder_where_others_may_put_a_socket_is_refused(tmp_path, mode):
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(CannotListenError, match="writable by nobody else; run: chown root"):
        listener.listen(folder / "s", 0)


@needs_root
def test_a_folder_of_somebody_else_or_a_link_to_one_is_refused(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    link = tmp_path / "link"
    link.symlink_to("/")
    for folder in (theirs, link):
        with pytest.raises(CannotListenError, match="must be a folder of root's"):
            listener.listen(folder / "s", 0)


@needs_root
def test_what_is_no_socket_is_not_removed(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(0o750)
    (folder / "s").write_text("something")
    with pytest.raises(CannotListenError, match="is no socket; remove it"):
        listener.listen(folder / "s", 0)
    assert (folder / "s").read_text() == "something"


@needs_root
def test_the_mask_of_the_process_is_as_before(tmp_path):
    before = os.umask(0o022)
    try:
        with listener.listen(tmp_path / "run/s", 0) as listening:
            assert listening.family == socket.AF_UNIX
            assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
