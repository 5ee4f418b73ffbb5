"""Who is at the other end of a unix socket, as the kernel knows it."""

import socket
import struct

_PEER = struct.Struct("3i")  # struct ucred: process, user, group


def uid_of(connection: socket.socket) -> int:
    """The user who connected, or who listens."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(data)[1])
