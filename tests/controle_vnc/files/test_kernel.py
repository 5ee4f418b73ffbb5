"""System calls, and what stands for them on kernels and file systems that lack them."""

import errno
import os

import pytest

from controle_vnc.files import drafts, kernel
from controle_vnc.files.drafts import Draft, Seen
from controle_vnc.files.folders import open_file
from controle_vnc.files.homes import Owner

OURS = Owner(os.geteuid(), os.getegid())
FOLDER = os.O_RDONLY | os.O_DIRECTORY


@pytest.fixture
def folder(tmp_path):
    number = os.open(tmp_path, FOLDER)
    yield number
    os.close(number)


@pytest.fixture(params=["openat2", "openat"])
def either(request, monkeypatch):
    if request.param == "openat":
        monkeypatch.setattr(kernel, "_SYS_OPENAT2", 9999)  # ENOSYS


@pytest.mark.usefixtures("either")
def test_one_name_is_opened_and_nothing_else(folder, tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("inner")
    (tmp_path / "file").write_text("x")
    os.close(kernel.open_beneath(folder, b"inner", FOLDER))
    for name in (b"", b".", b"..", b"inner/..", b"/tmp", b"a\0b"):
        with pytest.raises(OSError, match="not one name"):
            kernel.open_beneath(folder, name, FOLDER)
    for name, number in (
        (b"link", {errno.ELOOP, errno.ENOTDIR}),
        (b"file", {errno.ENOTDIR}),
        (b"nothing", {errno.ENOENT}),
    ):
        with pytest.raises(OSError, match=".") as refused:
            kernel.open_beneath(folder, name, FOLDER)
        assert refused.value.errno in number


@pytest.mark.usefixtures("either")
def test_only_regular_files_are_opened(folder, tmp_path):
    (tmp_path / "file").write_text("content")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("file")
    file = open_file(folder, b"file")
    assert os.read(file, 100) == b"content"
    os.close(file)
    for name, number in ((b"pipe", errno.EINVAL), (b"link", errno.EINVAL)):
        with pytest.raises(OSError, match=".") as refused:
            open_file(folder, name)
        assert refused.value.errno in {number, errno.ELOOP}


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
@pytest.mark.parametrize("lacking", [None, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_files_are_copied_whole_with_and_without_the_kernels_help(
    tmp_path, monkeypatch, size, lacking
):
    if lacking is not None:

        def refuse(*_):
            raise OSError(lacking, os.strerror(lacking))

        monkeypatch.setattr(os, "copy_file_range", refuse)
    content = os.urandom(size)
    (tmp_path / "source").write_bytes(content)
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("w+b") as target:
        assert kernel.copy(source.fileno(), target.fileno(), size) == size
    assert (tmp_path / "target").read_bytes() == content


def test_a_source_that_shrank_is_told_by_the_count(tmp_path):
    (tmp_path / "source").write_bytes(b"short")
    with (tmp_path / "source").open("rb") as source, (tmp_path / "target").open("w+b") as target:
        assert kernel.copy(source.fileno(), target.fileno(), 100) == 5
    assert (tmp_path / "target").read_bytes() == b"short"


@pytest.fixture(params=["exchange", "rename"])
def replacing(request, monkeypatch):
    if request.param == "rename":
        monkeypatch.setattr(kernel, "_SYS_RENAMEAT2", None)
    return request.param


def drafted(folder, text):
    draft = Draft(folder, OURS, b"mark")
    os.write(draft.file, text)
    draft.finish(0, 10**9)
    return draft


def test_a_draft_takes_the_place_of_what_was_seen(folder, tmp_path, replacing):
    (tmp_path / "essay.odt").write_text("old")
    seen = Seen.of((tmp_path / "essay.odt").stat())
    with drafted(folder, b"new") as draft:
        assert draft.replace(b"essay.odt", seen) is None
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"essay.odt": "new"}


def test_what_changed_at_the_last_moment_stays_beside(folder, tmp_path):
    (tmp_path / "essay.odt").write_text("old")
    seen = Seen.of((tmp_path / "essay.odt").stat())
    (tmp_path / "essay.odt").write_text("changed just now")
    with drafted(folder, b"new") as draft:
        assert draft.replace(b"essay.odt", seen) == b"essay (2).odt"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "essay.odt": "new",
        "essay (2).odt": "changed just now",
    }


def test_a_folder_that_came_into_the_place_at_the_last_moment_stays_beside(folder, tmp_path):
    (tmp_path / "essay.odt").mkdir()
    (tmp_path / "essay.odt/inner").write_text("x")
    (tmp_path / "essay (2).odt").write_text("taken")
    with drafted(folder, b"new") as draft:
        assert draft.replace(b"essay.odt", Seen((3, 10**9))) == b"essay (3).odt"
    assert (tmp_path / "essay.odt").read_text() == "new"
    assert (tmp_path / "essay (3).odt/inner").read_text() == "x"
    assert (tmp_path / "essay (2).odt").read_text() == "taken"


def test_a_folder_with_a_name_like_ours_is_left_alone(folder, tmp_path):
    (tmp_path / ".eop-mark-folder").mkdir()
    (tmp_path / ".eop-mark-file").touch()
    drafts.sweep(folder, b"mark")
    assert os.listdir(tmp_path) == [".eop-mark-folder"]


@pytest.mark.parametrize("nameless", [True, False])
def test_a_draft_is_not_seen_before_it_has_its_name(folder, tmp_path, monkeypatch, nameless):
    if not nameless:
        monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_CREAT)
    with drafted(folder, b"text") as draft:
        assert (os.listdir(tmp_path) == []) == nameless
        (tmp_path / "taken").write_text("mine")
        with pytest.raises(FileExistsError):
            draft.name(b"taken")
        draft.name(b"free")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "taken": "mine",
        "free": "text",
    }
    with drafted(folder, b"dropped"):
        pass
    drafts.sweep(folder, b"mark")
    assert sorted(os.listdir(tmp_path)) == ["free", "taken"]


@pytest.mark.parametrize("nameless", [True, False])
def test_a_draft_that_is_hidden_is_not_seen_at_all(folder, tmp_path, monkeypatch, nameless):
    (tmp_path / ".eop-other-1").touch()
    if not nameless:
        monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_CREAT)
        (tmp_path / ".eop-mark-1").touch()  # of one that was killed
    with drafted(folder, b"text") as draft:
        draft.hide()
        assert os.listdir(tmp_path) == [".eop-other-1"]
        assert os.fstat(draft.file).st_size == 4
    assert os.listdir(tmp_path) == [".eop-other-1"]
