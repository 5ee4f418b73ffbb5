"""The daemon's end of 8788: who may connect, the greeting, then request after request."""

import asyncio
import contextlib
import hashlib
import ipaddress
import logging
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from controle_vnc.accepting import accept
from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, OPEN, body_length, is_loopback, pack, unpack
from controle_vnc.control.messages import (
    MAX_GREETING_BYTES,
    MAX_MESSAGE_BYTES,
    Challenge,
    Failure,
    Hello,
    Message,
    Proof,
    Reply,
    Request,
    Welcome,
)
from controle_vnc.control.secret import NONCE_BYTES, Greeting, Seal
from controle_vnc.errors import (
    AuthenticationError,
    ProtocolError,
    RequestRefusedError,
    SettingsError,
)
from controle_vnc.settings import Settings
from controle_vnc.tasks import spawn

logger = logging.getLogger(__name__)

GREETING_SECONDS = 5.0  # from the accept to the proof, TLS included
IDLE_SECONDS = 300.0  # a client that wants nothing for five minutes can connect again
REPLY_SECONDS = 10.0  # a client that does not take its reply is gone
MAX_STRANGERS_AN_ADDRESS = 16  # connections that have not proven anything yet
MAX_STRANGERS = 128
MAX_CONNECTIONS = 512  # proven ones; a site has some dozens of threads
BACKLOG = 128
PAUSE_SECONDS = 1.0  # after an accept that failed, usually for want of file descriptors

Dispatch = Callable[[Request], Awaitable[Reply]]

_hello = messages.decoder(Hello)
_proof = messages.decoder(Proof | Failure)
_request = messages.decoder(Request)
_any = msgspec.msgpack.Decoder(dict[str, Any])
_KNOWN = frozenset(kind.__name__ for kind in Request.__args__)


class ControlServer:
    """Listens on 8788 and hands each request of a proven peer to `dispatch`."""

    def __init__(
        self, settings: Settings, secret: bytes, dispatch: Dispatch, daemon: str = "controle-vnc"
    ) -> None:
        self._settings, self._secret, self._dispatch = settings, secret, dispatch
        self._daemon = daemon
        self._peers = [_network(text) for text in settings.CONTROL_PEERS]
        self._tls, self._binding = _server_tls(settings)
        self._listeners: list[socket.socket] = []
        self._strangers: dict[socket.socket, str] = {}  # with their addresses, the oldest first
        self._known = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        return int(self._listeners[0].getsockname()[1])

    async def start(self) -> None:
        """Bind and begin to accept; raises `OSError` or `SettingsError`."""
        host = self._settings.CONTROL_HOST
        if self._tls is None and not is_loopback(host):
            raise SettingsError(
                f"CONTROL_HOST: {host} is not a loopback address; without TLS only loopback is "
                "allowed: set CONTROL_CERTIFICATE and CONTROL_KEY"
            )
        self._listeners = await _listen(host, self._settings.CONTROL_PORT)
        for listener in self._listeners:
            self._run(self._accept(listener), "8788 accept")

    async def stop(self) -> None:
        """Close the port and every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # a task that was cancelled before its first turn has closed nothing
        for left in (*self._listeners, *self._strangers):
            left.close()

    def _run(self, work: Any, name: str) -> None:
        task = spawn(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, name = await accept(listener)
            except OSError as error:
                logger.warning("8788 cannot accept: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            address = _address(name[0])
            self._make_room(address)
            self._strangers[connection] = address
            self._run(self._serve(connection, address), f"8788 connection of {address}")
            # accept does not yield while somebody waits: a flood would stop everything else
            await asyncio.sleep(0)

    def _make_room(self, address: str) -> None:
        """Hang up on the oldest stranger of `address`, or of all, where there is one too many.

        The newest may be the site: who fills the places and says nothing does not keep it out.
        """
        here = [one for one, other in self._strangers.items() if other == address]
        if len(here) >= MAX_STRANGERS_AN_ADDRESS:
            oldest = here[0]
        elif len(self._strangers) >= MAX_STRANGERS:
            oldest = next(iter(self._strangers))
        else:
            return
        del self._strangers[oldest]
        with contextlib.suppress(OSError):  # it has gone by itself
            oldest.shutdown(socket.SHUT_RDWR)

    async def _serve(self, connection: socket.socket, address: str) -> None:
        stream: Stream | None = None
        try:
            async with asyncio.timeout(GREETING_SECONDS):
                stream = await self._wrap(connection)
                seals = await self._greet(stream, address)
        except (AuthenticationError, ProtocolError) as error:
            logger.warning("8788: %s was turned away: %s", address, error)
            stream.close() if stream is not None else connection.close()
            return
        except BaseException as error:
            stream.abort() if stream is not None else connection.close()
            if isinstance(error, TimeoutError | OSError | asyncio.IncompleteReadError):
                return  # a port check, or a stranger who says nothing
            raise
        finally:
            self._strangers.pop(connection, None)
        await self._answer(stream, seals, address)

    async def _wrap(self, connection: socket.socket) -> "Stream":
        loop = asyncio.get_running_loop()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = asyncio.StreamReader(limit=MAX_GREETING_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol,
            connection,
            ssl=self._tls,
            ssl_handshake_timeout=GREETING_SECONDS if self._tls else None,
        )
        return Stream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def _greet(self, stream: "Stream", address: str) -> tuple[Seal, Seal]:
        """The seals for receiving and sending, once the peer has proven the secret."""
        greeted = await stream.receive(MAX_GREETING_BYTES)
        hello: Hello = unpack(greeted, _hello)
        await self._check_hello(stream, hello, address)
        nonce = secrets.token_bytes(NONCE_BYTES)
        greeting = Greeting(hello.role, hello.nonce, nonce, self._binding)
        proof = greeting.proof(self._secret, "server")
        await stream.send(Challenge(version=messages.VERSION, nonce=nonce, proof=proof))
        limit = MAX_GREETING_BYTES - len(greeted) - 2 * HEADER_BYTES
        answer = unpack(await stream.receive(max(1, limit)), _proof)
        if isinstance(answer, Failure):
            raise AuthenticationError("the secrets differ: it refused our proof")
        try:
            greeting.check(self._secret, "client", answer.proof)
        except AuthenticationError:
            await stream.send(Failure(code="secret", message="the secrets differ"))
            raise
        await stream.send(Welcome(daemon=self._daemon))
        if self._tls is not None:
            return OPEN, OPEN
        return Seal(greeting.key(self._secret, "client")), Seal(
            greeting.key(self._secret, "server")
        )

    async def _check_hello(self, stream: "Stream", hello: Hello, address: str) -> None:
        code = message = ""
        if hello.version != messages.VERSION:
            code = "version"
            message = f"version {messages.VERSION} is spoken here, not {hello.version}"
        elif len(hello.nonce) != NONCE_BYTES:
            code, message = "invalid", f"a nonce is {NONCE_BYTES} bytes"
        elif hello.role != "eop":
            code, message = "role", "this role is not known here"
        elif not any(ipaddress.ip_address(address) in network for network in self._peers):
            code, message = "peer", f"{address} is not among CONTROL_PEERS"
        if code:
            await stream.send(Failure(code=code, message=message))
            raise AuthenticationError(message)

    async def _answer(self, stream: "Stream", seals: tuple[Seal, Seal], address: str) -> None:
        receives, sends = seals
        self._known += 1
        try:
            while self._known <= MAX_CONNECTIONS:
                async with asyncio.timeout(IDLE_SECONDS):
                    body = receives.open(await stream.receive(MAX_MESSAGE_BYTES, receives))
                reply = await self._reply(body)
                async with asyncio.timeout(REPLY_SECONDS):
                    await stream.send(reply, sends)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            return  # idle for too long, or gone
        except ProtocolError as error:
            logger.warning("8788: %s broke the protocol: %s", address, error)
        finally:
            self._known -= 1
            stream.abort()

    async def _reply(self, body: bytes) -> Reply:
        try:
            return await self._dispatch(_request.decode(body))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _unreadable(body, error)
        except RequestRefusedError as error:
            return Failure(code=error.code, message=str(error))
        except Exception:
            logger.exception("a request failed")
            return Failure(code="internal", message="the request failed; see controle-vnc's log")


class Stream:
    """A connection cut into messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def receive(self, limit: int, seal: Seal = OPEN) -> bytes:
        """The next message's bytes, still sealed."""
        header = await self._reader.readexactly(HEADER_BYTES)
        return await self._reader.readexactly(body_length(header, limit, seal))

    async def send(self, message: Message, seal: Seal = OPEN) -> None:
        self._writer.write(pack(message, seal))
        await self._writer.drain()

    def close(self) -> None:
        """Close once what was sent has left."""
        self._writer.close()

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._writer.transport.abort()


def _unreadable(body: bytes, error: Exception) -> Failure:
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        name = _any.decode(body).get("type")
        if name not in _KNOWN:
            return Failure(code="unknown_request", message="this request is not known here")
    return Failure(code="invalid", message=f"the request cannot be read: {error}")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise SettingsError(f"CONTROL_PEERS: {text!r} is no address and no network") from error


def _address(name: str) -> str:
    """The peer's address in its shortest form; an IPv4 one on an IPv6 socket is IPv4 again."""
    address = ipaddress.ip_address(name.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _server_tls(settings: Settings) -> tuple[ssl.SSLContext | None, bytes]:
    """The TLS context and the SHA-256 of our certificate, or nothing where none is configured."""
    if not settings.CONTROL_CERTIFICATE:
        return None, b""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.CONTROL_CERTIFICATE, settings.CONTROL_KEY or None)
        text = Path(settings.CONTROL_CERTIFICATE).read_text()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"CONTROL_CERTIFICATE or CONTROL_KEY: {error}") from error
    end = "-----END CERTIFICATE-----"
    first = text[text.index("-----BEGIN CERTIFICATE-----") : text.index(end) + len(end)]
    return context, hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()


async def _listen(host: str, port: int) -> list[socket.socket]:
    """A listening socket for each address of `host`, all on the same port."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, name in dict.fromkeys(found):
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setblocking(False)
            chosen = port or (listeners[0].getsockname()[1] if len(listeners) > 1 else 0)
            listener.bind((name[0], chosen, *name[2:]))
            listener.listen(BACKLOG)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners
