import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from eop import services
from eop.aaa import codes
from eop.aaa.tables import revocation, session, sign_in_code
from eop.audit.tables import audit
from eop.worker import Worker
from tests.desktops import wait_until
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
