"""A school whose files are real: controle-vnc-files with a folder of homes, and a walk."""

import hashlib

import pytest

from eop.documents.walk import Walk
from tests.eop.installation import API, Installation
from tests.files_process import FilesProcess

STUDENTS = ("zoe", "malo", "ada")


class School(Installation):
    """An installation with homes; `walk()` does everything that is due."""

    def __init__(self, files, database_url=""):
        super().__init__(database_url, EOP_FILES_SOCKET=str(files.socket))
        self.files = files
        self.walker = Walk(self.parts)

    def walk(self, most=1000):
        """Do the steps that are due; how many were said."""
        for done in range(most):
            if self.walker.step() is None:
                return done
        raise AssertionError("steps without end")

    def work(self, login):
        return self.files.homes / login / "perso/devoirs"


@pytest.fixture
def files():
    with FilesProcess() as process:
        yield process


@pytest.fixture
def school(files, monkeypatch):
    """Zoe, Malo and Ada are in 3eB; Camille teaches everybody, Anna 3eB, Klein nobody."""
    made = School(files)
    yield peopled(made, monkeypatch)
    made.close()


def peopled(made, monkeypatch):
    """With homes, people and a class."""
    files = made.files
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    for login in (*STUDENTS, "camille", "anna"):
        (files.homes / login).mkdir(parents=True)
    made.start_daemon()
    for login in STUDENTS:
        made.add_user(login, role="student", rooms=(), classes=())
    made.add_user("camille")
    made.add_user("anna", rooms=(), classes=("3eB",))
    made.add_user("klein", rooms=(), classes=())
    made.add_class("3eB", *STUDENTS)
    return made


def put(browser, upload, offset, data):
    return browser.open(
        f"{API}/uploads/{upload}", "PUT", query_string={"offset": offset}, data=data,
        headers={"X-CSRF-Token": browser.csrf}, content_type="application/octet-stream",
    )  # fmt: skip


def send_up(browser, data, name="devoir.odt", changed_at=1):
    """Send a file up; its id."""
    begun = browser.post("uploads", {"name": name, "size": len(data), "changed_at": changed_at})
    assert begun.status_code == 201, begun.text
    upload, step = begun.json["id"], 2**20
    for offset in range(0, len(data), step):
        answer = put(browser, upload, offset, data[offset : offset + step])
        assert answer.status_code == 200, answer.text
    checked = browser.post(f"uploads/{upload}/check", {"sha256": hashlib.sha256(data).hexdigest()})
    assert checked.status_code == 200, checked.text
    return upload


def give(browser, data=b"work", reference="TP3", name="devoir.odt", **more):
    """Give a document to 3eB; what the API says of it."""
    body = {
        "reference": reference, "class": "3eB",
        "files": [{"upload": send_up(browser, data, name)}], **more,
    }  # fmt: skip
    answer = browser.post("documents", body)
    assert answer.status_code == 201, answer.text
    return answer.json
