"""One connection of a browser: refused in HTTP, or a WebSocket onto the daemon's private socket."""

import base64
import binascii
import contextlib
import logging
import signal
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from websockify.websocketproxy import ProxyRequestHandler

from controle_vnc.errors import DaemonUnreachableError, TicketRefusedError
from controle_vnc.gateway.origin import is_allowed
from controle_vnc.gateway.pump import Pump
from controle_vnc.gateway.redeem import REDEEM_SECONDS, redeem

if TYPE_CHECKING:
    from controle_vnc.gateway.server import GatewayServer

logger = logging.getLogger(__name__)

PATH = "/websockify"
TICKET_PROTOCOL = "ticket."
MAX_QUERY_FIELDS = 16

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

PAGE = """<!doctype html>
<html lang="fr"><meta charset="utf-8"><title>EOP</title>
<p>Certificat accepté : vous pouvez fermer cette page.</p>
<p lang="en">Certificate accepted, you may close this.</p>
</html>
"""


class RefusedError(Exception):
    """No WebSocket for this request: status, and a word for the log and the answer."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status


class GatewayHandler(ProxyRequestHandler):
    """websockify's handler with our checks before the 101 and our pump after it."""

    server: "GatewayServer"  # type: ignore[assignment]
    server_version = "EOP"
    sys_version = ""

    def handle_upgrade(self) -> None:
        """Check, have the ticket redeemed, connect to the daemon; only then answer 101."""
        try:
            self._check_request()
            self._check_origin()
            daemon = self._open(self._take_ticket())
        except RefusedError as error:
            logger.info("%s refused: %s", self.client_address[0], error)
            self._answer(error.status, f"{error}\n")
            return
        with daemon:
            self._carry(daemon)

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        self._answer(HTTPStatus.OK, PAGE, "text/html; charset=utf-8")

    def _refuse_method(self) -> None:
        self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "only GET\n")

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse_method  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A short answer that repeats nothing of the request."""
        self._answer(code, f"{HTTPStatus(code).phrase}\n")

    def end_headers(self) -> None:
        if not self._switching:
            for name, value in SECURITY_HEADERS.items():
                self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug("%s: %s", self.client_address[0], format % args)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing: the request line may hold a ticket."""

    _switching = False

    def _check_request(self) -> None:
        if urlsplit(self.path).path != PATH:
            raise RefusedError(404, "unknown path")
        if self.headers.get("Sec-WebSocket-Version") != "13":
            raise RefusedError(HTTPStatus.UPGRADE_REQUIRED, "WebSocket version 13 is spoken here")
        key = self.headers.get("Sec-WebSocket-Key", "")
        with contextlib.suppress(binascii.Error, ValueError):
            if len(base64.b64decode(key, validate=True)) == 16:
                return
        raise RefusedError(400, "no WebSocket key")

    def _check_origin(self) -> None:
        origins: list[str] = self.headers.get_all("Origin") or [""]
        allowed = self.server.allowed_origins
        if len(origins) != 1 or not is_allowed(origins[0], self.headers.get("Host"), allowed):
            raise RefusedError(403, "origin not allowed")

    def _take_ticket(self) -> str:
        """The ticket from the subprotocols or the query; neither is kept."""
        offered = [
            name.strip()
            for line in self.headers.get_all("Sec-WebSocket-Protocol") or []
            for name in line.split(",")
        ]
        del self.headers["Sec-WebSocket-Protocol"]
        if offered:
            if "binary" not in offered:
                raise RefusedError(400, "the subprotocol binary is not offered")
            self.headers["Sec-WebSocket-Protocol"] = "binary"  # all that accept() may choose
        found = [name[len(TICKET_PROTOCOL) :] for name in offered if name[:7] == TICKET_PROTOCOL]
        if not found:
            with contextlib.suppress(ValueError):
                query = parse_qs(urlsplit(self.path).query, max_num_fields=MAX_QUERY_FIELDS)
                found = query.get("token", [])
        self.path = PATH
        if len(found) != 1:
            raise RefusedError(403, "no ticket")
        return found[0]

    def _open(self, ticket: str) -> socket.socket:
        """The connection to the daemon that `ticket` is worth."""
        try:
            path = redeem(self.server.redeem_socket, ticket)
        except TicketRefusedError as error:
            raise RefusedError(403, "ticket refused") from error
        except DaemonUnreachableError as error:
            logger.warning("%s", error)
            raise RefusedError(503, "controle-vnc does not answer") from error
        daemon = socket.socket(socket.AF_UNIX)
        try:
            daemon.settimeout(REDEEM_SECONDS)
            daemon.connect(path)
        except OSError as error:
            daemon.close()
            raise RefusedError(503, "controle-vnc does not answer") from error
        return daemon

    def _carry(self, daemon: socket.socket) -> None:
        self._switching = True
        self.SocketClass(self).accept(self.request, self.headers)
        signal.setitimer(signal.ITIMER_REAL, 0)  # the handshake is over: no deadline any more
        self.close_connection = True
        pump = Pump(self.connection, daemon)
        reason = pump.run(self._sent_early())
        logger.info("%s closed: %s", self.client_address[0], reason)

    def _sent_early(self) -> bytes:
        """What the browser sent behind its request and http.server has read already."""
        early = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            early = self.rfile.peek()  # type: ignore[attr-defined]
        return early

    def _answer(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        self.close_connection = True
        self.request_version = "HTTP/1.1"  # of nonsense it is 0.9, and that has no headers
        self.send_response(status)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
