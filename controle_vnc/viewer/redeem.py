"""The daemon's half of the redeem socket: ticket in, private socket out, or browser in."""

import asyncio
import contextlib
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

from controle_vnc.accepting import accept
from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, body_length, pack, unpack
from controle_vnc.control.messages import MAX_GREETING_BYTES, Redeem, Redeemed, Refused
from controle_vnc.errors import (
    ProtocolError,
    RequestRefusedError,
    SettingsError,
    TicketRefusedError,
)
from controle_vnc.tasks import spawn
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.handed import receive_browser
from controle_vnc.viewer.lease import MAX_VIEWERS, Leases
from controle_vnc.viewer.private import listen
from controle_vnc.viewer.ticket import TicketOffice

logger = logging.getLogger(__name__)

REDEEM_SECONDS = 5.0  # a gateway asks at once
HAND_OVER_SECONDS = 5.0  # its answer to the browser is all that lies between
MAX_ASKING = 256  # twice the workers that the gateways may have together
PAUSE_SECONDS = 1.0  # without a free descriptor: no accept, and no second line in the log
MAX_FOLDER_BYTES = 80  # a unix socket's path has 107 at most, and ours have names of 21

Done = Callable[[Grant], None]
OpenPrivate = Callable[[Grant, Closing, Done], Awaitable[Path]]
TakeOver = Callable[[Grant, Closing, socket.socket, bytes, Done], None]

_redeem = messages.decoder(Redeem)


class RedeemServer:
    """Listens where the gateway asks, and knows how many viewers are open.

    `open_private` and `take_over` call the `Done` they are given when the viewer has ended;
    without `take_over` every viewer gets a private socket. `most` viewers are open at once.
    """

    def __init__(
        self,
        path: Path,
        office: TicketOffice,
        leases: Leases,
        open_private: OpenPrivate,
        take_over: TakeOver | None = None,
        most: int = MAX_VIEWERS,
    ) -> None:
        self._path, self._office, self._leases = path, office, leases
        self._open_private, self._take_over, self._most = open_private, take_over, most
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._asking = 0
        self._open = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    async def start(self) -> None:
        """Make the run directory private, clean it, and listen."""
        prepare_run_dir(self._path.parent)
        self._listener = listen(self._path, MAX_ASKING)
        self._accepting = spawn(self._accept(self._listener), "redeem socket")

    async def stop(self) -> None:
        """Stop listening; open viewers go on until they are told."""
        if self._listener is not None and self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
            self._listener.close()
            self._path.unlink(missing_ok=True)

    async def until_nobody(self, seconds: float) -> None:
        """Wait until every viewer has ended, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nobody.wait()

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                gateway, _ = await accept(listener)
            except OSError as error:
                logger.error("the redeem socket cannot accept: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if self._asking >= MAX_ASKING:
                gateway.close()
                continue
            self._asking += 1
            spawn(self._serve(gateway), "redeem")

    async def _serve(self, gateway: socket.socket) -> None:
        try:
            async with asyncio.timeout(REDEEM_SECONDS):
                asked = await _question(gateway)
            await self._answer(gateway, asked)
        except (TimeoutError, OSError):
            return  # it hung up, or never asked
        except ProtocolError as error:
            logger.warning("the redeem socket was asked nonsense: %s", error)
        finally:
            self._asking -= 1
            gateway.close()

    async def _answer(self, gateway: socket.socket, asked: Redeem) -> None:
        opened = self._redeem(asked.ticket)
        if isinstance(opened, Refused):
            await _send(gateway, opened)
        elif asked.hand_over and self._take_over is not None:
            await self._be_given(gateway, *opened, self._take_over)
        else:
            await _send(gateway, await self._give_path(*opened))

    def _redeem(self, ticket: str) -> tuple[Grant, Closing] | Refused:
        """What a ticket is worth; it is counted as an open viewer until `_done`."""
        if self._open >= self._most:
            logger.warning("no ticket is redeemed: %s viewers are open", self._open)
            return Refused(code="busy")
        try:
            grant = self._office.redeem(ticket)
            closing = self._leases.open(grant)
        except TicketRefusedError as error:
            logger.info("a ticket was refused: %s", error)
            return Refused(code="ticket")
        except RequestRefusedError as error:
            logger.warning("a ticket was refused: %s", error)
            return Refused(code=error.code)
        self._open += 1
        self._nobody.clear()
        return grant, closing

    async def _give_path(self, grant: Grant, closing: Closing) -> Redeemed | Refused:
        try:
            path = await self._open_private(grant, closing, self._done)
        except OSError as error:
            self._done(grant)
            logger.error("no private socket can be opened: %s", error)
            return Refused(code="busy")
        return Redeemed(path=str(path))

    async def _be_given(
        self, gateway: socket.socket, grant: Grant, closing: Closing, take_over: TakeOver
    ) -> None:
        """Ask for the browser's socket and pass it on; whatever fails, the viewer has ended."""
        try:
            async with asyncio.timeout(HAND_OVER_SECONDS):
                await _send(gateway, Redeemed(path=""))
                browser, early = await receive_browser(gateway)
        except BaseException:
            logger.info("no browser came for the %s of %s", grant.kind, grant.user)
            self._done(grant)
            raise
        try:
            take_over(grant, closing, browser, early, self._done)
        except BaseException:
            browser.close()
            self._done(grant)
            raise

    def _done(self, grant: Grant) -> None:
        self._leases.done(grant)
        self._open -= 1
        if not self._open:
            self._nobody.set()


async def _question(gateway: socket.socket) -> Redeem:
    length = body_length(await _exactly(gateway, HEADER_BYTES), MAX_GREETING_BYTES)
    asked: Redeem = unpack(await _exactly(gateway, length), _redeem)
    return asked


async def _exactly(gateway: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = await asyncio.get_running_loop().sock_recv(gateway, count - len(data))
        if not part:
            raise ConnectionError("it hung up")
        data += part
    return data


async def _send(gateway: socket.socket, answer: Redeemed | Refused) -> None:
    async with asyncio.timeout(REDEEM_SECONDS):
        await asyncio.get_running_loop().sock_sendall(gateway, pack(answer))


def prepare_run_dir(folder: Path) -> None:
    """A folder for us alone, without the sockets of a start that was killed."""
    if len(os.fsencode(folder)) > MAX_FOLDER_BYTES:
        raise SettingsError(
            f"RUN_DIR: {folder} is longer than {MAX_FOLDER_BYTES} bytes, too long for unix "
            "sockets; choose a shorter one"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        for entry in folder.glob("*.sock"):
            if stat.S_ISSOCK(entry.lstat().st_mode):
                entry.unlink()
    except OSError as error:
        raise SettingsError(f"RUN_DIR: {folder} cannot be used: {error}") from error
