import asyncio
import contextlib
import itertools
import ssl
import struct
from dataclasses import replace

import pytest

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.rfb.client import QUALITY, ColoursChanged, RfbClient, Updated
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.server import RfbServer
from controle_vnc.rfb.server_handshake import Lock, ServerHandshake
from controle_vnc.tls import server_tls
from controle_vnc.workstation.address import parse_address
from controle_vnc.workstation.connection import MAX_UNSENT_BYTES
from controle_vnc.workstation.link import WALL_QUALITY, Link, Target
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.turn import TURN_SECONDS
from tests.fakes import vnc_server as fake
from tests.fakes.house import until
from tests.fakes.vnc_server import FakeVncServer

FAST = Timing(
    connect=1, told_silent=0.2, handshake=0.6, opening=0.5, linger=0.1, wall=0.1, settle=0.0,
    prove=0.1, deadline=0.1, dead=0.4, hold=0.4, steady=0.2, refresh=0.5,
)  # fmt: skip


class Eye:
    """A watcher that keeps what it is told."""

    def __init__(self, live=False, shown_width=None):
        self.live = live
        self.shown_width = shown_width
        self.updates = 0
        self.openings = []
        self.lost_count = 0
        self.client = None
        self.changed = asyncio.Event()

    def opened(self, client, has_picture):
        self.client = client
        self.openings.append((client.framebuffer.width, has_picture))
        self.changed.set()

    def event(self, event):
        if isinstance(event, Updated):
            self.updates += 1
        self.changed.set()

    def lost(self):
        self.client = None
        self.lost_count += 1
        self.changed.set()

    def told(self, health):
        self.changed.set()


@contextlib.asynccontextmanager
async def linked(address, timing=FAST, password=None):
    told = []
    link = Link(Target(parse_address(address), password), told.append, timing, chance=lambda: 0.0)
    try:
        yield link, told
    finally:
        await link.close()


def codes(told):
    return [(health.state, health.reason and health.reason.code) for health in told]


def test_a_workstation_nobody_watches_is_left_alone():
    async def play():
        async with FakeVncServer() as server, linked(server.address) as (link, told):
            await asyncio.sleep(0)
            assert server.accepted == 0
            assert link.health.state == "unknown"
            assert told == []

    asyncio.run(play())


def test_the_first_watcher_connects_and_the_last_one_leaves_no_connection():
    async def play():
        async with FakeVncServer() as server, linked(server.address) as (link, told):
            eye, other = Eye(), Eye()
            link.watch(eye)
            link.watch(other)
            await until(lambda: eye.updates and other.updates, "a picture for both")
            assert server.accepted == 1
            assert codes(told) == [("connecting", None), ("ready", None)]
            assert tuple(eye.client.framebuffer.pixels[5, 5, :3]) == (30, 20, 10)[::-1]
            link.unwatch(eye)
            await asyncio.sleep(0.15)
            assert link.client is not None
            link.unwatch(other)
            await until(lambda: not server.sessions, "the connection closed")
            await until(lambda: not link.is_busy, "the task ended")

    asyncio.run(play())


def test_a_page_that_is_reloaded_finds_its_connection_again():
    async def play():
        async with FakeVncServer() as server, linked(server.address) as (link, _):
            eye = Eye()
            link.watch(eye)
            await until(lambda: eye.updates, "a picture")
            link.unwatch(eye)
            again = Eye()
            link.watch(again)
            await asyncio.sleep(0.2)
            assert again.client is not None
            assert server.accepted == 1

    asyncio.run(play())


def test_a_killed_server_is_told_at_once_and_found_again():
    async def play():
        server = FakeVncServer()
        await server.start()
        async with linked(server.address) as (link, told):
            eye = Eye()
            link.watch(eye)
            await until(lambda: eye.updates, "a picture")
            told.clear()
            await server.stop()
            await until(lambda: len(told) >= 2, "two states")
            assert codes(told)[:2] == [("connecting", None), ("refused", "connection_refused")]
            assert eye.lost_count == 1
            eye.updates = 0
            await server.start()
            await until(lambda: eye.updates, "a picture again", 7)
            assert link.health.state == "ready"
            await link.close()
        await server.stop()

    asyncio.run(play())


@pytest.mark.parametrize(
    ("behaviour", "state", "code"),
    [
        (fake.garbage, "unsupported", "bad_server"),
        (fake.unknown_security, "unsupported", "unsupported"),
        (fake.announces_65535, "unsupported", "bad_server"),
        (fake.refuses_password, "wrong_password", "wrong_password"),
    ],
)
def test_what_cannot_succeed_is_not_tried_again_by_itself(behaviour, state, code):
    async def play():
        async with (
            FakeVncServer(behaviour) as server,
            linked(server.address, password=b"wrong") as (link, told),
        ):
            link.watch(Eye())
            await until(lambda: link.health.state == state, state)
            assert link.health.reason.code == code
            await asyncio.sleep(0.2)
            assert server.accepted == 1
            assert link.is_held
            await until(lambda: server.accepted == 2, "a try after the hold")
            link.retry()
            await until(lambda: server.accepted == 3, "a try at once after the button")

    asyncio.run(play())


def test_a_new_watcher_does_not_repeat_a_failed_password():
    async def play():
        async with (
            FakeVncServer(fake.refuses_password) as server,
            linked(server.address, password=b"wrong", timing=Timing(linger=0.01)) as (link, _),
        ):
            for _ in range(3):
                eye = Eye()
                link.watch(eye)
                await until(lambda: link.health.state == "wrong_password", "told")
                link.unwatch(eye)
                await until(lambda: not link.is_busy, "closed")
            assert server.accepted == 1

    asyncio.run(play())


@pytest.mark.parametrize(
    ("behaviour", "state", "code"),
    [
        (fake.turns_away, "refused", "turned_away"),
        (fake.closes_at_once, "refused", "closed"),
        (fake.closes_in_the_middle, "connecting", None),
    ],
)
def test_a_passing_failure_is_told_and_tried_again(behaviour, state, code):
    async def play():
        async with FakeVncServer(behaviour) as server, linked(server.address) as (link, told):
            link.watch(Eye())
            await until(lambda: server.accepted >= 2, "a second try")
            assert (state, code) in codes(told)

    asyncio.run(play())


def test_pictures_that_cannot_be_decoded_are_told_and_tried_again_ever_more_rarely(monkeypatch):
    monkeypatch.setattr("controle_vnc.workstation.link.UNREADABLE_SECONDS", 0.05)
    times = []

    async def noted(session):
        times.append(asyncio.get_running_loop().time())
        await fake.garbage_pictures(session)

    async def play():
        timing = replace(FAST, hold=5)
        async with FakeVncServer(noted) as server, linked(server.address, timing) as (link, told):
            link.watch(Eye())
            await until(lambda: ("unsupported", "bad_server") in codes(told), "told")
            link._backoff.next_delay = lambda: 0.0
            await until(lambda: len(times) >= 5, "tried again")
            waits = [later - sooner for sooner, later in zip(times, times[1:], strict=False)]
            assert waits[3] > 0.3
            assert waits[3] > waits[2] > waits[1] > 0.08

    asyncio.run(play())


def test_a_server_that_heeds_no_pixel_format_is_taken_as_it_is_the_next_time():
    async def play():
        async with (
            FakeVncServer(fake.eight_bits_only) as server,
            linked(server.address) as (link, _),
        ):
            eye = Eye()
            link.watch(eye)
            await until(lambda: eye.updates, "a picture", 10)
            assert server.accepted == 2
            assert tuple(eye.client.framebuffer.pixels[47, 63, :3]) == (255, 0, 0)
            assert [message[0] for message in server.received].count(0) == 1

    asyncio.run(play())


def test_another_colour_map_makes_the_link_ask_for_the_whole_screen():
    async def play():
        async with FakeVncServer() as server, linked(server.address) as (link, _):
            link._native = True
            eye = Eye()
            link.watch(eye)
            await until(lambda: eye.updates, "a picture")
            link._dispatch(Changing(link.client))
            link.flush()
            whole = b"\x03\0" + bytes(4) + struct.pack(">HH", 64, 48)
            before = server.received.count(whole)
            await until(lambda: server.received.count(whole) > before, "asked for the whole screen")

    asyncio.run(play())


class Changing:
    """A client whose server has just told other colours."""

    def __init__(self, client):
        self.request_update = client.request_update

    def events(self):
        return [ColoursChanged()]


def test_a_silent_server_is_told_and_not_dropped_while_somebody_watches():
    async def play():
        async with FakeVncServer(fake.silent) as server, linked(server.address) as (link, told):
            link.watch(Eye())
            await until(lambda: codes(told)[-1:] == [("offline", "silent")], "told")
            assert len(server.sessions) == 1
            assert server.accepted == 1
            await until(lambda: server.accepted == 2, "given up at the long deadline")

    asyncio.run(play())


def test_a_handshake_is_finished_although_the_watcher_has_left():
    async def play():
        gate = asyncio.Event()
        reached = asyncio.Event()

        async def slow(session):
            await gate.wait()
            await session.agree()
            session.init(64, 48)
            reached.set()
            await session.ended.wait()

        timing = Timing(linger=0.01)
        async with FakeVncServer(slow) as server, linked(server.address, timing) as (link, _):
            eye = Eye()
            link.watch(eye)
            await until(lambda: server.sessions, "a connection")
            link.unwatch(eye)
            await asyncio.sleep(0.05)
            assert server.sessions
            gate.set()
            await until(lambda: reached.is_set() and not link.is_busy, "the end")

    asyncio.run(play())


def test_a_wall_asks_once_a_period_and_holds_one_request_open():
    async def play():
        async with (
            FakeVncServer() as server,
            linked(server.address, Timing(wall=0.2, settle=0.0)) as (link, _),
        ):
            eye = Eye()
            link.watch(eye)
            await until(lambda: server.types().count(3) == 2, "the incremental request")
            loop = asyncio.get_running_loop()
            began = loop.time()
            for colour in range(50):
                server.paint((colour, 0, 0))
                await asyncio.sleep(0.01)
            asked = server.types().count(3)
            assert 3 <= asked <= 3.5 + (loop.time() - began) / 0.2
            before = server.types().count(3)
            await asyncio.sleep(0.5)
            assert server.types().count(3) <= before + 2

    asyncio.run(play())


def test_a_live_watcher_makes_updates_come_faster():
    async def play():
        async with (
            FakeVncServer() as server,
            linked(server.address, Timing(wall=10, settle=0.0, live=0.01)) as (link, _),
        ):
            link.watch(Eye())
            live = Eye(live=True)
            link.watch(live)
            for colour in range(10):
                await until(lambda: any(s.waiting for s in server.sessions), "a request")
                server.paint((colour, 0, 0))
            await until(lambda: live.updates >= 10, "every change")

    asyncio.run(play())


def qualities(server):
    """The JPEG levels that the server was asked for, one after the other."""
    lists = [m[4:] for m in server.received if m[0] == 2]
    return [
        32 + int.from_bytes(codes[at : at + 4], "big", signed=True)
        for codes in lists
        for at in range(0, len(codes), 4)
        if -32 <= int.from_bytes(codes[at : at + 4], "big", signed=True) <= -23
    ]


def test_walls_ask_for_a_coarser_picture_and_whoever_looks_live_for_a_sharp_one():
    whole = bytes([3, 0, 0, 0, 0, 0, 0, 64, 0, 48])

    async def play():
        async with FakeVncServer(size=(64, 48)) as server, linked(server.address) as (link, _):
            link.watch(Eye())
            await until(lambda: link.has_picture, "a picture")
            await until(lambda: any(s.waiting for s in server.sessions), "an open request")
            assert qualities(server) == [WALL_QUALITY]
            asked = server.received.count(whole)
            live = Eye(live=True)
            link.watch(live)
            await until(lambda: live.updates, "all of it again, though nothing changed")
            assert qualities(server) == [WALL_QUALITY, QUALITY]
            assert server.received.count(whole) == asked + 1
            link.unwatch(live)
            link.look_again()
            await until(lambda: len(qualities(server)) == 3, "the coarser one again")
            assert qualities(server)[-1] == WALL_QUALITY
            assert server.received.count(whole) == asked + 1

    asyncio.run(play())


def test_whoever_looks_live_from_the_first_sees_no_coarse_picture():
    async def play():
        async with FakeVncServer() as server, linked(server.address) as (link, _):
            link.watch(Eye(live=True))
            link.watch(Eye())
            await until(lambda: link.has_picture, "a picture")
            kinds = server.types()
            assert qualities(server) == [WALL_QUALITY, QUALITY]
            assert kinds.index(3) > max(at for at, kind in enumerate(kinds) if kind == 2)

    asyncio.run(play())


def test_a_still_screen_is_asked_for_one_pixel_and_stays_proven():
    async def play():
        async with FakeVncServer() as server, linked(server.address) as (link, told):
            link.watch(Eye())
            asked = b"\x03\x00\x00\x00\x00\x00\x00\x01\x00\x01"
            await until(lambda: server.received.count(asked) >= 3, "proofs asked for")
            assert link.is_proven()
            assert link.health.state == "ready"
            assert codes(told)[-1] == ("ready", None)
            assert server.accepted == 1

    asyncio.run(play())


def test_a_server_that_falls_silent_is_doubted_then_closed_then_tried_again():
    async def play():
        async with (
            FakeVncServer(fake.mute_after_init) as server,
            linked(server.address) as (link, told),
        ):
            link.watch(Eye())
            await until(lambda: ("ready", "silent") in codes(told), "doubt")
            assert not link.is_proven()
            await until(lambda: ("offline", "silent") in codes(told), "told dead")
            await until(lambda: server.accepted == 2, "tried again")

    asyncio.run(play())


def test_a_rectangle_of_4_gib_ends_the_link_and_nothing_is_kept():
    async def play():
        async with (
            FakeVncServer(fake.rectangle_of_4_gib) as server,
            linked(server.address) as (link, told),
        ):
            eye = Eye()
            link.watch(eye)
            await until(lambda: ("unsupported", "bad_server") in codes(told), "told")
            assert link.client is None
            assert server.poured < 16 * 1024 * 1024

    asyncio.run(play())


def test_a_server_that_talks_but_never_answers_is_doubted_and_not_dropped():
    async def play():
        async with FakeVncServer(fake.dribbles) as server, linked(server.address) as (link, told):
            link.watch(Eye())
            await until(lambda: ("ready", "silent") in codes(told), "doubt")
            assert not link.is_proven()
            await asyncio.sleep(2 * FAST.dead)
            assert not link.is_proven()
            assert server.accepted == 1

    asyncio.run(play())


def test_a_server_that_asks_and_reads_nothing_is_dropped_before_it_costs_memory():
    async def play():
        timing = Timing(settle=0.0)
        async with (
            FakeVncServer(fake.asks_and_reads_nothing) as server,
            linked(server.address, timing) as (link, told),
        ):
            link.watch(Eye())
            await until(lambda: link.client is not None, "the screen")
            await until(lambda: link.client is None, "dropped")
            # what lies in the buffers of both kernels and both programs comes on top
            assert server.poured < 4 * MAX_UNSENT_BYTES + 16 * 1024 * 1024

    asyncio.run(play())


def test_a_server_that_paints_without_end_leaves_turns_to_others():
    async def play():
        async with (
            FakeVncServer(fake.paints_without_end) as hostile,
            FakeVncServer() as good,
            linked(hostile.address, Timing(settle=0.0)) as (link, _),
            linked(good.address, Timing(wall=0.01, settle=0.0)) as (other, _),
        ):
            link.watch(Eye())
            await until(lambda: link.client is not None and link.client.is_behind, "the flood")
            eye = Eye()
            other.watch(eye)
            for colour in range(10):
                await until(lambda: any(s.waiting for s in good.sessions), "a request")
                good.paint((colour, 0, 0))
            await until(lambda: eye.updates >= 10, "every change of the other one")
            assert link.client.is_behind

    asyncio.run(play())


def test_an_address_that_nobody_answers_is_offline_and_an_unknown_name_unreachable():
    async def play():
        async with linked("no-such-host.invalid:5901") as (link, _):
            link.watch(Eye())
            await until(lambda: link.health.state == "unreachable", "told", 10)
            assert link.health.reason.code == "unknown_host"

    asyncio.run(play())


def test_a_unix_socket_that_is_not_there_is_refused():
    async def play():
        async with linked("unix:/tmp/no-such-socket-here") as (link, _):
            link.watch(Eye())
            await until(lambda: link.health.state == "refused", "told")

    asyncio.run(play())


def scales(server):
    return [message[1] for message in server.received if message[0] == 8]


def test_a_server_that_shrinks_does_so_while_walls_alone_look():
    async def play():
        async with (
            FakeVncServer(fake.shrinks, (1280, 720)) as server,
            linked(server.address) as (link, told),
        ):
            wall = Eye(shown_width=320)
            link.watch(wall)
            await until(lambda: wall.openings == [(1280, False), (320, False)], "a small screen")
            await until(lambda: link.has_picture, "its picture")
            assert (wall.client.framebuffer.pixels[..., :3] == (10, 20, 30)).all()
            one, two = Eye(live=True), Eye(live=True)
            link.watch(one)
            link.watch(two)
            assert one.openings == []
            await until(lambda: one.openings and two.updates, "a whole screen")
            assert one.openings == two.openings == [(1280, False)]
            link.unwatch(one)
            link.unwatch(two)
            await until(lambda: wall.openings[-1] == (320, False), "a small screen again")
            assert scales(server) == [4, 1, 4]
            assert codes(told) == [("connecting", None), ("ready", None)]

    asyncio.run(play())


def test_the_widest_tile_counts():
    async def play():
        async with (
            FakeVncServer(fake.shrinks, (1280, 720)) as server,
            linked(server.address) as (link, _),
        ):
            wall, wide = Eye(shown_width=320), Eye(shown_width=640)
            link.watch(wall)
            await until(lambda: len(wall.openings) == 2, "a small screen")
            link.watch(wide)
            await until(lambda: wide.openings[-1][0] == 640, "a wider one")
            wide.shown_width = 320
            link.look_again()
            await until(lambda: wide.openings[-1][0] == 320, "a small one")
            assert scales(server) == [4, 2, 4]

    asyncio.run(play())


def test_a_screen_that_somebody_sees_live_is_not_shrunk():
    async def play():
        async with (
            FakeVncServer(fake.shrinks, (1280, 720)) as server,
            linked(server.address) as (link, _),
        ):
            live, wall = Eye(live=True), Eye(shown_width=320)
            link.watch(live)
            link.watch(wall)
            await until(lambda: live.updates >= 3 and wall.updates >= 3, "pictures")
            assert link.client.supports_scale
            assert scales(server) == []

    asyncio.run(play())


@pytest.mark.parametrize("behaviour", [fake.promises_to_shrink, fake.hangs_up_when_asked_to_shrink])
def test_a_server_that_does_not_do_as_it_says_is_asked_once(behaviour):
    async def play():
        async with (
            FakeVncServer(behaviour, (1280, 720)) as server,
            linked(server.address) as (link, _),
        ):
            wall = Eye(shown_width=320)
            link.watch(wall)
            await until(lambda: wall.lost_count == 1 and link.has_picture, "a second connection")
            seen = wall.updates
            await until(lambda: wall.updates > seen + 2, "pictures of it")
            assert scales(server) == [4]
            assert wall.openings == [(1280, False)] * 2

    asyncio.run(play())


def test_a_shrunk_screen_that_takes_another_size_is_asked_anew():
    async def play():
        async with (
            FakeVncServer(fake.shrinks, (1280, 720)) as server,
            linked(server.address) as (link, _),
        ):
            wall = Eye(shown_width=320)
            link.watch(wall)
            await until(lambda: len(wall.openings) == 2 and link.has_picture, "a small screen")
            server.size = (1920, 1080)
            (session,) = server.sessions
            session.update(session.rectangle_head(0, 0, 480, 270, fake.DESKTOP_SIZE))
            await until(lambda: len(wall.openings) == 4, "a small screen again")
            assert wall.openings[2:] == [(1920, False), (320, False)]
            assert scales(server) == [4, 6]

    asyncio.run(play())


def test_a_handshake_that_takes_many_turns_is_completed():
    clock = itertools.count(0.0, TURN_SECONDS)  # so long takes a step, and so it ends a turn

    async def play():
        async with FakeVncServer() as server:
            target = Target(parse_address(server.address), None)
            link = Link(target, lambda health: None, Timing(), lambda: next(clock), lambda: 0.0)
            link.watch(Eye())
            await until(lambda: link.has_picture, "a picture")
            assert server.accepted == 1
            await link.close()

    asyncio.run(play())


def test_links_that_are_answered_at_the_same_moment_let_others_in_between(monkeypatch):
    now, happened = 0.0, []

    def decode(client, data, must_rest):
        nonlocal now
        now += 0.005
        happened.append("decoded")

    monkeypatch.setattr(RfbClient, "receive_data", decode)

    async def others():
        while happened.count("decoded") < 4:
            happened.append("others")
            await asyncio.sleep(0)

    async def play():
        turns = asyncio.Lock()
        target = Target(parse_address("127.0.0.1:5900"), None)
        links = [
            Link(target, lambda health: None, FAST, clock=lambda: now, turns=turns)
            for _ in range(4)
        ]
        took = [link._take_turn(RfbClient(None), b"") for link in links]
        await asyncio.gather(*took, others())

    asyncio.run(play())
    assert "decoded decoded" not in " ".join(happened)


def test_links_whose_work_is_short_are_done_at_one_go(monkeypatch):
    happened = []
    monkeypatch.setattr(RfbClient, "receive_data", lambda *_: happened.append("decoded"))

    async def play():
        turns = asyncio.Lock()
        target = Target(parse_address("127.0.0.1:5900"), None)
        links = [
            Link(target, lambda health: None, FAST, clock=lambda: 0.0, turns=turns)
            for _ in range(4)
        ]
        asyncio.get_running_loop().call_soon(happened.append, "others")
        await asyncio.gather(*(link._take_turn(RfbClient(None), b"") for link in links))
        assert happened == ["others", *["decoded"] * 4]

    asyncio.run(play())


# --- how a handshake may come, and how TLS may end


async def says_all_at_once(session):
    """As RFB 3.3 allows: nothing of its greeting waits for us."""
    session.send(b"RFB 003.003\n" + struct.pack(">I", 1))
    session.init(64, 48)
    await session.exactly(12 + 1)
    while True:
        if (await session.message())[0] == 3:
            session.paint()


def test_a_greeting_that_took_more_than_a_turn_is_read_to_its_end(monkeypatch):
    monkeypatch.setattr("controle_vnc.workstation.turn.TURN_SECONDS", 0.0)

    async def play():
        async with FakeVncServer(says_all_at_once) as server, linked(server.address) as (link, _):
            eye = Eye()
            link.watch(eye)
            await until(lambda: eye.updates, "a picture")
            assert server.accepted == 1

    asyncio.run(play())


async def says_goodbye_and_goes_on(session):
    """Shows its screen through TLS, ends that after the first picture, and keeps the connection."""
    lock = Lock(frozenset({SecurityType.TLS_NONE}), tls=server_tls(None, None))
    handshake = ServerHandshake(lock)
    server = RfbServer(Framebuffer(*session.server.size), "double", handshake)
    loop = asyncio.get_running_loop()
    pictures = 0
    while pictures < 2:  # the first of them tells the size
        while data := server.data_to_send(loop.time()):
            session.send(data)
        data = await session.reader.read(65536)
        pictures += server.session.flow.wanted is not None and server.is_open
        server.receive_data(data, loop.time())
    layer = handshake.wrapping._layer
    with pytest.raises(ssl.SSLWantReadError):
        layer._tls.unwrap()
    session.send(layer.seal(b""))
    while True:
        session.send(bytes(65536))
        await session.writer.drain()
        session.server.poured += 65536


def test_a_server_that_ends_tls_has_hung_up_whatever_it_goes_on_sending():
    async def play():
        async with (
            FakeVncServer(says_goodbye_and_goes_on) as server,
            linked(server.address) as (link, told),
        ):
            link.watch(Eye())
            await until(lambda: server.accepted >= 3, "another connection, and another")
            assert set(codes(told)) <= {
                ("connecting", None),
                ("ready", None),
                ("refused", "closed"),
            }
            assert server.poured < server.accepted * 16 * 1024 * 1024

    asyncio.run(play())
