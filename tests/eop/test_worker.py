import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from eop import services
from eop.aaa import codes
from eop.aaa.tables import revocation, session, sign_in_code, sign_in_failure, sign_in_step
from eop.audit.tables import audit
from eop.directory import users
from eop.lessons.tables import lesson
from eop.passwords import files
from eop.worker import Worker
from tests.desktops import wait_until
from tests.eop.installation import PASSWORD
from tests.redis_server import RedisServer


@pytest.fixture
def worker(house):
    house.steady = 0.0
    return Worker(house.parts, lambda: house.steady)


def count(house, table):
    with house.parts.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_live_sessions_are_leased_every_half_minute(house, worker):
    house.signed_in()
    worker.tick()
    assert len(house.daemon.leases) == 1
    before = next(iter(house.daemon.leases._leases.values())).renewed_at
    house.steady = 29.0
    worker.tick()
    assert next(iter(house.daemon.leases._leases.values())).renewed_at == before
    house.steady = 30.0
    worker.tick()
    assert next(iter(house.daemon.leases._leases.values())).renewed_at > before


def test_a_revocation_the_daemon_missed_is_told_within_a_second_of_its_return(house, worker):
    browser = house.signed_in()
    house.stop_daemon()
    house.parts.daemon.close()
    browser.delete("session")
    worker.tick()
    assert count(house, revocation) == 1
    daemon = house.start_daemon()
    house.steady = 1.0
    worker.tick()
    assert count(house, revocation) == 0
    assert len(daemon.leases._tombstones) == 1


def test_leases_are_renewed_soon_after_the_daemon_is_back(house, worker):
    house.signed_in()
    house.stop_daemon()
    house.parts.daemon.close()
    worker.tick()
    daemon = house.start_daemon()
    house.steady = 3.0
    worker.tick()
    assert len(daemon.leases) == 1


def test_expired_sessions_are_removed_and_revoked(house, worker):
    house.signed_in()
    house.offset = 12 * 3600 + 1
    house.steady = 60.0
    worker.tick()
    house.steady = 61.0
    worker.tick()
    assert count(house, session) == 0
    assert count(house, revocation) == 0
    assert len(house.daemon.leases._tombstones) == 1


def test_steps_and_failures_that_are_over_are_removed(house, worker):
    with house.parts.database.write() as connection:
        camille = users.get(connection, "camille")
        users.date_password(connection, camille.id, 0, must_change=True)
    house.browser().open("/login", "POST", data={"username": "camille", "password": PASSWORD})
    house.browser().sign_in(password="wrong")
    worker.tick()
    assert (count(house, sign_in_step), count(house, sign_in_failure)) == (1, 1)
    house.offset = 30 * 60 + 1
    house.steady = 60.0
    worker.tick()
    assert (count(house, sign_in_step), count(house, sign_in_failure)) == (0, 0)


def test_files_of_passwords_go_after_a_day(house, worker):
    with files.begun("1-2", "", house.parts.now_ms()) as file:
        file.add("text")
    worker.tick()
    assert files.read("1-2", file.name) == b"text"
    house.offset = files.KEPT_SECONDS
    house.steady = 60.0
    worker.tick()
    assert list(files.folder().rglob("*.csv")) == []


def test_old_events_of_the_audit_go_once_a_day(house, worker):
    house.signed_in()
    kept = count(house, audit)
    house.offset = 366 * 24 * 3600
    worker.tick()
    assert count(house, audit) == 1  # that they went
    house.signed_in()
    house.offset *= 2
    house.steady = 24 * 3600.0 - 1
    worker.tick()
    assert count(house, audit) == 2
    house.steady += 1
    worker.tick()
    assert (kept, count(house, audit)) == (2, 1)


def test_what_redis_let_expire_is_revoked(house):
    with RedisServer() as server:
        site = replace(house.site, SESSION_STORE=server.url)
        house.parts.close()
        house.parts = services.make(site, house.shared, house.clock)
        house.steady = 0.0
        worker = Worker(house.parts, lambda: house.steady)
        house.signed_in()
        worker.tick()
        assert len(house.daemon.leases) == 1
        with server.client() as client:
            for key in client.scan_iter("*session:*"):
                client.delete(key)  # as its expiry does
        house.steady = 60.0
        worker.tick()
        house.steady = 61.0
        worker.tick()
        assert len(house.daemon.leases) == 0
        assert len(house.daemon.leases._tombstones) == 1
        house.parts.close()


def test_while_the_store_is_down_no_lease_is_renewed_and_it_is_said_once(house, caplog):
    with RedisServer() as server:
        site = replace(house.site, SESSION_STORE=server.url)
        house.parts.close()
        house.parts = services.make(site, house.shared, house.clock)
        house.steady = 0.0
        worker = Worker(house.parts, lambda: house.steady)
        house.signed_in()
        server.stop()
        for house.steady in (0.0, 5.0, 10.0):
            worker.tick()
        assert len(house.daemon.leases) == 0
        assert caplog.text.count("leases: the session store does not answer") == 1
        with house.parts.database.read() as connection:
            kept = connection.scalars(select(audit.c.kind)).all()
        assert kept.count("sessions_down") == 1
        house.parts.close()


def test_codes_nobody_used_are_forgotten(house, worker):
    with house.parts.database.write() as connection:
        asked = codes.Wanted("https://eop.example/eop", "s" * 43)
        codes.issue(connection, house.parts.door.keys, "s", asked, house.parts.now_ms())
    house.offset = 61
    worker.tick()
    assert count(house, sign_in_code) == 0


def test_one_duty_that_fails_stops_no_other(house, worker, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("eop.audit.journal.pull", broken)
    house.signed_in()
    worker.tick()
    assert len(house.daemon.leases) == 1
    assert "journal failed" in caplog.text


def test_the_program_works_until_it_is_told_to_stop(house):
    house.signed_in()
    environment = {**os.environ, **house.environ}
    with subprocess.Popen(
        [sys.executable, "-m", "eop.worker"], env=environment, stderr=subprocess.PIPE
    ) as process:
        wait_until(lambda: len(house.daemon.leases) == 1, 15, "a lease")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
    assert process.returncode == 0, errors


def test_the_program_says_why_it_cannot_start(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "eop.worker"],
        env={**os.environ, "EOP_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr == "eop-worker: No application loaded\n"


def test_the_switch_of_all_screens_is_told_every_second(house, worker):
    from eop.aaa import switches

    worker.tick()
    switches.turn(house.parts.database, True, "admin", house.parts.now_ms())
    worker.tick()
    assert not house.parts.daemon.status().screens_closed
    house.steady = 1.0
    worker.tick()
    assert house.parts.daemon.status().screens_closed
    house.stop_daemon()
    house.parts.daemon.close()
    house.start_daemon()
    assert not house.parts.daemon.status().screens_closed
    house.steady = 2.0
    worker.tick()
    assert house.parts.daemon.status().screens_closed


def test_what_a_substitute_had_open_closes_within_seconds_of_the_end(house, worker):
    from eop.aaa import substitution
    from eop.directory.substitutes import Substitution

    house.add_user("anna", rooms=(), classes=())
    house.add_workstation("pc-01", "S12")
    now_ms = house.parts.now_ms()
    given = Substitution("anna", ("S12",), (), now_ms, now_ms + 60_000, "admin")
    substitution.give(house.parts.database, given, now_ms)
    browser = house.signed_in("anna")
    ticket = browser.post("tickets", {"kind": "wall", "room": "S12"}).json["ticket"]
    closing = house.daemon.leases.open(house.daemon.office.redeem(ticket))
    house.offset = 60.0
    worker.tick()
    assert closing.code == "rights_changed"
    assert house.daemon.leases._tombstones == {}
    assert browser.get("session").status_code == 200
    assert browser.post("tickets", {"kind": "wall", "room": "S12"}).status_code == 403


def test_a_lesson_whose_hours_are_over_is_ended(house, worker):
    house.add_workstation("pc-01", "S12")
    assert house.signed_in().post("lessons", {"room": "S12"}).status_code == 201
    worker.tick()
    assert count(house, lesson) == 1
    house.offset, house.steady = 4 * 3600 + 1.0, 10.0
    worker.tick()
    assert count(house, lesson) == 0
