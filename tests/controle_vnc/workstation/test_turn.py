"""Who decodes leaves turns to others, and whoever does not read is let go."""

import asyncio

import pytest

from controle_vnc.rfb.client import RfbClient
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.workstation.turn import MAX_UNSENT_BYTES, decode_a_while, more_for, send
from tests.controle_vnc.rfb.sessions import opening


class Line:
    """A connection that says one thing and notes what is done to it."""

    def __init__(self, unsent=0):
        self.unsent = unsent
        self.is_closed = False
        self.written = b""

    async def read(self):
        return b"read"

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize("more", [0, 1])
def test_a_server_may_leave_so_much_unread_and_a_byte_more_ends_it(more):
    client, line = RfbClient(None), Line(MAX_UNSENT_BYTES + more)
    client.receive_data(b"RFB 003.008\n", to_the_end)
    send(line, client)
    assert line.written == b"RFB 003.008\n"
    assert line.is_closed == bool(more)


def test_who_is_behind_reads_nothing_new_until_the_connection_is_closed():
    async def play():
        client, line = RfbClient(None), Line()
        assert await more_for(client, line) == b"read"
        client.receive_data(opening(), lambda: True)
        assert client.is_behind
        assert await more_for(client, line) == b""
        line.close()
        assert await more_for(client, line) == b"read"

    asyncio.run(play())


def test_a_turn_ends_after_a_while_and_is_followed_by_a_rest():
    async def play():
        now, client = 0.0, RfbClient(None)

        def clock():
            nonlocal now
            now += 0.006
            return now

        loop = asyncio.get_running_loop()
        began = loop.time()
        await decode_a_while(client, opening(), asyncio.Lock(), clock, 2.0)
        assert client.is_behind  # a step took 6 ms, and two of them are a turn
        assert loop.time() - began >= 0.03

    asyncio.run(play())
