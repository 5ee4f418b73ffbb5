import asyncio
import contextlib
import struct
import sys
import time

import numpy as np
import pytest

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import FENCE_REQUEST, Encoding
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.viewer import shared
from controle_vnc.viewer.live import serve
from controle_vnc.viewer.shared import SharedScreen
from tests.controle_vnc.rfb.sessions import update
from tests.controle_vnc.viewer.test_live import QUICK, VIEW, journal
from tests.fakes import vnc_server as fake
from tests.fakes.house import browsing, house, stored, until
from tests.fakes.pixel_viewer import ASKING, PLAIN, PUSHED, PixelViewer, enable
from tests.fakes.vnc_server import FakeVncServer

SIZE = 200, 150
RAW = Encoding.RAW


class Stage:
    """One workstation whose screens are all served decoded."""

    def __init__(self, server, place):
        self.server, self.place = server, place
        self.seat = place.hub.find("id1")
        self.seat.serve_decoded("session")
        self.frames = 0

    @property
    def pixels(self):
        return self.seat.link.client.framebuffer.pixels[:, :, :3]

    @contextlib.asynccontextmanager
    async def viewer(self, encodings=PUSHED, quality=None):
        """A viewer that has the present picture."""
        async with browsing(serve, VIEW, self.place) as browser:
            viewer = await PixelViewer(browser, encodings, quality).open()
            await viewer.until_update()
            yield viewer

    def paint(self, rect, pixels=None):
        """The workstation's server sends `pixels` (noise by default) at `rect`."""
        self.frames += 1
        if pixels is None:
            random = np.random.default_rng(self.frames)
            pixels = random.integers(0, 256, (rect.height, rect.width, 4), np.int64)
        data = np.ascontiguousarray(pixels, np.uint8).tobytes()
        self.server.say(update(rect, RAW, data))

    def is_on(self, viewer, tolerance=0):
        """Whether `viewer` shows what the workstation shows."""
        if viewer.pixels.shape != self.pixels.shape:
            return False
        return bool((abs(viewer.pixels.astype(int) - self.pixels) <= tolerance).all())

    async def frame(self, rect, *viewers):
        """Paint noise at `rect` and wait until every one of `viewers` shows it."""
        painted = self.seat.link.client.framebuffer.grid.stamp
        self.paint(rect)
        grid = self.seat.link.client.framebuffer.grid
        await until(lambda: grid.stamp > painted, "decoded")
        for viewer in viewers:
            await viewer.until(lambda v=viewer: self.is_on(v), "the frame")


class Busy(asyncio.SelectorEventLoop):
    """A machine that is busy elsewhere when a screen has looked at the clock."""

    seconds = 0.0

    def time(self):
        now = super().time()
        if self.seconds and sys._getframe(1).f_globals["__name__"] == SharedScreen.__module__:
            time.sleep(self.seconds)
            self.seconds = 0.0
        return now


def on_stage(play, behaviour=fake.desktop, size=SIZE, loop_factory=None):
    async def run():
        async with (
            FakeVncServer(behaviour, size) as server,
            house(stored(1, server.address), timing=QUICK) as place,
        ):
            await play(Stage(server, place))

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run())


@pytest.mark.parametrize("encodings", [PUSHED, ASKING, PLAIN, (*ASKING, Encoding.FENCE)])
def test_every_kind_of_viewer_shows_what_the_workstation_shows(encodings):
    async def play(stage):
        async with stage.viewer(encodings) as viewer:
            assert stage.is_on(viewer)
            for rect in (Rect(0, 0, *SIZE), Rect(120, 120, 20, 20), Rect(3, 4, 1, 1)):
                await stage.frame(rect, viewer)

    on_stage(play)


def test_with_jpeg_a_viewer_shows_nearly_what_the_workstation_shows():
    async def play(stage):
        y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
        async with stage.viewer(quality=9) as viewer:
            stage.paint(Rect(0, 0, *SIZE), np.dstack([x, y, x // 2 + y // 3, x]))
            await viewer.until_update()
            assert stage.is_on(viewer, tolerance=12)
            assert not stage.is_on(viewer)

    on_stage(play)


def test_forty_viewers_in_step_cost_one_encode_of_each_change(monkeypatch):
    encoded, encode = [], Quality.encode

    def counted(self, pixels, rect):
        encoded.append(rect)
        return encode(self, pixels, rect)

    monkeypatch.setattr(Quality, "encode", counted)

    async def play(stage):
        async with contextlib.AsyncExitStack() as stack:
            viewers = [await stack.enter_async_context(stage.viewer()) for _ in range(40)]
            encoded.clear()
            boxes = [Rect(5 * step, 10, 20, 20) for step in range(20)]
            for box in boxes:
                await stage.frame(box.intersection(Rect(0, 0, 128, 128)), *viewers)
            cells = [b for b in boxes if not b.intersection(Rect(0, 0, 128, 128)).is_empty]
            assert len(encoded) == len(cells)

    on_stage(play, size=(128, 128))


def test_a_frame_that_falls_due_while_the_machine_is_busy_does_not_wait_for_the_next(monkeypatch):
    monkeypatch.setattr(shared, "BETWEEN_UPDATES_SECONDS", 0.4)

    async def play(stage):
        async with stage.viewer() as viewer:
            await viewer.echo()
            asyncio.get_running_loop().seconds = 0.4
            await stage.frame(Rect(0, 10, 20, 20), viewer)

    on_stage(play, loop_factory=Busy)


def test_a_stalled_a_slow_and_a_vanishing_viewer_cost_a_good_one_no_frame():
    async def play(stage):
        everything = Rect(0, 0, *stage.server.size)
        async with (
            stage.viewer() as good,
            stage.viewer(PLAIN) as stalled,
            stage.viewer(PLAIN) as slow,
            stage.viewer() as vanishing,
        ):
            stalled.browser.reader._transport.pause_reading()
            for number in range(30):
                stalled.ask(incremental=False)
                await stage.frame(everything, good)
                if number % 10 == 5:
                    await slow.until_update()
                if number == 12:
                    vanishing.browser.writer.transport.abort()
            await slow.until(lambda: stage.is_on(slow), "the newest picture, at last")
            assert slow.updates < 12
            assert stage.place.hub.screens == 3

    on_stage(play, size=(320, 240))


@pytest.mark.parametrize("is_reading", [True, False])
def test_a_viewer_that_answers_or_reads_nothing_is_closed(monkeypatch, is_reading):
    monkeypatch.setattr("controle_vnc.viewer.patience.STALLED_SECONDS", 1.0)

    async def play(stage):
        async with stage.viewer() as good, stage.viewer(PUSHED if is_reading else PLAIN) as dead:
            dead.is_answering = False
            if not is_reading:
                dead.browser.reader._transport.pause_reading()
            while not dead.browser.task.done():
                if not is_reading:
                    dead.ask(incremental=False)
                await stage.frame(Rect(0, 0, *stage.server.size), good)
            assert journal(stage.place)[-1][0] == "screen_closed"
            assert journal(stage.place)[-1][1]["code"] == "left"
            assert not good.browser.task.done()

    on_stage(play, size=(640, 480))


def test_a_viewer_that_owes_no_answer_is_not_closed_for_its_silence(monkeypatch):
    monkeypatch.setattr("controle_vnc.viewer.patience.STALLED_SECONDS", 0)

    async def play(stage):
        async with stage.viewer(ASKING) as viewer:
            for _ in range(10):
                await viewer.echo()
            assert not viewer.browser.task.done()

    on_stage(play)


def test_a_viewer_gets_no_more_updates_than_it_can_be_shown(monkeypatch):
    monkeypatch.setattr("controle_vnc.viewer.shared.BETWEEN_UPDATES_SECONDS", 3600)

    async def play(stage):
        async with stage.viewer(PLAIN) as viewer:
            viewer.ask(incremental=False)
            stage.server.say(b"\x02")
            await viewer.until(lambda: viewer.bells, "a bell goes out at once")
            await viewer.echo()
            assert viewer.updates == 1

    on_stage(play)


def test_an_update_of_the_server_is_shown_whole_or_not_yet():
    async def play(stage):
        async with stage.viewer() as viewer:
            await viewer.echo()
            shown, grid = viewer.updates, stage.seat.link.client.framebuffer.grid
            half = messages.rectangle(Rect(0, 0, 10, 10), RAW) + b"\x07" * 400
            stage.server.say(struct.pack(">BxH", 0, 2) + half)
            before = grid.stamp
            await until(lambda: grid.stamp > before, "half of it decoded")
            await viewer.echo()
            assert viewer.updates == shown
            stage.server.say(messages.rectangle(Rect(90, 90, 10, 10), RAW) + b"\x09" * 400)
            await viewer.until_update()
            assert stage.is_on(viewer)

    on_stage(play)


def test_who_joins_while_half_an_update_is_there_is_shown_it():
    async def play(stage):
        async with stage.viewer():
            half = messages.rectangle(Rect(0, 0, 10, 10), RAW) + b"\x07" * 400
            grid = stage.seat.link.client.framebuffer.grid
            before = grid.stamp
            stage.server.say(struct.pack(">BxH", 0, 2) + half)
            await until(lambda: grid.stamp > before, "half of it decoded")
            async with stage.viewer() as late:
                assert stage.is_on(late)

    on_stage(play)


def test_updates_are_pushed_two_ahead_and_no_further():
    async def play(stage):
        async with stage.viewer() as viewer, stage.viewer() as other:
            await viewer.echo()
            viewer.is_answering = False
            for x in range(6):
                await stage.frame(Rect(x * 10, 0, 10, 10), other)
            viewer.browser.send(messages.fence(FENCE_REQUEST, b"now?"))
            await viewer.until(lambda: b"now?" in viewer.answered, "its fence")
            assert viewer.updates == 3

    on_stage(play)


def test_pushing_stops_when_the_viewer_says_so():
    async def play(stage):
        async with stage.viewer() as viewer, stage.viewer() as other:
            viewer.browser.send(enable(*SIZE, on=0))
            await viewer.echo()
            await stage.frame(Rect(0, 0, 10, 10), other)
            await viewer.echo()
            assert viewer.updates == 1
            viewer.ask()
            await viewer.until(lambda: stage.is_on(viewer), "what it asked for")

    on_stage(play)


def test_pushing_to_a_viewer_that_was_not_offered_it_closes_the_screen():
    async def play(stage):
        async with stage.viewer(ASKING) as viewer:
            viewer.browser.send(enable(*SIZE))
            await asyncio.wait_for(viewer.browser.task, 2)
            assert journal(stage.place)[-1][1]["code"] == "forbidden"

    on_stage(play)


@pytest.mark.parametrize(("count", "is_over"), [(56, False), (57, True)])
def test_a_viewer_owes_itself_to_read_the_answers_to_its_fences(count, is_over):
    async def play(stage):
        async with stage.viewer(ASKING) as viewer:
            viewer.browser.send(messages.fence(FENCE_REQUEST, b"x" * 64) * count)
            if is_over:
                await asyncio.wait_for(viewer.browser.task, 2)
                assert journal(stage.place)[-1][1]["code"] == "forbidden"
            else:
                await viewer.until(lambda: len(viewer.answered) == count, "every answer")

    on_stage(play)


@pytest.mark.parametrize("encodings", [PUSHED, ASKING])
@pytest.mark.parametrize("size", [(260, 200), (100, 60)])
def test_a_screen_that_gets_another_size_is_shown_in_it(encodings, size):
    async def play(stage):
        async with stage.viewer(encodings) as viewer:
            stage.server.size = size
            stage.server.say(update((0, 0, *size), Encoding.DESKTOP_SIZE, b""))
            await viewer.until(lambda: viewer.size == size, "the new size")
            await viewer.until(lambda: stage.is_on(viewer), "all of it")
            stage.paint(Rect(size[0] - 10, size[1] - 10, 10, 10))
            await viewer.until_update()
            await viewer.until(lambda: stage.is_on(viewer), "its far corner")

    on_stage(play)


def test_a_viewer_that_knows_no_sizes_is_shown_what_fits():
    async def play(stage):
        async with stage.viewer(PLAIN) as viewer:
            stage.server.say(update((0, 0, 260, 100), Encoding.DESKTOP_SIZE, b""))
            await until(lambda: stage.pixels.shape[:2] == (100, 260), "the new size")
            stage.paint(Rect(150, 50, 100, 50))
            fits = np.s_[:100, :200]
            await viewer.until(
                lambda: bool((viewer.pixels[fits] == stage.pixels[fits]).all()), "what fits"
            )
            assert viewer.size == SIZE

    on_stage(play)


def test_the_latency_of_a_viewer_is_in_the_journal():
    async def play(stage):
        async with stage.viewer() as viewer:
            for x in range(3):
                await stage.frame(Rect(x * 10, 0, 10, 10), viewer)
            await viewer.echo()
        async with stage.viewer(PLAIN):
            pass
        first, second = (details for kind, details in journal(stage.place) if "closed" in kind)
        assert 0 <= first["latency_ms"] < 5000
        assert "latency_ms" not in second

    on_stage(play)


def test_a_server_for_one_client_serves_several_viewers():
    async def play(stage):
        async with stage.viewer() as one, stage.viewer(ASKING) as two, stage.viewer(PLAIN) as three:
            for x in range(3):
                await stage.frame(Rect(x * 10, 0, 10, 10), one, two, three)
            assert stage.server.accepted == 1

    on_stage(play, behaviour=fake.solitary)


def test_what_was_encoded_goes_when_the_last_viewer_goes():
    async def play(stage):
        async with stage.viewer(), stage.viewer(PLAIN):
            assert stage.seat.feed.kept_bytes > 0
        assert stage.seat.feed.kept_bytes == 0

    on_stage(play)
