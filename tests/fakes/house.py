"""A daemon's inside for viewers' tests: real hub and journal, browsers over socket pairs."""

import asyncio
import contextlib
import json
import shutil
import socket
import struct
import tempfile
from pathlib import Path

from controle_vnc.room.hub import Hub
from controle_vnc.settings import Settings
from controle_vnc.store import Occupancy, StoredWorkstation, upgrade
from controle_vnc.viewer.clerk import Clerk
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.house import House
from controle_vnc.viewer.journal import Journal
from controle_vnc.viewer.stream import Stream
from controle_vnc.wire import Wire

ENDS_AT = 4_000_000_000_000


async def until(condition, what, seconds=5):
    """Wait for what other programs or tasks bring about; fail saying `what`."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


def stored(number, address, room="S12", user=None, password=None, name=None):
    name = name or f"pc-{number:02}"
    return StoredWorkstation(number, f"id{number}", name, room, address, user, password)


def wall_grant(room="S12", users=None):
    return Grant(
        "g1", "session", "camille", "Camille", ENDS_AT, "wall",
        room=None if users is not None else room, users=users,
    )  # fmt: skip


def screen_grant(workstation="id1", mode="view", session="session", user=None):
    return Grant(
        "g2", session, "camille", "Camille", ENDS_AT, "screen",
        workstation=workstation, mode=mode, occupancy=Occupancy("S12", user),
    )  # fmt: skip


@contextlib.asynccontextmanager
async def house(*rows, timing=None, clipboard=True):
    """A house whose hub holds `rows`; everything is closed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="house-", dir="/tmp"))
    upgrade(folder / "store.db")
    journal = Journal(folder / "store.db")
    hub = Hub(rows, timing)
    try:
        yield House(hub, Clerk(journal), Settings(RUN_DIR=str(folder / "run"), CLIPBOARD=clipboard))
    finally:
        await hub.close()
        journal.close()
        shutil.rmtree(folder)


class Browser:
    """The far end of a viewer."""

    def __init__(self, reader, writer, closing, task):
        self.reader, self.writer = reader, writer
        self.closing, self.task = closing, task
        self.tiles = []

    async def exactly(self, size, seconds=5):
        async with asyncio.timeout(seconds):
            return await self.reader.readexactly(size)

    def send(self, data):
        self.writer.write(data)

    # --- a wall

    def show(self, numbers, width=320, **more):
        payload = json.dumps({"visible": numbers, "width": width, **more}).encode()
        self.send(struct.pack(">IB", len(payload) + 1, 1) + payload)

    async def frame(self, seconds=5):
        """An event (dict), or a tile (number, sequence, captured_at, jpeg)."""
        (length,) = struct.unpack(">I", await self.exactly(4, seconds))
        assert length <= 1024 * 1024
        body = await self.exactly(length, seconds)
        if body[0] == 1:
            return json.loads(body[1:])
        assert body[0] == 2
        return (*struct.unpack_from(">IIQ", body, 1), body[17:])

    async def event(self, kind, seconds=5, **values):
        """The next event of that name with these values; tiles on the way are kept."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.frame(seconds)
                if isinstance(frame, tuple):
                    self.tiles.append(frame)
                elif frame["event"] == kind and values.items() <= frame.items():
                    return frame

    async def tile(self, number, seconds=5):
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.frame(seconds)
                if isinstance(frame, tuple) and frame[0] == number:
                    return frame


@contextlib.asynccontextmanager
async def browsing(serve, grant, place):
    """A browser connected to `serve` for `grant`."""
    near, far = socket.socketpair()
    far_ends = await asyncio.open_connection(sock=far, limit=64 * 1024)
    closing, viewer = Closing(), Stream(Wire(near))
    task = asyncio.get_running_loop().create_task(serve(grant, closing, viewer, place))
    try:
        yield Browser(*far_ends, closing, task)
    finally:
        far_ends[1].close()
        async with asyncio.timeout(5):
            await task
        await viewer.close()
