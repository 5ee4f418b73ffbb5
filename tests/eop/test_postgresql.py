"""What SQLite forgives or does by itself, on a real PostgreSQL."""

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from eop.aaa import substitution, throttle
from eop.aaa.throttle import Attempt
from eop.audit import events, verification
from eop.database import metadata
from eop.directory import granted, substitutes, users
from eop.directory.substitutes import Substitution
from eop.errors import RefusedError
from eop.passwords import limits
from tests.eop.installation import PASSWORD, Installation, error
from tests.postgres_server import PostgresServer, needs_postgres

pytestmark = needs_postgres
AT_ONCE = 8


@pytest.fixture(scope="module")
def server():
    with PostgresServer() as running:
        yield running


@pytest.fixture
def school(server):
    installation = Installation(database_url=server.database())
    installation.add_user()
    installation.add_user("admin", "administrator")
    yield installation
    installation.close()


def at_once(work):
    """Run `work(number)` in several threads that begin together."""
    ready, troubles = threading.Barrier(AT_ONCE), []

    def run(number):
        ready.wait(10)
        try:
            work(number)
        except Exception as trouble:
            troubles.append(trouble)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return troubles


def test_the_migrations_make_exactly_the_tables_of_the_program(school):
    with school.parts.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_people_sign_in_and_out_and_pages_answer(school):
    browser = school.signed_in("admin")
    for page in ("/", "/mine", "/admin/", "/admin/audit", "/admin/people", "/admin/substitutes"):
        assert browser.open(f"/eoleapps/eop{page}").status_code == 200, page
    assert browser.open("/account").status_code == 200
    assert browser.delete("session").status_code == 204
    assert browser.get("session").status_code == 401


@pytest.mark.parametrize("login", ["nobody", "x\0y", "\udc80"])
def test_odd_logins_are_wrong_ones_as_any(school, login):
    form = {"username": login.encode("utf-8", "surrogateescape"), "password": PASSWORD}
    assert school.browser().open("/login", "POST", data=form).status_code == 401


def test_events_that_are_written_at_once_are_one_chain(school):
    database = school.parts.database

    def write(number):
        for turn in range(20):
            with database.write() as connection:
                events.record(connection, "signed_out", number * 100 + turn, user="camille")

    assert at_once(write) == []
    with database.snapshot() as connection:
        report = verification.verify(connection)
    assert report.damage is None
    assert report.rows >= AT_ONCE * 20


def test_failures_that_come_at_once_lock_and_break_nothing(school):
    database, now_ms = school.parts.database, school.parts.now_ms()
    attempt = Attempt("camille", "192.0.2.1", now_ms)

    def fail(_):
        with database.write() as connection:
            throttle.failed(connection, attempt)

    assert at_once(fail) == []
    with database.read() as connection, pytest.raises(RefusedError, match="locked"):
        throttle.check(connection, attempt)


def test_forms_sent_at_once_change_no_more_than_one_may_in_an_hour(school):
    database, now_ms = school.parts.database, school.parts.now_ms()

    def claim(_):
        with database.write() as connection:
            limits.claim(connection, "camille", limits.new_form(), limits.AN_HOUR // 2, now_ms)

    refused = at_once(claim)
    assert [one.code for one in refused] == ["too_many_passwords"] * (AT_ONCE - 2)


def test_a_wrong_password_is_counted_and_told(school):
    for _ in range(5):
        assert error(school.browser().sign_in(password="wrong")) == (401, "wrong")
    assert error(school.browser().sign_in()) == (423, "locked")


def test_rights_of_a_substitute_are_loaded_with_the_session(school):
    now_ms = school.parts.now_ms()
    school.add_user("remi", rooms=(), classes=())
    given = Substitution("remi", ("S12",), (), now_ms, now_ms + 3_600_000, "admin")
    substitution.give(school.parts.database, given, now_ms)
    assert school.signed_in("remi").get("session").json["user"] == "remi"
    with school.parts.database.read() as connection:
        remi = users.get(connection, "remi")
        found = granted.find_by_id(connection, remi.id, now_ms)
        assert found == (remi, substitutes.grants_at(connection, remi.id, now_ms))
        assert [one.value for one in found.temporary] == ["S12"]
