import os
import tracemalloc

import pytest

from controle_vnc.control import messages as m
from controle_vnc.files import drafts, folders
from controle_vnc.files.folders import MAX_ENTRIES, MAX_LISTED
from tests.files_process import collecting, looking, placing

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
    fill(lea.folder, MAX_LISTED + MAX_ENTRIES, b"%06d" + LONG)
    collected = lea.ask(collecting)
    assert collected.skipped[0].why == "too_many"
    assert collected.copied <= MAX_ENTRIES
    (look,) = lea.process.ask(looking(lea.login)).looks
    assert (look.code, look.is_there, look.was_changed) == ("", True, True)
    at = {"login": lea.login, "teacher": "camille", "folder": "TP3 3eB"}
    assert lea.process.ask(m.ListFiles(**at)).is_cut
    assert lea.process.ask(m.ReadPart(**at, name="devoir.odt")).data == b"the sea"
    again = lea.ask(placing, lea.process.upload(b"two", name="000000"), folder="TP3 3eB")
    assert again.was_there is False
