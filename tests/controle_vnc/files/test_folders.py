import os
import tracemalloc

import pytest

from controle_vnc.control import messages as m
from controle_vnc.files import drafts, folders
from controle_vnc.files.folders import MAX_ENTRIES, MAX_LISTED
from controle_vnc.files.mirror import MAX_TOLD
from controle_vnc.files.names import MAX_TOLD_CHARACTERS
from tests.files_process import collecting, looking, placing, removing, returning

LONG = b"\xff" * 240  # as text, each byte takes two
MANY = 20_000
FEW_BYTES = 3_000_000  # what MAX_LISTED of the longest names take, twice


@pytest.fixture
def folder(tmp_path):
    number = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield number
    os.close(number)


def fill(path, count, name=b"%06d"):
    for number in range(count):
        os.close(os.open(os.fsencode(path) + b"/" + name % number, os.O_CREAT | os.O_WRONLY))


def test_so_many_names_are_read_and_no_more(folder, tmp_path):
    fill(tmp_path, MAX_LISTED)
    assert folders.entries(folder) == ([b"%06d" % number for number in range(MAX_LISTED)], False)
    (tmp_path / "one-more").touch()
    names, is_cut = folders.entries(folder)
    assert (len(names), is_cut) == (MAX_LISTED, True)
    assert names == sorted(names)


def test_a_folder_that_is_full_of_long_names_does_not_fill_our_memory(folder, tmp_path):
    fill(tmp_path, MANY, LONG + b"%06d")
    tracemalloc.start()
    try:
        assert folders.entries(folder)[1]
        assert drafts.left_behind(folder, b"mark") == []
        assert not folders.is_empty(folder)
        assert tracemalloc.get_traced_memory()[1] < FEW_BYTES
    finally:
        tracemalloc.stop()


def test_a_folder_that_was_looked_at_halfway_begins_anew(folder, tmp_path):
    assert folders.is_empty(folder)
    fill(tmp_path, 3)
    for _ in range(2):
        assert not folders.is_empty(folder)
        assert len(folders.entries(folder)[0]) == 3


def test_a_student_with_far_too_many_files_is_answered_like_everybody(lea):
    lea.ask(placing, lea.process.upload(b"the sea"))
    for number in range(MAX_LISTED + MAX_ENTRIES):  # looked at, not copied: quick
        os.symlink("x", os.fsencode(lea.folder) + b"/%06d" % number + LONG)
    assert lea.ask(collecting).skipped[0].why == "too_many"
    (look,) = lea.process.ask(looking(lea.login)).looks
    assert (look.code, look.is_there) == ("", True)
    at = {"login": lea.login, "teacher": "camille", "folder": "TP3 3eB"}
    assert lea.process.ask(m.ListFiles(**at)).is_cut
    assert lea.process.ask(m.ReadPart(**at, name="devoir.odt")).data == b"the sea"
    more = lea.process.upload(b"two", name="two.odt")
    assert lea.ask(placing, lea.process.upload(b"the sea"), more).was_there is False


def deeper(path, depth):
    """A folder so deep that its path is too long to name; it is the working folder then."""
    os.chdir(path)
    for number in range(depth):
        os.mkdir(b"\xff" * 250 + b"%d" % number)
        os.chdir(b"\xff" * 250 + b"%d" % number)


def test_a_list_of_the_longest_names_fits_into_a_message(lea, monkeypatch):
    monkeypatch.chdir("/")  # and back there afterwards
    lea.ask(placing, lea.process.upload(b"the sea", name="~last.odt"))
    deeper(lea.folder, 4)
    fill(".", 300, b"\xff" * 240 + b"%06d")
    deeper(".", 1)
    fill(".", 10, b"\xff" * 240 + b"%06d")  # longer than can be asked for
    at = {"login": lea.login, "teacher": "camille", "folder": "TP3 3eB"}
    listed = lea.process.ask(m.ListFiles(**at))
    assert (listed.files[0].name, listed.is_cut) == ("~last.odt", True)
    assert 100 < len(listed.files) < 300
    for one in (listed.files[1], listed.files[-1]):
        assert lea.process.ask(m.ReadPart(**at, name=one.name)).size == 0


def test_so_many_names_are_told_and_none_at_length(lea, monkeypatch):
    monkeypatch.chdir("/")
    lea.ask(placing, lea.process.upload(b"the sea"))
    fill(lea.folder, MAX_TOLD + 1, b"\xff" * 240 + b":%06d")
    deeper(lea.folder, folders.MAX_DEPTH)
    for number in range(MAX_TOLD + 1):
        os.symlink("x", b"\xfe" * 240 + b"%06d" % number)
    collected = lea.ask(collecting)
    assert (collected.copied, len(collected.skipped)) == (MAX_TOLD + 2, MAX_TOLD)
    assert len(collected.renamed) == MAX_TOLD
    assert max(len(one.name) for one in collected.skipped) == MAX_TOLD_CHARACTERS
    assert lea.ask(returning).files == MAX_TOLD + 2
    for path in (lea.folder / "correction").iterdir():
        if path.is_file():
            path.write_text("changed")
    assert len(lea.ask(removing, ["corrections"]).kept) == MAX_TOLD
