"""A document from its giving to its end, on a real PostgreSQL, with the threads of the worker."""

import threading

import pytest

from eop.documents import jobs, uploads
from eop.documents.jobs import Step
from tests.desktops import wait_until
from tests.eop.documents.conftest import School, give, peopled
from tests.postgres_server import PostgresServer, needs_postgres

pytestmark = needs_postgres


@pytest.fixture
def school(files, monkeypatch):
    with PostgresServer() as server:
        made = School(files, server.database())
        yield peopled(made, monkeypatch)
        made.close()


def test_every_step_is_done_and_the_document_forgotten(school):
    browser = school.signed_in()
    number = give(browser)["id"]

    def over(count):
        school.walker.tick()
        answer = browser.get(f"documents/{number}").json
        return answer["counts"][count] == 3 and answer["jobs"][0]["state"] == "done"

    wait_until(lambda: over("placed"), 20, "all have it")
    assert browser.post(f"documents/{number}/collect", {}).status_code == 202
    wait_until(lambda: over("collected"), 20, "all is collected")
    assert browser.post(f"documents/{number}/return", {}).status_code == 202
    wait_until(lambda: over("returned"), 20, "all is returned")
    assert browser.get("documents").json[0]["state"] == "done"
    assert uploads.clean_up(school.parts) == 1
    assert browser.post(f"documents/{number}/remove", {"what": "everything"}).status_code == 202
    wait_until(
        lambda: school.walker.tick() or browser.get("documents").json == [], 20, "it is forgotten"
    )
    school.walker.stop()


def test_the_last_two_steps_settled_at_once_end_their_job(school):
    """The second begins to settle before the first is committed."""
    browser, database = school.signed_in(), school.parts.database
    give(browser)
    now_ms = school.parts.now_ms()
    with database.write() as connection:
        (job,) = jobs.ready(connection, now_ms)
        *others, one, two = jobs.logins(connection, job.id, jobs.DUE)
        for login in others:
            jobs.settle(connection, Step(job, login, 0, 0), jobs.DONE)
    is_settled = threading.Event()

    def settle_the_other():
        with database.write() as connection:
            jobs.settle(connection, Step(job, two, 0, 0), jobs.DONE)
            is_settled.set()
            jobs.end_if_over(connection, job.id, now_ms)

    other = threading.Thread(target=settle_the_other)
    with database.write() as connection:
        jobs.settle(connection, Step(job, one, 0, 0), jobs.DONE)
        jobs.end_if_over(connection, job.id, now_ms)
        other.start()
        assert is_settled.wait(5)
        other.join(1)  # time enough to look before we are committed, were it let
    other.join(5)
    with database.read() as connection:
        assert jobs.get(connection, job.id).state == jobs.DONE
