"""The gateway: websockify's server with a door instead of a fork for each connection."""

import contextlib
import logging
import signal
import ssl
import threading
import time
from socket import SHUT_RDWR
from socket import socket as Socket  # noqa: N812 - the class below has a method `socket`
from typing import Any

from websockify.websocketproxy import WebSocketProxy

from controle_vnc.errors import SettingsError
from controle_vnc.gateway.door import Door
from controle_vnc.gateway.handler import GatewayHandler
from controle_vnc.gateway.leaving import FULL
from controle_vnc.gateway.processes import supervise
from controle_vnc.gateway.pump import Pump
from controle_vnc.gateway.visitor import Visitor
from controle_vnc.settings import Settings

logger = logging.getLogger(__name__)

MAX_PROCESSES = 16  # more than the processors of a school's server
STACK_BYTES = 256 * 1024  # of a thread; the default reserves 8 MiB
END_SECONDS = 1.0  # for what is piped to end


class GatewayServer(WebSocketProxy):
    """Visitors are read at the door, attended by a few workers, then handed over or piped."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            GatewayHandler,
            listen_host=settings.GATEWAY_HOST,
            listen_port=settings.GATEWAY_PORT,
            source_is_ipv6=":" in settings.GATEWAY_HOST,
        )
        if not 1 <= settings.GATEWAY_PROCESSES <= MAX_PROCESSES:
            raise SettingsError(f"GATEWAY_PROCESSES must be between 1 and {MAX_PROCESSES}")
        self.allowed_origins = settings.site_origins
        self.redeem_socket = settings.redeem_socket
        self._processes = settings.GATEWAY_PROCESSES
        self._most = settings.GATEWAY_CONNECTIONS
        self._tls = _server_tls(settings)
        self.is_tls = self._tls is not None
        self._pipes: dict[threading.Thread, Visitor] = {}
        self.listener: Socket = WebSocketProxy.socket(  # type: ignore[no-untyped-call]
            settings.GATEWAY_HOST,
            settings.GATEWAY_PORT,
            prefer_ipv6=":" in settings.GATEWAY_HOST,
        )

    def start_server(self) -> None:
        """Serve until SIGTERM or SIGINT, in this process or in its children."""
        try:
            if self._processes > 1:
                supervise(self._processes, self._serve, self.started)
            else:
                self._serve(self.started)
        finally:
            self.listener.close()

    def started(self) -> None:
        logger.info("listening on %s:%s", *self.listener.getsockname()[:2])

    def _serve(self, started: Any = lambda: None) -> None:
        threading.stack_size(STACK_BYTES)
        self._door = door = Door(self.listener, self._tls, self._most, self._attend)
        signal.set_wakeup_fd(door.waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self.do_SIGTERM)
        signal.signal(signal.SIGINT, self.do_SIGINT)
        started()
        try:
            door.run()
        finally:
            signal.set_wakeup_fd(-1)
            self._end_pipes()
            door.close()

    def terminate(self) -> None:
        """What a signal does."""
        self._door.stop()

    def _attend(self, visitor: Visitor) -> None:
        """In a worker: answer a request, within websockify's own frame for what may fail."""
        try:
            self.top_new_client(visitor, visitor.address)  # type: ignore[no-untyped-call]
        finally:
            if visitor.is_handed_over:
                self._door.let_go()
            elif not visitor.is_piped:
                self._door.see_out(visitor)

    def do_handshake(self, visitor: Visitor, address: Any) -> Visitor:
        """The request is read already: check it and answer, within what is left of its time."""
        left = visitor.deadline - time.monotonic()
        if left > 0:
            visitor.connection.settimeout(left)
            GatewayHandler(visitor, self)
        else:  # a daemon that hangs keeps all workers waiting
            visitor.connection.send(FULL)
        return visitor

    def pipe(self, visitor: Visitor, daemon: Socket, early: bytes) -> None:
        """Carry the bytes of a visitor whose socket cannot be handed over, in its own thread."""
        name = f"pump of {visitor.address[0]}"
        threading.Thread(
            target=self._pump, args=(visitor, daemon, early), name=name, daemon=True
        ).start()
        visitor.is_piped = True

    def _pump(self, visitor: Visitor, daemon: Socket, early: bytes) -> None:
        self._pipes[threading.current_thread()] = visitor
        try:
            with visitor.connection, daemon:
                reason = Pump(visitor.connection, daemon).run(early)
            logger.info("%s closed: %s", visitor.address[0], reason)
        finally:
            del self._pipes[threading.current_thread()]
            self._door.let_go()

    def _end_pipes(self) -> None:
        pipes = list(self._pipes.items())
        for _, visitor in pipes:
            with contextlib.suppress(OSError):
                # not SSLSocket's own: its pump still uses what that would take away
                Socket.shutdown(visitor.connection, SHUT_RDWR)
        deadline = time.monotonic() + END_SECONDS
        for thread, _ in pipes:
            thread.join(max(0.0, deadline - time.monotonic()))


def _server_tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.GATEWAY_CERTIFICATE:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.GATEWAY_CERTIFICATE, settings.GATEWAY_KEY or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"GATEWAY_CERTIFICATE or GATEWAY_KEY: {error}") from error
    return context
