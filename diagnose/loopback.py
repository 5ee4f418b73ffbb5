"""A workstation of a few pixels that lives while a check runs: nobody's screen is touched."""

import socket
import struct
import threading
from typing import Self

VERSION = b"RFB 003.008\n"
SIDE = 16
NAME = b"EOP self-test"
TRUE_COLOUR = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
STEP_SECONDS = 5.0
READ_BYTES = 4096


class LoopbackWorkstation:
    """Listens on a free port of `host`; takes one client after the other, without a password."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        self._host = host
        self._clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, name="self-test", daemon=True)

    @property
    def address(self) -> str:
        port = self._listener.getsockname()[1]
        return f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._listener.close()
        for client in self._clients:
            client.close()
        self._thread.join(STEP_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed: the check is over
            client.settimeout(STEP_SECONDS)
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            greet(client)
            while client.recv(READ_BYTES):
                pass  # a black screen that never changes owes nobody an update
        except OSError:
            client.close()


def greet(client: socket.socket) -> None:
    """The server's half of the RFB handshake, security type None."""
    client.sendall(VERSION)
    _read(client, len(VERSION))
    client.sendall(b"\x01\x01")
    _read(client, 1)
    client.sendall(bytes(4))
    _read(client, 1)
    size = struct.pack(">HH", SIDE, SIDE)
    client.sendall(size + TRUE_COLOUR + struct.pack(">I", len(NAME)) + NAME)


def _read(client: socket.socket, count: int) -> None:
    while count:
        data = client.recv(count)
        if not data:
            raise ConnectionResetError
        count -= len(data)
