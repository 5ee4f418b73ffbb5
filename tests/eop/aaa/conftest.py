"""An installation with settings of its own, and what a person does at its door."""

import re

import pytest

from tests.eop.installation import PASSWORD, Installation


@pytest.fixture
def installed(monkeypatch):
    """`installed(PASSWORD_LIFETIME="30")`: an installation with a daemon and a teacher."""
    made = []

    def install(**settings):
        one = Installation(**{f"EOP_{name}": value for name, value in settings.items()})
        made.append(one)
        for name, value in one.environ.items():
            monkeypatch.setenv(name, value)
        one.start_daemon()
        one.add_user()
        return one

    yield install
    for one in made:
        one.close()


class Person:
    """Somebody with a browser: signs in at the door, takes steps, goes to his account."""

    def __init__(self, house, login="camille", address="127.0.0.1"):
        self.house, self.login, self.browser = house, login, house.browser()
        self.environ = {"REMOTE_ADDR": address}

    def post(self, path, **form):
        return self.browser.open(path, "POST", data=form, environ=self.environ)

    def get(self, path):
        return self.browser.open(path, environ=self.environ)

    def enter(self, password=PASSWORD, **more):
        return self.post("/login", username=self.login, password=password, **more)

    def step(self, **form):
        """Send the form of the step that is due, with its token."""
        page = self.get("/login/step")
        return self.post("/login/step", csrf_token=self.token(page), **form)

    def change(self, path, **form):
        """Send a form of /account, with the token of the session."""
        return self.post(path, csrf_token=self.token(self.get("/account")), **form)

    @staticmethod
    def token(page):
        found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page.text)
        return found.group(1) if found else ""

    @property
    def is_inside(self):
        return self.get("/eoleauth").status_code == 200

    def cookie(self, name):
        found = self.browser.client.get_cookie(name, domain="127.0.0.1")
        return found.value if found else ""


@pytest.fixture
def camille(house):
    return Person(house)
