import os
import stat

import msgspec
import pytest

from controle_vnc.control import messages as m
from controle_vnc.files import reserve
from controle_vnc.files.folders import MAX_ENTRIES
from controle_vnc.files.mirror import MAX_BYTES
from tests.files_process import collecting, file_of, looking, placing, removing, returning

TEXT = b"Write about the sea.\n" * 1000


def test_a_document_lies_where_the_student_finds_it_and_is_his_to_write(lea):
    placed = lea.ask(placing, lea.process.upload(TEXT))
    assert placed == m.Placed(was_there=False, path="perso/devoirs/camille/TP3 3eB", has_home=True)
    written = lea.folder / "devoir.odt"
    assert written.read_bytes() == TEXT
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert stat.S_IMODE(lea.folder.stat().st_mode) == 0o700


def test_an_annex_can_only_be_read(lea):
    lea.ask(placing, lea.process.upload(TEXT, name="data.csv", is_annex=True))
    assert stat.S_IMODE((lea.folder / "data.csv").stat().st_mode) == 0o444


def test_said_again_it_changes_nothing(lea):
    request = placing(lea.process.upload(TEXT), login=lea.login)
    lea.process.ask(request)
    before = (lea.folder / "devoir.odt").stat()
    again = lea.process.ask(request)
    assert again.was_there
    assert (lea.folder / "devoir.odt").stat() == before


def test_what_the_student_changed_or_deleted_stays_so(lea):
    one, other = lea.process.upload(TEXT), lea.process.upload(b"two", name="two.odt")
    lea.ask(placing, one, other)
    (lea.folder / "devoir.odt").write_bytes(b"mine")
    (lea.folder / "two.odt").unlink()
    lea.ask(placing, one, other)
    assert [path.name for path in lea.folder.iterdir()] == ["devoir.odt"]
    assert (lea.folder / "devoir.odt").read_bytes() == b"mine"


def test_a_file_of_the_students_own_with_that_name_stays(lea):
    lea.folder.mkdir(parents=True)
    (lea.folder / "devoir.odt").write_bytes(b"mine, from before")
    placed = lea.ask(placing, lea.process.upload(TEXT))
    assert placed.renamed == [m.Renamed("devoir.odt", "devoir (2).odt")]
    assert (lea.folder / "devoir.odt").read_bytes() == b"mine, from before"
    assert (lea.folder / "devoir (2).odt").read_bytes() == TEXT


def test_two_distributions_never_share_a_folder(lea):
    file = lea.process.upload(TEXT)
    lea.ask(placing, file)
    other = lea.ask(placing, file, key="b2" * 16)
    assert other.code == "folder_taken"


def test_two_teachers_with_the_same_reference_do_not_collide(lea):
    file = lea.process.upload(TEXT)
    lea.ask(placing, file)
    placed = lea.ask(placing, file, teacher="other", key="b2" * 16)
    assert placed.path == "perso/devoirs/other/TP3 3eB"
    collected = lea.ask(collecting, teacher="other", key="b2" * 16)
    assert collected.files == 1
    assert not lea.collected.exists()


@pytest.mark.parametrize(
    ("name", "became"),
    [
        ("Énoncé 🎓.odt", None),
        ("é" * 125 + ".odt", None),
        ("x" * 255, None),
        ("a:b*c?.odt", "a%3Ab%2Ac%3F.odt"),
        ("../../../etc/passwd", "..%2F..%2F..%2Fetc%2Fpasswd"),
        ("..", ".%2E"),
        ("CON.txt", "%43ON.txt"),
        ("correction", "correction (2)"),
        ("~$devoir.docx", "%7E$devoir.docx"),
    ],
)
def test_names_are_kept_or_told(lea, name, became):
    placed = lea.ask(placing, lea.process.upload(TEXT, name=name))
    assert placed.renamed == ([m.Renamed(name, became)] if became else [])
    assert os.listdir(lea.folder) == [became or name]


def test_a_folder_of_a_hostile_name_stays_below_the_teachers(lea):
    placed = lea.ask(placing, lea.process.upload(TEXT), folder="../../../TP")
    assert placed.path == "perso/devoirs/camille/..%2F..%2F..%2FTP"
    assert [path.name for path in lea.home.iterdir()] == ["perso"]


def test_a_teacher_of_a_hostile_name_stays_in_devoirs(lea):
    placed = lea.ask(placing, lea.process.upload(TEXT), teacher="..")
    assert placed.path == "perso/devoirs/.%2E/TP3 3eB"
    assert lea.ask(placing, lea.process.upload(TEXT), teacher="ramasses").code == "name_refused"


def test_the_same_name_twice_is_refused(lea):
    file = lea.process.upload(TEXT)
    assert lea.ask(placing, file, file).code == "name_refused"
    assert not lea.folder.exists()


def test_an_upload_that_is_not_there_or_is_another_is_refused(lea):
    assert lea.ask(placing, file_of(b"never sent")).code == "upload_unknown"
    other = msgspec.structs.replace(lea.process.upload(TEXT), size=3)
    assert lea.ask(placing, other).code == "upload_damaged"
    assert not lea.folder.exists()


@pytest.mark.parametrize("level", ["perso", "perso/devoirs", "perso/devoirs/camille"])
def test_a_link_or_a_file_in_the_place_of_a_folder_is_refused(lea, level, tmp_path):
    path = lea.home / level
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path)
    file = lea.process.upload(TEXT)
    assert lea.ask(placing, file).code == "not_a_folder"
    path.unlink()
    path.write_text("a file")
    assert lea.ask(placing, file).code == "not_a_folder"
    assert list(tmp_path.iterdir()) == []


def test_the_folder_itself_replaced_by_a_link_afterwards_is_refused_by_every_step(lea, tmp_path):
    lea.ask(placing, lea.process.upload(TEXT))
    lea.folder.rename(lea.home / "elsewhere")
    lea.folder.symlink_to(tmp_path)
    (tmp_path / "devoir.odt").write_text("not hers")
    assert lea.ask(collecting).code == "not_a_folder"
    assert not lea.ask(returning).is_there  # nothing was collected
    (look,) = lea.process.ask(looking(lea.login)).looks
    assert (look.code, look.is_there) == ("not_a_folder", False)
    assert lea.ask(removing).code == "not_a_folder"
    where = {"login": lea.login, "teacher": "camille", "folder": "TP3 3eB"}
    assert lea.process.ask(m.ListFiles(**where)).code == "not_a_folder"
    assert lea.process.ask(m.ReadPart(**where, name="devoir.odt")).code == "not_a_folder"
    taken = lea.process.ask(m.TakeUpload(**where, file=lea.process.upload(b"x")))
    assert taken.code == "not_a_folder"
    assert [path.name for path in tmp_path.iterdir()] == ["devoir.odt"]
    assert (tmp_path / "devoir.odt").read_text() == "not hers"


def test_what_was_opened_or_changed_is_told(lea):
    lea.ask(placing, lea.process.upload(TEXT))

    def look():
        (found,) = lea.process.ask(looking(lea.login)).looks
        return found

    assert (look().is_there, look().was_opened, look().was_changed) == (True, False, False)
    (lea.folder / "devoir.odt").read_bytes()
    if not os.statvfs(lea.folder).f_flag & os.ST_NOATIME:
        assert (look().was_opened, look().was_changed) == (True, False)
    (lea.folder / "answer.odt").write_bytes(b"12345")
    assert (look().was_changed, look().files, look().bytes) == (True, 2, len(TEXT) + 5)


def test_looking_and_collecting_does_not_count_as_opening(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    lea.ask(collecting)
    (look,) = lea.process.ask(looking(lea.login)).looks
    assert not look.was_opened
    assert not look.was_changed


def test_who_has_nothing_of_it_is_told(running):
    (look,) = running.ask(looking("nobody-at-all")).looks
    assert look.code == "unknown_document"
    wrong = running.ask(collecting(login="nobody-at-all"))
    assert wrong.code == "unknown_document"


# --- the student's page ---


def at(lea):
    return {"login": lea.login, "teacher": "camille", "folder": "TP3 3eB"}


def test_the_students_page_lists_and_reads(lea):
    lea.ask(
        placing,
        lea.process.upload(TEXT),
        lea.process.upload(b"1;2", name="data.csv", is_annex=True),
    )
    lea.ask(collecting)
    lea.ask(returning)
    (lea.folder / "own").mkdir()
    latin = os.fsencode(lea.folder / "own") + "/été.txt".encode("latin-1")
    with open(latin, "wb") as file:
        file.write(b"summer")
    listed = lea.process.ask(m.ListFiles(**at(lea)))
    assert {one.name: one.kind for one in listed.files} == {
        "devoir.odt": "document",
        "data.csv": "annex",
        "collected.txt": "notice",
        "correction/devoir.odt": "correction",
        "own/%E9t%E9.txt": "own",
    }
    part = lea.process.ask(m.ReadPart(**at(lea), name="own/%E9t%E9.txt"))
    assert part.data == b"summer"
    large = os.urandom(m.MAX_PART_BYTES + 10)
    (lea.folder / "large").write_bytes(large)
    first = lea.process.ask(m.ReadPart(**at(lea), name="large"))
    rest = lea.process.ask(m.ReadPart(**at(lea), name="large", offset=len(first.data)))
    assert first.data + rest.data == large
    assert first.size == len(large)
    for name in (
        "nothing",
        "../devoir.odt",
        "..",
        "own",
        "correction/../devoir.odt",
        "/etc/passwd",
    ):
        assert lea.process.ask(m.ReadPart(**at(lea), name=name)).code == "unknown_file", name


def test_links_pipes_and_files_with_several_names_are_not_shown(lea, tmp_path):
    lea.ask(placing, lea.process.upload(TEXT))
    secret = tmp_path / "secret"
    secret.write_text("not hers")
    (lea.folder / "link").symlink_to(secret)
    os.mkfifo(lea.folder / "pipe")
    (lea.home / "one").write_text("x")
    os.link(lea.home / "one", lea.folder / "hard")
    listed = lea.process.ask(m.ListFiles(**at(lea)))
    assert [one.name for one in listed.files] == ["devoir.odt"]
    for name in ("link", "pipe", "hard"):
        assert lea.process.ask(m.ReadPart(**at(lea), name=name)).code == "unknown_file"


def test_what_the_student_sends_takes_the_place_of_what_he_had(lea):
    lea.ask(
        placing,
        lea.process.upload(TEXT),
        lea.process.upload(b"1;2", name="data.csv", is_annex=True),
    )
    lea.ask(collecting)

    def take(data, name):
        return lea.process.ask(m.TakeUpload(**at(lea), file=lea.process.upload(data, name=name)))

    assert take(b"mine", "devoir.odt") == m.Taken(name="devoir.odt")
    assert (lea.folder / "devoir.odt").read_bytes() == b"mine"
    before = (lea.folder / "devoir.odt").stat()
    assert take(b"mine", "devoir.odt") == m.Taken(name="devoir.odt")
    assert (lea.folder / "devoir.odt").stat() == before
    assert take(b"more", "more.odt") == m.Taken(name="more.odt")
    for name in ("data.csv", "collected.txt", "correction"):
        assert take(b"x", name).code == "read_only"
    (lea.folder / "link.odt").symlink_to(lea.home)
    assert take(b"x", "link.odt").code == "not_a_folder"
    assert {path.name for path in lea.folder.iterdir()} == {
        "devoir.odt", "data.csv", "collected.txt", "more.odt", "link.odt",
    }  # fmt: skip


def test_what_is_handed_in_under_the_name_of_a_lock_is_collected(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    (lea.folder / "~$devoir.docx").write_text("of an office program that runs")
    file = lea.process.upload(b"mine", name="~$devoir.docx")
    taken = lea.process.ask(m.TakeUpload(**at(lea), file=file))
    assert taken == m.Taken(name="%7E$devoir.docx")
    assert lea.ask(collecting).files == 2
    assert b"mine" in {path.read_bytes() for path in lea.collected.iterdir()}


def test_what_is_handed_in_has_the_limits_of_a_collection_in_bytes(lea):
    lea.ask(placing, lea.process.upload(TEXT))

    def take(data, name):
        file = lea.process.upload(data, name=name)
        return getattr(lea.process.ask(m.TakeUpload(**at(lea), file=file)), "code", "")

    (lea.folder / "inner").mkdir()
    with (lea.folder / "inner/sparse").open("wb") as file:
        file.truncate(MAX_BYTES - 10)
    assert take(b"12345678901", "a.odt") == "too_large"
    assert take(b"1234567890", "a.odt") == ""  # what was given is not counted
    assert take(b"2", "b.odt") == "too_large"
    assert take(b"0987654321", "a.odt") == ""  # in the place of what was there
    assert take(b"09876543210", "a.odt") == "too_large"
    assert (lea.folder / "a.odt").read_bytes() == b"0987654321"
    assert take(b"3", "devoir.odt") == "too_large"  # in the place of what was not counted


def test_what_is_handed_in_has_the_limits_of_a_collection_in_number(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    file, other = lea.process.upload(b"1"), lea.process.upload(b"2")
    for number in range(MAX_ENTRIES - 1):
        (lea.folder / f"{number}").symlink_to("x")

    def take(file, name):
        file = msgspec.structs.replace(file, name=name)
        return getattr(lea.process.ask(m.TakeUpload(**at(lea), file=file)), "code", "")

    assert take(file, "last.odt") == ""
    assert take(file, "more.odt") == "too_large"
    assert take(other, "last.odt") == ""


# --- cleaning up ---


def test_only_what_was_put_there_is_removed(lea):
    lea.ask(
        placing,
        lea.process.upload(TEXT),
        lea.process.upload(b"1;2", name="data.csv", is_annex=True),
    )
    lea.ask(collecting)
    lea.ask(returning)
    (lea.folder / "own.odt").write_text("mine")
    (lea.folder / "correction/note.txt").write_text("mine")
    removed = lea.ask(removing)
    assert removed == m.Removed(files=5)
    left = {str(path.relative_to(lea.folder)) for path in lea.folder.rglob("*")}
    assert left == {"own.odt", "correction", "correction/note.txt"}
    assert not lea.collected.exists()
    assert lea.ask(removing) == m.Removed(files=0)
    again = lea.ask(placing, lea.process.upload(TEXT), key="c3" * 16)
    assert not again.was_there


def test_what_was_collected_stays_and_the_folder_is_free_for_another(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    (lea.folder / "devoir.odt").write_text("mine")
    lea.ask(collecting)
    lea.ask(removing, ["documents", "annexes"], with_changed=True)
    taken = lea.ask(placing, lea.process.upload(TEXT), key="c3" * 16)
    assert taken.code == "folder_taken"  # the notice is still there, and so is the mark
    lea.ask(removing, ["documents", "annexes", "notice", "corrections"])
    again = lea.ask(placing, lea.process.upload(b"another"), key="c3" * 16)
    assert again.was_there is False
    assert lea.ask(collecting, key="c3" * 16).beside == ["devoir (2).odt"]
    assert (lea.collected / "devoir.odt").read_text() == "mine"
    assert (lea.collected / "devoir (2).odt").read_bytes() == b"another"


def test_what_was_changed_stays_unless_that_is_asked(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    (lea.folder / "devoir.odt").write_text("mine")
    kept = lea.ask(removing, ["documents"])
    assert kept == m.Removed(files=0, kept=[m.Skipped("devoir.odt", "changed")])
    assert lea.ask(removing, ["documents"], with_changed=True) == m.Removed(files=1)
    assert not lea.folder.exists()


def test_a_folder_in_the_place_of_a_file_is_not_removed(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    (lea.folder / "devoir.odt").unlink()
    (lea.folder / "devoir.odt").mkdir()
    kept = lea.ask(removing, with_changed=True)
    assert kept.kept == [m.Skipped("devoir.odt", "taken")]


def test_another_distributions_key_removes_nothing(lea):
    lea.ask(placing, lea.process.upload(TEXT))
    assert lea.ask(removing, key="d4" * 16) == m.Removed(files=0)
    assert (lea.folder / "devoir.odt").exists()


def test_space_is_told_before_anything_is_begun(lea):
    space = lea.process.ask(m.AskSpace(login=lea.login, wanted=1_000_000))
    assert space.fits
    assert space.has_home
    assert abs(space.free - reserve.left(lea.home)) < 500_000_000
    far_more = lea.process.ask(m.AskSpace(login=lea.login, wanted=2**60))
    assert (far_more.fits, far_more.limit) == (False, "no_space")
    assert list(lea.home.iterdir()) == []
