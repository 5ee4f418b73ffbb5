import asyncio
import io
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client import Resized, Updated
from controle_vnc.room import tiles
from controle_vnc.room.tiles import (
    INLINE_PIXELS,
    Tiles,
    Workshop,
)
from tests.fakes.house import until


class Wall:
    """Takes note of the tiles it is told of."""

    def __init__(self):
        self.told = []

    def tile_made(self, number):
        self.told.append(number)


class Threads(ThreadPoolExecutor):
    """Counts what is given to it."""

    given = 0

    def submit(self, *work):
        self.given += 1
        return super().submit(*work)


def shown(width, height, tile_width=320):
    """Tiles of a grey screen that one wall shows."""
    threads = Threads(1)
    workshop = Workshop(threads, time.monotonic, lambda: 1)
    screen = Framebuffer(width, height)
    screen.fill(screen.bounds, (90, 90, 90))
    made, wall = Tiles(7, workshop), Wall()
    made.want(wall, tile_width)
    made.opened(SimpleNamespace(framebuffer=screen), True)
    return SimpleNamespace(tiles=made, wall=wall, screen=screen, threads=threads)


def size_of(tile):
    return Image.open(io.BytesIO(tile.jpeg)).size


def test_a_screen_of_the_usual_size_needs_no_thread_and_a_larger_one_does():
    async def play():
        for width, height, tile_width, given in (
            (1280, 720, 320, 0), (1280, 721, 320, 1), (1280, 720, 480, 1)
        ):  # fmt: skip
            room = shown(width, height, tile_width)
            await until(lambda room=room: room.wall.told == [7], "a tile")
            assert room.threads.given == given
            assert size_of(room.tiles.latest(tile_width))[0] == tile_width
            room.threads.shutdown()

    assert INLINE_PIXELS == 1280 * 720
    asyncio.run(play())


def test_the_old_screen_is_let_go_when_there_is_another_size():
    async def play():
        room = shown(2560, 1440)
        await until(lambda: room.wall.told == [7], "a tile")
        old = weakref.ref(room.screen.pixels)
        room.screen.resize(640, 400)
        room.tiles.event(Resized(640, 400))
        await until(lambda: old() is None, "the old screen let go")  # by its thread, too
        room.threads.shutdown()

    asyncio.run(play())


def test_a_screen_that_is_still_black_makes_no_tile_and_the_last_one_stays():
    async def play():
        room = shown(1280, 720)
        await until(lambda: room.wall.told == [7], "a tile")
        known = room.tiles.latest(320)
        small = Framebuffer(320, 180)
        room.tiles.opened(SimpleNamespace(framebuffer=small), False)
        room.tiles.want(Wall(), 480)
        await until(lambda: room.tiles._timer is None, "nothing planned")
        assert room.tiles.latest(320) is known
        assert room.tiles.latest(480) is None
        small.fill(small.bounds, (200, 0, 0))
        room.tiles.event(Updated(small.bounds))
        await until(lambda: room.tiles.latest(480) is not None, "a tile of the small screen")
        assert size_of(room.tiles.latest(480)) == (320, 180)
        room.threads.shutdown()

    asyncio.run(play())


def test_the_widest_wall_tells_how_much_of_a_screen_is_needed():
    async def play():
        room, wide = shown(1280, 720), Wall()
        assert room.tiles.shown_width == 320
        room.tiles.want(wide, 640)
        assert room.tiles.shown_width == 640
        room.tiles.leave(wide)
        assert room.tiles.shown_width == 320
        room.threads.shutdown()

    asyncio.run(play())


def test_a_picture_that_comes_alone_is_shown_at_once_and_of_many_one_a_second():
    async def play():
        loop = asyncio.get_running_loop()
        room, now = shown(1280, 720), 100.0
        room.tiles._workshop = Workshop(room.threads, lambda: now, lambda: 1)
        await until(lambda: room.wall.told == [7], "a tile")
        room.tiles._last_start = now

        def wait():
            return room.tiles._timer.when() - loop.time()

        def change(after):
            nonlocal now
            now += after
            room.screen.fill(room.screen.bounds, (int(now * 9) % 256, 90, 90))
            room.tiles.event(Updated(room.screen.bounds))

        waits = []
        for changes in ((1.0,), (0.3,), (0.6,), (0.1,), (0.1, 0.1), (0.1, 0.9)):
            for after in changes:
                change(after)
            waits.append(wait())
            now += max(0.0, waits[-1])
            room.tiles._start()
            await until(lambda: not room.tiles._busy, "made")
        assert waits == pytest.approx([0, 0.2, 0, 0.4, 0.75, 0], abs=0.15)
        room.threads.shutdown()

    asyncio.run(play())


def test_a_change_that_a_tile_cannot_show_makes_no_tile(monkeypatch):
    monkeypatch.setattr(tiles, "EVERY_SECONDS", 0.0)

    async def play():
        room = shown(1280, 720)
        await until(lambda: room.wall.told == [7], "a tile")
        room.screen.fill(Rect(0, 0, 1, 1), (91, 90, 90))
        room.tiles.event(Updated(Rect(0, 0, 1, 1)))
        await until(lambda: not room.tiles._stale and not room.tiles._busy, "looked at")
        room.screen.fill(Rect(0, 0, 100, 100), (200, 0, 0))
        room.tiles.event(Updated(Rect(0, 0, 100, 100)))
        await until(lambda: len(room.wall.told) == 2, "a tile of the next change")
        assert room.tiles.latest(320).sequence == 2

    asyncio.run(play())


def test_a_new_connection_begins_with_a_picture_of_its_own():
    async def play():
        room = shown(1280, 720)
        await until(lambda: room.wall.told == [7], "a tile")
        room.tiles.lost()
        assert room.tiles.latest(320) is None
        room.tiles.opened(SimpleNamespace(framebuffer=Framebuffer(640, 480)), True)
        await until(lambda: room.wall.told == [7, 7], "a tile")
        assert size_of(room.tiles.latest(320)) == (320, 240)

    asyncio.run(play())


@pytest.mark.parametrize(("limit", "size"), [(0, None), (1026, (80, 320)), (1025, (40, 160))])
def test_a_picture_too_long_for_a_frame_is_made_narrower_or_not_at_all(monkeypatch, limit, size):
    monkeypatch.setattr(tiles, "MAX_TILE_BYTES", limit)

    async def play():
        room = shown(320, 1280)
        room.screen.blit(room.screen.bounds, np.full((1280, 320, 4), 9, np.uint8))
        await until(lambda: not room.tiles._stale and not room.tiles._busy, "looked at")
        made = room.tiles.latest(320)
        assert (made and size_of(made)) == size

    asyncio.run(play())


def test_who_looks_again_sees_no_picture_of_a_connection_that_ended_meanwhile():
    async def play():
        room = shown(1280, 720)
        await until(lambda: room.wall.told == [7], "a tile")
        room.tiles.leave(room.wall)  # the link is not watched any more: nobody tells of its end
        room.tiles.want(room.wall, 320)
        await until(lambda: room.tiles._timer is None and not room.tiles._busy, "nothing planned")
        assert room.tiles.latest(320) is None
        assert room.wall.told == [7]
        room.threads.shutdown()

    asyncio.run(play())
