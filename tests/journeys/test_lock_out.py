"""The end of a lock-out, in a real browser: half an hour passes on the server, not for the test."""

import email.utils
import time

import pytest
import requests

from tests.desktops import missing_programs
from tests.journeys.conftest import sign_in
from tests.journeys.test_browser import PICTURE, tile, until_live
from tests.server_clock import ServerClock
from tests.stack import Stack

MINUTE = 60
ATTEMPTS, HOLDOFF_MINUTES = 5, 30


@pytest.fixture
def clock():
    with ServerClock() as moved:
        yield moved


@pytest.fixture
def school(clock):
    assert not missing_programs(), f"install {missing_programs()}"
    with Stack(workstations=1, **clock.environment) as running:
        yield running


def enter(page, school, password):
    page.goto(f"{school.url}/")
    page.fill("input[name=username]", school.login)
    page.fill("input[name=password]", password)
    page.click("form button[data-kind=main]")


def told(page):
    page.wait_for_url("**/login")  # whole: it may be there without its words yet
    return page.locator("#login-error").inner_text().strip()


def lock_out(page, school):
    for _ in range(ATTEMPTS):
        enter(page, school, "wrong")
        assert told(page) == "Wrong user name or password."


def server_time(school):
    """Seconds since 1970 on the server, as it tells every browser."""
    answer = requests.get(f"{school.origin}/ping", timeout=10)
    return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()


def see_the_wall(page, school):
    (workstation,) = [one["id"] for one in school.sign_in().get("workstations").json()]
    page.click('a[href$="/observe/wall?room=S12"]')
    until_live(page, workstation)
    assert tile(page, workstation).locator("img").evaluate(PICTURE)


def test_a_lock_out_ends_after_half_an_hour_and_not_before(page, school, clock):
    lock_out(page, school)
    enter(page, school, school.password)
    assert told(page) == f"Too many attempts. Try again in {HOLDOFF_MINUTES} min."
    clock.set_ahead((HOLDOFF_MINUTES - 1) * MINUTE)
    assert server_time(school) - time.time() == pytest.approx(29 * MINUTE, abs=5)
    enter(page, school, school.password)
    assert told(page) == "Too many attempts. Try again in 1 min.", "refused in the last minute"
    clock.set_ahead(HOLDOFF_MINUTES * MINUTE)
    enter(page, school, "wrong")
    assert told(page) == "Wrong user name or password.", "what led to the lock no longer counts"
    sign_in(page, school)
    see_the_wall(page, school)


def test_an_administrator_ends_a_lock_out_at_once(page, school):
    lock_out(page, school)
    enter(page, school, school.password)
    assert told(page) == f"Too many attempts. Try again in {HOLDOFF_MINUTES} min."
    school.eopctl("user", "unlock", school.login)
    enter(page, school, "wrong")
    assert told(page) == "Wrong user name or password.", "what led to the lock is forgotten"
    sign_in(page, school)
    see_the_wall(page, school)
