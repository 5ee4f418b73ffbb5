"""A wall as an outside client reads it, from the contract alone."""

import json
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass

from websockets.sync.client import ClientConnection


@dataclass
class Tile:
    number: int
    sequence: int
    captured_at: int
    jpeg: bytes
    received_at: float


class WallClient:
    """Cuts the byte stream into frames; message borders mean nothing."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.buffer = b""
        self.bytes_received = 0

    def send(self, event: dict[str, object]) -> None:
        payload = json.dumps(event).encode()
        self.socket.send(struct.pack(">IB", len(payload) + 1, 1) + payload)

    def show(self, numbers: list[int], width: int = 320) -> None:
        self.send({"visible": numbers, "width": width})

    def next(self, seconds: float = 5) -> dict[str, object] | Tile:
        """The next event or tile; `TimeoutError` after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            if len(self.buffer) >= 4:
                (length,) = struct.unpack_from(">I", self.buffer)
                if len(self.buffer) >= 4 + length:
                    frame, self.buffer = self.buffer[4 : 4 + length], self.buffer[4 + length :]
                    return self._parsed(frame)
            data = self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            self.bytes_received += len(data)
            self.buffer += data

    def _parsed(self, frame: bytes) -> dict[str, object] | Tile:
        if frame[0] == 1:
            return json.loads(frame[1:])
        assert frame[0] == 2
        number, sequence, captured_at = struct.unpack_from(">IIQ", frame, 1)
        return Tile(number, sequence, captured_at, frame[17:], time.time())

    def until(self, wanted, seconds: float = 5):
        """The first event or tile for which `wanted` holds."""
        deadline = time.monotonic() + seconds
        while True:
            item = self.next(max(0.01, deadline - time.monotonic()))
            if wanted(item):
                return item

    def event(self, name: str, seconds: float = 5, **values: object) -> dict[str, object]:
        """The first event of that name with these values."""
        return self.until(
            lambda item: (
                isinstance(item, dict)
                and item.get("event") == name
                and all(item.get(key) == value for key, value in values.items())
            ),
            seconds,
        )

    def tile(self, number: int, seconds: float = 5) -> Tile:
        return self.until(lambda item: isinstance(item, Tile) and item.number == number, seconds)

    def first_tiles(self, numbers: Iterable[int], seconds: float = 10) -> dict[int, Tile]:
        """The first tile of each of `numbers`, in whatever order they come."""
        missing, tiles = set(numbers), {}
        deadline = time.monotonic() + seconds
        while missing:
            item = self.next(max(0.01, deadline - time.monotonic()))
            if isinstance(item, Tile) and item.number in missing:
                missing.remove(item.number)
                tiles[item.number] = item
        return tiles
