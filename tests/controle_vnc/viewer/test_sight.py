import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import EMPTY, Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.rfb.viewer_messages import UpdateRequest
from controle_vnc.room.feed import Feed
from controle_vnc.tasks import spawn
from controle_vnc.viewer.sight import Sight
from tests.controle_vnc.rfb.sessions import connected
from tests.fakes.executors import HeldExecutor, PromptExecutor

SHARP, RAW = Quality(Encoding.TIGHT), Quality()
BOUNDS = Rect(0, 0, 300, 200)


class Looker:
    """A viewer without a connection: its sight, and the pixels that it shows."""

    def __init__(self, feed, framebuffer, quality=SHARP, follows=True):
        self.framebuffer, self.quality, self.follows = framebuffer, quality, follows
        self.sight = Sight(feed)
        self.sight.bounds = framebuffer.bounds
        self.client = connected(framebuffer.width, framebuffer.height)
        self.task = None

    async def look(self, rect=None, incremental=True):
        """Whether there was anything to see in `rect`, which it now shows."""
        if self.follows and self.sight.bounds != self.framebuffer.bounds:
            self.sight.bounds = self.framebuffer.bounds
            size = self.framebuffer.width, self.framebuffer.height
            self.client.receive_data(
                messages.framebuffer_update(1, messages.desktop_size(*size)), to_the_end
            )
        wanted = UpdateRequest(incremental, rect or self.sight.bounds)
        data = await self.sight.update(self.framebuffer, self.quality, wanted)
        self.client.receive_data(data, to_the_end)
        return bool(data)

    async def catch_up(self):
        while await self.look():
            pass

    def start(self, rect, incremental):
        """Look at some time, unless a look is on its way."""
        if self.task is None or self.task.done():
            self.task = spawn(self.look(rect, incremental), "a look")

    def sees(self, rect=None):
        """Whether it shows the present picture in `rect`."""
        window = self.framebuffer.bounds.intersection(self.sight.bounds)
        rect = (rect or window).intersection(window)
        area = np.s_[rect.y : rect.bottom, rect.x : rect.right, :3]
        shown, present = self.client.framebuffer.pixels[area], self.framebuffer.pixels[area]
        return bool((shown == present).all())


def looking(play, quality=SHARP, follows=True):
    """Run `play(framebuffer, looker)`."""

    async def run():
        framebuffer = Framebuffer(BOUNDS.width, BOUNDS.height)
        noise = np.random.default_rng(5).integers(0, 256, (200, 300, 3), np.int64)
        framebuffer.blit(BOUNDS, noise.astype(np.uint8))
        await play(framebuffer, Looker(Feed(PromptExecutor()), framebuffer, quality, follows))

    asyncio.run(run())


@pytest.mark.parametrize("quality", [SHARP, RAW])
def test_everything_is_shown_at_once_then_only_what_is_new(quality):
    async def play(framebuffer, looker):
        assert await looker.look()
        assert looker.sees()
        assert not await looker.look()
        framebuffer.fill(Rect(120, 120, 20, 20), (1, 2, 3))
        assert await looker.look()
        assert looker.sees()

    looking(play, quality)


def test_what_changed_outside_the_part_asked_for_comes_when_it_is_asked_for():
    async def play(framebuffer, looker):
        await looker.look()
        framebuffer.fill(Rect(5, 5, 20, 20), (1, 2, 3))
        framebuffer.fill(Rect(250, 150, 20, 20), (3, 2, 1))
        corner = Rect(200, 140, 100, 60)
        assert await looker.look(corner)
        assert looker.sees(corner)
        assert not looker.sees()
        assert not await looker.look(corner)
        assert await looker.look()
        assert looker.sees()
        assert not await looker.look()

    looking(play)


def test_a_part_that_is_asked_for_whole_is_shown_changed_or_not():
    async def play(framebuffer, looker):
        part = Rect(10, 10, 20, 20)
        assert await looker.look(part, incremental=False)
        assert looker.sees(part)
        assert await looker.look(part, incremental=False)
        await looker.catch_up()
        assert looker.sees()

    looking(play)


@pytest.mark.parametrize("rect", [EMPTY, Rect(300, 0, 10, 10), Rect(65535, 65535, 65535, 65535)])
@pytest.mark.parametrize("incremental", [True, False])
def test_a_part_outside_the_screen_shows_nothing(rect, incremental):
    async def play(framebuffer, looker):
        wanted = UpdateRequest(incremental, rect)
        assert await looker.sight.update(framebuffer, SHARP, wanted) == b""

    looking(play)


@pytest.mark.parametrize("size", [(350, 250), (100, 80), (350, 80)])
@pytest.mark.parametrize("follows", [True, False])
def test_a_screen_of_another_size_is_shown_as_far_as_the_viewer_can(size, follows):
    async def play(framebuffer, looker):
        await looker.look()
        framebuffer.resize(*size)
        framebuffer.fill(Rect(50, 50, 50, 30), (7, 7, 7))
        assert not looker.sight.has_seen(framebuffer)
        await looker.catch_up()
        assert looker.sees()
        assert looker.sight.has_seen(framebuffer)

    looking(play, follows=follows)


rects = st.builds(
    Rect, st.integers(0, 280), st.integers(0, 180), st.integers(1, 300), st.integers(1, 200)
)
steps = st.one_of(
    st.tuples(st.just("paint"), rects),
    st.tuples(st.just("look"), st.integers(0, 3), st.one_of(st.none(), rects), st.booleans()),
    st.tuples(st.just("encode")),
    st.tuples(st.just("resize"), st.integers(40, 320), st.integers(40, 220)),
)


async def breathe():
    """Let everything go on that can."""
    for _ in range(12):
        await asyncio.sleep(0)


async def take(step, number, framebuffer, lookers, executor):
    match step:
        case ("paint", rect):
            rect = rect.intersection(framebuffer.bounds)
            if not rect.is_empty:
                framebuffer.fill(rect, (number, 255 - number, 7))
        case ("look", viewer, rect, incremental):
            lookers[viewer].start(rect, incremental)
        case ("encode",) if executor.held:
            executor.release()
        case ("resize", width, height):
            framebuffer.resize(width, height)
    await breathe()


@settings(max_examples=150)
@given(st.lists(steps, max_size=25))
def test_whatever_happens_meanwhile_every_viewer_comes_to_the_present_picture(steps):
    """Paints, looks, encodes and sizes in any order; of four viewers one follows no size."""

    async def play():
        framebuffer, executor = Framebuffer(BOUNDS.width, BOUNDS.height), HeldExecutor()
        feed = Feed(executor)
        lookers = [Looker(feed, framebuffer, quality) for quality in (SHARP, SHARP, RAW)]
        lookers.append(Looker(feed, framebuffer, RAW, follows=False))
        for number, step in enumerate(steps):
            await take(step, number, framebuffer, lookers, executor)
        for looker in lookers:
            while looker.task is not None and not looker.task.done():
                await take(("encode",), 0, framebuffer, lookers, executor)
            looker.task = spawn(looker.catch_up(), "the last look")
        while not all(looker.task.done() for looker in lookers):
            await take(("encode",), 0, framebuffer, lookers, executor)
        for looker in lookers:
            await looker.task
            assert looker.sees()
            looker.sight.close()
        assert feed.kept_bytes == 0

    asyncio.run(play())
