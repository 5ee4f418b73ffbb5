"""A look at a server that means harm, or that wants its own way."""

import asyncio
import itertools

from controle_vnc.rfb.client import RfbClient
from controle_vnc.workstation import connection, turn
from controle_vnc.workstation.address import parse_address
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.probe import probe
from controle_vnc.workstation.target import Target
from tests.fakes import vnc_server as fake
from tests.fakes.vnc_server import FakeVncServer


def look(behaviour, opening=5.0, size=(64, 48), **options):
    """What a probe of such a server finds; the server; the loop's time that it took."""

    async def play():
        async with FakeVncServer(behaviour, size) as server:
            target = Target(parse_address(server.address), None)
            loop = asyncio.get_running_loop()
            began = loop.time()
            health, steps = await probe(target, Timing(opening=opening), **options)
            return health, steps, server, loop.time() - began

    return asyncio.run(play())


def test_a_few_bytes_that_are_long_to_decode_leave_turns_to_others(monkeypatch):
    ticks, turns = itertools.count(), []
    decode = RfbClient.receive_data

    def noted(client, data, must_rest):
        turns.append(next(ticks))
        asyncio.get_running_loop().call_soon(next, ticks)
        decode(client, data, must_rest)

    monkeypatch.setattr(RfbClient, "receive_data", noted)
    clock = itertools.count(0.0, turn.TURN_SECONDS / 4)  # so long takes a step
    health, *_ = look(fake.paints_boxes, size=(256, 256), clock=lambda: next(clock))
    assert health.state == "ready"
    assert len(turns) > 200 / 5
    assert all(after - before >= 2 for before, after in itertools.pairwise(turns))


def test_who_takes_too_long_to_decode_is_given_up_in_time():
    health, steps, _, seconds = look(fake.paints_boxes, opening=0.2, size=(7680, 4320))
    assert (health.state, health.reason.code) == ("offline", "silent")
    assert steps[-1].name == "picture"
    assert seconds < 2


def test_a_server_that_asks_and_reads_nothing_is_let_go_long_before_its_time(monkeypatch):
    monkeypatch.setattr(connection, "MAX_UNSENT_BYTES", 256 * 1024)
    health, _, server, seconds = look(fake.asks_and_reads_nothing, opening=30.0)
    assert health.state == "refused"
    assert seconds < 20
    assert server.poured < 32 * 1024 * 1024


def test_a_server_that_heeds_no_pixel_format_is_taken_as_it_is():
    health, steps, server, _ = look(fake.eight_bits_only, opening=0.3)
    assert health.state == "ready"
    assert server.accepted == 2
    assert [step.name for step in steps] == ["connect", "version", "security", "init", "picture"]
    assert all(step.ok for step in steps)


def test_a_server_that_never_shows_anything_is_looked_at_twice_and_not_more():
    health, steps, server, seconds = look(fake.mute_after_init, opening=0.3)
    assert (health.state, health.reason.code) == ("offline", "silent")
    assert (server.accepted, steps[-1].name) == (2, "picture")
    assert seconds < 2
