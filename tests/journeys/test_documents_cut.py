"""Each process is killed while documents are given and collected; nothing is lost or doubled."""

import hashlib
import os
import signal
import time

import pytest

from tests.desktops import wait_until
from tests.stack import Stack

PASSWORD = "correct horse battery"
STUDENTS = [f"eleve{number:02}" for number in range(30)]
MEGABYTE = 1_000_000
PIECE = 2**20
VICTIMS = {
    "worker": "-m eop.worker",
    "controle-vnc": "-m controle_vnc ",
    "controle-vnc-files": "-m controle_vnc.files",
    "gunicorn": "-m gunicorn",
}


@pytest.fixture(scope="module")
def school():
    """Thirty students with homes in one class."""
    with Stack() as running:
        running.homes = running.home / "homes"
        for login in (*STUDENTS, running.login):
            (running.homes / login).mkdir(parents=True)
        running.eopctl("class", "add", "6eA", "--users", ",".join(STUDENTS))
        yield running


def send_up(api, data, name):
    body = {"name": name, "size": len(data), "changed_at": 1}
    upload = api.post("uploads", body).json()["id"]
    for offset in range(0, len(data), PIECE):
        answer = api.http.put(
            f"{api.stack.url}/api/v1/uploads/{upload}?offset={offset}",
            data=data[offset : offset + PIECE],
            headers={"Content-Type": "application/octet-stream"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
    digest = hashlib.sha256(data).hexdigest()
    assert api.post(f"uploads/{upload}/check", {"sha256": digest}).status_code == 200
    return upload


def give(api, reference, data):
    files = [{"upload": send_up(api, data, "devoir.bin")}]
    body = {"reference": reference, "class": "6eA", "files": files}
    answer = api.post("documents", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def job(school, number):
    """The last job, read on the server itself: the site may be the one that was killed."""
    import json

    listed = json.loads(school.eopctl("document", "list", "--json"))
    found = next(one for one in listed if one["id"] == number)
    return found["jobs"][-1] if found["jobs"] else None


def kill(school, name):
    found = [pid for pid, line in school.processes().items() if VICTIMS[name] in line]
    assert found, name
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def wait_over(school, number):
    began = time.monotonic()
    wait_until(lambda: job(school, number) is None, 90, "the job is over")
    return time.monotonic() - began


@pytest.mark.parametrize("name", VICTIMS)
def test_giving_and_collecting_survive_a_kill_in_the_middle(school, name):
    api = school.sign_in()
    data = os.urandom(10 * MEGABYTE)
    number = give(api, f"Kill {name}", data)
    folders = [
        school.homes / one / "perso/devoirs" / school.login / f"Kill {name}6eA" for one in STUDENTS
    ]
    wait_until(lambda: any((one / "devoir.bin").exists() for one in folders), 30, "one has it")
    kill(school, name)
    assert not all((one / "devoir.bin").exists() for one in folders), "killed too late"
    (started,) = [one for one in folders if (one / "devoir.bin").exists()][:1]
    (started / "devoir.bin").write_bytes(b"work that was begun")
    wait_over(school, number)
    for folder in folders:
        assert [one.name for one in folder.iterdir()] == ["devoir.bin"], folder
        kept = (folder / "devoir.bin").read_bytes()
        assert kept == (b"work that was begun" if folder == started else data)
    collected = school.homes / school.login / "perso/devoirs/ramasses" / f"Kill {name}6eA"
    api = wait_until(lambda: _signed_in(school), 60, "the site is back")
    answer = api.post(f"documents/{number}/collect", {})
    assert answer.status_code == 202, answer.text
    wait_until(
        lambda: collected.exists() and any(collected.glob("*/devoir.bin")), 30, "one is collected"
    )
    kill(school, name)
    assert len(list(collected.glob("*/devoir.bin"))) < len(STUDENTS), "killed too late"
    wait_over(school, number)
    for login, folder in zip(STUDENTS, folders, strict=True):
        there = collected / login
        assert [one.name for one in there.iterdir()] == ["devoir.bin"], there
        assert (there / "devoir.bin").read_bytes() == (folder / "devoir.bin").read_bytes()
        assert sorted(one.name for one in folder.iterdir()) == ["Collected.txt", "devoir.bin"]
    api = wait_until(lambda: _signed_in(school), 60, "the site is back")
    told = api.get(f"documents/{number}").json()
    assert told["counts"]["placed"] == told["counts"]["collected"] == len(STUDENTS)
    assert told["counts"]["troubles"] == 0


def _signed_in(school):
    try:
        return school.sign_in()
    except (AssertionError, OSError):
        return None
