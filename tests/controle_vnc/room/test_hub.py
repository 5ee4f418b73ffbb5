import asyncio
from dataclasses import replace

import pytest

from controle_vnc.errors import RequestRefusedError
from controle_vnc.room.hub import RETRY_SECONDS, Hub
from controle_vnc.workstation.pace import Timing
from tests.fakes import vnc_server as fake
from tests.fakes.house import stored, until
from tests.fakes.vnc_server import FakeVncServer

QUICK = Timing(linger=0.05, wall=0.05, settle=0.0, connect=1, opening=0.5)


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def run(play, *rows, clock=None, timing=QUICK):
    async def whole():
        hub = Hub(rows, timing, clock=clock or Clock())
        try:
            await play(hub)
        finally:
            await hub.close()

    asyncio.run(whole())


def test_rooms_and_workstations_are_sorted_and_never_tell_a_password():
    rows = [
        stored(1, "h:1", room="S13", password=b"hidden"),
        stored(2, "h:2", room="S12", name="b"),
        stored(3, "h:3", room="S12", name="a"),
    ]

    async def play(hub):
        assert [(room.name, room.workstations) for room in hub.rooms()] == [
            ("S12", ["id3", "id2"]),
            ("S13", ["id1"]),
        ]
        first = hub.workstations()[-1]
        assert (first.state, first.checked_at, first.kind) == ("unknown", None, "vnc")
        assert b"hidden" not in repr(hub.workstations()).encode()
        with pytest.raises(RequestRefusedError) as refused:
            hub.status("nope")
        assert refused.value.code == "unknown_workstation"

    run(play, *rows)


def test_a_refresh_makes_one_whole_handshake_a_minute():
    clock = Clock()

    async def play():
        async with FakeVncServer() as server:
            hub = Hub([stored(1, server.address)], QUICK, clock=clock)
            for _ in range(3):
                hub.refresh(["id1", "nope"])
            await until(lambda: hub.status("id1").state == "ready", "ready")
            assert hub.status("id1").checked_at is not None
            clock.now += 59
            hub.refresh(["id1"])
            await asyncio.sleep(0.05)
            assert server.accepted == 1
            clock.now += 1
            hub.refresh(["id1"])
            await until(lambda: server.accepted == 2, "a second look")
            await until(lambda: not server.sessions, "nothing is held")
            await hub.close()

    asyncio.run(play())


def test_a_refresh_does_not_repeat_a_wrong_password_but_the_button_does():
    clock = Clock()

    async def play():
        async with FakeVncServer(fake.refuses_password) as server:
            hub = Hub([stored(1, server.address, password=b"x")], QUICK, clock=clock)
            link = hub.find("id1").link
            hub.refresh(["id1"])
            await until(lambda: link.is_held, "refused")
            assert hub.status("id1").state == "wrong_password"
            clock.now += 299
            hub.refresh(["id1"])
            await asyncio.sleep(0.05)
            assert server.accepted == 1
            hub.retry("id1")
            await until(lambda: server.accepted == 2 and link.is_held, "tried for the button")
            await until(lambda: not hub._refresher._running, "refused again")
            clock.now += 301
            hub.refresh(["id1"])
            await until(lambda: server.accepted == 3, "tried after five minutes")
            await until(lambda: not hub._refresher._running, "refused once more")
            hub.change(stored(1, server.address, password=b"y"))
            hub.refresh(["id1"])
            await hub.close()

    asyncio.run(play())


def test_a_retry_within_ten_seconds_of_another_does_nothing():
    clock = Clock()

    async def play():
        async with FakeVncServer(fake.refuses_password) as server:
            row = stored(1, server.address, password=b"x")
            hub = Hub([row], QUICK, clock=clock)
            link = hub.find("id1").link
            hub.retry("id1")
            await until(lambda: link.is_held, "the password was refused")
            clock.now += RETRY_SECONDS - 0.1
            hub.retry("id1")
            assert link.is_held
            clock.now += 0.1
            hub.retry("id1")
            assert not link.is_held
            await until(lambda: not hub._refresher._running, "the password was refused again")
            hub.change(replace(row, password=b"y"))
            hub.retry("id1")
            await until(lambda: server.accepted == 3, "a new password is tried at once")
            await hub.close()

    asyncio.run(play())


def test_many_dead_workstations_do_not_keep_a_living_one_waiting():
    async def play():
        async with FakeVncServer(fake.silent) as dead, FakeVncServer() as alive:
            rows = [stored(n, dead.address) for n in range(2, 12)] + [stored(1, alive.address)]
            hub = Hub(rows, QUICK)
            hub.refresh([row.id for row in rows])
            await until(lambda: hub.status("id1").state == "ready", "ready", 2)
            await until(lambda: hub.status("id5").state == "offline", "told")
            await hub.close()

    asyncio.run(play())


def test_a_changed_address_is_followed_by_those_who_watch():
    class Wall:
        def __init__(self):
            self.made = []

        def tile_made(self, number):
            self.made.append(number)

    async def play():
        async with FakeVncServer() as old, FakeVncServer() as new:
            hub, wall = Hub([stored(1, old.address)], QUICK), Wall()
            hub.find("id1").want_tiles(wall, 320)
            await until(lambda: wall.made == [1], "a tile")
            new.colour = (250, 0, 0)
            hub.change(stored(1, new.address))
            await until(lambda: len(wall.made) == 2, "a tile from the new address")
            assert not old.sessions
            hub.change(replace(stored(1, new.address), room="S13"))
            await asyncio.sleep(0.05)
            assert new.accepted == 1
            hub.remove("id1")
            await until(lambda: not new.sessions, "closed")
            await hub.close()

    asyncio.run(play())


def test_a_link_that_does_not_close_keeps_the_daemon_from_nothing(monkeypatch, caplog):
    monkeypatch.setattr("controle_vnc.room.hub.CLOSE_SECONDS", 0.05)

    class Stuck:
        async def close(self):
            await asyncio.Event().wait()

    async def play(hub):
        hub.find("id1").link = Stuck()

    run(play, stored(1, "127.0.0.1:1"))
    assert "did not close" in caplog.text


@pytest.mark.parametrize(
    ("behaviour", "state", "last"),
    [
        (fake.desktop, "ready", "picture"),
        (fake.garbage, "unsupported", "version"),
        (fake.turns_away, "refused", "security"),
        (fake.refuses_password, "wrong_password", "security"),
        (fake.announces_65535, "unsupported", "init"),
        (fake.mute_after_init, "offline", "picture"),
        (fake.silent, "offline", "version"),
    ],
)
def test_a_probe_tells_the_step_that_failed(behaviour, state, last):
    async def play():
        async with FakeVncServer(behaviour) as server:
            hub = Hub([stored(1, server.address, password=b"x")], QUICK)
            probe = await hub.probe("id1")
            assert probe.state == state
            assert probe.steps[-1].name == last
            assert [step.ok for step in probe.steps[:-1]] == [True] * (len(probe.steps) - 1)
            assert probe.steps[-1].ok == (state == "ready")
            assert hub.status("id1").state == state
            await hub.close()

    asyncio.run(play())


def test_a_probe_of_a_closed_port_ends_at_connect():
    async def play(hub):
        probe = await hub.probe("id1")
        assert probe.state == "refused"
        assert [(step.name, step.ok) for step in probe.steps] == [("connect", False)]

    run(play, stored(1, "127.0.0.1:1"))
