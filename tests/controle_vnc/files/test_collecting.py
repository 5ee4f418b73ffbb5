import contextlib
import fcntl
import os
import threading

import pytest

from controle_vnc.control import messages as m
from controle_vnc.files.folders import MAX_DEPTH, MAX_ENTRIES
from controle_vnc.files.mirror import MAX_BYTES, MAX_TOLD
from tests.desktops import wait_until
from tests.files_process import collecting, looking, placing, returning

TEXT = b"Write about the sea.\n" * 1000


@pytest.fixture
def work(lea):
    """A student who has written something."""
    lea.ask(placing, lea.process.upload(TEXT))
    (lea.folder / "devoir.odt").write_bytes(b"the sea is blue")
    return lea


def names(folder):
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()
    }  # fmt: skip


def test_work_comes_to_the_teacher_and_the_student_is_told(work):
    collected = work.ask(collecting)
    assert collected == m.Collected(
        is_there=True, files=1, bytes=15, copied=1,
        path=f"perso/devoirs/ramasses/TP3 3eB/{work.login}",
    )  # fmt: skip
    assert (work.collected / "devoir.odt").read_bytes() == b"the sea is blue"
    assert (work.folder / "collected.txt").read_text() == "Your document was collected.\n"


def test_said_again_nothing_is_doubled(work):
    work.ask(collecting)
    before = (work.collected / "devoir.odt").stat(), (work.folder / "collected.txt").stat()
    again = work.ask(collecting)
    assert (again.files, again.bytes, again.copied) == (1, 15, 0)
    assert before == (
        (work.collected / "devoir.odt").stat(), (work.folder / "collected.txt").stat()
    )  # fmt: skip
    assert names(work.collected) == {"devoir.odt"}


def test_what_is_newer_is_collected_anew_and_the_rest_is_not(work):
    (work.folder / "other.odt").write_bytes(b"other")
    work.ask(collecting)
    kept = (work.collected / "other.odt").stat()
    (work.folder / "devoir.odt").write_bytes(b"the sea is green")
    again = work.ask(collecting, number=2)
    assert (again.copied, again.beside) == (1, [])
    assert (work.collected / "devoir.odt").read_bytes() == b"the sea is green"
    assert (work.collected / "other.odt").stat() == kept
    assert names(work.collected) == {"devoir.odt", "other.odt"}
    assert names(work.folder) == {"devoir.odt", "other.odt", "collected.txt"}


def test_what_the_teacher_changed_stays_and_the_newer_comes_beside(work):
    work.ask(collecting)
    (work.collected / "devoir.odt").write_bytes(b"16/20")
    (work.folder / "devoir.odt").write_bytes(b"the sea is green")
    again = work.ask(collecting, number=2)
    assert again.beside == ["devoir (2).odt"]
    assert (work.collected / "devoir.odt").read_bytes() == b"16/20"
    assert (work.collected / "devoir (2).odt").read_bytes() == b"the sea is green"
    (work.folder / "devoir.odt").write_bytes(b"the sea is grey")
    assert work.ask(collecting, number=3).beside == []  # the second one was not changed
    assert (work.collected / "devoir (2).odt").read_bytes() == b"the sea is grey"
    assert work.ask(collecting, number=4).copied == 0


def test_what_the_teacher_deleted_comes_again_in_a_new_round_only(work):
    work.ask(collecting)
    (work.collected / "devoir.odt").unlink()
    assert work.ask(collecting).copied == 0
    assert work.ask(collecting, number=2).copied == 1


def test_who_has_deleted_the_folder_has_nothing_to_collect_and_what_was_collected_stays(work):
    work.ask(collecting)
    for path in work.folder.iterdir():
        path.unlink()
    work.folder.rmdir()
    late = work.ask(collecting, number=2)
    assert (late.is_there, late.files) == (False, 1)
    assert (work.collected / "devoir.odt").exists()
    assert not work.folder.exists()


def test_folders_in_the_folder_come_too_and_annexes_and_corrections_do_not(lea):
    annex = lea.process.upload(b"1;2", name="data.csv", is_annex=True)
    lea.ask(placing, lea.process.upload(TEXT), annex)
    (lea.folder / "pictures/sea").mkdir(parents=True)
    (lea.folder / "pictures/sea/blue.png").write_bytes(b"png")
    (lea.folder / ".~lock.devoir.odt#").write_text("lea")
    (lea.folder / "correction").mkdir()
    (lea.folder / "correction/old").write_text("x")
    assert lea.ask(collecting).files == 2
    assert names(lea.collected) == {"devoir.odt", "pictures/sea/blue.png"}


def test_work_under_the_name_of_an_annex_or_the_notice_is_work(lea):
    annex = lea.process.upload(b"1;2", name="data.csv", is_annex=True)
    lea.ask(placing, lea.process.upload(TEXT), annex)
    lea.ask(collecting)
    for name in ("data.csv", "collected.txt"):
        (lea.folder / name).unlink()
        (lea.folder / name).write_text("mine")
    assert lea.ask(collecting, number=2).copied == 2
    assert (lea.collected / "data.csv").read_text() == "mine"
    assert (lea.folder / "collected.txt").read_text() == "mine"
    assert (lea.folder / "collected (2).txt").exists()


def test_nothing_is_followed_out_of_the_folder(work, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("not hers")
    (work.home / "own").write_text("hers, elsewhere")
    (work.folder / "link").symlink_to(secret)
    (work.folder / "up").symlink_to("../../../..")
    os.link(work.home / "own", work.folder / "hard")
    os.mkfifo(work.folder / "pipe")
    collected = work.ask(collecting)
    assert {(one.name, one.why) for one in collected.skipped} == {
        ("link", "link"), ("up", "link"), ("hard", "shared"), ("pipe", "special"),
    }  # fmt: skip
    assert names(work.collected) == {"devoir.odt"}


@pytest.mark.skipif(os.geteuid() != 0, reason="devices are made by root")
def test_devices_are_never_opened(work):
    os.mknod(work.folder / "zero", 0o666 | 0o020000, os.makedev(1, 5))
    assert work.ask(collecting).skipped == [m.Skipped("zero", "special")]


def test_names_of_every_kind_arrive_and_what_became_of_them_is_told(work):
    folder = os.fsencode(work.folder)
    given = {
        "été.txt".encode("latin-1"): "%E9t%E9.txt",
        b"a:b.odt": "a%3Ab.odt",
        b"a%3Ab.odt": "a%253Ab.odt",
        b"CON": "%43ON",
        b"end.": "end%2E",
        "🎓.odt".encode(): "🎓.odt",
        b"x" * 255: "x" * 255,
        "é".encode() * 127: "é" * 127,
        b"two\nlines": "two%0Alines",
    }
    for name in given:
        with open(folder + b"/" + name, "wb") as file:
            file.write(name)
    collected = work.ask(collecting)
    for name, became in given.items():
        assert (work.collected / became).read_bytes() == name
    assert len(collected.renamed) == 6
    assert m.Renamed("end.", "end%2E") in collected.renamed
    again = work.ask(collecting, number=2)
    assert (again.copied, again.files) == (0, len(given) + 1)


def test_times_of_the_far_future_and_past_are_no_obstacle(work):
    for year, name in ((2400, "late"), (1910, "early")):
        path = work.folder / name
        path.write_text(name)
        seconds = (year - 1970) * 31_557_600
        os.utime(path, (seconds, seconds))
    assert work.ask(collecting).files == 3
    assert work.ask(collecting, number=2).copied == 0
    where = {"login": work.login, "teacher": "camille", "folder": "TP3 3eB"}
    assert len(work.process.ask(m.ListFiles(**where)).files) == 4


def test_names_that_look_like_ours_are_the_students(work):
    (work.folder / ".eop-mine").write_text("x")
    assert work.ask(collecting).files == 2
    assert (work.collected / ".eop-mine").exists()


def test_limits_are_told_and_what_is_within_them_comes(work):
    sparse = work.folder / "a-sparse"
    with sparse.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    deep = work.folder.joinpath(*["d"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep.parent / "file").write_text("x")
    collected = work.ask(collecting)
    assert {one.why for one in collected.skipped} == {"too_large", "too_deep"}
    assert names(work.collected) == {"devoir.odt", "d/" * MAX_DEPTH + "file"}


def test_too_many_files_are_told(work):
    (work.folder / "many").mkdir()
    for number in range(MAX_ENTRIES):
        (work.folder / f"many/{number:05}").symlink_to("x")  # looked at, not copied: quick
    collected = work.ask(collecting)
    assert collected.skipped[0].why == "too_many"
    assert len(collected.skipped) == MAX_TOLD + 1


def test_a_file_that_somebody_holds_a_lease_on_keeps_nobody_waiting(work):
    with (work.folder / "devoir.odt").open("r+b") as held:
        try:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            pytest.skip(f"no leases here: {error}")
        previous = _ignore_sigio()
        try:
            collected = work.ask(collecting)
        finally:
            previous()
    assert collected.skipped == [m.Skipped("devoir.odt", "changing")]
    assert work.ask(collecting).copied == 1


def _ignore_sigio():
    import signal

    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    return lambda: signal.signal(signal.SIGIO, before)


def test_a_student_who_swaps_folders_for_links_meanwhile_gains_nothing(work, tmp_path):
    secret = tmp_path / "pictures"
    secret.mkdir()
    (secret / "blue.png").write_text("not hers")
    real, link = work.folder / "pictures", work.folder / "swap"
    real.mkdir()
    (real / "blue.png").write_text("hers")
    link.symlink_to(secret)
    is_over, turns = threading.Event(), [0]

    def swap():
        spare = work.folder / "spare"
        while not is_over.is_set():
            with contextlib.suppress(OSError):
                real.rename(spare)
                link.rename(real)
                real.rename(link)
                spare.rename(real)
            turns[0] += 1

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for number in range(1, 60):
            reply = work.ask(collecting, number=number)
            assert isinstance(reply, m.Collected), reply
            for path in work.collected.rglob("*"):
                if path.is_file():
                    assert path.read_text() != "not hers"
    finally:
        is_over.set()
        swapping.join()
    assert turns[0] > 100


def test_a_file_written_meanwhile_arrives_whole_or_is_told(work):
    growing = work.folder / "log.txt"
    growing.write_bytes(b"line\n" * 1000)
    is_over = threading.Event()

    def write():
        with growing.open("ab", buffering=0) as file:
            while not is_over.is_set():
                file.write(b"line\n")

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(1, 10):
            collected = work.ask(collecting, number=number)
            assert {(one.name, one.why) for one in collected.skipped} <= {("log.txt", "changing")}
    finally:
        is_over.set()
        writing.join()
    assert work.ask(collecting, number=11).skipped == []
    assert (work.collected / "log.txt").read_bytes() == growing.read_bytes()


def test_a_folder_of_the_teachers_in_the_place_of_a_file_is_no_obstacle(work):
    (work.collected / "devoir.odt").mkdir(parents=True)
    collected = work.ask(collecting)
    assert collected.beside == ["devoir (2).odt"]


def test_a_file_of_the_teachers_in_the_place_of_a_folder_is_told(work):
    (work.folder / "pictures").mkdir()
    (work.folder / "pictures/a").write_text("x")
    work.collected.mkdir(parents=True)
    (work.collected / "pictures").write_text("the teacher's")
    assert work.ask(collecting).skipped == [m.Skipped("pictures", "taken")]


# --- giving back ---


def test_what_the_teacher_corrected_comes_back_beside_the_students_own(work):
    work.ask(collecting)
    (work.collected / "devoir.odt").write_bytes(b"16/20")
    (work.collected / "marks").mkdir()
    (work.collected / "marks/all.txt").write_bytes(b"well done")
    returned = work.ask(returning)
    assert (returned.files, returned.copied, returned.is_there) == (2, 2, True)
    assert (work.folder / "devoir.odt").read_bytes() == b"the sea is blue"
    assert (work.folder / "correction/devoir.odt").read_bytes() == b"16/20"
    assert (work.folder / "correction/marks/all.txt").read_bytes() == b"well done"
    assert work.ask(returning).copied == 0
    (look,) = work.process.ask(looking(work.login)).looks
    assert (look.collected, look.returned) == (1, 2)


def test_a_correction_that_the_student_changed_stays(work):
    work.ask(collecting)
    work.ask(returning)
    (work.folder / "correction/devoir.odt").write_bytes(b"my notes")
    (work.collected / "devoir.odt").write_bytes(b"17/20")
    again = work.ask(returning, number=2)
    assert again.beside == ["devoir (2).odt"]
    assert (work.folder / "correction/devoir.odt").read_bytes() == b"my notes"
    assert (work.folder / "correction/devoir (2).odt").read_bytes() == b"17/20"


def test_corrections_are_not_collected(work):
    work.ask(collecting)
    work.ask(returning)
    assert work.ask(collecting, number=2).copied == 0
    assert names(work.collected) == {"devoir.odt"}


def test_without_a_collection_nothing_comes_back(work):
    returned = work.ask(returning)
    assert (returned.is_there, returned.copied) == (False, 0)
    assert not (work.folder / "correction").exists()


def test_a_link_in_the_place_of_the_correction_is_refused(work, tmp_path):
    work.ask(collecting)
    (work.folder / "correction").symlink_to(tmp_path)
    assert work.ask(returning).code == "not_a_folder"
    assert list(tmp_path.iterdir()) == []


def test_the_teachers_own_links_do_not_lead_out_either(work, tmp_path):
    work.ask(collecting)
    secret = tmp_path / "secret"
    secret.write_text("x")
    (work.collected / "link").symlink_to(secret)
    assert work.ask(returning).skipped == [m.Skipped("link", "link")]
    assert names(work.folder / "correction") == {"devoir.odt"}


def test_two_at_once_about_the_same_student_do_not_meet(work):
    replies = []

    def ask():
        replies.append(work.ask(collecting))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.copied for one in replies) == [0] * 7 + [1]
    assert names(work.collected) == {"devoir.odt"}
    wait_until(lambda: work.process.ask(m.GetFilesStatus()), 5, "it still answers")
