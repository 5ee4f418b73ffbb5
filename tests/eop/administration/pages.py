"""What the tests of the administration's pages share: opening one, sending a form."""

import html
import re

import pytest

from tests.eop.installation import MOUNT


@pytest.fixture
def school(house):
    """A house with an administrator, `carla`, and a teacher without anything, `anna`."""
    house.add_user("carla", role="administrator", rooms=(), classes=())
    house.add_user("anna", rooms=(), classes=())
    house.id = house.add_workstation("pc-01", "S12", "zoe")
    house.add_class("3eB", "zoe")
    return house


def get(browser, path, **query):
    return browser.open(MOUNT + path, query_string=query or None)


def send(browser, path, **fields):
    return browser.open(MOUNT + path, "POST", data={"csrf_token": browser.csrf, **fields})


def follow(browser, answer):
    assert answer.status_code == 303, answer.text
    return browser.open(answer.headers["Location"])


def words(answer):
    """The text of a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
