"""As much of a WebSocket client as a check needs: an upgrade, and binary frames both ways."""

import base64
import hashlib
import os
import socket
import ssl
import struct
import time
from typing import Self

MAX_HEAD_BYTES = 8192
MAX_FRAME_BYTES = 64 * 1024  # a handshake's frames are short
BINARY, CLOSE = 2, 8
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class UpgradeRefusedError(Exception):
    """The server's answer was not 101; the text is its status line."""


class WebSocket:
    """One WebSocket; `read` gives exactly the bytes asked for, whatever frames they came in."""

    def __init__(self, address: tuple[str, int], secured: bool, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        plain = socket.create_connection(address, seconds)
        self._socket: socket.socket = plain
        if secured:
            # the path is checked here, not the certificate: browsers say what they think of it
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            try:
                self._socket = context.wrap_socket(plain)
            except OSError:
                plain.close()
                raise
        self._raw = b""  # received, not yet parsed
        self._bytes = b""  # payloads, not yet read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def upgrade(self, host: str, origin: str, ticket: str) -> None:
        """Ask for the screen of `ticket`; raises `UpgradeRefusedError`."""
        key = base64.b64encode(os.urandom(16)).decode()
        self._send(
            "GET /websockify HTTP/1.1\r\n"
            f"Host: {host}\r\nOrigin: {origin}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: binary, ticket.{ticket}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._raw:
            self._receive()
            if len(self._raw) > MAX_HEAD_BYTES:
                raise UpgradeRefusedError("an answer that does not end")
        head, _, self._raw = self._raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if lines[0].split(" ")[1:2] != ["101"]:
            raise UpgradeRefusedError(lines[0][:100])
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest())  # noqa: S324
        if accept not in head:
            raise UpgradeRefusedError("a 101 that does not fit the request")

    def write(self, data: bytes) -> None:
        """Send one binary frame of less than 126 bytes."""
        mask = os.urandom(4)
        hidden = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self._send(bytes([0x80 | BINARY, 0x80 | len(data)]) + mask + hidden)

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes; raises `ConnectionResetError` where the server ends before."""
        while len(self._bytes) < count:
            self._bytes += self._frame()
        data, self._bytes = self._bytes[:count], self._bytes[count:]
        return data

    def _frame(self) -> bytes:
        """The payload of the next frame; control frames other than a close are empty here."""
        kind, length = self._raw_bytes(2)
        if length == 126:
            (length,) = struct.unpack(">H", self._raw_bytes(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._raw_bytes(8))
        if length > MAX_FRAME_BYTES:
            raise ConnectionResetError("a frame that is too long")
        payload = self._raw_bytes(length)
        if kind & 0x0F == CLOSE:
            raise ConnectionResetError("the WebSocket was closed")
        return payload if kind & 0x0F in (0, BINARY) else b""

    def _raw_bytes(self, count: int) -> bytes:
        while len(self._raw) < count:
            self._receive()
        data, self._raw = self._raw[:count], self._raw[count:]
        return data

    def _receive(self) -> None:
        self._socket.settimeout(self._left())
        data = self._socket.recv(4096)
        if not data:
            raise ConnectionResetError("the connection was closed")
        self._raw += data

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        return left
