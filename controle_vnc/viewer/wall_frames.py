"""The frames of a wall: `u32 length`, `u8 type`, payload; both ways. Pure."""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec

from controle_vnc.control.messages import Controller, Reason
from controle_vnc.errors import ProtocolError
from controle_vnc.room.tiles import Tile

EVENT = 1
TILE = 2
MAX_UP_BYTES = 64 * 1024  # a list of visible numbers; more is no page of ours
MAX_DOWN_BYTES = 1024 * 1024  # the largest frame a page has to be ready for
MAX_SNAPSHOT_WORKSTATIONS = 1000  # about 400 KiB; those beyond follow as events
WIDTHS = (320, 480, 640)

_LENGTH = struct.Struct(">I")
_TILE_HEAD = struct.Struct(">IBIIQ")
_TILE_HEAD_AFTER_LENGTH = _TILE_HEAD.size - _LENGTH.size


class Visible(msgspec.Struct):
    """What the page shows now."""

    visible: list[int]
    width: int = WIDTHS[0]
    large: list[int] = []
    """Shown as large as tiles are made, whatever `width` says."""

    def widths(self) -> dict[int, int]:
        """How wide each number is shown."""
        width = tile_width(self.width)
        return dict.fromkeys(self.visible, width) | dict.fromkeys(self.large, WIDTHS[-1])


class FrameReader:
    """Cuts the browser's stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The frames that are whole now: (type, payload). A long one raises `ProtocolError`."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if not 1 <= length <= MAX_UP_BYTES:
                raise ProtocolError(f"a frame of {length} bytes")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frames.append((self._buffer[4], bytes(self._buffer[5:end])))
            del self._buffer[:end]
        return frames


def parse_visible(payload: bytes) -> Visible | None:
    """What the page shows, or `None` for an event of another kind."""
    try:
        event = msgspec.json.decode(payload)
        if not isinstance(event, dict) or "visible" not in event:
            return None
        return msgspec.convert(event, Visible)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ProtocolError("an event that cannot be read") from error


def tile_width(asked: int) -> int:
    """The width among `WIDTHS` that is nearest to the one asked for."""
    return min(WIDTHS, key=lambda width: abs(width - asked))


def event_frame(event: dict[str, Any]) -> bytes:
    """One event, framed."""
    payload = msgspec.json.encode(event)
    return _LENGTH.pack(1 + len(payload)) + bytes([EVENT]) + payload


def tile_frame(tile: Tile) -> bytes:
    """One tile, framed."""
    length = _TILE_HEAD_AFTER_LENGTH + len(tile.jpeg)
    head = _TILE_HEAD.pack(length, TILE, tile.number, tile.sequence & 0xFFFFFFFF, tile.captured_at)
    return head + tile.jpeg


def controllers_value(controllers: Sequence[Controller]) -> list[dict[str, str]]:
    """Who controls a workstation, as an event carries it."""
    return [{"login": one.login, "name": one.name} for one in controllers]


def reason_value(reason: Reason | None) -> dict[str, str | int] | None:
    """A reason as an event carries it: its code, and its arguments beside."""
    return None if reason is None else {**reason.arguments, "code": reason.code}
