"""One connection of a browser: refused in HTTP, or a WebSocket onto the daemon's private socket."""

import base64
import binascii
import contextlib
import io
import logging
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from websockify.websocketproxy import ProxyRequestHandler

from controle_vnc.errors import DaemonUnreachableError, TicketRefusedError
from controle_vnc.gateway.leaving import SECURITY_HEADERS
from controle_vnc.gateway.origin import is_allowed
from controle_vnc.gateway.redeem import redeem_for
from controle_vnc.gateway.visitor import Visitor

if TYPE_CHECKING:
    from controle_vnc.gateway.server import GatewayServer

logger = logging.getLogger(__name__)

PATH = "/websockify"
TICKET_PROTOCOL = "ticket."
MAX_QUERY_FIELDS = 16

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
    """websockify's handler for one head that is already read: our checks, our two ways on."""

    server: "GatewayServer"  # type: ignore[assignment]
    server_version = "EOP"
    sys_version = ""

    def __init__(self, visitor: Visitor, server: "GatewayServer") -> None:
        self._visitor = visitor
        address = (*visitor.address[:2], server.is_tls)
        super().__init__(visitor.connection, address, server)  # type: ignore[no-untyped-call]

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BytesIO(self._visitor.received)

    def handle_upgrade(self) -> None:
        """Check, have the ticket redeemed, only then answer 101; then the viewer goes its way."""
        try:
            self._check_request()
            self._check_origin()
            daemon, takes_over = self._redeem(self._take_ticket())
        except RefusedError as error:
            logger.info("%s refused: %s", self.client_address[0], error)
            self._answer(error.status, f"{error}\n")
            return
        with contextlib.ExitStack() as held:
            held.enter_context(daemon)
            self._switch()
            early = self.rfile.read()
            if takes_over:
                self._visitor.hand_over(daemon, early)
            else:
                self.server.pipe(self._visitor, daemon, early)
                held.pop_all()

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

    def _redeem(self, ticket: str) -> tuple[socket.socket, bool]:
        """The connection to the daemon that `ticket` is worth, and whether it takes ours."""
        try:
            return redeem_for(self.server.redeem_socket, ticket, hand_over=not self.server.is_tls)
        except TicketRefusedError as error:
            raise RefusedError(403, "ticket refused") from error
        except DaemonUnreachableError as error:
            logger.warning("%s", error)
            raise RefusedError(503, "controle-vnc does not answer") from error

    def _switch(self) -> None:
        self.close_connection = True
        self._switching = True
        self.SocketClass(self).accept(self.request, self.headers)

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
