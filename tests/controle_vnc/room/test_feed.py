import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.grid import CELL
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.room.feed import BOXES_KEPT, CELLS_A_TURN, UPDATES_KEPT, Feed
from controle_vnc.tasks import spawn
from tests.controle_vnc.rfb.sessions import connected
from tests.fakes.executors import HeldExecutor, PromptExecutor
from tests.fakes.house import until

SHARP, RAW = Quality(Encoding.TIGHT), Quality()
WIDTH, HEIGHT = 3 * CELL, 2 * CELL
CELLS = 6


@pytest.fixture
def encodes(monkeypatch):
    """What is encoded, one box after the other."""
    boxes, encode = [], Quality.encode

    def counted(self, pixels, rect):
        boxes.append(rect)
        return encode(self, pixels, rect)

    monkeypatch.setattr(Quality, "encode", counted)
    return boxes


def screen(width=WIDTH, height=HEIGHT):
    framebuffer = Framebuffer(width, height)
    noise = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.int64)
    framebuffer.blit(framebuffer.bounds, noise.astype(np.uint8))
    return framebuffer


def asking(reading):
    return spawn(reading, "a viewer")


def shown(framebuffer, *updates):
    """The pixels of a viewer that gets `updates`."""
    viewer = connected(framebuffer.width, framebuffer.height)
    for update in updates:
        viewer.receive_data(update.data, to_the_end)
    return viewer.framebuffer.pixels[:, :, :3]


def reading(framebuffer, readers, quality=SHARP, executor=None):
    """A feed of `framebuffer`, and what each reader gets from it: `see(reader, seen)`."""
    feed = Feed(executor or PromptExecutor())
    for reader in readers:
        feed.edition(reader, quality, framebuffer)

    def see(reader, seen=0):
        edition = feed.edition(reader, quality, framebuffer)
        return edition.since(seen, framebuffer.bounds)

    return feed, see


def test_forty_viewers_in_step_cost_one_encode_of_each_change(encodes):
    async def play():
        framebuffer = screen()
        _, see = reading(framebuffer, range(40))
        updates = await asyncio.gather(*(see(one) for one in range(40)))
        assert len(encodes) == CELLS
        for step in range(1, 11):
            framebuffer.fill(Rect(step * 20, 100, 10, 10), (step, 0, 0))
            changed = len(framebuffer.grid.since(updates[0].stamp))
            before = len(encodes)
            updates = await asyncio.gather(*(see(one, updates[one].stamp) for one in range(40)))
            assert len(encodes) - before == changed
            assert all(update.data is updates[0].data for update in updates)

    asyncio.run(play())


@pytest.mark.parametrize("quality", [SHARP, RAW])
def test_what_is_sent_is_the_picture(quality):
    async def play():
        framebuffer = screen()
        _, see = reading(framebuffer, "a", quality)
        first = await see("a")
        framebuffer.fill(Rect(100, 100, 60, 60), (1, 2, 3))
        second = await see("a", first.stamp)
        assert len(second.data) < len(first.data) / 2
        assert (shown(framebuffer, first, second) == framebuffer.pixels[:, :, :3]).all()

    asyncio.run(play())


def test_with_jpeg_it_is_nearly_the_picture():
    async def play():
        framebuffer = Framebuffer(WIDTH, HEIGHT)
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        framebuffer.blit(framebuffer.bounds, np.dstack([x // 2, y // 2, x // 3]).astype(np.uint8))
        _, see = reading(framebuffer, "a", Quality(Encoding.TIGHT, jpeg_level=9))
        seen = shown(framebuffer, await see("a")).astype(int)
        assert abs(seen - framebuffer.pixels[:, :, :3]).max() < 12

    asyncio.run(play())


def test_nothing_new_is_nothing():
    async def play():
        framebuffer = screen()
        _, see = reading(framebuffer, "a")
        first = await see("a")
        assert (await see("a", first.stamp)).data == b""

    asyncio.run(play())


def test_who_joins_late_is_shown_everything_from_what_is_there(encodes):
    async def play():
        framebuffer = screen()
        _, see = reading(framebuffer, "ab")
        first = await see("a")
        framebuffer.fill(Rect(0, 0, 10, 10), (1, 2, 3))
        await see("a", first.stamp)
        encodes.clear()
        late = await see("b")
        assert encodes == [Rect(0, 0, CELL, CELL)]
        assert (shown(framebuffer, late) == framebuffer.pixels[:, :, :3]).all()

    asyncio.run(play())


def test_viewers_out_of_step_share_each_cell_of_the_same_state(encodes):
    async def play():
        framebuffer = screen()
        _, see = reading(framebuffer, "abc")
        first = await see("a")
        framebuffer.fill(Rect(0, 0, 10, 10), (1, 2, 3))
        second = await see("a", first.stamp)
        framebuffer.fill(Rect(5, 5, 10, 10), (3, 2, 1))
        encodes.clear()
        await see("a", second.stamp)
        await asyncio.gather(see("b", first.stamp), see("c", first.stamp), see("b"))
        assert encodes == [Rect(5, 5, 10, 10), Rect(0, 0, CELL, CELL)]

    asyncio.run(play())


def test_who_asks_while_it_is_encoded_waits_for_the_same_result(encodes):
    async def play():
        framebuffer, executor = screen(), HeldExecutor()
        _, see = reading(framebuffer, "abc", executor=executor)
        tasks = [asking(see(one)) for one in "ab"]
        await until(lambda: executor.held, "encoding")
        tasks.append(asking(see("c")))
        executor.release()
        a, b, c = await asyncio.gather(*tasks)
        assert a.data is b.data is c.data
        assert len(encodes) == CELLS

    asyncio.run(play())


def test_who_waits_for_a_turn_gets_what_is_newest_then():
    async def play():
        framebuffer, executor = screen(), HeldExecutor()
        _, see = reading(framebuffer, "ab", executor=executor)
        first = asking(see("a"))
        await until(lambda: executor.held, "encoding")
        framebuffer.fill(Rect(0, 0, 10, 10), (1, 2, 3))
        second = asking(see("b", 1))
        await asyncio.sleep(0)
        framebuffer.fill(Rect(0, 0, 20, 20), (9, 9, 9))
        executor.release()
        assert (await first).stamp < framebuffer.grid.stamp
        await until(lambda: executor.held, "the second one's turn")
        executor.release()
        assert (await second).stamp == framebuffer.grid.stamp

    asyncio.run(play())


def test_who_needs_the_whole_screen_holds_nobody_up_for_long(encodes):
    async def play():
        framebuffer, executor = screen(CELL * CELLS_A_TURN, CELL * 3), HeldExecutor()
        _, see = reading(framebuffer, "ab", executor=executor)
        joining = asking(see("a"))
        await until(lambda: executor.held, "the first batch")
        moment = framebuffer.grid.stamp
        framebuffer.fill(Rect(5, 5, 5, 5), (1, 2, 3))
        quick = asking(see("b", moment))
        await asyncio.sleep(0)
        executor.release()
        await until(lambda: executor.held, "the quick one's turn")
        executor.release()
        assert (await quick).data
        assert not joining.done()
        assert encodes[CELLS_A_TURN:] == [Rect(5, 5, 5, 5)]
        for _ in range(2):
            await until(lambda: executor.held, "another batch")
            executor.release()
        update = await joining
        assert len(encodes) == 1 + 3 * CELLS_A_TURN
        rest = asking(see("a", update.stamp))
        await asyncio.sleep(0)
        assert (shown(framebuffer, update, await rest) == framebuffer.pixels[:, :, :3]).all()

    asyncio.run(play())


def test_one_quality_is_encoded_in_one_thread_at_a_time(monkeypatch):
    inside, most, encode = [], [], Quality.encode

    def watched(self, pixels, rect):
        inside.append(threading.get_ident())
        most.append(len(inside))
        time.sleep(0.001)  # long enough for another thread to come in, if it could
        inside.pop()
        return encode(self, pixels, rect)

    monkeypatch.setattr(Quality, "encode", watched)

    async def play():
        framebuffer = screen()
        windows = [Rect(0, 0, size, size) for size in (100, 200, 250)]
        with ThreadPoolExecutor(4) as executor:
            edition = Feed(executor).edition("a", SHARP, framebuffer)
            await asyncio.gather(*(edition.since(0, window) for window in windows))

    asyncio.run(play())
    assert max(most) == 1


def test_a_viewer_that_goes_does_not_take_the_update_from_the_others():
    async def play():
        framebuffer, executor = screen(), HeldExecutor()
        _, see = reading(framebuffer, "ab", executor=executor)
        going, staying = (asking(see(one)) for one in "ab")
        await until(lambda: executor.held, "encoding")
        going.cancel()
        executor.release()
        assert (await staying).data
        assert going.cancelled()

    asyncio.run(play())


def test_what_was_encoded_goes_with_the_last_viewer_of_its_quality():
    async def play():
        framebuffer = screen()
        feed, see = reading(framebuffer, "ab")
        await see("a")
        feed.leave("a")
        assert feed.kept_bytes > 0
        feed.edition("b", RAW, framebuffer)  # another taste: the old one has no reader now
        assert feed.kept_bytes == 0
        await feed.edition("b", RAW, framebuffer).since(0, framebuffer.bounds)
        assert feed.kept_bytes > 0
        feed.leave("b")
        feed.leave("b")
        assert feed.kept_bytes == 0

    asyncio.run(play())


def test_what_is_kept_is_bounded_by_the_screen_however_long_it_lasts(encodes):
    async def play():
        framebuffer = screen()
        feed, see = reading(framebuffer, range(20), RAW)
        seen = [0] * 20
        for step in range(200):
            framebuffer.fill(Rect(step % 90, step % 70, 30, 30), (step % 256, 0, 0))
            reader = step * 7 % 20
            seen[reader] = (await see(reader, seen[reader])).stamp
        picture = WIDTH * HEIGHT * 4 + CELLS * 12 + 4
        assert feed.kept_bytes <= (BOXES_KEPT + UPDATES_KEPT) * picture

    asyncio.run(play())


def test_a_screen_of_another_size_is_another_picture():
    async def play():
        framebuffer = screen()
        feed, see = reading(framebuffer, "a")
        await see("a")
        framebuffer.resize(50, 40)
        update = await see("a")
        assert (shown(framebuffer, update) == framebuffer.pixels[:, :, :3]).all()
        assert feed.kept_bytes < 50 * 40 * 4 * 3

    asyncio.run(play())


def test_an_update_that_cannot_be_made_is_told_and_tried_anew(monkeypatch, caplog):
    def broken(*_):
        raise ValueError("a fault of ours")

    async def play():
        framebuffer = screen()
        _, see = reading(framebuffer, "a")
        with monkeypatch.context() as patch:
            patch.setattr(Quality, "encode", broken)
            with pytest.raises(asyncio.CancelledError):
                await see("a")
        assert (await see("a")).data

    asyncio.run(play())
    assert "an update for live viewers failed" in caplog.text
