"""Asks the daemon what a ticket is worth: the gateway's half of the redeem socket."""

import socket
import time
from pathlib import Path

from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, body_length, pack, unpack
from controle_vnc.control.messages import MAX_GREETING_BYTES, Redeem, Redeemed, Refused
from controle_vnc.errors import DaemonUnreachableError, ProtocolError, TicketRefusedError

REDEEM_SECONDS = 3.0  # the daemon answers in milliseconds; a browser waits no longer

_answer = messages.decoder(Redeemed | Refused)


def redeem(redeem_socket: Path, ticket: str) -> str:
    """The path of the unix socket that `ticket` opens.

    Raises `TicketRefusedError`, and `DaemonUnreachableError` where nobody can say.
    """
    deadline = time.monotonic() + REDEEM_SECONDS
    try:
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.settimeout(REDEEM_SECONDS)
            daemon.connect(str(redeem_socket))
            daemon.sendall(pack(Redeem(ticket=ticket)))
            length = body_length(_exactly(daemon, HEADER_BYTES, deadline), MAX_GREETING_BYTES)
            answer = unpack(_exactly(daemon, length, deadline), _answer)
    except (OSError, ProtocolError) as error:
        raise DaemonUnreachableError(f"controle-vnc at {redeem_socket}: {error}") from error
    if isinstance(answer, Redeemed):
        return answer.path
    if answer.code == "ticket":
        raise TicketRefusedError("the ticket is refused")
    raise DaemonUnreachableError(f"controle-vnc opens nothing now ({answer.code})")


def _exactly(daemon: socket.socket, count: int, deadline: float) -> bytes:
    data = b""
    while len(data) < count:
        daemon.settimeout(max(0.001, deadline - time.monotonic()))
        part = daemon.recv(count - len(data))
        if not part:
            raise ConnectionError("it hung up")
        data += part
    return data
