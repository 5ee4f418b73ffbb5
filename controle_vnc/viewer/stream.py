"""The two ends of a viewer's unix socket, and its RFB handshake."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from controle_vnc.rfb.server_handshake import ServerHandshake

READ_BYTES = 64 * 1024
HANDSHAKE_SECONDS = 10.0  # a page answers at once; a person does not take part


@dataclass(frozen=True)
class Stream:
    """What a viewer's browser sends and gets."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def follow(self, handshake: ServerHandshake, until: Callable[[], bool]) -> bool:
        """Go on with `handshake` until `until` holds; False where the browser hung up."""
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            self.writer.write(handshake.data_to_send())
            while not until():
                data = await self.reader.read(READ_BYTES)
                if not data:
                    return False
                handshake.receive_data(data)
                self.writer.write(handshake.data_to_send())
        return True
