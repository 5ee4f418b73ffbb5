"""A document from its giving to its end, on a real PostgreSQL, with the threads of the worker."""

import pytest

from eop.documents import uploads
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
