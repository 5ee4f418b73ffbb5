"""A badly behaving VNC server in a thread of its own, for tests that drive real processes."""

import asyncio
import threading

from tests.fakes.vnc_server import FakeVncServer

SECONDS = 5


class ThreadedVncServer:
    """`with ThreadedVncServer(behaviour) as server:` listens at `server.address`."""

    password = "unused"

    def __init__(self, behaviour):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server = FakeVncServer(behaviour)

    @property
    def address(self):
        return self._server.address

    def _run(self, work):
        asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def __enter__(self):
        self._thread.start()
        self._run(self._server.start())
        return self

    def __exit__(self, *_):
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()
