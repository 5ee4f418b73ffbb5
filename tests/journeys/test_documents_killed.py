"""A class is served while controle-vnc and controle-vnc-files are killed again and again."""

import contextlib
import hashlib
import os
import random
import signal
import threading

import pytest

from controle_vnc import settings as shared_settings
from controle_vnc.control import messages as m
from eop.daemon import Daemon
from eop.errors import RefusedError
from tests.desktops import wait_until
from tests.files_process import KEY, collecting, placing, returning
from tests.stack import Stack

pytestmark = pytest.mark.journey

STUDENTS = [f"student{number}" for number in range(10)]
DOWN = {"files_down", "daemon_down"}
KILLS = 3  # of each: what dies often is started again after twice the time


@pytest.fixture(scope="module")
def stack():
    with Stack() as running:
        yield running


@pytest.fixture
def daemon(stack, monkeypatch):
    monkeypatch.setenv("EOP_HOME", str(stack.home))
    settings = shared_settings.load(stack.environment)
    door = Daemon(settings, shared_settings.read_secret(settings.secret_file))
    yield door
    door.close()


def said(work, *arguments):
    """As the worker says it: again, until it is answered."""

    def once():
        try:
            return (work(*arguments),)
        except RefusedError as error:
            if error.code not in DOWN:
                raise
            return None

    return wait_until(once, 60, "an answer")[0]


def killing(stack, daemon, names, is_over, kills):
    """Kill each of these processes `KILLS` times, both being back before the next."""
    chance = random.Random(5)
    turns = names * KILLS
    chance.shuffle(turns)
    while turns and not is_over.wait(chance.uniform(0.1, 0.5)):
        said(daemon.space, STUDENTS[0], 1)
        name = turns.pop()
        for number, line in stack.processes().items():
            if name in line:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
                    kills.append(line)


def test_nothing_is_lost_or_doubled(stack, daemon):
    content = os.urandom(3_000_000)
    upload, digest = "5" * 32, hashlib.sha256(content).hexdigest()
    is_over, kills = threading.Event(), []
    names = ["-m controle_vnc ", "-m controle_vnc.files"]
    killer = threading.Thread(target=killing, args=(stack, daemon, names, is_over, kills))
    killer.start()
    try:
        size = 0
        while size < len(content):
            size = said(daemon.keep_part, upload, size, content[size : size + m.MAX_PART_BYTES])
        said(daemon.check_upload, upload, len(content), digest)
        file = m.File(upload, "devoir.odt", len(content), digest)
        for login in STUDENTS:
            said(daemon.place, placing(file, login=login))
        for login in STUDENTS:
            assert said(daemon.collect, collecting(login=login)).files == 1
        for login in STUDENTS:
            assert said(daemon.give_back, returning(login=login)).files == 1
        while not all(any(name in line for line in kills) for name in names):
            for login in STUDENTS:  # a quick machine: everything is said once more meanwhile
                assert said(daemon.place, placing(file, login=login)).was_there
                assert said(daemon.collect, collecting(login=login)).copied == 0
    finally:
        is_over.set()
        killer.join()
    assert {name for name in names if any(name in line for line in kills)} == set(names)
    looks = said(daemon.look_at, STUDENTS, "camille", "TP3 3eB", KEY)
    assert {(one.is_there, one.collected, one.returned) for one in looks} == {(True, 1, 1)}
    found = {
        str(path.relative_to(stack.home / "homes")): path.read_bytes() == content
        for path in (stack.home / "homes").rglob("*")
        if path.is_file() and path.name != "collected.txt"
    }
    folder = "perso/devoirs/camille/TP3 3eB"
    assert found == {
        **{f"{login}/{folder}/devoir.odt": True for login in STUDENTS},
        **{f"{login}/{folder}/correction/devoir.odt": True for login in STUDENTS},
        **{
            f"camille/perso/devoirs/ramasses/TP3 3eB/{login}/devoir.odt": True for login in STUDENTS
        },
    }
