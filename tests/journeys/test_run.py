"""`make run` as its user meets it: one ready line, quick again, and nothing left behind."""

import os
import signal
import time
from pathlib import Path

import pytest
import requests

from tests.desktops import wait_until
from tests.stack import Stack

MAKE_RUN = ("make", "--no-print-directory", "run")


def left_behind(stack):
    """Processes, sockets and X locks of this installation."""
    sockets = [str(path) for path in stack.home.rglob("*") if path.is_socket()]
    return list(stack.processes().values()) + sockets


def displays(stack):
    """The sockets of this installation's X servers, and the inode of each."""
    found = set()
    for pid, command in stack.processes().items():
        if command.startswith("xterm "):
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            found |= {word.split(b":")[1] for word in environ if word.startswith(b"DISPLAY=")}
    paths = [Path("/tmp/.X11-unix") / f"X{number.decode()}" for number in found]
    return {path: path.stat().st_ino for path in paths}


def left(sockets):
    """Those that are still there: another's server may have taken the number since."""
    return [
        path for path, inode in sockets.items() if path.exists() and path.stat().st_ino == inode
    ]


@pytest.mark.parametrize("ending", ["SIGINT to the group", "SIGTERM to the leader"])
def test_make_run_prints_one_line_and_stops_cleanly(ending):
    stack = Stack(workstations=2, command=MAKE_RUN)
    try:
        stack.start()
        assert stack.url == f"http://127.0.0.1:{stack.web}/eoleapps/eop"
        assert stack.password == "correct horse battery"
        api = stack.sign_in()
        assert sum(len(room["workstations"]) for room in api.get("rooms").json()) == 2
        for entry in api.get("workstations").json():
            api.wait_for_state(entry["id"], {"ready"}, 15)
        sockets = displays(stack)
        assert len(sockets) == 2
        since = time.monotonic()
        if ending == "SIGINT to the group":
            os.killpg(stack.process.pid, signal.SIGINT)
        else:
            stack.process.terminate()
        stack.process.wait(10)
        wait_until(lambda: not left_behind(stack), 2, "nothing left behind")
        assert time.monotonic() - since < 10
        assert not left(sockets)
        assert stack.process.stdout.read() == ""
    finally:
        stack.stop(signal.SIGKILL)
        stack.remove()


def test_a_second_start_is_quick_and_keeps_the_data():
    stack = Stack(workstations=0, command=MAKE_RUN)
    try:
        stack.start()
        secret = stack.folder / "password"
        secret.write_text("a long enough password\n")
        stack.eopctl("user", "add", "kept", "--role", "teacher", "--password-file", str(secret))
        stack.stop()
        since = time.monotonic()
        stack.start()
        assert time.monotonic() - since < 25  # 4 s alone; an installation takes longer
        assert stack.sign_in("kept", "a long enough password").get("rooms").status_code == 200
    finally:
        stack.stop()
        stack.remove()


def test_a_start_after_kill_9_cleans_up():
    stack = Stack(workstations=1, command=MAKE_RUN)
    try:
        stack.start()
        killed = displays(stack)
        assert len(killed) == 1
        for pid in list(stack.processes()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        stack.process.wait(10)
        stack.process.stdout.close()
        stack.start()
        assert stack.sign_in().get("rooms").status_code == 200
        sockets = displays(stack)
        stack.stop()
        wait_until(lambda: not left_behind(stack), 2, "nothing left behind")
        assert not left(killed) + left(sockets)
    finally:
        stack.stop()
        stack.remove()


def test_a_port_in_use_is_told_with_its_setting():
    with Stack(workstations=0) as running:
        second = Stack(workstations=0, EOP_GATEWAY_PORT=str(running.gateway))
        with pytest.raises(AssertionError, match="no ready line"):
            second.start()
        assert str(running.gateway) in second.errors.read_text()
        assert "EOP_GATEWAY_PORT" in second.errors.read_text()
        second.stop()
        second.remove()


def test_the_site_answers_ping():
    with Stack(workstations=0) as stack:
        assert requests.get(f"{stack.origin}/ping", timeout=10).status_code == 200
