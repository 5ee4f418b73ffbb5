"""The daemon as a gateway sees it: real tickets and redeem socket, behind them a made-up stream.

With `hand_over` it takes browsers' sockets, whose frames the gateway's own pump understands here.
"""

import asyncio
import contextlib
import itertools
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path

from controle_vnc.gateway.pump import Pump
from controle_vnc.tasks import spawn
from controle_vnc.viewer.grant import Grant
from controle_vnc.viewer.lease import Leases
from controle_vnc.viewer.redeem import RedeemServer
from controle_vnc.viewer.ticket import TicketOffice

SECRET = b"a secret for the gateway's tests"
BANNER = b"RFB 003.008\n"


async def echo(reader, writer, _):
    """Says hello as a VNC server would, then repeats what it hears."""
    writer.write(BANNER)
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def hang_up(reader, writer, _):
    """Says hello and hangs up."""
    writer.write(BANNER)
    await writer.drain()


async def firehose(reader, writer, daemon):
    """Sends as fast as it is taken, and counts."""
    writer.transport.set_write_buffer_limits(high=65536)
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()
        daemon.sent += 65536


async def sleeper(reader, writer, _):
    """Reads nothing and says nothing."""
    await asyncio.Event().wait()


async def sink(reader, writer, daemon):
    """Reads everything."""
    while data := await reader.read(65536):
        daemon.received += data
    daemon.hung_up.set()


class PrivateDaemon:
    """`behaviour` is run for each viewer that arrives."""

    def __init__(self, behaviour=echo, hand_over=False, new_loop=None, most=1000):
        self.folder = Path(tempfile.mkdtemp(prefix="gw-", dir="/tmp"))
        self.redeem_socket = self.folder / "gateway.sock"
        self.office, self.leases = TicketOffice(SECRET), Leases()
        self.behaviour = behaviour
        self.sent = 0
        self.received = b""
        self.hung_up = threading.Event()
        self.handed_over = 0
        self._hand_over, self._most = hand_over, most
        self._numbers = itertools.count()
        self._servers = []
        self._up = threading.Event()
        self._new_loop = new_loop
        self._thread = threading.Thread(target=self._run_loop)

    def ticket(self, session="session"):
        ends_at = int(time.time() * 1000) + 600_000
        self.leases.renew(session, ends_at)
        number = str(next(self._numbers))
        return self.office.issue(Grant(number, session, "camille", "C", ends_at, "screen", "w1"))

    def __enter__(self):
        self._thread.start()
        assert self._up.wait(5)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        assert not self._thread.is_alive()
        shutil.rmtree(self.folder)

    def _run_loop(self):
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            runner.run(self._run())

    async def _run(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.redeem = redeem = RedeemServer(
            self.redeem_socket,
            self.office,
            self.leases,
            self._open,
            self._take_over if self._hand_over else None,
            self._most,
        )
        await redeem.start()
        self._up.set()
        await self._stop.wait()
        await redeem.stop()
        for server in self._servers:
            server.close()

    async def _open(self, grant, closing, done):
        async def arrived(reader, writer):
            await self._behave(reader, writer, grant, done)

        path = self.folder / f"{grant.id}.sock"
        self._servers.append(await asyncio.start_unix_server(arrived, str(path)))
        return path

    def _take_over(self, grant, closing, browser, early, done):
        self.handed_over += 1
        near, far = socket.socketpair()
        pump = threading.Thread(target=_pump, args=(browser, near, early))
        pump.start()

        async def behave():
            await self._behave(*await asyncio.open_connection(sock=far), grant, done)

        spawn(behave(), "a browser that was handed over")

    async def _behave(self, reader, writer, grant, done):
        try:
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await self.behaviour(reader, writer, self)
        finally:
            writer.transport.abort() if self._stop.is_set() else writer.close()
            done(grant)


def _pump(browser, near, early):
    with browser, near:
        Pump(browser, near).run(early)
