import asyncio
import contextlib
import struct

from controle_vnc.room.hub import Hub
from controle_vnc.room.tiles import Tile
from controle_vnc.viewer import wall as wall_module
from controle_vnc.viewer.wall import BATCH_BYTES, QUIET_SECONDS, Wall
from tests.fakes.house import stored, until, wall_grant

NOWHERE = "127.0.0.1:1"


class Notebook:
    """A viewer that notes what is written at once."""

    def __init__(self):
        self.writes = []

    def write(self, *parts):
        self.writes.append(b"".join(parts))

    async def drain(self, below=0):
        pass


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def tiles_in(write):
    """The numbers of the tiles of one write, in order."""
    numbers = []
    while write:
        (length,) = struct.unpack_from(">I", write)
        if write[4] == 2:
            numbers.append(struct.unpack_from(">I", write, 5)[0])
        write = write[4 + length :]
    return numbers


class Room:
    """A wall of `count` visible workstations whose tiles are made by hand."""

    def __init__(self, count):
        self.clock = Clock()
        rows = [stored(number, NOWHERE) for number in range(1, count + 1)]
        self.hub = Hub(rows, clock=self.clock)
        self.viewer = Notebook()
        self.wall = Wall(wall_grant(), self.hub, self.viewer)
        self.wall.snapshot()
        self.numbers = [row.number for row in rows]
        self.wall._visible = dict.fromkeys(self.numbers, 320)

    def make(self, number, size=100):
        tiles = self.hub.seat(f"id{number}").tiles
        tiles._made[320] = Tile(number, 1, 1, b"j" * size)
        self.wall.tile_made(number)

    @property
    def written(self):
        return [tiles_in(write) for write in self.viewer.writes]

    async def until_written(self, count):
        await until(lambda: sum(map(len, self.written)) >= count, f"{count} tiles")


@contextlib.asynccontextmanager
async def showing(count):
    """A room whose wall is sent, each of its tiles once already."""
    room = Room(count)
    sending = asyncio.get_running_loop().create_task(room.wall.send())
    try:
        for number in room.numbers:
            room.make(number)
        await room.until_written(count)
        room.viewer.writes.clear()
        yield room
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        room.wall._visible = {}
        room.wall.hide_all()
        await room.hub.close()


def test_tiles_that_come_close_together_go_out_together():
    async def play():
        async with showing(3) as room:
            for number in (2, 1, 3, 1):
                room.make(number)
                await asyncio.sleep(0)
            assert room.written == []
            await room.until_written(3)
            assert room.written == [[2, 1, 3]]

    asyncio.run(play())


def test_a_workstation_that_was_quiet_waits_for_no_batch_and_takes_the_others_along():
    async def play():
        async with showing(3) as room:
            room.clock.now += QUIET_SECONDS - 0.1
            room.make(1)
            await room.until_written(1)
            room.make(1)
            await asyncio.sleep(0)
            assert room.written == [[1]]
            room.clock.now += 0.1
            room.make(2)
            await room.until_written(3)
            assert room.written == [[1], [1, 2]]

    asyncio.run(play())


def test_a_tile_that_has_just_become_visible_waits_for_no_batch():
    async def play():
        async with showing(2) as room:
            room.wall._hide(2)
            room.wall._visible[2] = 320
            room.make(2)
            await room.until_written(1)
            assert room.written == [[2]]

    asyncio.run(play())


def test_a_batch_is_bounded(monkeypatch):
    monkeypatch.setattr(wall_module, "BATCH_SECONDS", 0.0)

    async def play():
        async with showing(9) as room:
            for number in room.numbers:
                room.make(number, size=BATCH_BYTES // 4 - 21)
            await room.until_written(9)
            assert [len(write) for write in room.viewer.writes[:2]] == [BATCH_BYTES] * 2
            room.viewer.writes.clear()
            for number in room.numbers:
                room.make(number, size=BATCH_BYTES // 4 - 22)
            await room.until_written(9)
            assert room.written == [[1, 2, 3, 4, 5], [6, 7, 8, 9]]

    asyncio.run(play())


def test_what_is_told_goes_out_at_once_with_the_tiles_that_wait():
    async def play():
        async with showing(2) as room:
            room.make(1)
            room.hub.subscribe(room.wall)
            room.hub.add(stored(9, NOWHERE))
            await room.until_written(1)
            assert room.written == [[1]]
            assert b'"added"' in room.viewer.writes[0]

    asyncio.run(play())
