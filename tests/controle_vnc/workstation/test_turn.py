"""Who decodes leaves turns to others."""

import asyncio

from controle_vnc.rfb.client import RfbClient
from controle_vnc.workstation.turn import decode_a_while, more_for
from tests.controle_vnc.rfb.sessions import opening


class Line:
    """A connection that says one thing."""

    is_closed = False

    async def read(self):
        return b"read"

    def close(self):
        self.is_closed = True


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
