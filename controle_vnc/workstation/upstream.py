"""Opens connections to a workstation's VNC server, and shakes hands to the end."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from controle_vnc.errors import (
    AuthenticationError,
    HungUpError,
    ProtocolError,
    UnsupportedError,
)
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.security_types.ra2 import own_key
from controle_vnc.workstation.address import Address
from controle_vnc.workstation.connection import Connection
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.state import SilentError
from controle_vnc.workstation.target import Target
from controle_vnc.workstation.turn import LIVE_REST, decode_a_while, more_for

MAX_ADDRESSES = 4  # a name with more addresses is not a workstation

_resolvers = ThreadPoolExecutor(
    max_workers=32,  # a name server that does not answer must not keep other names waiting
    thread_name_prefix="resolve",
)
_key_makers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="key")  # it is made once


REFUSALS = (AuthenticationError, UnsupportedError, ProtocolError, HungUpError, ConnectionError)
"""How a server says, or shows, that it does not take the security type that was chosen.

Not that it proved to be somebody else, nor that it says nothing.
"""


@dataclass(frozen=True)
class Upstream:
    """A connection after its handshake: what it said of itself, and what came after."""

    connection: Connection
    server_init: ServerInit
    rest: bytes


async def connect(target: Target, timing: Timing) -> Connection:
    """A connection to `target`; raises `OSError` or `TimeoutError`.

    Our own key, which its server may want to see, is made by then: never on the event loop.
    """
    address = target.address
    if target.password is not None:  # it may be said by RA2, and a key takes 0.1 s to make
        await asyncio.get_running_loop().run_in_executor(_key_makers, own_key)
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
    connection: Connection,
    handshake: ClientHandshake,
    timing: Timing,
    turns: asyncio.Lock,
    clock: Callable[[], float] = time.monotonic,
) -> ServerInit:
    """Complete `handshake` on `connection`, by `timing.opening`, in turn with others."""
    try:
        async with asyncio.timeout(timing.opening):
            while (server_init := handshake.server_init) is None or handshake.is_behind:
                data = await more_for(handshake, connection)
                await decode_a_while(handshake, data, turns, clock, LIVE_REST)
                connection.write(handshake.data_to_send())
    except TimeoutError as error:
        raise SilentError from error
    return server_init


class Opening(Protocol):
    """What shakes hands: see `Handshake`."""

    @property
    def stage(self) -> str: ...

    @property
    def next_kinds(self) -> frozenset[SecurityType]: ...


AnOpening = TypeVar("AnOpening", bound=Opening)
Result = TypeVar("Result")


async def with_second_try(
    make: Callable[[frozenset[SecurityType] | None], AnOpening],
    run: Callable[[AnOpening], Awaitable[Result]],
) -> Result:
    """`run` what `make` makes, on a connection of its own.

    Where the server did not take the security type, once more with the types that it may take;
    never once we were in.
    """
    first = make(None)
    try:
        return await run(first)
    except REFUSALS:
        kinds = first.next_kinds if first.stage == "security" else frozenset()
        if not kinds:
            raise
    return await run(make(kinds))


async def open_upstream(target: Target, timing: Timing, turns: asyncio.Lock) -> Upstream:
    """A connection of its own, its handshake done; raises one of `LINK_ERRORS`.

    The handshake goes in turn with whoever shares `turns`.
    """
    credentials = target.credentials
    return await with_second_try(
        lambda among: ClientHandshake(credentials, among),
        lambda handshake: _open(target, handshake, timing, turns),
    )


async def _open(
    target: Target, handshake: ClientHandshake, timing: Timing, turns: asyncio.Lock
) -> Upstream:
    connection = await connect(target, timing)
    try:
        server_init = await shake_hands(connection, handshake, timing, turns)
        if server_init.width == 0 or server_init.height == 0:
            raise ProtocolError("the screen has no pixels")
    except BaseException:
        connection.close()
        raise
    if handshake.wrapping.encrypts:
        connection.go_through(handshake.wrapping)
    return Upstream(connection, server_init, handshake.rest)
