"""A class of demonstration desktops: real ones, and drawn ones."""

import errno
import os
import signal
import socket
import stat
from pathlib import Path

import pytest

from controle_vnc.demo.desktop import VNC_FILE_KEY, missing_programs, remove_leftovers
from controle_vnc.demo.scene import CLOCK, DOCUMENT, NOTE, TERMINAL
from controle_vnc.errors import AuthenticationError
from controle_vnc.rfb.security import vnc_response
from tests.controle_vnc.demo.class_process import ClassProcess, Looker, clean
from tests.desktops import wait_until

RETURN_SECONDS = 30  # the desktop waits 15


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    assert not missing_programs(), "install the packages of deploy/prepare.sh"
    with ClassProcess(tmp_path_factory.mktemp("demo") / "real", 2) as running:
        yield running


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    with ClassProcess(tmp_path_factory.mktemp("demo") / "drawn", 2, "--drawn") as running:
        yield running


def mode_of(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


def is_deserted(display):
    """Whether the socket of a display is there without anyone behind it."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(f"/tmp/.X11-unix/X{display}") == errno.ECONNREFUSED


def test_what_a_real_class_needs_is_readable_by_nobody_else(real):
    assert real.listed["kind"] == "xvnc"
    assert mode_of(real.directory) == 0o700
    for path in real.directory.iterdir():
        assert mode_of(path) == 0o600, path


def test_real_desktops_listen_on_their_sockets_alone(real):
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    ours = {int((real.directory / f"d0{n}.display").read_text().split()[0]) for n in (1, 2)}
    listening = {int(line.split()[1].split(":")[1], 16) for line in lines if " 0A " in line}
    assert not listening & {base + n for n in ours for base in (5900, 6000)}


def test_a_real_desktop_asks_for_its_password(real):
    desktop = dict(real.listed["desktops"][1], password="wrong")
    with pytest.raises(AuthenticationError), Looker(desktop):
        pass


@pytest.mark.parametrize("kind", ["real", "drawn"])
@pytest.mark.parametrize("window", [TERMINAL, DOCUMENT, CLOCK])
def test_every_window_of_a_desktop_moves(kind, window, request):
    desktop = request.getfixturevalue(kind).listed["desktops"][0]
    with Looker(desktop) as looker:
        looker.until_changed(window)


@pytest.mark.parametrize("kind", ["real", "drawn"])
def test_what_is_typed_appears_on_the_note(kind, request):
    desktop = request.getfixturevalue(kind).listed["desktops"][0]
    with Looker(desktop) as looker:
        looker.client.pointer_event(0, NOTE.x + 200, NOTE.y + 100)
        before = looker.picture(NOTE)
        looker.type("bonjour ")

        def written():
            return abs(looker.picture(NOTE) - before).max() > 100

        wait_until(written, 10, "the letters on the note")


def test_two_desktops_look_different(drawn):
    pictures = []
    for desktop in drawn.listed["desktops"]:
        with Looker(desktop) as looker:
            pictures.append(looker.picture(looker.client.framebuffer.bounds))
    assert abs(pictures[0] - pictures[1]).mean() > 10


def test_drawn_desktops_say_so_by_the_names_of_their_sockets(drawn):
    assert drawn.listed["kind"] == "drawn"
    for desktop in drawn.listed["desktops"]:
        assert Path(desktop["address"]).name.startswith("demo-")
        assert not mode_of(desktop["address"].removeprefix("unix:")) & 0o077


def test_a_killed_desktop_returns_with_its_password(tmp_path):
    with ClassProcess(tmp_path / "class", 1) as running:
        desktop = running.listed["desktops"][0]
        record = tmp_path / "class/d01.display"
        display, pid = record.read_text().split()
        os.kill(int(pid), signal.SIGKILL)
        wait_until(lambda: not record.exists(), 5, "its end is noticed")
        assert not is_deserted(display)
        wait_until(record.exists, RETURN_SECONDS, "its return")
        with Looker(desktop) as looker:
            looker.until_changed(TERMINAL)


def test_an_ended_class_leaves_nothing_behind(tmp_path):
    with ClassProcess(tmp_path / "class", 1) as running:
        display = (running.directory / "d01.display").read_text().split()[0]
        assert Path(f"/tmp/.X11-unix/X{display}").exists()
    assert running.process.returncode == 0
    assert not is_deserted(display)
    assert not running.directory.exists()


def test_a_class_that_was_killed_is_cleaned_by_the_next_start(tmp_path):
    with ClassProcess(tmp_path / "class", 1) as running:
        display, pid = (running.directory / "d01.display").read_text().split()
        os.kill(int(pid), signal.SIGSTOP)  # so that it cannot clean up by itself
        running.process.kill()
        running.process.wait(5)
        os.kill(int(pid), signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), 5, "the X server has ended")
    assert Path(f"/tmp/.X11-unix/X{display}").exists()
    assert clean(tmp_path / "class") == 0
    assert not is_deserted(display)
    assert not (tmp_path / "class").exists()


def test_the_display_of_a_living_server_is_left_alone(tmp_path):
    record = tmp_path / "d01.display"
    record.write_text(f"99 {os.getpid()}\n")
    remove_leftovers(record)
    assert not record.exists()


def test_a_password_file_is_as_every_vnc_server_reads_it():
    # from `echo secret12 | tigervncpasswd -f`
    assert vnc_response(VNC_FILE_KEY, b"secret12").hex() == "24b5ae4ce15503c6"
