"""A teacher of the school's directory signs in, in a real browser, against a real slapd."""

import json
import time

import pytest

from eop.aaa import accounts
from eop.database import Database
from eop.directory.users import NewUser
from tests.journeys.conftest import new_page
from tests.ldap_fixtures import certificates, scribe
from tests.ldap_server import PASSWORD
from tests.stack import Stack

__all__ = ["certificates", "scribe"]


@pytest.fixture(scope="module")
def school(scribe):
    """The product, asking the directory for every password, with one of its teachers known."""
    settings = {
        f"EOP_{name}": ",".join(value) if isinstance(value, list) else str(value)
        for name, value in scribe.settings(AUTHENTICATORS=["ldap"]).items()
    }
    with Stack(**settings) as running:
        database = Database(f"sqlite:///{running.home}/var/lib/eop/eop.db")
        known = NewUser("prof.1", "teacher", "Zoé Prof 1", None, rooms=("S12",))
        accounts.add(database, known, int(time.time() * 1000))
        database.close()
        yield running


def enter(page, school, login, password):
    page.goto(f"{school.url}/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", password)
    page.click("form button[data-kind=main]")


def test_a_teacher_of_the_directory_signs_in_and_out(browser, school):
    with new_page(browser) as page:
        enter(page, school, "Prof.1", PASSWORD)
        page.wait_for_url("**/eoleapps/eop/**")
        assert page.locator(".me .out").is_visible()
        page.click(".me .out")
        page.goto(f"{school.url}/")
        assert page.locator("h1").inner_text() == "Sign in"


@pytest.mark.parametrize(
    ("login", "password"),
    [("prof.1", "wrong"), ("nobody", PASSWORD), ("*)(uid=*", PASSWORD), ("prof.1", "\u00ad")],
)
def test_a_wrong_password_or_name_is_refused_with_the_same_words(browser, school, login, password):
    with new_page(browser) as page:
        enter(page, school, login, password)
        page.wait_for_selector("text=Wrong user name or password.")
        assert page.locator("input[name=password]").is_visible()


def test_who_is_in_the_directory_and_not_in_eop_is_told(browser, school):
    with new_page(browser) as page:
        enter(page, school, "prof.2", PASSWORD)
        page.wait_for_selector("text=EOP does not know you yet")


def test_the_command_tells_what_the_directory_says(school):
    found = json.loads(school.eopctl("directory", "test", "prof.1", "--json"))
    assert found["person"]["role"] == "teacher"


def test_while_the_directory_is_down_the_page_says_so(browser, school, scribe):
    scribe.stop()
    with new_page(browser) as page:
        enter(page, school, "prof.1", PASSWORD)
        page.wait_for_selector("text=The school's directory does not answer.")
    scribe.start()
