"""The real process on a folder of homes, for all the tests here."""

import pytest

from tests.files_process import FilesProcess


@pytest.fixture(scope="session")
def running():
    with FilesProcess() as process:
        yield process


_people = iter(range(10**6))


@pytest.fixture
def lea(running):
    """A student nobody else works with, and the folder that a document of camille's has there."""
    return Student(running, f"lea{next(_people)}")


class Student:
    def __init__(self, process, login):
        self.process, self.login = process, login
        self.home = process.homes / login
        self.folder = self.home / "perso/devoirs/camille/TP3 3eB"
        self.collected = process.homes / "camille/perso/devoirs/ramasses/TP3 3eB" / login

    def ask(self, make, *arguments, **more):
        return self.process.ask(make(*arguments, login=self.login, **more))
