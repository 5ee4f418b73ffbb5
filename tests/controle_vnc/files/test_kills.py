"""Killed at every step of every request, and asked again: the same bytes, nothing doubled."""

import contextlib
import hashlib
import os
import random
import threading
import time

import pytest

from controle_vnc.control import messages as m
from tests.controle_vnc.files.conftest import Student
from tests.desktops import wait_until
from tests.files_process import FilesProcess, collecting, placing, removing, returning

TEXT = b"Write about the sea.\n" * 500
DATA = b"1;2;3\n" * 100
STEPS_AT_MOST = 200
ROUNDS = 30  # of a class, while the helper is killed


@pytest.fixture(scope="module", params=["nameless", "named"])
def deadly(request):
    """The process, on a file system with files without names, and as on one without."""
    process = FilesProcess()
    module = "tests.fakes.deadly_files"
    run = f"from {module} import run; from pathlib import Path; import sys, os"
    if request.param == "named":
        run += "; os.O_TMPFILE = os.O_DIRECTORY | os.O_CREAT"  # EINVAL
    process.fate = process.folder / "fate"
    process.command = (
        process.command[0], "-c", f"{run}; sys.exit(run(Path({str(process.fate)!r})))",
    )  # fmt: skip
    with process:
        yield process


_people = iter(range(10**6))


@pytest.fixture
def pupil(deadly):
    return lambda: Student(deadly, f"pupil{next(_people)}")


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }  # fmt: skip


def until_done(process, prepare, step, check):
    """Kill at the first step, the second and so on, each time with a new student."""
    for number in range(1, STEPS_AT_MOST):
        student = prepare()
        process.fate.write_text(str(number))
        with contextlib.suppress(OSError):
            reply = step(student)
            check(student, reply)
            process.fate.unlink(missing_ok=True)
            return number
        wait_until(lambda: answers(process), 10, "it is back")
        check(student, step(student))
        check(student, step(student))
    raise AssertionError("it never ended")


def answers(process):
    with contextlib.suppress(OSError):
        return process.ask(m.GetFilesStatus())


def place(student):
    annex = student.process.upload(DATA, name="data.csv", is_annex=True)
    return student.ask(placing, student.process.upload(TEXT), annex)


def test_placing(deadly, pupil):
    files = [deadly.upload(TEXT), deadly.upload(DATA, name="data.csv", is_annex=True)]

    def check(student, reply):
        assert isinstance(reply, m.Placed), reply
        assert reply.renamed == []
        assert tree(student.home) == {
            "perso/devoirs/camille/TP3 3eB/devoir.odt": TEXT,
            "perso/devoirs/camille/TP3 3eB/data.csv": DATA,
        }

    assert until_done(deadly, pupil, lambda one: one.ask(placing, *files), check) > 10


def test_what_was_placed_in_two_goes_leaves_nothing_either(deadly, pupil):
    files = [deadly.upload(TEXT)]

    def check(student, reply):
        assert isinstance(reply, m.Removed), reply
        assert not student.folder.exists()

    def step(student):
        assert isinstance(student.ask(placing, *files), m.Placed)
        return student.ask(removing)

    until_done(deadly, pupil, step, check)


def test_collecting_for_the_first_time(deadly, pupil):
    def prepare():
        student = pupil()
        place(student)
        (student.folder / "devoir.odt").write_bytes(b"the sea is blue")
        (student.folder / "pictures").mkdir()
        (student.folder / "pictures/sea.png").write_bytes(b"png")
        return student

    def check(student, reply):
        assert isinstance(reply, m.Collected), reply
        assert (reply.files, reply.skipped, reply.beside) == (2, [], [])
        work = {"devoir.odt": b"the sea is blue", "pictures/sea.png": b"png"}
        assert tree(student.collected) == work
        notice = {"collected.txt": b"Your document was collected.\n"}
        assert tree(student.folder) == {**work, **notice, "data.csv": DATA}

    assert until_done(deadly, prepare, lambda one: one.ask(collecting), check) > 15


def test_collecting_again_where_student_and_teacher_went_on(deadly, pupil):
    def prepare():
        student = pupil()
        place(student)
        (student.folder / "other.odt").write_bytes(b"other")
        student.ask(collecting)
        (student.collected / "devoir.odt").write_bytes(b"16/20")
        (student.folder / "devoir.odt").write_bytes(b"the sea is green")
        (student.folder / "other.odt").write_bytes(b"another")
        return student

    def check(student, reply):
        assert isinstance(reply, m.Collected), reply
        assert (reply.files, reply.skipped) == (2, [])
        assert tree(student.collected) == {
            "devoir.odt": b"16/20",
            "devoir (2).odt": b"the sea is green",
            "other.odt": b"another",
        }
        assert set(tree(student.folder)) == {"devoir.odt", "other.odt", "data.csv", "collected.txt"}

    again = lambda one: one.ask(collecting, number=2)  # noqa: E731
    assert until_done(deadly, prepare, again, check) > 15


def test_giving_back(deadly, pupil):
    def prepare():
        student = pupil()
        place(student)
        student.ask(collecting)
        (student.collected / "devoir.odt").write_bytes(b"16/20")
        return student

    def check(student, reply):
        assert isinstance(reply, m.Returned), reply
        assert (reply.files, reply.beside) == (1, [])
        assert tree(student.folder / "correction") == {"devoir.odt": b"16/20"}

    assert until_done(deadly, prepare, lambda one: one.ask(returning), check) > 5


def test_taking_what_the_student_sends(deadly, pupil):
    sent = deadly.upload(b"mine" * 1000)

    def prepare():
        student = pupil()
        place(student)
        return student

    def step(student):
        return deadly.ask(
            m.TakeUpload(login=student.login, teacher="camille", folder="TP3 3eB", file=sent)
        )

    def check(student, reply):
        assert reply == m.Taken(name="devoir.odt")
        assert tree(student.folder) == {"devoir.odt": b"mine" * 1000, "data.csv": DATA}

    assert until_done(deadly, prepare, step, check) > 3


def test_removing(deadly, pupil):
    def prepare():
        student = pupil()
        place(student)
        student.ask(collecting)
        student.ask(returning)
        (student.folder / "own.odt").write_bytes(b"own")
        return student

    def check(student, reply):
        assert isinstance(reply, m.Removed), reply
        assert reply.kept == []
        assert tree(student.home) == {"perso/devoirs/camille/TP3 3eB/own.odt": b"own"}
        assert [path.name for path in student.folder.iterdir()] == ["own.odt"]
        assert not student.collected.exists()

    assert until_done(deadly, prepare, lambda one: one.ask(removing), check) > 5


def test_an_upload(deadly):
    parts = [os.urandom(100_000) for _ in range(3)]
    numbers = iter(range(1, 10**6))

    def prepare():
        return f"{next(numbers):032x}"

    def step(upload):
        size = deadly.ask(m.KeepPart(upload=upload, offset=0, data=b"")).size
        while size < 300_000:
            data = b"".join(parts)[size : size + 100_000]
            size = deadly.ask(m.KeepPart(upload=upload, offset=size, data=data)).size
        sha256 = hashlib.sha256(b"".join(parts)).hexdigest()
        return deadly.ask(m.CheckUpload(upload=upload, size=300_000, sha256=sha256))

    def check(upload, reply):
        assert reply == m.Kept(size=300_000)

    assert until_done(deadly, prepare, step, check) > 0


def test_killed_from_outside_again_and_again_while_a_class_is_served():
    """As the site does it: each step is said until it is answered."""
    logins = [f"student{number}" for number in range(12)]
    with FilesProcess() as process:
        file = process.upload(os.urandom(2_000_000))
        is_over = threading.Event()
        kills = [0]

        def killing():
            chance = random.Random(7)
            while not is_over.is_set():
                time.sleep(chance.uniform(0.05, 0.3))
                process.kill()
                kills[0] += 1
                process.start()

        def said(request):
            while True:
                with contextlib.suppress(OSError):
                    return process.ask(request)
                time.sleep(0.01)

        killer = threading.Thread(target=killing)
        killer.start()
        try:
            for number in range(ROUNDS):
                if number >= 2 and kills[0] > 3:
                    break
                for login in logins:
                    assert isinstance(said(placing(file, login=login)), m.Placed)
                    assert isinstance(said(collecting(login=login)), m.Collected)
                    assert isinstance(said(returning(login=login)), m.Returned)
        finally:
            is_over.set()
            killer.join()
        assert kills[0] > 3
        content = (process.homes / "student0/perso/devoirs/camille/TP3 3eB/devoir.odt").read_bytes()
        for login in logins:
            home = tree(process.homes / login)
            folder = "perso/devoirs/camille/TP3 3eB"
            assert home == {
                f"{folder}/devoir.odt": content,
                f"{folder}/correction/devoir.odt": content,
                f"{folder}/collected.txt": b"Your document was collected.\n",
            }
        collected = tree(process.homes / "camille/perso/devoirs/ramasses/TP3 3eB")
        assert collected == {f"{login}/devoir.odt": content for login in logins}
