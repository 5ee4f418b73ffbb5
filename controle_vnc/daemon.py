"""controle-vnc put together: which part is given to which, what starts first, how it ends."""

import asyncio
import contextlib
import functools
import logging
import signal
from collections.abc import Callable, Iterator

from controle_vnc import __version__
from controle_vnc.control.dispatch import Dispatcher, told_of
from controle_vnc.control.relay import FilesRelay
from controle_vnc.control.server import ControlServer
from controle_vnc.errors import CannotListenError, JournalError
from controle_vnc.room.hub import Hub
from controle_vnc.settings import Settings, read_secret
from controle_vnc.store import Store, StoredWorkstation, read_key
from controle_vnc.tasks import spawn
from controle_vnc.viewer.clerk import Clerk
from controle_vnc.viewer.house import House
from controle_vnc.viewer.journal import Journal
from controle_vnc.viewer.lease import Leases
from controle_vnc.viewer.redeem import RedeemServer
from controle_vnc.viewer.socket import open_private_socket, take_over
from controle_vnc.viewer.switch import Switch
from controle_vnc.viewer.ticket import TicketOffice

logger = logging.getLogger(__name__)

LEASE_CHECK_SECONDS = 0.5  # a session that is over closes its screens within a second
VIEWERS_SECONDS = 1.5  # to say goodbye when we end


def _journal_start(journal: Journal) -> None:
    """What was open when the daemon was last killed has ended by now: this event says so."""
    try:
        journal.write([journal.entry("service_started", "", "", None, {"version": __version__})])
    except JournalError as error:
        logger.error("the start is not in the journal: %s", error)  # nor will any screen open


def _record(journal: Journal, kind: str, stored: StoredWorkstation, more: dict[str, str]) -> None:
    """Journal what nobody did: what a workstation's server showed."""
    try:
        journal.write([journal.entry(kind, "", "", stored.id, {**told_of(stored), **more})])
    except JournalError as error:
        logger.error("%s of %s is not in the journal: %s", kind, stored.name, error)


async def serve(settings: Settings, ready: Callable[[int], None] = lambda port: None) -> None:
    """Run until SIGTERM or SIGINT. `ready` is called with the port of 8788.

    Raises `SettingsError`, and `CannotListenError` where the port is taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    secret = read_secret(settings.secret_file)
    async with contextlib.AsyncExitStack() as ending:
        store = Store(settings.store_file, read_key(settings.store_key_file))
        ending.callback(store.close)
        journal = Journal(settings.store_file)
        ending.callback(journal.close)
        leases, office, switch = Leases(), TicketOffice(secret), Switch(settings.switch_file)
        if switch.closed:
            leases.shut()
        record = functools.partial(_record, journal)
        hub = Hub(store.workstations(), keep_trust=store.keep_trust, record=record)
        ending.push_async_callback(hub.close)
        files = FilesRelay(settings.files_socket)
        control = ControlServer(
            settings,
            secret,
            Dispatcher(store, hub, office, leases, journal, switch=switch, files=files),
            f"controle-vnc {__version__}",
        )
        house = House(hub, Clerk(journal), settings)
        redeem = RedeemServer(
            settings.redeem_socket,
            office,
            leases,
            functools.partial(open_private_socket, house),
            functools.partial(take_over, house),
            settings.GATEWAY_CONNECTIONS,
        )
        # the port goes first: a second daemon fails here, before it touches the sockets
        with _listening(f"{settings.CONTROL_HOST}:{settings.CONTROL_PORT}"):
            await control.start()
        ending.push_async_callback(control.stop)
        _journal_start(journal)
        with _listening(str(settings.redeem_socket)):
            await redeem.start()
        checking = spawn(_expire(leases), "leases")
        logger.info("listening on %s:%s", settings.CONTROL_HOST, control.port)
        ready(control.port)
        await stop.wait()
        logger.info("ending")
        checking.cancel()
        await redeem.stop()
        leases.close_all("stopping")
        await redeem.until_nobody(VIEWERS_SECONDS)


@contextlib.contextmanager
def _listening(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotListenError(f"cannot listen on {where}: {error}") from error


async def _expire(leases: Leases) -> None:
    while True:
        await asyncio.sleep(LEASE_CHECK_SECONDS)
        if closed := leases.expire():
            logger.info("%s viewers closed: their sessions are over", closed)
