import asyncio
import contextlib
import socket
import tracemalloc

import pytest
import uvloop

from controle_vnc.wire import MAX_PARTS, Wire
from tests.fakes.house import until


@contextlib.asynccontextmanager
async def pair():
    """A wire and, as a plain non-blocking socket, its other end."""
    near, far = socket.socketpair()
    far.setblocking(False)
    wire = Wire(near)
    try:
        yield wire, far
    finally:
        wire.close()
        far.close()


async def received(far, size):
    loop = asyncio.get_running_loop()
    data = b""
    async with asyncio.timeout(5):
        while len(data) < size:
            data += await loop.sock_recv(far, 1 << 20)
    return data


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request):
    def run(scene):
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(scene())

    return run


def test_it_reads_what_comes_and_the_end(play):
    async def scene():
        async with pair() as (wire, far):
            far.send(b"hello")
            assert await wire.read() == b"hello"
            reading = asyncio.get_running_loop().create_task(wire.read())
            await asyncio.sleep(0)
            far.send(b"more")
            assert await reading == b"more"
            far.close()
            assert await wire.read() == b""

    play(scene)


def test_a_read_ends_when_its_own_side_closes(play):
    async def scene():
        async with pair() as (wire, _):
            reading = asyncio.get_running_loop().create_task(wire.read())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            wire.close()
            async with asyncio.timeout(5):
                assert await reading == b""

    play(scene)


def test_a_cancelled_read_leaves_the_bytes_for_the_next_one(play):
    async def scene():
        async with pair() as (wire, far):
            reading = asyncio.get_running_loop().create_task(wire.read())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            far.send(b"kept")
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            assert await wire.read() == b"kept"

    play(scene)


def test_a_follower_gets_bytes_until_it_pauses_and_the_end_once(play):
    async def scene():
        async with pair() as (wire, far):
            came, ends = bytearray(), []
            wire.follow(came.extend, lambda: ends.append(True))
            far.send(b"one")
            await until(lambda: came == b"one", "the first bytes")
            wire.pause()
            far.send(b"two")
            for _ in range(5):
                await asyncio.sleep(0)
            assert came == b"one"
            wire.resume()
            await until(lambda: came == b"onetwo", "the others")
            far.close()
            await until(lambda: ends, "the end")
            assert ends == [True]

    play(scene)


@pytest.mark.parametrize("count", [1, 3, MAX_PARTS, MAX_PARTS + 1])
def test_parts_arrive_in_their_order(play, count):
    async def scene():
        async with pair() as (wire, far):
            parts = [bytes([number % 251]) * 3 for number in range(count)]
            wire.write(*parts)
            assert await received(far, 3 * count) == b"".join(parts)

    play(scene)


def test_what_the_kernel_does_not_take_is_held_and_sent_later_in_order(play):
    async def scene():
        async with pair() as (wire, far):
            parts = [bytes([number]) * 100_000 for number in range(20)]
            for first, second in zip(parts[::2], parts[1::2], strict=True):
                wire.write(first, memoryview(second))
            assert wire.unsent > 0
            draining = asyncio.get_running_loop().create_task(wire.drain())
            assert await received(far, 2_000_000) == b"".join(parts)
            await draining
            assert wire.unsent == 0

    play(scene)


def test_bytes_that_come_one_by_one_are_held_without_a_piece_for_each(play):
    async def scene():
        async with pair() as (wire, far):
            wire.write(bytes(2_000_000))
            before = wire.unsent
            tracemalloc.start()
            for _ in range(50_000):
                wire.write(b"x", b"y")
            held = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            assert wire.unsent == before + 100_000
            assert held < 150_000
            assert await received(far, 2_100_000) == bytes(2_000_000) + b"xy" * 50_000

    play(scene)


def test_a_reader_that_has_gone_breaks_the_writer_and_keeps_nothing(play):
    async def scene():
        async with pair() as (wire, far):
            wire.write(bytes(2_000_000))
            assert wire.unsent > 0
            far.close()
            with pytest.raises(ConnectionError):
                await wire.drain()
            wire.write(b"more")
            assert wire.unsent == 0
            assert wire.is_broken

    play(scene)


def test_a_wire_that_is_closed_takes_nothing_and_may_be_closed_again(play):
    async def scene():
        async with pair() as (wire, far):
            wire.write(bytes(2_000_000))
            wire.close()
            wire.close()
            wire.write(b"more")
            wire.resume()
            assert wire.unsent == 0
            assert wire.is_closed

    play(scene)


def test_an_abandoned_wire_ends_who_reads_and_who_writes(play):
    async def scene():
        async with pair() as (wire, _):
            reading = asyncio.get_running_loop().create_task(wire.read())
            wire.write(bytes(2_000_000))
            draining = asyncio.get_running_loop().create_task(wire.drain())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            wire.abandon()
            async with asyncio.timeout(5):
                assert await reading == b""
                with pytest.raises(ConnectionError):
                    await draining

    play(scene)


def test_an_abandoned_wire_tells_its_follower_once(play):
    async def scene():
        async with pair() as (wire, far):
            ends = []
            wire.follow(lambda _: None, lambda: ends.append(True))
            wire.abandon()
            far.close()
            await asyncio.sleep(0)
            assert ends == [True]

    play(scene)


def test_it_tells_each_time_that_nothing_is_held_any_more(play):
    async def scene():
        async with pair() as (wire, far):
            drained = []
            wire.drained = lambda: drained.append(wire.unsent)
            wire.write(b"small")
            assert drained == []
            wire.write(bytes(2_000_000))
            await received(far, 2_000_005)
            await until(lambda: drained, "it was told")
            assert drained == [0]

    play(scene)
