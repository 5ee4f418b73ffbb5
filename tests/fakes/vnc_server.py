"""VNC servers that behave badly in one named way each, and one that behaves well."""

import asyncio
import contextlib
import struct
from collections.abc import Awaitable, Callable

VERSION = b"RFB 003.008\n"
PIXEL_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
UPDATE, BELL, CUT_TEXT, FENCE = 0, 2, 3, 248
RAW, RRE, TIGHT = 0, 2, 7
DESKTOP_SIZE, SUPPORTED_MESSAGES = -223, -131071
FIXED_SIZES = {0: 20, 3: 10, 4: 8, 5: 6, 8: 4, 150: 10}


class Session:
    """One connection: what came, and helpers to speak."""

    def __init__(self, server, reader, writer):
        self.server = server
        self.reader = reader
        self.writer = writer
        self.waiting = False
        self.shown = None
        self.scale = 1
        self.ended = asyncio.Event()

    async def exactly(self, size):
        return await self.reader.readexactly(size)

    def send(self, data):
        self.writer.write(data)

    async def agree(self):
        """Version and security None."""
        self.send(VERSION)
        await self.exactly(12)
        self.send(b"\x01\x01")
        await self.exactly(1)
        self.send(b"\0\0\0\0")
        await self.exactly(1)

    def init(self, width, height, name=b"double"):
        self.send(struct.pack(">HH", width, height) + PIXEL_FORMAT)
        self.send(struct.pack(">I", len(name)) + name)

    async def message(self):
        """The next client message, whole."""
        kind = (await self.exactly(1))[0]
        if kind == 2:
            head = await self.exactly(3)
            body = head + await self.exactly(4 * struct.unpack(">xH", head)[0])
        elif kind == 6:
            head = await self.exactly(7)
            body = head + await self.exactly(struct.unpack(">xxxI", head)[0])
        elif kind == FENCE:
            head = await self.exactly(8)
            body = head + await self.exactly(head[7])
        else:
            body = await self.exactly(FIXED_SIZES[kind] - 1)
        return bytes([kind]) + body

    def rectangle_head(self, x, y, width, height, encoding=RAW):
        return struct.pack(">HHHHi", x, y, width, height, encoding)

    def update(self, body, count=1):
        self.send(struct.pack(">BxH", UPDATE, count) + body)

    def paint(self):
        width, height = (side // self.scale for side in self.server.size)
        pixels = bytes([*self.server.colour, 0]) * (width * height)
        self.update(self.rectangle_head(0, 0, width, height) + pixels)
        self.waiting = False
        self.shown = self.server.colour


async def desktop(session):
    """Answers as a server should; records every message after the handshake."""
    server = session.server
    await session.agree()
    session.init(*server.size)
    while True:
        message = await session.message()
        server.received.append(message)
        server.heard.set()
        if message[0] == 3:
            x, y, width, height = struct.unpack(">HHHH", message[2:])
            if not server.answers:
                continue
            if message[1] == 0 and (width, height) == (1, 1):
                session.update(session.rectangle_head(x, y, 1, 1) + b"\1\2\3\0")
            elif message[1] == 0 or session.shown != server.colour:
                session.paint()
            else:
                session.waiting = True


async def tells_what_it_takes(session):
    """Agrees, and tells in an update of its own that it takes SetScale."""
    await session.agree()
    session.init(*session.server.size)
    taken = bytes([0, 1 << 0]) + bytes(62)
    session.update(session.rectangle_head(0, 0, 64, 0, SUPPORTED_MESSAGES) + taken)


async def shrinks(session):
    """A desktop that takes SetScale, as LibVNCServer does it."""
    server = session.server
    await tells_what_it_takes(session)
    is_new_size = False
    while True:
        message = await session.message()
        server.received.append(message)
        server.heard.set()
        if message[0] == 8:
            session.scale, is_new_size = message[1], True
        elif message[0] == 3 and is_new_size:
            width, height = (side // session.scale for side in server.size)
            session.update(session.rectangle_head(0, 0, width, height, DESKTOP_SIZE))
            is_new_size = False
        elif message[0] == 3 and (message[1] == 0 or session.shown != server.colour):
            session.paint()
        elif message[0] == 3:
            session.waiting = True


async def promises_to_shrink(session):
    """Says that it takes SetScale, and goes on as before."""
    await tells_what_it_takes(session)
    while True:
        message = await session.message()
        session.server.received.append(message)
        if message[0] == 3:
            session.paint()


async def hangs_up_when_asked_to_shrink(session):
    """Says that it takes SetScale, and closes when it comes."""
    await tells_what_it_takes(session)
    while (message := await session.message())[0] != 8:
        session.server.received.append(message)
        if message[0] == 3:
            session.paint()
    session.server.received.append(message)


async def solitary(session):
    """A desktop for one client: a second one is turned away at once."""
    if len(session.server.sessions) > 1:
        return
    await desktop(session)


async def jealous(session):
    """A desktop for one client: a second one makes the first one go."""
    for other in session.server.sessions - {session}:
        other.writer.close()
    await desktop(session)


async def silent(session):
    """Takes the connection and says nothing."""
    await session.ended.wait()


async def mute_after_init(session):
    """Shakes hands, then never says anything again."""
    await session.agree()
    session.init(64, 48)
    while True:
        session.server.received.append(await session.message())


async def garbage(session):
    """Speaks something else."""
    session.send(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
    await session.ended.wait()


async def garbage_picture(session):
    """Shakes hands, then sends a message of a type nobody knows."""
    await session.agree()
    session.init(64, 48)
    session.send(b"\xee" * 4096)
    await session.ended.wait()


async def garbage_pictures(session):
    """A desktop whose every picture cannot be decoded."""
    await session.agree()
    session.init(64, 48)
    while (await session.message())[0] != 3:
        pass
    session.update(session.rectangle_head(0, 0, 64, 48, TIGHT) + b"\xff")
    await session.ended.wait()


async def eight_bits_only(session):
    """A desktop of 8 bits a pixel, red in three of them, that heeds no SetPixelFormat."""
    await session.agree()
    width, height = session.server.size
    eight_bits = struct.pack(">BBBBHHHBBBxxx", 8, 8, 0, 1, 7, 7, 3, 5, 2, 0)
    session.send(struct.pack(">HH", width, height) + eight_bits + struct.pack(">I", 0))
    while True:
        message = await session.message()
        session.server.received.append(message)
        if message[0] == 3 and message[1] == 0:
            x, y, width, height = struct.unpack(">HHHH", message[2:])
            session.update(session.rectangle_head(x, y, width, height) + b"\xe0" * width * height)


async def closes_at_once(session):
    """Closes before its version."""


async def closes_in_the_middle(session):
    """Closes in the middle of a rectangle."""
    await session.agree()
    session.init(64, 48)
    await session.message()
    session.update(session.rectangle_head(0, 0, 64, 48) + b"\0" * 1000)


async def announces_65535(session):
    """Announces 65535×65535 pixels, which would be 16 GiB."""
    await session.agree()
    session.init(65535, 65535)
    await session.ended.wait()


async def rectangle_of_4_gib(session):
    """Announces one Raw rectangle of 4 GiB on a small screen, and pours."""
    await session.agree()
    session.init(64, 48)
    await session.message()
    session.update(session.rectangle_head(0, 0, 32768, 32768))
    with contextlib.suppress(ConnectionError):
        for _ in range(4096):
            session.send(bytes(65536))
            session.server.poured += 65536
            await session.writer.drain()


async def dribbles(session):
    """Shakes hands, then rings its bell, again and again, and answers nothing."""
    await session.agree()
    session.init(64, 48)
    while not session.ended.is_set():
        session.send(bytes([BELL]))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await session.ended.wait()


async def asks_and_reads_nothing(session):
    """Shakes hands, then asks for answers to fences without end, and reads none of them."""
    await session.agree()
    session.init(64, 48)
    session.writer.transport.pause_reading()
    fence = struct.pack(">BxxxIB", FENCE, 1 << 31, 64) + bytes(64)
    with contextlib.suppress(ConnectionError):
        while True:
            session.send(fence * 900)
            session.server.poured += len(fence) * 900
            await session.writer.drain()


async def paints_boxes(session):
    """Shakes hands, then paints all of the screen 200 times in one rectangle of 2408 bytes."""
    await session.agree()
    width, height = session.server.size
    session.init(width, height)
    while (await session.message())[0] != 3:
        pass
    boxes = (b"\1\2\3\0" + struct.pack(">HHHH", 0, 0, width, height)) * 200
    head = session.rectangle_head(0, 0, width, height, RRE)
    session.update(head + struct.pack(">I", 200) + bytes(4) + boxes)
    await session.ended.wait()


async def paints_without_end(session):
    """Shakes hands, then fills a large screen again and again with a few bytes each time."""
    await session.agree()
    session.init(2048, 2048)
    fill = session.rectangle_head(0, 0, 2048, 2048, TIGHT) + b"\x80\1\2\3"
    with contextlib.suppress(ConnectionError):
        while True:
            session.update(fill * 1000, 1000)
            await session.writer.drain()


async def refuses_password(session):
    """VNC authentication that never succeeds."""
    session.send(VERSION)
    await session.exactly(12)
    session.send(b"\x01\x02")
    await session.exactly(1)
    session.send(bytes(range(16)))
    await session.exactly(16)
    reason = b"Authentication failed"
    session.send(struct.pack(">II", 1, len(reason)) + reason)


async def turns_away(session):
    """No security type at all, with a reason, as a server that blacklists."""
    session.send(VERSION)
    await session.exactly(12)
    reason = b"Too many security failures"
    session.send(struct.pack(">BI", 0, len(reason)) + reason)


async def unknown_security(session):
    """Offers only a security type that nobody implements."""
    session.send(VERSION)
    await session.exactly(12)
    session.send(b"\x01\xc8")
    await session.ended.wait()


class FakeVncServer:
    """Listens on loopback and behaves as told; counts and keeps its connections."""

    def __init__(self, behaviour: Callable[[Session], Awaitable[None]] = desktop, size=(64, 48)):
        self.behaviour = behaviour
        self.size = size
        self.colour = (10, 20, 30)
        self.answers = True
        self.accepted = 0
        self.dropped_early = 0
        self.poured = 0
        self.received: list[bytes] = []
        self.heard = asyncio.Event()
        self.sessions: set[Session] = set()
        self.port = 0
        self._server = None
        self._tasks: set[asyncio.Task] = set()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def start(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        """Stop listening and drop everybody, as a killed server does."""
        self._server.close()
        for session in list(self.sessions):
            session.ended.set()
            session.writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.accepted += 1
        session = Session(self, reader, writer)
        self.sessions.add(session)
        try:
            await self.behaviour(session)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            self.sessions.discard(session)
            self._tasks.discard(asyncio.current_task())
            writer.close()

    # --- of a desktop

    def paint(self, colour):
        """Change the screen; waiting clients are told."""
        self.colour = colour
        for session in self.sessions:
            if session.waiting:
                session.paint()

    def say(self, data):
        """Send `data` to every client, as it is."""
        for session in self.sessions:
            session.send(data)

    def types(self):
        """The types of the messages received so far."""
        return [message[0] for message in self.received]
