"""One student's disk that fails is that student's trouble and nobody else's."""

import os
import pwd
import subprocess

import pytest

from controle_vnc.control import messages as m
from controle_vnc.control.framing import HEADER_BYTES, unpack
from controle_vnc.files import server
from controle_vnc.files.homes import Homes
from tests.files_process import FilesProcess, collecting, looking, placing
from tests.machine import needs_machine, needs_root

AT = {"teacher": "camille", "folder": "TP3 3eB"}
REFUSING = """
import errno, os, sys
from controle_vnc.files import kernel
from controle_vnc.files.__main__ import main
real = kernel.open_beneath
def refusing(folder, name, flags):
    if name.startswith(b"broken"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    return real(folder, name, flags)
kernel.open_beneath = refusing
sys.exit(main([]))
"""


def test_a_mark_that_is_damaged_is_that_students_alone(running):
    for login in ("damaged", "whole"):
        running.ask(placing(running.upload(b"the sea"), login=login))
    (mark,) = (running.state / "marks/damaged").glob("*.mark")
    mark.write_bytes(b"no mark")
    damaged, whole = running.ask(looking("damaged", "whole")).looks
    assert damaged == m.Look("damaged", code="internal")
    assert (whole.code, whole.is_there) == ("", True)


def test_a_name_that_the_disk_refuses_is_told_and_the_rest_is_done():
    with FilesProcess(program=("-c", REFUSING)) as process:
        process.ask(placing(process.upload(b"the sea")))
        folder = process.homes / "lea/perso/devoirs/camille/TP3 3eB"
        (folder / "broken.odt").touch()
        (folder / "inner").mkdir()
        (folder / "inner/broken").mkdir()
        collected = process.ask(collecting())
        assert collected.copied == 1
        assert {(one.name, one.why) for one in collected.skipped} == {
            ("broken.odt", "unreadable"), ("inner/broken", "unreadable"),
        }  # fmt: skip
        (look,) = process.ask(looking()).looks
        assert (look.code, look.is_there) == ("", True)
        listed = process.ask(m.ListFiles(login="lea", **AT))
        assert {one.name for one in listed.files} == {"devoir.odt", "collected.txt"}


@needs_root
@needs_machine
def test_what_is_mounted_in_a_folder_is_left_alone():
    process = FilesProcess()
    process.command = ("unshare", "--mount", *process.command)
    with process:
        process.ask(placing(process.upload(b"the sea")))
        folder = process.homes / "lea/perso/devoirs/camille/TP3 3eB"
        (folder / "disk").mkdir()
        (folder / "file").touch()
        inside = ("nsenter", "--mount", "--target", str(process.process.pid), "mount")
        subprocess.run([*inside, "-t", "tmpfs", "none", str(folder / "disk")], check=True)
        subprocess.run([*inside, "--bind", "/etc/hostname", str(folder / "file")], check=True)
        collected = process.ask(collecting())
        assert collected.copied == 1
        assert collected.skipped == [m.Skipped("disk", "special"), m.Skipped("file", "special")]
        (look,) = process.ask(looking()).looks
        assert (look.code, look.is_there) == ("", True)
        assert process.ask(m.ReadPart(login="lea", name="file", **AT)).code == "unknown_file"


def test_who_has_a_home_is_found_while_our_own_disk_is_full(tmp_path, monkeypatch):
    uid = max(os.geteuid(), 4000)
    account = pwd.struct_passwd(("lea", "x", uid, uid, "", str(tmp_path), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwnam", lambda _: account)
    if os.geteuid() == 0:
        os.chown(tmp_path, uid, uid)
    homes = Homes("", tmp_path / "kept", tmp_path / "no such folder")
    assert homes.find("lea").has_home


@pytest.mark.parametrize(("count", "kind"), [(100, m.Files), (300, m.Failure)])
def test_a_reply_that_is_too_long_is_told_as_a_failure(count, kind):
    entry = m.FileEntry("x" * 4000, 1, 1, "own")
    packed = server._packed(m.Files(path="x", has_home=True, files=[entry] * count))
    assert isinstance(unpack(packed[HEADER_BYTES:], m.decoder(m.Reply)), kind)
