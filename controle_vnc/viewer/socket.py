"""Where a redeemed ticket is used: a private unix socket, or the browser's own."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from controle_vnc.accepting import accept
from controle_vnc.tasks import spawn
from controle_vnc.viewer import live, wall
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.house import House
from controle_vnc.viewer.private import listen
from controle_vnc.viewer.stream import Stream, WebSocketStream
from controle_vnc.wire import Wire

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
NAME_BYTES = 8

Done = Callable[[Grant], None]


async def open_private_socket(house: House, grant: Grant, closing: Closing, done: Done) -> Path:
    """Listen for the viewer of `grant`, once and for 5 s, and return where.

    `done` is called when it has ended. Raises `OSError` where there can be no socket.
    """
    folder = house.settings.run_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{secrets.token_hex(NAME_BYTES)}.sock"
    listener = listen(path, 1)

    async def attend() -> None:
        try:
            viewer = await _first(listener)
        except TimeoutError:
            logger.info("nobody came for the %s of %s", grant.kind, grant.user)
            done(grant)
            return
        finally:
            listener.close()
            path.unlink(missing_ok=True)
        await _serve(grant, closing, Stream(Wire(viewer)), house, done)

    spawn(attend(), f"{grant.kind} of {grant.user}")
    return path


async def _first(listener: socket.socket) -> socket.socket:
    async with asyncio.timeout(CONNECT_SECONDS):
        viewer, _ = await accept(listener)
    return viewer


def take_over(
    house: House, grant: Grant, closing: Closing, browser: socket.socket, early: bytes, done: Done
) -> None:
    """Serve `grant` on the browser's own socket, whose 101 is sent; `early` came behind it."""
    viewer = WebSocketStream(browser, early)
    spawn(_serve(grant, closing, viewer, house, done), f"{grant.kind} of {grant.user}")


async def _serve(grant: Grant, closing: Closing, viewer: Stream, house: House, done: Done) -> None:
    serve = wall.serve if grant.kind == "wall" else live.serve
    try:
        await serve(grant, closing, viewer, house)
    finally:
        done(grant)
        await viewer.close()
