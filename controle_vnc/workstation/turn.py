"""What many connections decode on one event loop: each a while, then the others."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from controle_vnc.workstation.connection import Connection

TURN_SECONDS = 0.01  # nobody decodes for longer than this before others get their turn …
LIVE_REST = 1.0  # … for so many times as long, where somebody waits for each change …
WALL_REST = 3.0  # … and where a tile a second is enough: no server takes the whole processor
SHORT_SECONDS = 0.001  # a room that types is decoded at one go, one that scrolls is not


class Decoding(Protocol):
    """What works off received bytes: a client, or its handshake alone."""

    @property
    def is_behind(self) -> bool: ...

    def receive_data(self, data: bytes, must_rest: Callable[[], bool]) -> None: ...


async def decode_a_while(
    client: Decoding,
    data: bytes,
    turns: asyncio.Lock,
    clock: Callable[[], float],
    rest: float,
) -> None:
    """Decode `data` for a while, then leave the event loop to others.

    After a whole turn that is for `rest` times as long. Whoever shares `turns` decodes one after
    the other. Where `client.is_behind` then, `more_for` it is nothing new.
    """
    async with turns:
        began = clock()
        client.receive_data(data, lambda: clock() - began >= TURN_SECONDS)
        spent = clock() - began
        if spent >= SHORT_SECONDS:
            await asyncio.sleep(0)  # what else has come is seen to before the next turn
    if spent >= TURN_SECONDS:  # less leaves the loop to others at the next read
        await asyncio.sleep(spent * rest)


async def more_for(client: Decoding, connection: Connection) -> bytes:
    """What to decode next: what comes, or nothing while there is enough of what came."""
    if client.is_behind and not connection.is_closed:
        return b""
    return await connection.read()
