"""The gateway's parent: listens, keeps to its number of children, gives each its limits."""

import contextlib
import ctypes
import logging
import multiprocessing
import os
import select
import signal
import ssl
from socket import socket as Socket  # noqa: N812 - the class below has a method `socket`
from typing import Any

from websockify.websocketproxy import WebSocketProxy

from controle_vnc.errors import SettingsError
from controle_vnc.gateway.full import Refusals
from controle_vnc.gateway.handler import GatewayHandler
from controle_vnc.settings import Settings

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0  # TLS, request and ticket together, however slowly the bytes come
POLL_SECONDS = 0.1  # how soon a place that was freed is noticed
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


class GatewayServer(WebSocketProxy):
    """websockify's server with one process for each connection, and never more than allowed."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            GatewayHandler,
            listen_host=settings.GATEWAY_HOST,
            listen_port=settings.GATEWAY_PORT,
            source_is_ipv6=":" in settings.GATEWAY_HOST,
        )
        self.allowed_origins = settings.site_origins
        self.redeem_socket = settings.redeem_socket
        self._most = settings.GATEWAY_CONNECTIONS
        self._tls = _server_tls(settings)
        self._refusals = Refusals(self._tls)
        self._parent = os.getpid()
        # bound here: start_server() would end with status 0 where the port is taken
        self.listener: Socket = WebSocketProxy.socket(  # type: ignore[no-untyped-call]
            settings.GATEWAY_HOST,
            settings.GATEWAY_PORT,
            prefer_ipv6=":" in settings.GATEWAY_HOST,
        )

    def socket(self, *_: object, **__: object) -> Socket:  # type: ignore[override]
        """The listener, for start_server()."""
        return self.listener

    def poll(self) -> None:
        """Before each accept: while there is no room, accept and refuse here."""
        while True:
            leaving = self._refusals.sockets
            if not leaving and not self._is_full():
                return
            ready = select.select([self.listener, *leaving], [], [], POLL_SECONDS)[0]
            self._refusals.step()
            if self.listener in ready:
                if not self._is_full():
                    return
                with contextlib.suppress(OSError):
                    self._refusals.add(self.listener.accept()[0])

    def _is_full(self) -> bool:
        return len(multiprocessing.active_children()) >= self._most

    def multiprocessing_SIGCHLD(self, sig: int, stack: Any) -> None:  # noqa: N802
        """Nothing: poll() collects the dead; doing it here could interrupt that very work."""

    def top_new_client(self, startsock: Socket, address: Any) -> None:
        """The child: a parent that dies takes it along, and the handshake has a deadline."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; the parent decides
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._parent:
            return  # it died before we could say so
        self.listener.close()
        self._refusals.close()
        signal.signal(signal.SIGALRM, _too_slow)
        signal.setitimer(signal.ITIMER_REAL, HANDSHAKE_SECONDS)
        super().top_new_client(startsock, address)  # type: ignore[no-untyped-call]

    def do_handshake(self, sock: Socket, address: Any) -> Socket:
        """TLS where it is configured, then the request; websockify's own sets no deadline."""
        connection = self._tls.wrap_socket(sock, server_side=True) if self._tls else sock
        self.RequestHandlerClass(connection, (*address[:2], self._tls is not None), self)
        return connection


def _too_slow(_: int, __: Any) -> None:
    raise TimeoutError("the handshake took too long")


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
