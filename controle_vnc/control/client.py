"""The site's end of 8788: blocking, safe between threads, with a few connections kept open."""

import hashlib
import os
import secrets
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, OPEN, body_length, is_loopback, pack, unpack
from controle_vnc.control.messages import (
    MAX_GREETING_BYTES,
    MAX_MESSAGE_BYTES,
    Challenge,
    Failure,
    Hello,
    Message,
    ProbeWorkstation,
    Proof,
    Reply,
    Request,
    Welcome,
)
from controle_vnc.control.secret import NONCE_BYTES, Greeting, Seal
from controle_vnc.errors import (
    AuthenticationError,
    DaemonUnreachableError,
    ProtocolError,
    RequestRefusedError,
    SettingsError,
)
from controle_vnc.settings import Settings

TIMEOUT_SECONDS = 2.0  # a page must not wait longer for the daemon on the same machine
PROBE_SECONDS = 30.0  # a whole handshake with a workstation that answers slowly
FILE_SECONDS = 30.0  # a part of a file, or a look into a class's folders, on a disk that is busy
DOCUMENT_SECONDS = 300.0  # some hundred MB, copied and synced on a slow disk
MAX_IDLE_CONNECTIONS = 4  # more threads than that rarely ask at the same moment
MAX_IDLE_SECONDS = 240.0  # the daemon closes after five minutes; we do before
MAX_GREETINGS = 4  # at once: the daemon closes the 17th unproven connection of an address
TRY_AGAIN_SECONDS = 0.05  # after it closed one, which says that others greet at this moment
RECEIVE_BYTES = 65536

_challenge = messages.decoder(Challenge | Failure)
_welcome = messages.decoder(Welcome | Failure)
_reply = messages.decoder(Reply)


class ControlClient:
    """Asks controle-vnc. One request at a time on each connection; threads may share a client."""

    def __init__(
        self,
        settings: Settings,
        secret: bytes,
        role: str = "eop",
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._secret, self._role = settings, secret, role
        self._timeout, self._clock = timeout, clock
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._greetings = threading.BoundedSemaphore(MAX_GREETINGS)
        self._process = os.getpid()

    def request(self, message: Request, timeout: float | None = None) -> Any:
        """The reply to `message`.

        Raises `RequestRefusedError` for a `Failure`, `DaemonUnreachableError` and
        `AuthenticationError`. The whole exchange takes `timeout` seconds at most.
        """
        if timeout is None:
            timeout = _patience(message) or self._timeout
        connection = self._take() or self._open()
        try:
            reply = connection.exchange(message, timeout)
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        if isinstance(reply, Failure):
            raise RequestRefusedError(reply.code, reply.message)
        return reply

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> "Connection | None":
        with self._lock:
            if self._process != os.getpid():
                # after a fork these sockets are the parent's: two users would mix their messages
                self._process, self._idle = os.getpid(), []
            while self._idle:
                connection = self._idle.pop()
                if self._clock() - connection.used_at < MAX_IDLE_SECONDS and connection.is_quiet:
                    return connection
                connection.close()
        return None

    def _open(self) -> "Connection":
        deadline = time.monotonic() + self._timeout
        while True:
            if not self._greetings.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise DaemonUnreachableError("controle-vnc did not answer others in time")
            try:
                left = max(0.001, deadline - time.monotonic())
                return Connection(self._settings, self._secret, self._role, left)
            except _HungUpError:
                if time.monotonic() + TRY_AGAIN_SECONDS >= deadline:
                    raise
            finally:
                self._greetings.release()
            time.sleep(TRY_AGAIN_SECONDS)

    def _give_back(self, connection: "Connection") -> None:
        connection.used_at = self._clock()
        with self._lock:
            if len(self._idle) < MAX_IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()


def _patience(message: Request) -> float | None:
    """How long the answer to a request may take that is not answered at once."""
    match message:
        case ProbeWorkstation():
            return PROBE_SECONDS
        case (
            messages.CheckUpload()
            | messages.PlaceDocument()
            | messages.CollectDocument()
            | messages.ReturnDocument()
            | messages.RemoveDocument()
            | messages.TakeUpload()
        ):
            return DOCUMENT_SECONDS
    return FILE_SECONDS if isinstance(message, messages.FileRequest) else None


def hello(settings: Settings, secret: bytes, timeout: float = TIMEOUT_SECONDS) -> Welcome:
    """Greet the daemon and leave: for `eopctl diagnose`. Raises as `ControlClient.request` does."""
    connection = Connection(settings, secret, "eop", timeout)
    connection.close()
    return connection.welcome


class Connection:
    """One connection to 8788 after its greeting."""

    def __init__(self, settings: Settings, secret: bytes, role: str, timeout: float) -> None:
        self.used_at = 0.0
        self._deadline = time.monotonic() + timeout
        self._where = f"{settings.CONTROL_HOST}:{settings.CONTROL_PORT}"
        self._socket: socket.socket = self._connect(settings)
        try:
            self._sends, self._receives, self.welcome = self._greet(secret, role)
        except BaseException:
            self.close()
            raise

    @property
    def is_quiet(self) -> bool:
        """Whether the connection still lives: nothing was said and nobody hung up."""
        return not select.select([self._socket], [], [], 0)[0]

    def exchange(self, message: Message, timeout: float) -> Any:
        """Send `message` and give the reply to it, a `Failure` included."""
        self._deadline = time.monotonic() + timeout
        self._send(pack(message, self._sends))
        return self._receive(_reply, MAX_MESSAGE_BYTES, self._receives)

    def close(self) -> None:
        """Close the connection; never raises."""
        self._socket.close()

    def _connect(self, settings: Settings) -> socket.socket:
        secured = bool(settings.CONTROL_CERTIFICATE)
        if not secured and not is_loopback(settings.CONTROL_HOST):
            raise SettingsError(
                "CONTROL_HOST: without CONTROL_CERTIFICATE only a loopback address is allowed"
            )
        address = (settings.CONTROL_HOST, settings.CONTROL_PORT)
        try:
            plain = socket.create_connection(address, self._left())
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not secured:
                return plain
            plain.settimeout(self._left())
            return _tls_context().wrap_socket(plain)
        except OSError as error:
            raise self._unreachable(error) from error

    def _greet(self, secret: bytes, role: str) -> tuple[Seal, Seal, Welcome]:
        binding = _binding(self._socket)
        nonce = secrets.token_bytes(NONCE_BYTES)
        self._send(pack(Hello(role=role, version=messages.VERSION, nonce=nonce)))
        challenge = self._heard(self._receive(_challenge, MAX_GREETING_BYTES))
        greeting = Greeting(role, nonce, challenge.nonce, binding)
        try:
            greeting.check(secret, "server", challenge.proof)
        except AuthenticationError as error:
            self._send(pack(Failure(code="secret", message="the secrets differ")))
            raise AuthenticationError(
                f"controle-vnc at {self._where} has another secret than ours (the secrets differ)"
            ) from error
        self._send(pack(Proof(proof=greeting.proof(secret, "client"))))
        welcome = self._heard(self._receive(_welcome, MAX_GREETING_BYTES))
        if binding:
            return OPEN, OPEN, welcome
        return Seal(greeting.key(secret, "client")), Seal(greeting.key(secret, "server")), welcome

    def _heard(self, message: Any) -> Any:
        """`message`, unless it is the daemon turning us away."""
        if not isinstance(message, Failure):
            return message
        if message.code == "busy":
            raise DaemonUnreachableError(f"controle-vnc at {self._where}: {message.message}")
        raise AuthenticationError(f"controle-vnc at {self._where}: {message.message}")

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(data)
        except OSError as error:
            raise self._unreachable(error) from error

    def _receive(self, decoder: Any, limit: int, seal: Seal = OPEN) -> Any:
        try:
            length = body_length(self._exactly(HEADER_BYTES), limit, seal)
            return unpack(self._exactly(length), decoder, seal)
        except ProtocolError as error:
            raise DaemonUnreachableError(
                f"what answers at {self._where} is not controle-vnc: {error}"
            ) from error

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                self._socket.settimeout(self._left())
                data = self._socket.recv(min(RECEIVE_BYTES, count - len(parts)))
            except OSError as error:
                raise self._unreachable(error) from error
            if not data:
                raise _HungUpError(f"controle-vnc at {self._where} hung up")
            parts += data
        return bytes(parts)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left

    def _unreachable(self, error: OSError) -> DaemonUnreachableError:
        hung_up = isinstance(error, ConnectionResetError | BrokenPipeError)
        kind = _HungUpError if hung_up else DaemonUnreachableError
        return kind(f"controle-vnc at {self._where}: {error}")


class _HungUpError(DaemonUnreachableError):
    """It took the connection and closed it."""


def _tls_context() -> ssl.SSLContext:
    """TLS without authorities: the server's proof covers its certificate, which says more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _binding(connection: socket.socket) -> bytes:
    """What both proofs cover of a TLS connection: SHA-256 of the server's certificate."""
    if not isinstance(connection, ssl.SSLSocket):
        return b""
    certificate = connection.getpeercert(binary_form=True)
    return hashlib.sha256(certificate or b"").digest()
