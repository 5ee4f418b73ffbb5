"""Disks and quotas that are full: told before anything is lost, and done once there is room."""

import contextlib
import os
import shutil
from pathlib import Path

from controle_vnc.control import messages as m
from controle_vnc.files.reserve import SHARE
from tests.files_process import FilesProcess, collecting, file_of, placing, returning
from tests.machine import needs_root

SIZE = 4 * 1024 * 1024
MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o size="$1" none "$0" && shift && exec "$@"'


def small(at, size=SIZE, **more):
    """The process with a small disk at one of its folders, which only it sees."""
    process = FilesProcess(**more)
    where = getattr(process, at)
    process.command = (
        "unshare", "--mount", "sh", "-c", MOUNT, str(where), str(size), *process.command,
    )  # fmt: skip
    return process


def seen(process, path):
    """A path as the process sees it."""
    return Path(f"/proc/{process.process.pid}/root{path}")


def fill(file):
    with contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def tree(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


pytestmark = needs_root
LARGE = os.urandom(SIZE // 2 - 100_000)


def test_what_does_not_fit_is_refused_whole_and_fits_once_there_is_room():
    with small("homes") as process:
        homes = seen(process, process.homes)
        one, other = process.upload(LARGE), process.upload(LARGE[::-1], name="two.odt")
        third = process.upload(LARGE[1:], name="three.odt")
        refused = process.ask(placing(one, other, third))
        assert refused.code == "no_space"
        assert list((homes / "lea/perso/devoirs/camille").iterdir()) == []
        assert isinstance(process.ask(placing(one)), m.Placed)
        space = process.ask(m.AskSpace(login="lea", wanted=len(LARGE) * 2))
        assert (space.fits, space.limit) == (False, "no_space")
        assert 0 < space.free < SIZE
        assert process.ask(m.AskSpace(login="lea", wanted=1000)).fits
        filler = homes / "filler"
        filler.write_bytes(bytes(SIZE // 2))
        collected = process.ask(collecting())
        assert collected.code == "no_space"
        assert tree(homes / "lea") == {"devoir.odt": LARGE}
        assert tree(homes / "camille") == {}
        filler.unlink()
        assert process.ask(collecting()).copied == 1
        assert tree(homes / "camille") == {"devoir.odt": LARGE}
        assert process.ask(returning()).code == "no_space"
        shutil.rmtree(homes / "camille")
        assert tree(homes / "lea") == {
            "devoir.odt": LARGE,
            "collected.txt": b"Your document was collected.\n",
        }


def test_an_upload_that_does_not_fit_goes_on_where_it_was_once_there_is_room():
    with small("state") as process:
        state = seen(process, process.state)
        (state / "filler").write_bytes(bytes(SIZE - len(LARGE) // 2))
        data, file = LARGE, file_of(LARGE)
        size, code = 0, ""
        while size < len(data) and not code:
            part = data[size : size + m.MAX_PART_BYTES]
            reply = process.ask(m.KeepPart(upload=file.upload, offset=size, data=part))
            size, code = getattr(reply, "size", size), getattr(reply, "code", "")
        assert code == "no_space"
        assert process.ask(m.KeepPart(upload=file.upload, offset=0, data=b"")).size == size
        (state / "filler").unlink()
        assert process.upload(data) == file


def test_a_note_that_cannot_be_kept_leaves_no_file_behind():
    with small("state", 3_000_000) as process:
        file = process.upload(b"x")
        assert process.ask(placing(file, folder="first")).was_there is False
        filler = seen(process, process.state) / "filler"
        with filler.open("wb", buffering=0) as written:
            fill(written)
        assert process.ask(placing(file)).code == "no_space"
        assert [one.name for one in (process.homes / "lea").rglob("*.odt")] == ["devoir.odt"]
        filler.unlink()
        assert isinstance(process.ask(placing(file)), m.Placed)


def test_whoever_fills_our_disk_leaves_room_for_notes():
    process = small("state")
    process.environment["EOP_FILES_HOMES"] = str(process.state / "people")
    with process:
        process.ask(placing(process.upload(b"the sea")))
        reply, number = None, 0
        while not isinstance(reply, m.Failure):
            number += 1
            data = bytes([number]) * 300_000
            file = process.upload(data, name=f"{number}.odt")
            at = {"login": "lea", "teacher": "camille", "folder": "TP3 3eB"}
            reply = process.ask(m.TakeUpload(**at, file=file))
            process.ask(m.DropUpload(upload=file.upload))
        assert (reply.code, number > 5) == ("no_space", True)
        assert process.ask(m.GetFilesStatus()).free > SIZE // SHARE
        assert not process.ask(m.AskSpace(login="lea", wanted=600_000)).fits
        assert process.ask(m.AskSpace(login="lea")).free < 600_000
        filler = seen(process, process.state) / "filler"
        filler.write_bytes(bytes(process.ask(m.AskSpace(login="lea")).free))
        begun = process.ask(m.KeepPart(upload="e" * 32, offset=0, data=b""))
        assert begun.code == "no_space"
        assert process.ask(collecting()).code == "no_space"
        filler.unlink()
        assert process.ask(m.KeepPart(upload="e" * 32, offset=0, data=b"")).size == 0


QUOTA = """
import errno, os, sys
from controle_vnc.files import kernel
from controle_vnc.files.__main__ import main
real = os.posix_fallocate
def limited(file, offset, size):
    if size > 1_000_000:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
    real(file, offset, size)
os.posix_fallocate = limited
sys.exit(main([]))
"""


def test_a_quota_that_is_used_up_is_told_as_one():
    with FilesProcess(program=("-c", QUOTA)) as process:
        large, small_one = process.upload(bytes(2_000_000)), process.upload(b"x", name="x.odt")
        assert process.ask(placing(large, small_one)).code == "quota"
        assert list(process.homes.rglob("*.odt")) == []
        assert isinstance(process.ask(placing(small_one)), m.Placed)
        work = process.homes / "lea/perso/devoirs/camille/TP3 3eB/work.odt"
        work.write_bytes(bytes(2_000_000))
        assert process.ask(collecting()).code == "quota"
        assert work.stat().st_size == 2_000_000
        space = process.ask(m.AskSpace(login="lea", wanted=4_000_000))
        assert (space.fits, space.limit) == (False, "quota")
        assert 990_000 < space.free <= 1_000_000


def test_a_notice_that_does_not_fit_stops_no_collection():
    program = QUOTA.replace(
        "os.posix_fallocate = limited", "os.pwrite = lambda *_: limited(*_[:2], 10**9)"
    )
    with FilesProcess(program=("-c", program)) as process:
        process.ask(placing(process.upload(b"x")))
        collected = process.ask(collecting())
        assert (collected.copied, collected.skipped) == (1, [m.Skipped("collected.txt", "quota")])
