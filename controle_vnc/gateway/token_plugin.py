"""Our tickets for the stock `websockify --token-plugin` (the fallback without our gateway)."""

import logging
import re
from pathlib import Path

from websockify.token_plugins import BasePlugin
from websockify.websockifyserver import WebSockifyServer

from controle_vnc.errors import DaemonUnreachableError, TicketRefusedError
from controle_vnc.gateway.redeem import redeem

_TOKEN = re.compile(r"(token=)[^&'\"\s]+")


class TicketPlugin(BasePlugin):
    """`--token-source` is the path of the daemon's redeem socket."""

    def __init__(self, source: str) -> None:
        super().__init__(source)  # type: ignore[no-untyped-call]
        # websockify writes the path of each connection, token included, into its log
        stock = WebSockifyServer.get_logger()  # type: ignore[no-untyped-call]
        stock.addFilter(_hide_tokens)

    def lookup(self, token: str) -> tuple[str, str]:
        """Where to connect; the ticket is used up by that."""
        try:
            return "unix_socket", redeem(Path(self.source), token)
        except (TicketRefusedError, DaemonUnreachableError) as error:
            # where lookup() gives None websockify logs the ticket, so this never does
            raise WebSockifyServer.EClose(str(error)) from error


def _hide_tokens(record: logging.LogRecord) -> bool:
    record.msg, record.args = _TOKEN.sub(r"\1…", record.getMessage()), ()
    return True
