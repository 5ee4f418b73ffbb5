"""A viewer that decodes what it is sent, and answers or not, as a test likes."""

import asyncio
import struct

from controle_vnc.rfb.client import Bell, FenceAnswered, RfbClient, Updated
from controle_vnc.rfb.constants import FENCE_REQUEST, Encoding
from controle_vnc.rfb.messages import fence
from controle_vnc.rfb.stream import to_the_end

PUSHED = (Encoding.TIGHT, Encoding.DESKTOP_SIZE, Encoding.FENCE, Encoding.CONTINUOUS_UPDATES)
ASKING = (Encoding.TIGHT, Encoding.DESKTOP_SIZE)
PLAIN = (Encoding.RAW,)
READ_BYTES = 64 * 1024


def enable(width, height, on=1):
    """EnableContinuousUpdates for all of a screen."""
    return struct.pack(">BBHHHH", 150, on, 0, 0, width, height)


class PixelViewer:
    """Speaks through our own RFB client over a `Browser`; `updates` counts."""

    def __init__(self, browser, encodings=PUSHED, quality=None):
        self.browser = browser
        self.client = RfbClient(None, encodings, quality)
        self.is_pushed = Encoding.CONTINUOUS_UPDATES in encodings
        self.is_answering = True
        self.updates = 0
        self.bells = 0
        self.answered = []

    async def open(self):
        """Shake hands and ask for the picture; it has not come yet."""
        while self.client.framebuffer is None:
            await self._turn()
        self.client.request_update(False)
        said = self.client.data_to_send()
        self.browser.send(said + enable(*self.size) if self.is_pushed else said)
        return self

    @property
    def size(self):
        return self.client.framebuffer.width, self.client.framebuffer.height

    @property
    def pixels(self):
        return self.client.framebuffer.pixels[:, :, :3]

    def ask(self, incremental=True):
        self.client.request_update(incremental)
        self.browser.send(self.client.data_to_send())

    async def _turn(self):
        data = await self.browser.reader.read(READ_BYTES)
        assert data, "the screen was closed"
        self.client.receive_data(data, to_the_end)
        for event in self.client.events():
            self.updates += isinstance(event, Updated)
            self.bells += isinstance(event, Bell)
            if isinstance(event, FenceAnswered):
                self.answered.append(event.payload)
        said = self.client.data_to_send()
        if self.is_answering:
            self.browser.send(said)

    async def until(self, condition, what, seconds=5):
        """Read until `condition()` holds; without fences each update is answered by a request."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    before = self.updates
                    await self._turn()
                    if self.updates > before and not self.is_pushed and self.is_answering:
                        self.ask()
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s: {what}") from None

    async def until_update(self):
        """The next update."""
        before = self.updates
        await self.until(lambda: self.updates > before, "an update")

    async def echo(self, payload=b"there?"):
        """A round trip: what was sent before it has come."""
        self.browser.send(fence(FENCE_REQUEST, payload))
        count = len(self.answered)
        await self.until(lambda: len(self.answered) > count, "our own fence answered")
