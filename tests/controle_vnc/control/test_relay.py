import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from controle_vnc.control import messages as m
from controle_vnc.control import relay
from controle_vnc.control.relay import FilesRelay
from controle_vnc.errors import RequestRefusedError
from tests.desktops import wait_until
from tests.files_process import FilesProcess, placing
from tests.machine import needs_root


@pytest.fixture(scope="module")
def running():
    with FilesProcess() as process:
        yield process


def asked(path, request=None):
    return asyncio.run(FilesRelay(path).ask(request or m.GetFilesStatus()))


def refused(path, request=None):
    with pytest.raises(RequestRefusedError) as error:
        asked(path, request)
    return error.value


def test_a_request_is_handed_on_and_so_is_the_reply(running):
    assert asked(running.socket).homes == str(running.homes)
    placed = asked(running.socket, placing(running.upload(b"x"), login="relayed"))
    assert isinstance(placed, m.Placed)


def test_a_refusal_keeps_its_code(running):
    request = m.ListFiles(login="nobody", teacher="camille", folder="TP")
    assert refused(running.socket, request).code == "unknown_document"


def test_the_largest_part_passes_both_ways(running):
    data = bytes(m.MAX_PART_BYTES)
    kept = asked(running.socket, m.KeepPart(upload="e" * 32, offset=0, data=data))
    assert kept == m.Kept(size=len(data))


def test_where_nobody_listens_it_is_told(tmp_path):
    assert refused(tmp_path / "files.sock").code == "files_down"


def test_many_at_once_are_all_answered(running):
    async def scene():
        office = FilesRelay(running.socket)
        return await asyncio.gather(*(office.ask(m.GetFilesStatus()) for _ in range(200)))

    assert len(asyncio.run(scene())) == 200


@pytest.fixture
def stranger(tmp_path):
    """A socket that does with each connection what it is told."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "files.sock"))
    listener.listen(8)
    listener.settimeout(5)

    def play(answer):
        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        return tmp_path / "files.sock"

    yield play
    listener.close()


@pytest.mark.parametrize("said", [b"", b"\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x03abc", b"\0\0\0\0"])
def test_nonsense_is_no_reply(stranger, said):
    path = stranger(lambda connection: connection.sendall(said))
    assert refused(path).code == "files_down"


def test_who_never_answers_is_given_up(stranger, monkeypatch):
    monkeypatch.setattr(relay, "ANSWER_SECONDS", 0.2)
    over = threading.Event()
    path = stranger(lambda connection: over.wait(5))
    assert refused(path).code == "files_down"
    over.set()


LISTEN = """
import os, socket, sys
one = socket.socket(socket.AF_UNIX)
one.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
one.listen()
print("ready", flush=True)
connection, _ = one.accept()
print(len(connection.recv(100)), flush=True)
"""


@pytest.fixture
def folder_of_all():
    folder = Path(tempfile.mkdtemp(prefix="eop-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_an_impostor_is_told_nothing(folder_of_all):
    path = folder_of_all / "files.sock"
    listening = subprocess.Popen(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
         sys.executable, "-c", LISTEN, str(path)],
        stdout=subprocess.PIPE, text=True, cwd="/",
    )  # fmt: skip
    try:
        if listening.stdout.readline() != "ready\n":
            pytest.skip("nobody cannot run this Python here")
        assert "uid 65534" in str(refused(path))
        assert listening.stdout.readline() == "0\n"
    finally:
        listening.kill()
        listening.wait()
        listening.stdout.close()


def test_a_process_that_was_killed_is_used_again_when_it_is_back(running):
    running.kill()
    assert refused(running.socket).code == "files_down"
    running.start()
    assert wait_until(lambda: asked(running.socket), 5, "it is back").uploads >= 0
