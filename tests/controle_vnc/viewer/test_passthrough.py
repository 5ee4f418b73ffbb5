"""A pass-through between two socket pairs: how long and how much it holds for either side."""

import asyncio
import contextlib
import socket

import pytest

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.layer import PORTION_BYTES, Wrapping
from controle_vnc.rfb.messages import ServerInit, framebuffer_update, rectangle
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.viewer import passthrough as passthrough_module
from controle_vnc.viewer.passthrough import HELD_BYTES, Passthrough
from controle_vnc.viewer.stream import Stream
from controle_vnc.wire import RECEIVE_BYTES, Wire
from controle_vnc.workstation import connection as connection_module
from controle_vnc.workstation.connection import Connection
from controle_vnc.workstation.upstream import Upstream
from tests.fakes.house import until

SIZE = 1024
PICTURE = framebuffer_update(1, rectangle(Rect(0, 0, SIZE, SIZE), 0)) + bytes(SIZE * SIZE * 4)
KEY = b"\4\1\0\0\0\0\0\x61"


class Ends:
    """The far ends: the workstation's server and the browser, as plain sockets."""

    def __init__(self, mode):
        near_server, self.server = socket.socketpair()
        near_browser, self.browser = socket.socketpair()
        for end in (self.server, self.browser):
            end.setblocking(False)
        self.connection, self.viewer = Connection(near_server), Stream(Wire(near_browser))
        upstream = Upstream(self.connection, ServerInit(SIZE, SIZE, RGBX, "desk"), b"")
        self.passing = Passthrough(upstream, self.viewer, mode == "control", True)

    def pour(self, data, start=0):
        """As much of `data` from `start` as the sockets take; gives how many bytes went."""
        try:
            return self.server.send(memoryview(data)[start : start + RECEIVE_BYTES])
        except BlockingIOError:
            return 0

    def drink(self, size=1 << 20):
        try:
            return len(self.browser.recv(size))
        except BlockingIOError:
            return 0


@contextlib.asynccontextmanager
async def passing(mode="view"):
    ends = Ends(mode)
    running = asyncio.get_running_loop().create_task(ends.passing.run(b""))
    try:
        yield ends
    finally:
        ends.browser.close()
        async with asyncio.timeout(5):
            await running
        ends.server.close()
        ends.connection.close()
        await ends.viewer.close()


@pytest.mark.parametrize("mode", ["view", "control"])
def test_much_more_than_is_held_passes_to_a_browser_that_reads(mode):
    async def play():
        async with passing(mode) as ends:
            data, poured, drunk = PICTURE * 3, 0, 0
            async with asyncio.timeout(20):
                while drunk < len(data):
                    poured += ends.pour(data, poured)
                    await asyncio.sleep(0)
                    drunk += ends.drink()
            assert drunk == len(data)
            assert ends.passing.code == "left"

    asyncio.run(play())


def test_a_browser_that_stops_reading_holds_no_more_than_the_limit(monkeypatch):
    monkeypatch.setattr(passthrough_module, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(passthrough_module, "FULL_SECONDS", 0.1)

    async def play():
        async with passing("control") as ends:
            most, poured = 0, 0
            async with asyncio.timeout(5):
                while ends.passing.code == "left":
                    poured += ends.pour(PICTURE, poured % len(PICTURE))
                    await asyncio.sleep(0)
                    most = max(most, ends.viewer.unsent)
            assert ends.passing.code == "slow"
            assert HELD_BYTES < most <= HELD_BYTES + RECEIVE_BYTES

    asyncio.run(play())


def test_a_browser_that_is_late_for_good_is_cut_off_before_it_is_full(monkeypatch):
    monkeypatch.setattr(passthrough_module, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(passthrough_module, "LATE_SECONDS", 0.1)

    async def play():
        async with passing() as ends:
            poured = 0
            while poured < passthrough_module.LATE_BYTES * 2:
                poured += ends.pour(PICTURE, poured % len(PICTURE))
                await asyncio.sleep(0)
            await until(lambda: ends.passing.code == "slow", "cut off")
            assert ends.viewer.unsent < HELD_BYTES

    asyncio.run(play())


def test_while_a_browser_is_late_the_server_is_read_on(monkeypatch):
    monkeypatch.setattr(passthrough_module, "PATIENCE_SECONDS", 0.01)

    async def play():
        async with passing() as ends:
            poured = 0
            async with asyncio.timeout(5):
                while poured < 2 * 1024 * 1024:  # far more than the kernel's buffers hold
                    poured += ends.pour(PICTURE, poured % len(PICTURE))
                    await asyncio.sleep(0)
            assert ends.viewer.unsent > 1024 * 1024

    asyncio.run(play())


def test_a_server_that_takes_no_input_makes_the_browser_wait_then_ends(monkeypatch):
    monkeypatch.setattr(passthrough_module, "INPUT_SECONDS", 0.1)

    async def play():
        async with passing("control") as ends:
            async with asyncio.timeout(5):
                while ends.passing.code == "left":
                    with contextlib.suppress(BlockingIOError):
                        ends.browser.send(KEY * 8192)
                    await asyncio.sleep(0)
            assert ends.passing.code == "silent"
            limit = passthrough_module.INPUT_HELD_BYTES + RECEIVE_BYTES
            assert ends.connection.unsent <= limit

    asyncio.run(play())


def test_messages_of_a_byte_each_are_looked_at_a_few_at_a_time():
    async def play():
        async with passing() as ends:
            sizes, feed = [], ends.passing._from_server.feed
            ends.passing._from_server.feed = lambda data: (sizes.append(len(data)), feed(data))[1]
            bells, poured, drunk = b"\2" * 200_000, 0, 0
            async with asyncio.timeout(5):
                while drunk < len(bells):
                    poured += ends.pour(bells, poured)
                    await asyncio.sleep(0)
                    drunk += ends.drink()
            assert max(sizes) == passthrough_module.LOOKED_AT_BYTES

    asyncio.run(play())


def test_pixels_nobody_looks_at_come_in_large_pieces():
    async def play():
        async with passing() as ends:
            sizes, feed = [], ends.passing._from_server.feed
            ends.passing._from_server.feed = lambda data: (sizes.append(len(data)), feed(data))[1]
            poured = drunk = 0
            async with asyncio.timeout(5):
                while drunk < len(PICTURE):
                    poured += ends.pour(PICTURE, poured)
                    await asyncio.sleep(0)
                    drunk += ends.drink()
            assert max(sizes) > 2 * passthrough_module.LOOKED_AT_BYTES

    asyncio.run(play())


# --- through a layer


class Mirror:
    """A layer that turns each byte around; 0xFF at the end of what came is broken."""

    is_over = False

    def open(self, data):
        if data.endswith(b"\xff"):
            raise ProtocolError("broken")
        return bytes(byte ^ 0x55 for byte in data)

    def seal(self, data):
        return bytes(byte ^ 0x55 for byte in data)


def sealed(ends, layer):
    """From now on the workstation's end speaks through `layer`."""
    wrapping = Wrapping(bytearray())
    wrapping.wrap(layer)
    ends.connection.go_through(wrapping)
    return layer


def test_bytes_go_through_the_layer_of_the_upstream_both_ways():
    async def play():
        async with passing("control") as ends:
            layer = sealed(ends, Mirror())
            ends.passing._server.follow(ends.passing._down, ends.passing._server_ended)
            ends.server.send(layer.seal(b"\2"))
            loop = asyncio.get_running_loop()
            assert await loop.sock_recv(ends.browser, 10) == b"\2"
            ends.browser.send(KEY)
            assert await loop.sock_recv(ends.server, 10) == layer.seal(KEY)

    asyncio.run(play())


@pytest.mark.parametrize("ending", ["broken", "over"])
def test_what_breaks_the_layer_or_ends_it_ends_the_screen(ending):
    async def play():
        async with passing("control") as ends:
            layer = sealed(ends, Mirror())
            layer.is_over = ending == "over"
            ends.passing._server.follow(ends.passing._down, ends.passing._server_ended)
            ends.server.send(b"\xff" if ending == "broken" else layer.seal(b"\2"))
            await until(lambda: ends.passing.code == "closed", "the end")

    asyncio.run(play())


@pytest.mark.parametrize("mode", ["view", "control"])
def test_no_turn_opens_more_than_a_portion_whatever_the_server_sends(mode):
    sizes = []

    class Counting(Mirror):
        def open(self, data):
            sizes.append(len(data))
            return bytes(data)

    async def play():
        async with passing(mode) as ends:
            sealed(ends, Counting())
            ends.passing._server.follow(ends.passing._down, ends.passing._server_ended)
            poured = drunk = 0
            while drunk < len(PICTURE):
                poured += ends.pour(PICTURE, poured)
                drunk += ends.drink()
                await asyncio.sleep(0)
            assert sum(sizes) == len(PICTURE)
            assert max(sizes) == PORTION_BYTES
            assert ends.connection.receive_bytes == PORTION_BYTES

    asyncio.run(play())


def test_a_server_that_makes_the_layer_answer_and_reads_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr(connection_module, "MAX_UNSENT_BYTES", 64 * 1024)
    held = []

    class Answering(Mirror):
        """As TLS does: it has to say something each time it hears something."""

        def open(self, data):
            held.append(ends.connection.unsent)
            return b""

        def seal(self, data):
            return bytes(16 * 1024)

    async def play():
        nonlocal ends
        async with passing() as ends:
            sealed(ends, Answering())
            ends.passing._server.follow(ends.passing._down, ends.passing._server_ended)
            async with asyncio.timeout(5):
                while ends.passing.code == "left":
                    ends.pour(b"again")
                    await asyncio.sleep(0)
            assert ends.passing.code == "closed"
            assert 0 < max(held) <= 64 * 1024
            assert ends.connection.unsent == 0

    ends = None
    asyncio.run(play())
