"""controle-vnc-files as it really runs, and what the daemon would say to it."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from controle_vnc.control import messages as m
from controle_vnc.control.framing import HEADER_BYTES, body_length, pack, unpack
from tests.desktops import wait_until

START_SECONDS = 15
KEY = "a1" * 16
ROOT = Path(__file__).resolve().parent.parent

_reply = m.decoder(m.Reply)


class FilesProcess:
    """The process in a folder of its own; `before` is put before its command.

    `machine`: whose accounts it sees, with homes of their own; else homes are in `homes`.
    """

    def __init__(self, machine=None, before=(), arguments=(), program=(), **environment):
        self.folder = Path(tempfile.mkdtemp(prefix="eop-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.homes = self.folder / "homes"
        self.state = self.folder / "var/lib/controle-vnc-files"
        self.socket = self.folder / "run/controle-vnc-files/files.sock"
        self.log = self.folder / "files.log"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("EOP_")},
            "EOP_HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            **({} if machine else {"EOP_FILES_HOMES": str(self.homes)}),
            **environment,
        }
        command = (*before, sys.executable, *(program or ("-m", "controle_vnc.files")), *arguments)
        self.command = machine.command(*command) if machine else command
        self.process: subprocess.Popen[bytes] | None = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(self._is_up, START_SECONDS, "controle-vnc-files answers")
        return self

    def _is_up(self):
        assert self.process.poll() is None, self.said
        try:
            return self.ask(m.GetFilesStatus())
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(10)

    def kill(self):
        self.stop(signal.SIGKILL)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def said(self):
        return self.log.read_text()

    def ask(self, request, seconds=30.0):
        """The reply, a `Failure` included; raises `OSError` where nobody answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(str(self.socket))
            connection.sendall(pack(request))
            with connection.makefile("rb") as stream:
                header = stream.read(HEADER_BYTES)
                if len(header) < HEADER_BYTES:
                    raise ConnectionResetError("it hung up")
                length = body_length(header, m.MAX_MESSAGE_BYTES)
                return unpack(stream.read(length), _reply)

    def upload(self, data, **more):
        """Bring `data` there, whole, where it is not yet; the file for a request."""
        file = file_of(data, **more)
        size = self.ask(m.KeepPart(upload=file.upload, offset=0, data=b"")).size
        while size < len(data):
            part = data[size : size + m.MAX_PART_BYTES]
            kept = self.ask(m.KeepPart(upload=file.upload, offset=size, data=part))
            assert kept == m.Kept(size=size + len(part)), kept
            size = kept.size
        checked = self.ask(m.CheckUpload(upload=file.upload, size=file.size, sha256=file.sha256))
        assert checked == m.Kept(size=len(data)), checked
        return file


def file_of(data, name="devoir.odt", is_annex=False):
    """An upload as a request names it; its id comes from its content."""
    digest = hashlib.sha256(data).hexdigest()
    return m.File(digest[:32], name, len(data), digest, is_annex)


def placing(*files, login="lea", teacher="camille", folder="TP3 3eB", key=KEY):
    return m.PlaceDocument(
        login=login, teacher=teacher, folder=folder, files=list(files), owner_key=key
    )


def collecting(login="lea", teacher="camille", folder="TP3 3eB", key=KEY, number=1):
    return m.CollectDocument(
        login=login, teacher=teacher, folder=folder, owner_key=key, round=number,
        notice_name="collected.txt", notice="Your document was collected.\n",
    )  # fmt: skip


def returning(login="lea", teacher="camille", folder="TP3 3eB", key=KEY, number=1):
    return m.ReturnDocument(
        login=login, teacher=teacher, folder=folder, owner_key=key, round=number
    )


def looking(*logins, teacher="camille", folder="TP3 3eB", key=KEY):
    return m.LookAtDocument(
        logins=list(logins or ("lea",)), teacher=teacher, folder=folder, owner_key=key
    )


EVERYTHING = ["documents", "annexes", "notice", "corrections", "collected"]


def removing(what=EVERYTHING, login="lea", teacher="camille", folder="TP3 3eB", key=KEY, **more):
    return m.RemoveDocument(
        login=login, teacher=teacher, folder=folder, owner_key=key, what=list(what), **more
    )
