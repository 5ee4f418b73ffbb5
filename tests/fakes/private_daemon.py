"""The daemon as a gateway sees it: real tickets and redeem socket, behind them a made-up stream."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
import threading
import time
from pathlib import Path

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

    def __init__(self, behaviour=echo):
        self.folder = Path(tempfile.mkdtemp(prefix="gw-", dir="/tmp"))
        self.redeem_socket = self.folder / "gateway.sock"
        self.office, self.leases = TicketOffice(SECRET), Leases()
        self.behaviour = behaviour
        self.sent = 0
        self.received = b""
        self.hung_up = threading.Event()
        self._numbers = itertools.count()
        self._servers = []
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

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

    async def _run(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.redeem = redeem = RedeemServer(
            self.redeem_socket, self.office, self.leases, self._open
        )
        await redeem.start()
        self._up.set()
        await self._stop.wait()
        await redeem.stop()
        for server in self._servers:
            server.close()

    async def _open(self, grant, closing, done):
        async def arrived(reader, writer):
            try:
                with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                    await self.behaviour(reader, writer, self)
            finally:
                writer.transport.abort() if self._stop.is_set() else writer.close()
                done(grant)

        path = self.folder / f"{grant.id}.sock"
        self._servers.append(await asyncio.start_unix_server(arrived, str(path)))
        return path
