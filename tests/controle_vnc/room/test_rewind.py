import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.control.framing import pack
from controle_vnc.control.messages import RewindPicture, RewindSpan, RewindTimes
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.rfb.client import Updated
from controle_vnc.room import hub as hubs
from controle_vnc.room.hub import Hub
from controle_vnc.room.rewind import (
    KEPT_MS,
    MAX_PICTURE_BYTES,
    MAX_PICTURES,
    MAX_RING_BYTES,
    PICTURE_COST_BYTES,
    Ring,
    Shelf,
)
from controle_vnc.room.tiles import Tiles, Workshop
from tests.fakes.house import stored, until

START = 1_000_000
LARGE = MAX_PICTURE_BYTES


def ring(shelf=None, now=START):
    made = Ring(shelf or Shelf())
    made.switch(True, now)
    return made


def spans(of, now):
    return [(one.at, one.until) for one in of.spans(now)]


def test_a_ring_keeps_nothing_until_it_is_switched_on():
    made = Ring(Shelf())
    made.note(START, 320, b"a")
    assert len(made) == 0
    assert made.switch(True, START)
    assert not made.switch(True, START)
    made.note(START, 320, b"b")
    assert made.picture(START, START).jpeg == b"b"


def test_each_moment_shows_what_was_captured_last_before_it():
    made = ring()
    for at, jpeg in ((0, b"a"), (1000, b"b"), (5000, b"c")):
        made.note(START + at, 320, jpeg)
    now = START + 9000
    assert spans(made, now) == [
        (START, START + 1000), (START + 1000, START + 5000), (START + 5000, None),
    ]  # fmt: skip
    for moment, jpeg in ((0, b"a"), (999, b"a"), (1000, b"b"), (4999, b"b"), (9000, b"c")):
        assert made.picture(START + moment, now).jpeg == jpeg
    assert made.picture(START - 1, now) is None
    assert made.picture(now + 1, now) is None


def test_nothing_is_said_of_the_time_while_nobody_looked():
    made = ring()
    made.note(START, 320, b"a")
    made.end(START + 2000)
    made.note(START + 1500, 320, b"late: of the look that is over")
    made.note(START + 8000, 320, b"b")
    now = START + 9000
    assert spans(made, now) == [(START, START + 2000), (START + 8000, None)]
    assert made.picture(START + 2000, now) is None
    assert made.picture(START + 7999, now) is None
    assert made.picture(START + 8000, now).jpeg == b"b"


def test_a_picture_that_showed_for_no_time_is_found_at_its_moment():
    made = ring()
    made.note(START, 320, b"a")
    made.end(START)
    assert made.picture(START, START).jpeg == b"a"
    assert made.picture(START + 1, START + 1) is None


def test_of_one_moment_the_widest_is_kept():
    made = ring()
    for width in (320, 640, 480):
        made.note(START, width, str(width).encode())
    assert len(made) == 1
    assert made.picture(START, START).width == 640
    assert made.bytes == len(b"640") + PICTURE_COST_BYTES


def test_what_the_screen_has_not_shown_for_five_minutes_is_forgotten():
    made = ring()
    made.note(START, 320, b"a")
    made.note(START + 1000, 320, b"b")
    now = START + 1000 + KEPT_MS
    made.expire(now - 1)
    assert len(made) == 2
    made.expire(now)
    assert spans(made, now) == [(START + 1000, None)]
    assert made.picture(START + 999, now) is None


def test_a_still_screen_is_known_for_five_minutes_and_no_longer():
    made = ring()
    made.note(START, 320, b"a")
    now = START + 3 * KEPT_MS
    assert spans(made, now) == [(now - KEPT_MS, None)]
    assert made.picture(now - KEPT_MS, now).jpeg == b"a"
    assert made.picture(now - KEPT_MS - 1, now) is None
    made.end(now)
    assert made.picture(now - 1, now + KEPT_MS - 1).jpeg == b"a"
    assert spans(made, now + KEPT_MS) == []
    assert made.bytes == 0


def test_what_was_captured_before_forgetting_does_not_come_back():
    made = ring()
    made.note(START, 320, b"a")
    made.forget(START + 1000)
    made.note(START + 999, 320, b"drawn meanwhile")
    assert (len(made), made.bytes) == (0, 0)
    made.note(START + 1000, 320, b"b")
    assert spans(made, START + 1000) == [(START + 1000, None)]


def test_switching_off_forgets_all():
    shelf = Shelf()
    made = ring(shelf)
    made.note(START, 320, b"a")
    made.switch(False, START + 1)
    assert (len(made), made.bytes, shelf.bytes) == (0, 0, 0)


def test_a_clock_that_is_set_back_leaves_nothing_in_the_wrong_place():
    made = ring()
    made.note(START, 320, b"a")
    assert spans(made, START - 60_000) == []
    made.note(START - 60_000, 320, b"b")
    assert made.picture(START - 60_000, START - 60_000).jpeg == b"b"


def test_a_ring_holds_sixteen_mebibytes_and_not_one_byte_more():
    made = ring()
    for number in range(16):
        made.note(START + number, 320, bytes(LARGE))
    assert (len(made), made.bytes) == (16, MAX_RING_BYTES)
    made.note(START + 16, 320, b"")
    assert (len(made), made.oldest_at) == (16, START + 1)


def test_a_ring_holds_so_many_pictures_and_not_one_more():
    made = ring()
    for number in range(MAX_PICTURES):
        made.note(START + number, 320, b"x")
    assert len(made) == MAX_PICTURES
    made.note(START + MAX_PICTURES, 320, b"x")
    assert (len(made), made.oldest_at) == (MAX_PICTURES, START + 1)


def test_a_picture_that_does_not_fit_in_a_message_leaves_a_gap():
    made = ring()
    made.note(START, 320, b"a")
    made.note(START + 1000, 640, bytes(LARGE + 1))
    made.note(START + 2000, 640, bytes(LARGE))
    now = START + 3000
    assert spans(made, now) == [(START, START + 1000), (START + 2000, None)]
    pack(RewindPicture(at=2**63, width=2**31, jpeg=bytes(LARGE)))


def test_the_longest_list_of_times_is_a_short_message():
    many = [RewindSpan(2**43, 2**43)] * MAX_PICTURES
    assert len(pack(RewindTimes(now=2**43, pictures=many))) < 64 * 1024


def test_where_all_together_are_too_large_the_oldest_of_all_goes():
    cost = 1000 + PICTURE_COST_BYTES
    shelf = Shelf(3 * cost)
    first, second = ring(shelf), ring(shelf)
    first.note(START, 320, bytes(1000))
    second.note(START + 1, 320, bytes(1000))
    first.note(START + 2, 320, bytes(1000))
    assert (len(first), len(second), shelf.bytes) == (2, 1, 3 * cost)
    second.note(START + 3, 320, b"")
    assert (len(first), len(second)) == (1, 2)
    assert shelf.bytes == 2 * cost + PICTURE_COST_BYTES
    second.note(START + 4, 320, bytes(3 * cost))  # larger than all together may be
    assert (len(first), len(second), shelf.bytes) == (0, 0, 0)


def test_the_shelf_forgets_in_every_ring():
    shelf = Shelf()
    rings = [ring(shelf), ring(shelf)]
    for made in rings:
        made.note(START, 320, b"a")
        made.end(START + 1)
    shelf.expire(START + KEPT_MS)
    assert shelf.bytes == 2 * (1 + PICTURE_COST_BYTES)
    shelf.expire(START + 1 + KEPT_MS)
    assert shelf.bytes == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(-2000, 2000), st.integers(0, 40)),
        st.tuples(st.sampled_from(["end", "forget", "off", "on", "expire"])),
    ),
    max_size=40,
)


@given(st.lists(st.tuples(st.integers(0, 1), STEPS, st.integers(0, KEPT_MS)), max_size=12))
def test_whatever_happens_sums_bounds_and_order_hold(play):
    shelf = Shelf(8 * PICTURE_COST_BYTES)
    rings, now = [ring(shelf), ring(shelf)], START
    for which, steps, passed in play:
        made, now = rings[which], now + passed
        for name, *values in steps:
            if name == "note":
                at, size = values
                made.note(now + at, 320 if size % 2 else 640, bytes(size))
            elif name in ("on", "off"):
                made.switch(name == "on", now)
            else:
                getattr(made, name)(now)
            now += 10
        assert sum(one.bytes for one in rings) == shelf.bytes <= 8 * PICTURE_COST_BYTES
        for one in rings:
            found = one.spans(now)
            assert len(found) == len(one)
            assert one.bytes >= len(one) * PICTURE_COST_BYTES
            assert all(span.until is None or span.until > now - KEPT_MS for span in found)
            ends = [span.until for span in found]
            assert None not in ends[:-1]
            assert all(end <= after.at for end, after in zip(ends, found[1:], strict=False))
    for one in rings:
        one.switch(False, now)
    assert shelf.bytes == 0


# --- where the pictures come from


class Wall:
    def tile_made(self, number):
        pass


def shown(made):
    """Tiles of a grey screen that no wall shows yet, with a clock that only moves when told."""
    clock = SimpleNamespace(now=START)
    threads = ThreadPoolExecutor(1)
    screen = Framebuffer(1280, 720)
    screen.fill(screen.bounds, (90, 90, 90))
    tiles = Tiles(7, Workshop(threads, time.monotonic, lambda: clock.now), made)
    tiles.opened(SimpleNamespace(framebuffer=screen), True)
    return SimpleNamespace(tiles=tiles, clock=clock, screen=screen, threads=threads)


def test_the_tiles_of_walls_are_kept_and_only_those():
    async def play():
        made = ring()
        room, wall, wide = shown(made), Wall(), Wall()
        assert len(made) == 0
        room.tiles.want(wall, 320)
        await until(lambda: len(made) == 1, "the first tile")
        room.tiles.want(wide, 640)
        await until(lambda: made.picture(START, START).width == 640, "the wider one")
        assert made.picture(START, START).jpeg is room.tiles.latest(640).jpeg
        room.clock.now += 4000
        room.screen.fill(room.screen.bounds, (200, 0, 0))
        room.tiles.event(Updated(room.screen.bounds))
        await until(lambda: len(made) == 2, "the red one")
        await until(lambda: made.picture(START + 4000, START + 4000).width == 640, "the wide one")
        assert len(made) == 2
        room.clock.now += 1000
        room.tiles.leave(wide)
        assert made.spans(room.clock.now)[-1].until is None
        room.tiles.leave(wall)
        assert made.spans(room.clock.now)[-1].until == START + 5000
        room.threads.shutdown()

    asyncio.run(play())


def test_with_a_connection_ends_what_is_known_of_a_screen():
    async def play():
        made = ring()
        room = shown(made)
        room.tiles.want(Wall(), 320)
        await until(lambda: len(made) == 1, "the first tile")
        room.clock.now += 1000
        room.tiles.lost()
        assert spans(made, room.clock.now) == [(START, START + 1000)]
        room.threads.shutdown()

    asyncio.run(play())


def test_switched_on_while_a_wall_shows_a_still_screen_keeps_what_it_shows():
    async def play():
        made = Ring(Shelf())
        room = shown(made)
        room.tiles.want(Wall(), 320)
        await until(lambda: room.tiles.latest(320) is not None, "a tile")
        assert len(made) == 0
        room.clock.now += 1000
        made.switch(True, room.clock.now)
        room.tiles.rewind_began()
        assert spans(made, room.clock.now) == [(START + 1000, None)]
        room.threads.shutdown()

    asyncio.run(play())


def with_hub(play, *rows):
    async def whole():
        clock = SimpleNamespace(now=START)
        hub = Hub(rows, now_ms=lambda: clock.now)
        try:
            await play(hub, clock)
        finally:
            await hub.close()

    asyncio.run(whole())


def note(seat, at=START):
    seat.rewind.note(at, 320, b"x" * 100)


def test_it_is_off_in_every_room_until_the_site_says_where_it_is_on():
    async def play(hub, clock):
        first, second = hub.seat("id1"), hub.seat("id2")
        note(first)
        assert hub.rewind_bytes == 0
        hub.keep_rewind(["S13"])
        for seat in (first, second):
            note(seat)
        assert (len(first.rewind), len(second.rewind)) == (0, 1)
        hub.keep_rewind(["S12"])
        assert hub.rewind_bytes == 0
        hub.add(stored(3, "h:3", room="S12"))
        assert hub.seat("id3").rewind.is_on

    with_hub(play, stored(1, "h:1", room="S12"), stored(2, "h:2", room="S13"))


def test_another_person_room_or_address_forgets_and_a_new_name_does_not():
    async def play(hub, clock):
        hub.keep_rewind(["S12", "S14"])
        seat, at = hub.seat("id1"), START

        def row(**values):
            nonlocal at
            clock.now = at = at + 1000
            note(seat, at)
            assert len(seat.rewind) >= 1
            clock.now += 1
            fields = {"address": "h:1", "room": "S12", "user": "zoe", "name": "pc-01"} | values
            hub.change(stored(1, fields.pop("address"), **fields))
            return len(seat.rewind)

        assert row(name="pc-one") == 1
        assert row(user="malo") == 0
        assert row(user="malo", room="S14") == 0
        assert row(user="malo", room="S14", address="h:2") == 0
        assert row(user="malo", room="S13", address="h:2") == 0
        assert not seat.rewind.is_on

    with_hub(play, stored(1, "h:1", room="S12", user="zoe"))


def test_a_workstation_that_is_removed_leaves_nothing():
    async def play(hub, clock):
        hub.keep_rewind(["S12"])
        note(hub.seat("id1"))
        hub.remove("id1")
        assert hub.rewind_bytes == 0

    with_hub(play, stored(1, "h:1", room="S12"))


def test_pictures_are_forgotten_by_themselves_and_no_timer_runs_where_it_is_off(monkeypatch):
    monkeypatch.setattr(hubs, "FORGET_SECONDS", 0.01)

    async def play(hub, clock):
        assert hub._forgetting is None
        hub.keep_rewind(["S12"])
        seat = hub.seat("id1")
        note(seat)
        seat.rewind.end(START + 1)
        clock.now = START + 1 + KEPT_MS
        await until(lambda: hub.rewind_bytes == 0, "forgotten")
        hub.keep_rewind([])
        assert hub._forgetting is None

    with_hub(play, stored(1, "h:1", room="S12"))
