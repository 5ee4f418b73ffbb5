"""One message over a connected socket, whole and in time; and who is on the other side."""

import socket
import struct
import time

from eop.pam.protocol import HEADER_BYTES, ProtocolError, body_length

_PEER = struct.Struct("3i")  # struct ucred: process, user, group


def peer_uid(connection: socket.socket) -> int:
    """The user who connected, or who listens, as the kernel knows it."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(data)[1])


def send(connection: socket.socket, data: bytes, seconds: float) -> None:
    """Send everything; raises `OSError` (`TimeoutError`)."""
    connection.settimeout(seconds)
    connection.sendall(data)


def receive(connection: socket.socket, seconds: float) -> bytearray:
    """The body of the next message, which its reader may wipe.

    Raises `ProtocolError`, or `OSError` (`TimeoutError`).
    """
    deadline = time.monotonic() + seconds
    header = bytes(_exactly(connection, HEADER_BYTES, deadline))
    return _exactly(connection, body_length(header), deadline)


def _exactly(connection: socket.socket, count: int, deadline: float) -> bytearray:
    data = bytearray(count)
    view, filled = memoryview(data), 0
    while filled < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
        received = connection.recv_into(view[filled:])
        if not received:
            raise ProtocolError("the connection ended within a message")
        filled += received
    return data
