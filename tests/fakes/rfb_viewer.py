"""A viewer in a few lines, by hand: it can send what no honest viewer would."""

import struct

from tests.fakes.house import Browser

UPDATE, BELL, CUT_TEXT, FENCE = 0, 2, 3, 248
RAW, TIGHT, DESKTOP_SIZE = 0, 7, -223


def key(keysym, down=1):
    return struct.pack(">BBxxI", 4, down, keysym)


def stroke(keysym):
    return key(keysym) + key(keysym, 0)


def pointer(mask, x, y):
    return struct.pack(">BBHH", 5, mask, x, y)


def cut_text(text):
    return struct.pack(">BxxxI", 6, len(text)) + text


def encodings(*codes):
    return struct.pack(f">BxH{len(codes)}i", 2, len(codes), *codes)


def request(width, height, incremental=0):
    return struct.pack(">BBHHHH", 3, incremental, 0, 0, width, height)


class RfbViewer:
    """Speaks RFB over a `Browser`; Raw and DesktopSize only."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.size = (0, 0)
        self.name = b""

    async def refusal(self):
        """The reason of a refused screen."""
        assert await self.browser.exactly(12) == b"RFB 003.008\n"
        self.browser.send(b"RFB 003.008\n")
        assert await self.browser.exactly(1) == b"\0"
        (length,) = struct.unpack(">I", await self.browser.exactly(4))
        return (await self.browser.exactly(length)).decode()

    async def open(self):
        assert await self.browser.exactly(12) == b"RFB 003.008\n"
        self.browser.send(b"RFB 003.008\n")
        assert await self.browser.exactly(2, 12) == b"\x01\x01"
        self.browser.send(b"\x01")
        assert await self.browser.exactly(4) == bytes(4)
        self.browser.send(b"\x01")
        init = await self.browser.exactly(24)
        self.size = struct.unpack(">HH", init[:4])
        self.name = await self.browser.exactly(struct.unpack(">I", init[20:])[0])
        self.send(encodings(RAW))
        return self

    def send(self, data):
        self.browser.send(data)

    def ask(self, incremental=0):
        self.send(request(*self.size, incremental))

    async def message(self, seconds=5):
        """The next message: ("update", rectangles), ("text", bytes) or ("bell", b"")."""
        kind = (await self.browser.exactly(1, seconds))[0]
        if kind == UPDATE:
            (count,) = struct.unpack(">xH", await self.browser.exactly(3))
            return "update", [await self._rectangle() for _ in range(count)]
        if kind == CUT_TEXT:
            (length,) = struct.unpack(">xxxI", await self.browser.exactly(7))
            return "text", await self.browser.exactly(length)
        assert kind == BELL, f"message of type {kind}"
        return "bell", b""

    async def _rectangle(self):
        x, y, width, height, encoding = struct.unpack(">HHHHi", await self.browser.exactly(12))
        if encoding == DESKTOP_SIZE:
            self.size = (width, height)
            return (x, y, width, height), b""
        assert encoding == RAW, f"encoding {encoding}"
        return (x, y, width, height), await self.browser.exactly(width * height * 4)

    async def picture(self, incremental=0):
        """Ask, and give the rectangles of the update that answers."""
        self.ask(incremental)
        while True:
            kind, body = await self.message()
            if kind == "update":
                return body
