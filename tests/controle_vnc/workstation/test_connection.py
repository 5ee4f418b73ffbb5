"""What goes through a connection to a workstation's server, and how much may lie there unread."""

import asyncio
import contextlib
import socket

import pytest

from controle_vnc.errors import HungUpError
from controle_vnc.rfb.layer import Wrapping
from controle_vnc.workstation.connection import MAX_UNSENT_BYTES, Connection


class Mirror:
    """A layer that turns each byte around."""

    is_over = False

    def open(self, data):
        return bytes(byte ^ 0x55 for byte in data)

    def seal(self, data):
        return bytes(byte ^ 0x55 for byte in data)


@contextlib.contextmanager
def connected(layer=None):
    near, far = socket.socketpair()
    connection = Connection(near)
    if layer is not None:
        wrapping = Wrapping(bytearray())
        wrapping.wrap(layer)
        connection.go_through(wrapping)
    with far, contextlib.closing(connection):
        yield connection, far


def test_who_reads_a_connection_hears_what_its_layer_says_to_its_end():
    async def play():
        layer = Mirror()
        with connected(layer) as (connection, far):
            far.send(layer.seal(b"a picture"))
            assert await connection.read() == b"a picture"
            layer.is_over, layer.open = True, lambda _: b""
            far.send(b"the end")
            with pytest.raises(HungUpError):
                await connection.read()

    asyncio.run(play())


def fill(connection, size):
    """Leave exactly `size` bytes unsent."""
    while not connection.unsent:
        connection.write(bytes(64 * 1024))
    connection.write(bytes(size - connection.unsent))
    assert connection.unsent == size


@pytest.mark.parametrize("way", ["read", "follow"])
@pytest.mark.parametrize("layer", [None, Mirror()], ids=["plain", "sealed"])
def test_a_server_may_leave_so_much_unread_and_a_byte_more_ends_it(layer, way):
    async def play():
        ended = asyncio.Event()
        with connected(layer) as (connection, _):
            fill(connection, MAX_UNSENT_BYTES)
            if way == "follow":
                connection.follow(lambda data: None, ended.set)
            else:
                reading = asyncio.get_running_loop().create_task(connection.read())
                await asyncio.sleep(0)
            assert not connection.is_closed
            connection.write(b"x")
            assert connection.is_closed
            assert connection.unsent == 0
            async with asyncio.timeout(2):
                if way == "follow":
                    await ended.wait()
                else:
                    with pytest.raises(HungUpError):
                        await reading

    asyncio.run(play())


class Answering(Mirror):
    """As TLS does: it has to say something each time it hears something."""

    def open(self, data):
        return b""

    def seal(self, data):
        return bytes(16 * 1024)


def test_what_the_layer_answers_by_itself_counts_too():
    async def play():
        most = 0
        with connected(Answering()) as (connection, far):
            reading = asyncio.get_running_loop().create_task(connection.read())
            async with asyncio.timeout(5):
                while not reading.done():
                    with contextlib.suppress(OSError):
                        far.send(b"again", socket.MSG_DONTWAIT)
                    await asyncio.sleep(0)
                    most = max(most, connection.unsent)
            with pytest.raises(HungUpError):
                reading.result()
        assert MAX_UNSENT_BYTES - 16 * 1024 <= most <= MAX_UNSENT_BYTES

    asyncio.run(play())
