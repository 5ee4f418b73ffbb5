import asyncio
import contextlib
import socket
import struct

import pytest

from controle_vnc.viewer import stream as stream_module
from controle_vnc.viewer.stream import PONG_HELD_BYTES, Stream, WebSocketStream
from controle_vnc.websocket import BINARY, CLOSE, NORMAL, PING, PONG, TEXT, frame
from controle_vnc.wire import Wire
from tests.controle_vnc.test_websocket import masked
from tests.fakes.house import until


@contextlib.asynccontextmanager
async def opened(early=b""):
    """A stream over WebSocket, and the browser's end as a reader and a writer."""
    near, far = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=far)
    stream = WebSocketStream(near, early)
    try:
        yield stream, reader, writer
    finally:
        writer.close()
        await stream.close()


async def frames(reader, count):
    """The next `count` frames that the browser gets: kind and payload."""
    got = []
    async with asyncio.timeout(5):
        for _ in range(count):
            first, size = await reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack(">H", await reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack(">Q", await reader.readexactly(8))
            got.append((first & 15, await reader.readexactly(size)))
    return got


def test_payloads_come_without_their_frames():
    async def play():
        async with opened(masked(BINARY, b"early ")) as (stream, _, writer):
            writer.write(masked(BINARY, b"bird"))
            assert await stream.read() == b"early "
            assert await stream.read() == b"bird"

    asyncio.run(play())


def test_a_follower_gets_what_came_early_first():
    async def play():
        async with opened(masked(BINARY, b"early ")) as (stream, _, writer):
            came = bytearray()
            stream.follow(came.extend, lambda: None)
            writer.write(masked(BINARY, b"bird"))
            await until(lambda: came == b"early bird", "both")

    asyncio.run(play())


@pytest.mark.parametrize("size", [1, 125, 126, 65535, 65536, 300_000])
def test_parts_go_out_as_one_frame(size):
    async def play():
        async with opened() as (stream, reader, _):
            data = bytes(range(256)) * (size // 256 + 1)
            stream.write(data[: size // 2], memoryview(data)[size // 2 : size])
            assert await frames(reader, 1) == [(BINARY, data[:size])]

    asyncio.run(play())


def test_nothing_is_no_frame():
    async def play():
        async with opened() as (stream, reader, _):
            stream.write()
            stream.write(b"", b"")
            stream.write(b"x")
            assert await frames(reader, 1) == [(BINARY, b"x")]

    asyncio.run(play())


def test_a_ping_is_answered_between_the_bytes():
    async def play():
        async with opened() as (stream, reader, writer):
            writer.write(masked(BINARY, b"one") + masked(PING, b"there?") + masked(BINARY, b"two"))
            assert await stream.read() == b"onetwo"
            assert await frames(reader, 1) == [(PONG, b"there?")]

    asyncio.run(play())


def test_who_does_not_read_gets_no_answer_to_its_pings():
    async def play():
        async with opened() as (stream, _, writer):
            stream.write(bytes(4_000_000))
            held = stream.unsent
            assert held > PONG_HELD_BYTES
            writer.write(masked(PING, b"there?") * 100 + masked(BINARY, b"x"))
            assert await stream.read() == b"x"
            assert stream.unsent <= held

    asyncio.run(play())


@pytest.mark.parametrize("follows", [False, True])
def test_a_goodbye_is_the_end(follows):
    async def play():
        async with opened() as (stream, reader, writer):
            writer.write(masked(BINARY, b"last") + masked(CLOSE, b""))
            if follows:
                came, ends = bytearray(), []
                stream.follow(came.extend, lambda: ends.append(True))
                await until(lambda: ends, "the end")
                assert came == b"last"
            else:
                assert await stream.read() == b"last"
                assert await stream.read() == b""
            closing = asyncio.get_running_loop().create_task(stream.close())
            assert await frames(reader, 1) == [(CLOSE, struct.pack(">H", NORMAL))]
            writer.close()
            await closing

    asyncio.run(play())


@pytest.mark.parametrize(
    ("sent", "code"), [(masked(TEXT, b"x"), 1003), (frame(BINARY, b"bare"), 1002)]
)
def test_what_breaks_the_protocol_is_told_and_ends_it(sent, code):
    async def play():
        async with opened() as (stream, reader, writer):
            writer.write(sent)
            assert await stream.read() == b""
            closing = asyncio.get_running_loop().create_task(stream.close())
            assert await frames(reader, 1) == [(CLOSE, struct.pack(">H", code))]
            writer.close()
            await closing

    asyncio.run(play())


def test_a_browser_is_pinged_and_a_silent_one_given_up(monkeypatch):
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(stream_module, "SILENCE_SECONDS", 0.2)

    async def play():
        async with opened() as (stream, reader, _):
            async with asyncio.timeout(5):
                assert await stream.read() == b""
            assert (await frames(reader, 1))[0] == (PING, b"")

    asyncio.run(play())


def test_a_browser_that_answers_is_not_given_up(monkeypatch):
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(stream_module, "SILENCE_SECONDS", 0.2)

    async def play():
        async with opened() as (stream, reader, writer):
            reading = asyncio.get_running_loop().create_task(stream.read())
            for _ in range(20):
                assert await frames(reader, 1) == [(PING, b"")]
                writer.write(masked(PONG, b""))
            assert not reading.done()
            writer.write(masked(BINARY, b"x"))
            assert await reading == b"x"

    asyncio.run(play())


def test_a_browser_that_never_reads_is_closed_all_the_same(monkeypatch):
    monkeypatch.setattr(stream_module, "FAREWELL_SECONDS", 0.1)

    async def play():
        async with opened() as (stream, _, _writer):
            stream.write(bytes(4_000_000))
            async with asyncio.timeout(2):
                await stream.close()
            assert stream.unsent == 0

    asyncio.run(play())


def test_a_bare_stream_sends_what_it_holds_before_it_closes():
    async def play():
        near, far = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=far)
        stream = Stream(Wire(near))
        stream.write(bytes(1_000_000))
        closing = asyncio.get_running_loop().create_task(stream.close())
        async with asyncio.timeout(5):
            assert len(await reader.read(-1)) == 1_000_000
            await closing
        writer.close()

    asyncio.run(play())
