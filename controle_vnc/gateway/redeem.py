"""Asks the daemon what a ticket is worth: the gateway's half of the redeem socket."""

import contextlib
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
    daemon, path = _ask(redeem_socket, Redeem(ticket=ticket))
    daemon.close()
    return path


def redeem_for(redeem_socket: Path, ticket: str, hand_over: bool) -> tuple[socket.socket, bool]:
    """The connection to use `ticket` on; True: the daemon takes the browser's socket over it.

    Otherwise, and always without `hand_over`, it carries the viewer's bytes. Raises as `redeem`.
    """
    daemon, path = _ask(redeem_socket, Redeem(ticket=ticket, hand_over=hand_over))
    if hand_over and not path:
        return daemon, True
    daemon.close()
    with contextlib.ExitStack() as held:
        try:
            viewer = held.enter_context(socket.socket(socket.AF_UNIX))
            viewer.settimeout(REDEEM_SECONDS)
            viewer.connect(path)
        except OSError as error:
            raise DaemonUnreachableError(f"controle-vnc at {path}: {error}") from error
        held.pop_all()
        return viewer, False


def _ask(redeem_socket: Path, question: Redeem) -> tuple[socket.socket, str]:
    deadline = time.monotonic() + REDEEM_SECONDS
    with contextlib.ExitStack() as held:
        try:
            daemon = held.enter_context(socket.socket(socket.AF_UNIX))
            daemon.settimeout(REDEEM_SECONDS)
            daemon.connect(str(redeem_socket))
            daemon.sendall(pack(question))
            length = body_length(_exactly(daemon, HEADER_BYTES, deadline), MAX_GREETING_BYTES)
            answer = unpack(_exactly(daemon, length, deadline), _answer)
        except (OSError, ProtocolError) as error:
            raise DaemonUnreachableError(f"controle-vnc at {redeem_socket}: {error}") from error
        if isinstance(answer, Redeemed):
            held.pop_all()
            return daemon, answer.path
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
