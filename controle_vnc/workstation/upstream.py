"""Opens connections to a workstation's VNC server, and shakes hands to the end."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.wire import Wire
from controle_vnc.workstation.address import Address
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.state import HungUpError, SilentError

MAX_ADDRESSES = 4  # a name with more addresses is not a workstation

_resolvers = ThreadPoolExecutor(
    max_workers=32,  # a name server that does not answer must not keep other names waiting
    thread_name_prefix="resolve",
)


class Connection(Wire):
    """A connection to a VNC server."""

    async def read(self) -> bytes:
        """What came; raises `HungUpError` at the end."""
        data = await super().read()
        if not data:
            raise HungUpError
        return data


@dataclass(frozen=True)
class Upstream:
    """A connection after its handshake: what it said of itself, and what came after."""

    connection: Connection
    server_init: ServerInit
    rest: bytes


async def connect(address: Address, timing: Timing) -> Connection:
    """A connection to `address`; raises `OSError` or `TimeoutError`."""
    async with asyncio.timeout(timing.connect):
        if address.path is not None:
            return await _connect(socket.AF_UNIX, address.path)
        error: OSError = OSError("no address")
        for family, host in await _resolve(address):
            try:
                return await _connect(family, (host, address.port))
            except OSError as failure:
                error = failure
        raise error


async def _connect(family: int, place: str | tuple[str, int | None]) -> Connection:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        if family != socket.AF_UNIX:
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connecting, place)
    except BaseException:
        connecting.close()
        raise
    return Connection(connecting)


async def _resolve(address: Address) -> list[tuple[int, str]]:
    found = await asyncio.get_running_loop().run_in_executor(
        _resolvers, _look_up, address.host, address.port
    )
    return found[:MAX_ADDRESSES]


def _look_up(host: str, port: int) -> list[tuple[int, str]]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name server could hold
        raise socket.gaierror(str(error)) from error
    return [(int(family), str(place[0])) for family, _, _, _, place in answers]


async def shake_hands(
    connection: Connection, handshake: ClientHandshake, timing: Timing
) -> ServerInit:
    """Complete `handshake` on `connection`, by `timing.opening`."""
    try:
        async with asyncio.timeout(timing.opening):
            while handshake.server_init is None:
                handshake.receive_data(await connection.read())
                connection.write(handshake.data_to_send())
    except TimeoutError as error:
        raise SilentError from error
    return handshake.server_init


async def open_upstream(address: Address, password: bytes | None, timing: Timing) -> Upstream:
    """A connection of its own, its handshake done; raises one of `LINK_ERRORS`."""
    connection = await connect(address, timing)
    handshake = ClientHandshake(password)
    try:
        server_init = await shake_hands(connection, handshake, timing)
        if server_init.width == 0 or server_init.height == 0:
            raise ProtocolError("the screen has no pixels")
    except BaseException:
        connection.close()
        raise
    return Upstream(connection, server_init, handshake.rest)
