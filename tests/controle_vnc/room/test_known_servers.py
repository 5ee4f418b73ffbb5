"""A server is known again: what is remembered, when, and what happens where another one answers."""

import asyncio
from dataclasses import replace

import pytest

from controle_vnc.errors import KeyChangedError
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import ra2
from controle_vnc.rfb.security_types.trust import fingerprint
from controle_vnc.room.hub import Hub
from controle_vnc.workstation.pace import Timing
from tests.controle_vnc.rfb.security_types.pairs import PASSWORD, lock_of, rsa_key
from tests.fakes.house import stored, until
from tests.fakes.locked_screen import LockedScreen

QUICK = Timing(linger=0.05, wall=0.05, settle=0.0, connect=2, opening=5, handshake=5)
PIN = fingerprint("rsa", ra2.public_key(rsa_key()).wire)
OTHER = fingerprint("rsa", ra2.public_key(rsa_key(1)).wire)


class Watcher:
    live, shown_width = True, None

    def __init__(self):
        self.client, self.healths = None, []

    def opened(self, client, has_picture):
        self.client = client

    def event(self, event):
        pass

    def lost(self):
        self.client = None

    def told(self, health):
        self.healths.append(health)


def run(play, screen, **changes):
    kept = []

    async def whole():
        row = replace(stored(1, f"127.0.0.1:{screen.port}", password=PASSWORD), **changes)
        hub = Hub([row], QUICK, keep_trust=lambda *known: kept.append(known))
        try:
            await play(hub, hub.find("id1"))
        finally:
            await hub.close()

    asyncio.run(whole())
    return kept


def test_the_first_key_is_remembered_once_and_by_every_road():
    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "ready"
        assert seat.describe().trust == seat.link.target.trust == PIN
        watcher = Watcher()
        seat.watch(watcher)
        await until(lambda: watcher.client is not None, "the link")
        seat.unwatch(watcher)
        await until(lambda: not seat.link.is_busy, "the end of the link")
        hub.look_again(seat)
        await until(lambda: len(screen.kinds) == 3, "a look")

    with LockedScreen(lock_of(T.RA2_256)) as screen:
        assert run(play, screen) == [("id1", PIN)]
    assert screen.kinds == [T.RA2_256] * 3


def test_the_link_remembers_it_too():
    async def play(hub, seat):
        watcher = Watcher()
        seat.watch(watcher)
        await until(lambda: watcher.client is not None, "the link")
        assert seat.stored.trust == PIN

    with LockedScreen(lock_of(T.RA2NE)) as screen:
        assert run(play, screen) == [("id1", PIN)]


@pytest.mark.parametrize("road", ["probe", "link"])
def test_another_key_is_told_by_every_road_and_no_password_goes_to_it(road):
    async def play(hub, seat):
        if road == "probe":
            probe = await hub.probe("id1")
            assert (probe.state, probe.reason.code) == ("unsupported", "key_changed")
        else:
            watcher = Watcher()
            seat.watch(watcher)
            await until(lambda: seat.link.health.is_held, "what is told")
        assert seat.link.health.reason.code == "key_changed"
        assert PIN in seat.link.health.reason.arguments["detail"]

    with LockedScreen(lock_of(T.RA2_256, T.VNC_AUTHENTICATION)) as screen:
        assert run(play, screen, trust=OTHER) == []
    assert screen.kinds == []


def test_what_is_forgotten_is_learnt_anew():
    async def play(hub, seat):
        assert (await hub.probe("id1")).reason.code == "key_changed"
        hub.change(replace(seat.stored, trust=None))
        assert (await hub.probe("id1")).state == "ready"

    with LockedScreen(lock_of(T.RA2_256)) as screen:
        assert run(play, screen, trust=OTHER) == [("id1", PIN)]


def test_of_two_that_answer_at_once_the_second_one_is_told():
    async def play(hub, seat):
        met = seat.link.target.met
        met(PIN)
        met(PIN)
        with pytest.raises(KeyChangedError, match="a moment ago"):
            met(OTHER)
        hub.change(replace(seat.stored, trust="ca:/etc/ssl/school.pem"))
        met(OTHER)

    with LockedScreen(lock_of(T.RA2_256)) as screen:
        assert run(play, screen) == [("id1", PIN)]


def test_a_type_that_is_refused_gives_way_to_the_next_by_every_road():
    """RA2 refuses this password, VNC authentication takes its first eight bytes."""

    async def play(hub, seat):
        watcher = Watcher()
        seat.watch(watcher)
        await until(lambda: watcher.client is not None, "the link")
        assert seat.link.health.state == "ready"
        seat.unwatch(watcher)
        await until(lambda: not seat.link.is_busy, "the end of the link")
        hub.look_again(seat)
        await until(lambda: len(screen.kinds) == 2, "a look")
        assert (await hub.probe("id1")).state == "ready"
        await until(lambda: len(screen.kinds) == 3, "a diagnosis")

    lock = lock_of(T.RA2_256, T.VNC_AUTHENTICATION, password=PASSWORD[:8])
    with LockedScreen(lock) as screen:
        assert run(play, screen) == []
    assert set(screen.kinds) == {T.VNC_AUTHENTICATION}
    assert len(screen.refusals) == len(screen.kinds)


def test_after_the_second_refusal_nothing_more_is_tried():
    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "wrong_password"

    lock = lock_of(T.RA2_256, T.RA2, T.RA2NE, T.VNC_AUTHENTICATION, password=b"another")
    with LockedScreen(lock) as screen:
        run(play, screen)
    assert len(screen.refusals) == 2
