import io

import pytest

from eop.errors import NotFoundError, RefusedError
from eop.passwords import files

NOW = 1_700_000_000_000
OWNER = files.owner_of(1, NOW)


def keep(owner, text, now_ms):
    with files.begun(owner, "", now_ms) as file:
        file.add(text)
    return file.name


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EOP_HOME", str(tmp_path))
    return tmp_path


def test_two_files_of_one_second_are_both_kept():
    first, second = keep(OWNER, "a", NOW), keep(OWNER, "b", NOW)
    assert second == first.replace(".csv", "_2.csv")
    assert (files.read(OWNER, first), files.read(OWNER, second)) == (b"a", b"b")
    assert [one.name for one in files.listed(OWNER, NOW)] == [second, first]
    assert files.listed("2-0", NOW) == []


def test_what_is_older_than_a_day_is_deleted_and_not_before():
    name = keep(OWNER, "a", NOW)
    almost = NOW + files.KEPT_SECONDS * 1000 - 1
    assert [one.name for one in files.listed(OWNER, almost)] == [name]
    files.purge(almost)
    assert files.read(OWNER, name) == b"a"
    files.purge(NOW + files.KEPT_SECONDS * 1000)
    with pytest.raises(NotFoundError):
        files.read(OWNER, name)


def test_nobody_keeps_more_files_than_he_can_look_through(monkeypatch):
    monkeypatch.setattr(files, "MAX_FILES", 2)
    keep(OWNER, "a", NOW)
    keep(OWNER, "b", NOW)
    with pytest.raises(RefusedError) as refused:
        keep(OWNER, "c", NOW)
    assert refused.value.code == "too_many_files"


def test_a_row_is_there_before_the_next_and_stays_whatever_comes():
    names = []

    def write():
        with files.begun(OWNER, "head\n", NOW) as file:
            names.append(file.name)
            file.add("one\n")
            assert files.read(OWNER, file.name) == b"head\none\n"
            file.add("two\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert files.read(OWNER, names[0]) == b"head\none\ntwo\n"
    assert files.listed(OWNER, NOW)[0].until_ms == NOW + files.KEPT_SECONDS * 1000


def test_a_file_without_a_row_is_none():
    with files.begun(OWNER, "head\n", NOW) as file:
        pass
    with pytest.raises(NotFoundError):
        files.read(OWNER, file.name)


def test_a_full_disk_is_told_and_leaves_no_half_of_a_list():
    with files.begun(OWNER, "head\n", NOW) as file:
        file.add("one\n")
        file._raw.close()
        file._raw = io.FileIO("/dev/full", "w")
        with pytest.raises(RefusedError) as refused:
            file.add("two\n")
        assert refused.value.code == "file_failed"
        file.drop()
        file._raw.close()
    assert files.listed(OWNER, NOW) == []


def test_a_folder_that_cannot_be_made_is_told(home):
    (home / "var").write_text("in the way")
    with pytest.raises(RefusedError) as refused:
        keep(OWNER, "a", NOW)
    assert refused.value.code == "file_failed"


@pytest.mark.parametrize("name", ["../1/x.csv", "mot-de-passe_1_2.csv", "mot-de-passe_1_2_3.csv\n"])
def test_only_its_own_names_are_files(name):
    with pytest.raises(NotFoundError):
        files.read(OWNER, name)
    with pytest.raises(NotFoundError):
        files.remove(OWNER, name)


def test_a_name_is_no_formula_and_a_password_is_as_it_was_given():
    text = files.table(["Name", "Password"], [["=HYPERLINK(1)", '=abc;"d'], ["@x", "-1"]])
    assert text.splitlines()[1:] == [
        '"\'=HYPERLINK(1)";"=abc;""d"', '"\'@x";"-1"',
    ]  # fmt: skip
