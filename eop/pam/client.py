"""How the site and its checks ask eop-pam."""

import os
import socket
from pathlib import Path

from eop.pam import wire
from eop.pam.protocol import (
    Answer,
    Hello,
    ProtocolError,
    Ready,
    Reply,
    Request,
    SignIn,
    pack,
    read_reply,
)

CONNECT_SECONDS = 2.0  # a socket of this machine: longer means that it hangs
HELLO_SECONDS = 5.0  # all its places may be taken by wrong passwords, a second each
ANSWER_SECONDS = 20.0  # above what eop-pam gives PAM, which may ask a server over the network


class ImpostorError(ProtocolError):
    """Somebody else than root, or us, listens there: he is told no password."""


def sign_in(path: Path, login: str, password: str) -> Answer:
    """What eop-pam says of these; raises `OSError`, `ProtocolError`."""
    reply = _ask(path, SignIn(login, password), ANSWER_SECONDS)
    if not isinstance(reply, Answer):
        raise ProtocolError("another reply than asked for")
    return reply


def hello(path: Path) -> str:
    """The PAM service that eop-pam asks; raises `OSError`, `ProtocolError`."""
    reply = _ask(path, Hello(), HELLO_SECONDS)
    if not isinstance(reply, Ready):
        raise ProtocolError("another reply than asked for")
    return reply.service


def answers(path: Path) -> bool:
    """Whether eop-pam is there, and we are let in."""
    try:
        hello(path)
    except (OSError, ProtocolError):
        return False
    return True


def _ask(path: Path, request: Request, seconds: float) -> Reply:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(str(path))
        if (uid := wire.peer_uid(connection)) not in (0, os.geteuid()):
            raise ImpostorError(f"a process of uid {uid} listens there, not root's")
        wire.send(connection, pack(request), CONNECT_SECONDS)
        return read_reply(wire.receive(connection, seconds))
