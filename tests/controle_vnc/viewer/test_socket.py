import asyncio
import stat

import pytest

from controle_vnc.viewer.grant import Closing
from controle_vnc.viewer.socket import open_private_socket
from tests.fakes.house import house, screen_grant, wall_grant


def test_a_private_socket_takes_one_connection_and_is_gone():
    async def play():
        done = asyncio.Event()
        async with house() as place:
            closing = Closing()
            path = await open_private_socket(place, wall_grant(), closing, lambda grant: done.set())
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
            reader, writer = await asyncio.open_unix_connection(str(path))
            await asyncio.wait_for(reader.readexactly(5), 2)
            assert not path.exists()
            with pytest.raises(OSError, match="."):
                await asyncio.open_unix_connection(str(path))
            closing.close("signed_out")
            rest = await asyncio.wait_for(reader.read(), 2)
            assert rest.endswith(b'{"event":"bye","code":"signed_out"}')
            await asyncio.wait_for(done.wait(), 2)
            writer.close()

    asyncio.run(play())


def test_a_private_socket_that_nobody_uses_is_removed(monkeypatch):
    monkeypatch.setattr("controle_vnc.viewer.socket.CONNECT_SECONDS", 0.1)

    async def play():
        done = asyncio.Event()
        async with house() as place:
            path = await open_private_socket(
                place, screen_grant(), Closing(), lambda grant: done.set()
            )
            await asyncio.wait_for(done.wait(), 2)
            assert not path.exists()
            assert place.clerk.journal.after(0) == []

    asyncio.run(play())
