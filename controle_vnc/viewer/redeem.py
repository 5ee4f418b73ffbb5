"""The daemon's half of the redeem socket: ticket in, private socket out."""

import asyncio
import contextlib
import logging
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, body_length, pack, unpack
from controle_vnc.control.messages import MAX_GREETING_BYTES, Redeem, Redeemed, Refused
from controle_vnc.errors import (
    ProtocolError,
    RequestRefusedError,
    SettingsError,
    TicketRefusedError,
)
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.lease import Leases
from controle_vnc.viewer.private import listen
from controle_vnc.viewer.ticket import TicketOffice

logger = logging.getLogger(__name__)

REDEEM_SECONDS = 5.0  # a gateway asks at once
MAX_ASKING = 256  # gateway children at the same moment
MAX_FOLDER_BYTES = 80  # a unix socket's path has 107 at most, and ours have names of 21

OpenPrivate = Callable[[Grant, Closing, Callable[[Grant], None]], Awaitable[Path]]

_redeem = messages.decoder(Redeem)


class RedeemServer:
    """Listens where the gateway asks, and knows how many viewers are open."""

    def __init__(
        self, path: Path, office: TicketOffice, leases: Leases, open_private: OpenPrivate
    ) -> None:
        self._path, self._office, self._leases = path, office, leases
        self._open_private = open_private
        self._server: asyncio.Server | None = None
        self._asking = 0
        self._open = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    async def start(self) -> None:
        """Make the run directory private, clean it, and listen."""
        prepare_run_dir(self._path.parent)
        self._server = await asyncio.start_unix_server(
            self._serve,
            sock=listen(self._path, MAX_ASKING),
            backlog=MAX_ASKING,
            limit=MAX_GREETING_BYTES,
        )

    async def stop(self) -> None:
        """Stop listening; open viewers go on until they are told."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def until_nobody(self, seconds: float) -> None:
        """Wait until every viewer has ended, at most so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nobody.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._asking += 1
        try:
            if self._asking > MAX_ASKING:
                return
            async with asyncio.timeout(REDEEM_SECONDS):
                length = body_length(await reader.readexactly(HEADER_BYTES), MAX_GREETING_BYTES)
                asked: Redeem = unpack(await reader.readexactly(length), _redeem)
                writer.write(pack(await self._answer(asked.ticket)))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return  # it hung up, or never asked
        except ProtocolError as error:
            logger.warning("the redeem socket was asked nonsense: %s", error)
        finally:
            self._asking -= 1
            writer.close()

    async def _answer(self, ticket: str) -> Redeemed | Refused:
        try:
            grant = self._office.redeem(ticket)
            closing = self._leases.open(grant)
        except TicketRefusedError as error:
            logger.info("a ticket was refused: %s", error)
            return Refused(code="ticket")
        except RequestRefusedError as error:
            logger.warning("a ticket was refused: %s", error)
            return Refused(code=error.code)
        try:
            path = await self._open_private(grant, closing, self._done)
        except OSError as error:
            self._leases.done(grant)
            logger.error("no private socket can be opened: %s", error)
            return Refused(code="busy")
        self._open += 1
        self._nobody.clear()
        return Redeemed(path=str(path))

    def _done(self, grant: Grant) -> None:
        self._leases.done(grant)
        self._open -= 1
        if not self._open:
            self._nobody.set()


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
