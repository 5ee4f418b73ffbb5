import pytest

from eop.directory import file_source
from eop.directory.file_source import FileSource
from eop.directory.snapshot import SourceError

PEOPLE = "login;name;role\nzoe;Zoé;student\n"


def read(path):
    return FileSource(path).read(lambda count: None)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    return tmp_path


def complaint(path):
    with pytest.raises(SourceError) as raised:
        read(path)
    return str(raised.value)


def test_a_folder_needs_people_alone(folder):
    assert [one.name for one in read(folder).people] == ["Zoé"]
    (folder / "rooms.csv").write_text("poste;salle\npc-01;S12\n")
    assert read(folder).rooms == {"pc-01": "S12"}


def test_a_byte_order_mark_is_no_part_of_the_first_heading(folder):
    (folder / "people.csv").write_bytes(b"\xef\xbb\xbf" + PEOPLE.encode())
    assert len(read(folder).people) == 1


def test_one_file_of_json_does_as_well(tmp_path):
    file = tmp_path / "school.json"
    file.write_text('{"people": [{"login": "zoe", "name": "Zoé", "role": "student"}]}')
    assert len(read(file).people) == 1


def test_another_encoding_is_told_with_its_line_and_remedy(folder):
    (folder / "people.csv").write_bytes(
        "login;name;role\na;A;student\nz;Zoé;student\n".encode("cp1252")
    )
    told = complaint(folder)
    assert told.startswith("people.csv, line 3: not UTF-8")
    assert "CSV UTF-8" in told


def test_what_is_absent_is_told(tmp_path):
    assert "No such file" in complaint(tmp_path / "none.json")
    assert "people.csv: No such file" in complaint(tmp_path)


@pytest.mark.parametrize("which", [".", "people.csv"])
def test_what_everyone_may_write_is_refused(folder, which):
    (folder / which).chmod(0o777)
    assert "everyone may write there; run: chmod o-w" in complaint(folder)


def test_a_file_is_as_large_as_it_may_be_and_not_a_byte_more(folder, monkeypatch):
    monkeypatch.setattr(file_source, "MAX_FILE_BYTES", len(PEOPLE.encode()))
    assert len(read(folder).people) == 1
    with (folder / "people.csv").open("a") as file:
        file.write("\n")
    assert f"larger than {len(PEOPLE.encode())} bytes" in complaint(folder)
