import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from eop.pam import client
from eop.pam.client import ImpostorError
from eop.pam.protocol import Answer, ProtocolError, Ready, pack
from tests.desktops import wait_until
from tests.machine import needs_machine, needs_root

OF_SOMEBODY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen()
connection, _ = listening.accept()
sys.stdout.buffer.write(connection.recv(1000))
"""


@needs_machine
def test_a_running_helper_says_which_service_it_asks(helper):
    assert client.hello(helper.socket) == "eop"
    assert client.answers(helper.socket)


def test_an_absent_one_does_not_answer(tmp_path):
    assert not client.answers(tmp_path / "s")


@pytest.fixture
def open_folder():
    """A folder that everybody may use."""
    with tempfile.TemporaryDirectory(prefix="eop-", dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@needs_root
def test_somebody_else_who_listens_is_told_no_password(open_folder):
    path = open_folder / "s"
    with subprocess.Popen(
        [sys.executable, "-c", OF_SOMEBODY, str(path)], stdout=subprocess.PIPE
    ) as somebody:
        try:
            wait_until(lambda: is_listened_at(path), 5, "somebody listens")
            with pytest.raises(ImpostorError, match="a process of uid 65534 listens there"):
                client.sign_in(path, "camille", "a password")
            assert somebody.stdout.read() == b""
        finally:
            somebody.kill()


def is_listened_at(path):
    """Whether a socket there accepts, without connecting to it."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return any(line.endswith(str(path)) and " 00010000 " in line for line in lines)


@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (client.hello, Answer("ok", True)),
        (lambda path: client.sign_in(path, "camille", "x"), Ready("eop")),
    ],
)
def test_the_answer_to_another_question_is_none(tmp_path, ask, reply):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(pack(reply))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ProtocolError, match="another reply than asked for"):
            ask(tmp_path / "s")
        thread.join(5)
