"""eop-pam on a real PAM stack: pam_unix, with files of this test's own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eop.pam import client, server, wire
from eop.pam.protocol import MAX_MESSAGE_BYTES, Hello, ProtocolError, SignIn, pack
from tests.desktops import wait_until
from tests.machine import PASSWORD, Account, Helper, hashed, needs_machine, needs_root, new_machine

pytestmark = needs_machine

WRONG = ("wrong", False)
EXPECTED = {
    ("camille", PASSWORD): ("ok", True),
    ("camille", "wrong"): WRONG,
    ("camille", PASSWORD + " "): WRONG,
    ("unknown", PASSWORD): WRONG,
    ("locked", PASSWORD): ("locked", False),
    ("locked", "wrong"): ("locked", False),
    ("never-set", "wrong"): ("locked", False),
    ("no-login", "wrong"): WRONG,
    ("blank", "anything"): WRONG,
    ("expired", PASSWORD): ("expired", True),
    ("expired", "wrong"): WRONG,
    ("last-day", PASSWORD): ("ok", True),
    ("must-change", PASSWORD): ("must_change", True),
    ("must-change", "wrong"): WRONG,
    ("aged", PASSWORD): ("must_change", True),
    ("fresh-enough", PASSWORD): ("ok", True),
    ("inactive", PASSWORD): ("expired", True),
    ("daemon-like", PASSWORD): WRONG,
    ("first-person", PASSWORD): ("ok", True),
    ("nobody-like", PASSWORD): WRONG,
    ("root-like", PASSWORD): WRONG,
    ("root", PASSWORD): WRONG,
    ("Upper", PASSWORD): WRONG,
    ("-rf", PASSWORD): WRONG,
    ("camille\n", PASSWORD): WRONG,
    ("camille", "a\0b"): WRONG,
    ("camille", "é" * 256): WRONG,  # a byte more than PAM takes
}


@pytest.fixture(scope="module")
def outcomes(helper):
    """All of the above, asked at once; and how long each took, in seconds."""

    def ask(asked):
        began = time.monotonic()
        outcome = helper.ask(*asked)
        return outcome, time.monotonic() - began

    with ThreadPoolExecutor(server.CONVERSATIONS) as pool:
        return dict(zip(EXPECTED, pool.map(ask, EXPECTED), strict=True))


@pytest.mark.parametrize("asked", EXPECTED, ids=lambda asked: f"{asked[0]!r}-{asked[1][:9]!r}")
def test_the_outcome_is_what_the_machine_says(outcomes, asked):
    assert outcomes[asked][0] == EXPECTED[asked]


def test_what_proves_no_password_takes_one_pause_whatever_failed(outcomes):
    for (login, _), ((_, is_proven), seconds) in outcomes.items():
        if not is_proven:
            assert seconds >= server.PAUSE_SECONDS, login
    for name in ("unknown", "locked", "root", "-rf"):
        (asked,) = [one for one in outcomes if one[0] == name and one[1] == PASSWORD]
        # else PAM's own random pause would be added, two seconds or more with ours
        assert outcomes[asked][1] < 2 * server.PAUSE_SECONDS, name


def test_a_right_password_does_not_wait(helper):
    began = time.monotonic()
    assert helper.ask("camille") == ("ok", True)
    assert time.monotonic() - began < server.PAUSE_SECONDS


def test_an_empty_password_is_no_request(helper):
    with pytest.raises((ProtocolError, ConnectionResetError)):
        helper.ask("camille", "")
    assert helper.ask("camille") == ("ok", True)


def test_a_changed_account_is_seen_at_once(helper):
    helper.machine.add(Account("changing"))
    assert helper.ask("changing") == ("ok", True)
    helper.machine.change(Account("changing", changed=0))
    assert helper.ask("changing") == ("must_change", True)
    helper.machine.change(Account("changing", hashed("another")))
    assert helper.ask("changing", "another") == ("ok", True)


@pytest.mark.parametrize(
    ("stack", "outcome"),
    [
        ("auth=success acct=maxtries", ("locked", True)),
        ("auth=success acct=perm_denied", ("disabled", True)),
        ("auth=success acct=auth_err", ("disabled", True)),
        ("auth=success acct=user_unknown", ("disabled", True)),
        ("auth=success acct=new_authtok_reqd", ("must_change", True)),
        ("auth=success acct=authtok_expired", ("expired", True)),
        ("auth=success acct=cred_expired", ("expired", True)),
        ("auth=success acct=system_err", ("error", True)),
        ("auth=maxtries acct=success", ("locked", False)),
        ("auth=perm_denied acct=success", ("disabled", False)),
        ("auth=acct_expired acct=success", ("expired", False)),
        ("auth=new_authtok_reqd acct=success", ("must_change", False)),
        ("auth=user_unknown acct=success", ("wrong", False)),
        ("auth=authinfo_unavail acct=success", ("error", False)),
        ("auth=service_err acct=success", ("error", False)),
    ],
)
def test_each_code_of_pam_has_its_outcome(debug, stack, outcome):
    text = "".join(f"{kind} required pam_debug.so {stack}\n" for kind in ("auth", "account"))
    debug.machine.service("debug", text)
    assert debug.ask("camille", "whatever") == outcome


@pytest.fixture(scope="module")
def debug(machine):
    """eop-pam whose service says what a test wants."""
    machine.service("debug", "auth required pam_deny.so\n")
    with Helper(machine, "--service", "debug", name="debug", constants=QUICK) as running:
        yield running


QUICK = (
    "server.PAUSE_SECONDS = 0.05; server.REQUEST_SECONDS = 0.2; server.CONVERSATION_SECONDS = 0.8"
)


def connected(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(str(path))
    return connection


def is_closed(connection):
    """Whether the other side ends it, without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0",
        (MAX_MESSAGE_BYTES + 1).to_bytes(2, "big"),
        b"\xff\xff" + b"x" * 100,
        b"GET / HTTP/1.1\r\n\r\n" + b"x" * 20_000,
        b"\0\x05hello",
        b"\0\x01\xc1",
        bytes(range(256)) * 4,
        pack(SignIn("a" * 65, "x")),
        b"\0\x0a" + pack(Hello())[2:6],
    ],
    ids=lambda data: repr(data[:8]),
)
def test_garbage_is_dropped_and_the_next_one_served(debug, data):
    with connected(debug.socket) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        assert is_closed(connection)
    assert client.answers(debug.socket)


@pytest.mark.parametrize(
    ("size", "words"),
    [(MAX_MESSAGE_BYTES, "cannot be read"), (MAX_MESSAGE_BYTES + 1, "of 1025 bytes")],
)
def test_a_message_of_the_largest_size_is_read_and_of_one_more_is_not(debug, size, words):
    with connected(debug.socket) as connection:
        connection.sendall(size.to_bytes(2, "big") + b"x" * size)
        assert is_closed(connection)
    wait_until(lambda: words in debug.said, 5, words)


def test_who_sends_nothing_or_half_is_dropped_in_time(debug):
    with connected(debug.socket) as silent, connected(debug.socket) as half:
        half.sendall(pack(Hello())[:-1])
        began = time.monotonic()
        assert is_closed(silent)
        assert is_closed(half)
        assert time.monotonic() - began < 2
    assert debug.said.count("timed out") >= 2


def test_a_second_request_on_a_connection_is_not_read(debug):
    with connected(debug.socket) as connection:
        connection.sendall(pack(Hello()) * 2)
        wire.receive(connection, 5)
        assert is_closed(connection)


def test_a_module_that_hangs_is_ended_and_the_next_one_served(debug, tmp_path):
    fifo = debug.machine.folder / "fifo"
    os.mkfifo(fifo)
    debug.machine.service("debug", f"auth required pam_exec.so quiet /bin/cat {fifo}\n")
    with pytest.raises(ProtocolError, match="ended within a message"):
        debug.ask("camille", "whatever")
    with fifo.open("w"):  # what the module started ends
        pass
    wait_until(lambda: not debug.children, 5, "the conversation has ended")
    assert "did not end in time; it is killed" in debug.said
    assert client.answers(debug.socket)


def test_a_conversation_that_dies_takes_nobody_with_it(helper):
    with connected(helper.socket) as connection:
        (child,) = wait_until(lambda: helper.waiting, 5, "a conversation that waits")
        os.kill(child, signal.SIGSEGV)
        connection.settimeout(server.REQUEST_SECONDS / 2)  # before it would end by itself
        assert is_closed(connection)
    assert client.answers(helper.socket)


def test_forty_requests_at_once_take_turns(helper):
    most, done = 0, threading.Event()

    def watch():
        nonlocal most
        while not done.wait(0.01):
            most = max(most, len(helper.children))

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(40) as pool:
        said = list(pool.map(lambda n: helper.ask("camille", f"wrong {n}"), range(40)))
    done.set()
    watching.join()
    assert said == [WRONG] * 40
    assert most == server.CONVERSATIONS


def test_where_every_place_is_taken_the_next_one_waits_for_one(machine):
    with (
        Helper(machine, name="two", constants="server.CONVERSATIONS = 2") as two,
        connected(two.socket) as first,
        connected(two.socket),
        connected(two.socket) as third,
    ):
        wait_until(lambda: len(two.children) == 2, 5, "both places are taken")
        third.sendall(pack(Hello()))
        third.settimeout(0.3)
        with pytest.raises(TimeoutError):
            third.recv(1)
        first.close()
        assert wire.receive(third, 5)


AS_SOMEBODY = """
import os, socket, sys
connection = socket.socket(socket.AF_UNIX)
os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
connection.settimeout(5)
try:
    connection.connect(sys.argv[1])
    connection.sendall(bytes.fromhex(sys.argv[3]))
    print(connection.recv(100).hex())
except OSError as error:
    print(type(error).__name__)
"""


def asked_by(uid, path):
    """What a process of `uid` gets for a `Hello`."""
    done = subprocess.run(
        [sys.executable, "-c", AS_SOMEBODY, str(path), str(uid), pack(Hello()).hex()],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@needs_root
def test_only_the_named_user_and_root_are_served():
    with new_machine() as machine:
        machine.add(Account("site", uid=4500))
        machine.folder.chmod(0o755)
        with Helper(machine, "--user", "site") as served:
            folder = served.socket.parent
            assert (folder.stat().st_mode & 0o777, folder.stat().st_gid) == (0o750, 4500)
            assert (served.socket.stat().st_mode & 0o777, served.socket.stat().st_gid) == (
                0o660,
                4500,
            )
            assert "ready" in bytes.fromhex(asked_by(4500, served.socket)).decode("latin-1")
            assert asked_by(65534, served.socket) == "PermissionError"
            folder.chmod(0o755)
            served.socket.chmod(0o666)
            assert asked_by(65534, served.socket) in {"", "ConnectionResetError", "BrokenPipeError"}
            assert "turned away a process of uid 65534" in served.said
            assert client.answers(served.socket)


DENY_WRITE_EXECUTE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, ctypes.c_ulong(1), 0, 0, 0)  # kernels before 6.3 lack it: no harm
os.execvp(sys.argv[1], sys.argv[1:])
"""


@needs_root
def test_it_works_with_the_rights_that_its_unit_leaves_it(machine):
    unit = Path("deploy/systemd/eop-pam.service").read_text()
    rights = re.search("^CapabilityBoundingSet=(.*)", unit, re.MULTILINE)[1].lower()
    allowed = ",".join(f"+{name.removeprefix('cap_')}" for name in rights.split())
    assert "MemoryDenyWriteExecute=yes" in unit
    before = ("setpriv", f"--bounding-set=-all,{allowed}", "--no-new-privs")
    before += (sys.executable, "-c", DENY_WRITE_EXECUTE)
    with Helper(machine, name="bounded", before=before) as bounded:
        status = Path(f"/proc/{bounded.process.pid}/status").read_text()
        assert int(re.search(r"CapEff:\s*(\w+)", status)[1], 16).bit_count() == len(rights.split())
        assert bounded.ask("camille") == ("ok", True)
        assert bounded.ask("must-change") == ("must_change", True)
        assert bounded.ask("camille", "wrong") == WRONG


@needs_root  # its /proc is closed to others
def test_it_gives_up_what_it_does_not_need(machine):
    with Helper(machine, name="given-up") as running:
        folder = Path(f"/proc/{running.process.pid}")
        status = (folder / "status").read_text()
        assert re.search(r"NoNewPrivs:\s*1", status)
        assert re.search(r"Umask:\s*0077", status)
        assert re.search(r"Max core file size +0 +0 ", (folder / "limits").read_text())
        assert (folder / "fd/0").readlink() == Path("/dev/null")
        assert (folder / "cwd").readlink() == Path("/")
        open_files = {(one.name, str(one.readlink())) for one in (folder / "fd").iterdir()}
        assert sum(target.startswith("socket:") for _, target in open_files) == 3
        assert len(open_files) == 6


@needs_root
def test_no_password_stays_in_its_log_its_arguments_or_its_memory(machine):
    machine.add(Account("keeper", hashed("a very special password")))
    with Helper(machine, name="keeper") as running:
        assert running.ask("keeper", "a very special password") == ("ok", True)
        assert running.ask("keeper", "a very special mistake") == WRONG
        assert running.ask("a.very.special.login", "x") == WRONG
        wait_until(lambda: not running.children, 5, "no conversation runs")
        number = running.process.pid
        assert b"very special" not in Path(f"/proc/{number}/cmdline").read_bytes()
        remembered = memory_of(number)
        assert b"eop-pam" in remembered
        assert b"very special" not in remembered
    assert "keeper: ok" in running.said
    assert "keeper: wrong" in running.said
    assert "special" not in running.said


def memory_of(number):
    """Everything a process may write to."""
    parts = []
    with Path(f"/proc/{number}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{number}/maps").read_text().splitlines():
            first, last, mode = re.match(r"(\w+)-(\w+) (....)", line).groups()
            if mode.startswith("rw"):
                memory.seek(int(first, 16))
                parts.append(memory.read(int(last, 16) - int(first, 16)))
    return b"".join(parts)


def test_it_stops_when_told_and_removes_its_socket(machine):
    running = Helper(machine, name="stopped", constants=QUICK)
    with running, connected(running.socket):
        wait_until(lambda: running.children, 5, "a conversation")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) == 0
    assert not running.socket.exists()


def test_after_a_kill_the_next_one_takes_over(machine):
    killed = Helper(machine, name="killed")
    with killed:
        killed.process.kill()
        killed.process.wait()
        assert killed.socket.exists()
        assert not client.answers(killed.socket)
        with Helper(machine, name="killed"):
            assert client.hello(killed.socket) == "eop"


def test_conversations_do_not_outlive_it(machine):
    running = Helper(machine, name="orphans")
    with running, connected(running.socket) as connection:
        wait_until(lambda: running.waiting, 5, "a conversation that waits for its request")
        running.process.kill()
        running.process.wait()
        connection.settimeout(server.REQUEST_SECONDS / 2)  # before it would end by itself
        assert is_closed(connection)


def test_two_do_not_listen_at_one_place(helper):
    second = subprocess.run(helper.command, capture_output=True, text=True, timeout=20)
    assert second.returncode == 2
    assert f"another eop-pam listens at {helper.socket}" in second.stderr
    assert client.answers(helper.socket)
