"""One private unix socket for each redeemed ticket: one connection within 5 s, then its viewer."""

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from controle_vnc.tasks import spawn
from controle_vnc.viewer import live, wall
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.house import House

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 1.0  # what a browser has not read by then it does not get
BUFFER_BYTES = 64 * 1024  # asyncio holds twice this of what a browser sends
NAME_BYTES = 8


async def open_private_socket(
    grant: Grant, closing: Closing, house: House, done: Callable[[Grant], None]
) -> Path:
    """Listen for the viewer of `grant` and return where; `done` is called when it has ended.

    Raises `OSError` where the run directory cannot hold a socket.
    """
    folder = house.settings.run_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{secrets.token_hex(NAME_BYTES)}.sock"
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    came = asyncio.get_running_loop().create_future()

    def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if came.done():
            writer.close()
        else:
            came.set_result((reader, writer))

    before = os.umask(0o077)
    try:
        server = await asyncio.start_unix_server(arrived, str(path), limit=BUFFER_BYTES, backlog=1)
    finally:
        os.umask(before)

    async def attend() -> None:
        try:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    reader, writer = await came
            except TimeoutError:
                logger.info("nobody came for the %s of %s", grant.kind, grant.user)
                return
            finally:
                server.close()
                path.unlink(missing_ok=True)
            await _serve(grant, closing, reader, writer, house)
        finally:
            done(grant)

    spawn(attend(), f"{grant.kind} of {grant.user}")
    return path


async def _serve(
    grant: Grant,
    closing: Closing,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    house: House,
) -> None:
    serve = wall.serve if grant.kind == "wall" else live.serve
    try:
        await serve(grant, closing, reader, writer, house)
    finally:
        writer.close()
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await writer.wait_closed()
        writer.transport.abort()
