import dataclasses

import pytest

from controle_vnc.errors import RequestRefusedError, TicketRefusedError
from controle_vnc.viewer import lease as lease_module
from controle_vnc.viewer.grant import Grant
from controle_vnc.viewer.lease import (
    LEASE_LOST,
    LEASE_SECONDS,
    MAX_VIEWERS_A_SESSION,
    RIGHTS_CHANGED,
    SESSION_ENDED,
    SIGNED_OUT,
    SWITCHED_OFF,
    Leases,
)

GRANT = Grant("g", "session", "camille", "Camille", 2_000_000, "screen", "w1", "view")


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class World:
    def __init__(self):
        self.wall, self.steady = Clock(1000.0), Clock(5.0)
        self.leases = Leases(self.wall, self.steady)

    def pass_time(self, seconds):
        self.wall.now += seconds
        self.steady.now += seconds


@pytest.fixture
def world():
    return World()


def test_nothing_opens_without_a_lease(world):
    with pytest.raises(TicketRefusedError):
        world.leases.open(GRANT)


def test_a_lease_is_lost_after_ninety_seconds_without_renewal(world):
    world.leases.renew("session", 2_000_000)
    closing = world.leases.open(GRANT)
    world.pass_time(LEASE_SECONDS - 0.1)
    assert world.leases.expire() == 0
    assert closing.code is None
    world.pass_time(0.1)
    assert world.leases.expire() == 1
    assert closing.code == LEASE_LOST


def test_a_renewed_lease_goes_on(world):
    world.leases.renew("session", 2_000_000)
    closing = world.leases.open(GRANT)
    for _ in range(10):
        world.pass_time(30)
        world.leases.renew("session", 2_000_000)
        world.leases.expire()
    assert closing.code is None


def test_a_session_ends_at_its_absolute_end_however_often_it_is_renewed(world):
    world.leases.renew("session", 1_010_000)
    closing = world.leases.open(GRANT)
    world.pass_time(9.9)
    assert world.leases.renew("session", 1_010_000)
    world.leases.expire()
    assert closing.code is None
    world.pass_time(0.1)
    assert not world.leases.renew("session", 1_010_000)
    world.leases.expire()
    assert closing.code == SESSION_ENDED


def test_a_corrected_wall_clock_loses_no_lease(world):
    world.leases.renew("session", 2_000_000)
    closing = world.leases.open(GRANT)
    world.wall.now += 500
    world.leases.expire()
    assert closing.code is None


def test_a_revoked_session_closes_everything_and_stays_dead(world):
    world.leases.renew("session", 2_000_000)
    closings = [world.leases.open(dataclasses.replace(GRANT, id=str(n))) for n in range(3)]
    world.leases.renew("other", 2_000_000)
    spared = world.leases.open(dataclasses.replace(GRANT, session="other"))
    assert world.leases.revoke(["session", "never seen"]) == 3
    assert {closing.code for closing in closings} == {SIGNED_OUT}
    assert spared.code is None
    assert not world.leases.renew("session", 2_000_000)
    assert not world.leases.renew("never seen", 2_000_000)
    with pytest.raises(TicketRefusedError):
        world.leases.open(GRANT)


def test_a_tombstone_stands_until_the_session_would_have_ended(world):
    world.leases.renew("session", 1_050_000)
    world.leases.revoke(["session"])
    world.pass_time(49)
    world.leases.expire()
    assert not world.leases.renew("session", 1_050_000)
    world.pass_time(1)
    world.leases.expire()
    assert not world.leases._tombstones


def test_tombstones_are_bounded_and_the_oldest_goes(world, monkeypatch):
    monkeypatch.setattr(lease_module, "MAX_TOMBSTONES", 3)
    world.leases.revoke(["a", "b", "c", "d"])
    assert list(world.leases._tombstones) == ["b", "c", "d"]


def test_leases_are_bounded(world, monkeypatch):
    monkeypatch.setattr(lease_module, "MAX_LEASES", 2)
    world.leases.renew("a", 2_000_000)
    world.leases.renew("b", 2_000_000)
    with pytest.raises(RequestRefusedError):
        world.leases.renew("c", 2_000_000)
    assert world.leases.renew("a", 2_000_000)


def test_viewers_are_bounded(world, monkeypatch):
    monkeypatch.setattr(lease_module, "MAX_VIEWERS", 2)
    world.leases.renew("session", 2_000_000)
    for n in range(2):
        world.leases.open(dataclasses.replace(GRANT, id=str(n)))
    with pytest.raises(RequestRefusedError) as refusal:
        world.leases.open(dataclasses.replace(GRANT, id="one more"))
    assert refusal.value.code == "too_many_viewers"


def test_a_session_has_so_many_viewers_and_not_one_more(world):
    world.leases.renew("session", 2_000_000)
    world.leases.renew("other", 2_000_000)
    for n in range(MAX_VIEWERS_A_SESSION):
        world.leases.open(dataclasses.replace(GRANT, id=str(n)))
    with pytest.raises(RequestRefusedError, match="camille has 100") as refusal:
        world.leases.open(dataclasses.replace(GRANT, id="one more"))
    assert refusal.value.code == "too_many_viewers"
    world.leases.open(dataclasses.replace(GRANT, session="other"))
    world.leases.done(dataclasses.replace(GRANT, id="0"))
    world.leases.open(dataclasses.replace(GRANT, id="one more"))


def test_open_viewers_are_counted_by_kind(world):
    world.leases.renew("session", 2_000_000)
    world.leases.open(GRANT)
    wall = dataclasses.replace(GRANT, id="wall", kind="wall")
    world.leases.open(wall)
    assert (world.leases.count("screen"), world.leases.count("wall")) == (1, 1)
    world.leases.done(wall)
    assert (world.leases.count("screen"), world.leases.count("wall")) == (1, 0)


def test_everything_is_told_when_the_daemon_ends(world):
    world.leases.renew("session", 2_000_000)
    closing = world.leases.open(GRANT)
    world.leases.close_all("stopping")
    assert closing.code == "stopping"


def test_a_session_whose_rights_changed_loses_its_viewers_and_lives_on(world):
    world.leases.renew("session", 2_000_000)
    world.leases.renew("other", 2_000_000)
    mine = world.leases.open(GRANT)
    theirs = world.leases.open(dataclasses.replace(GRANT, id="h", session="other"))
    assert world.leases.close_viewers(["session", "unknown"]) == 1
    assert (mine.code, theirs.code) == (RIGHTS_CHANGED, None)
    world.leases.done(GRANT)
    assert world.leases.open(GRANT).code is None


def test_while_all_is_shut_nothing_opens_and_sessions_live_on(world):
    world.leases.renew("session", 2_000_000)
    closing = world.leases.open(GRANT)
    assert world.leases.shut() == 1
    assert closing.code == SWITCHED_OFF
    world.leases.done(GRANT)
    assert world.leases.renew("session", 2_000_000)
    with pytest.raises(RequestRefusedError) as refusal:
        world.leases.open(GRANT)
    assert refusal.value.code == SWITCHED_OFF
    world.leases.let_open()
    assert world.leases.open(GRANT).code is None
