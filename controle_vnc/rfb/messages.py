"""The bytes of the messages that we send, both ways (RFC 6143 §7.4–7.6 and extensions)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from controle_vnc.framebuffer.rect import EMPTY, Rect
from controle_vnc.rfb.constants import ClientMessage, Encoding, ServerMessage
from controle_vnc.rfb.pixel_format import PixelFormat

MAX_REFUSAL_BYTES = 256  # viewers show one line


@dataclass(frozen=True)
class ServerInit:
    """What a server says of its screen (RFC 6143 §7.3.2); `name` is safe to show."""

    width: int
    height: int
    pixel_format: PixelFormat
    name: str

    def to_bytes(self) -> bytes:
        name = self.name.encode()
        return (
            struct.pack(">HH", self.width, self.height)
            + self.pixel_format.to_bytes()
            + struct.pack(">I", len(name))
            + name
        )


def set_pixel_format(pixel_format: PixelFormat) -> bytes:
    return struct.pack(">B3x", ClientMessage.SET_PIXEL_FORMAT) + pixel_format.to_bytes()


def set_encodings(encodings: Sequence[int]) -> bytes:
    return struct.pack(
        f">BxH{len(encodings)}i", ClientMessage.SET_ENCODINGS, len(encodings), *encodings
    )


def update_request(incremental: bool, rect: Rect) -> bytes:
    return struct.pack(">BBHHHH", ClientMessage.FRAMEBUFFER_UPDATE_REQUEST, incremental, *rect)


def set_scale(factor: int) -> bytes:
    """UltraVNC's: the server's screen is shown shrunk by `factor`, 1 to 255."""
    return struct.pack(">BBxx", ClientMessage.SET_SCALE, factor)


def key_event(down: bool, keysym: int) -> bytes:
    return struct.pack(">BBxxI", ClientMessage.KEY_EVENT, down, keysym)


def pointer_event(mask: int, x: int, y: int) -> bytes:
    return struct.pack(">BBHH", ClientMessage.POINTER_EVENT, mask, x, y)


def client_cut_text(text: bytes) -> bytes:
    return struct.pack(">B3xI", ClientMessage.CLIENT_CUT_TEXT, len(text)) + text


def set_desktop_size(width: int, height: int) -> bytes:
    """Ask for a screen of another size, of one monitor."""
    return struct.pack(
        ">BxHHBxIHHHHI", ClientMessage.SET_DESKTOP_SIZE, width, height, 1, 0, 0, 0, width, height, 0
    )


def enable_continuous_updates(enable: bool, rect: Rect) -> bytes:
    return struct.pack(">BBHHHH", ClientMessage.ENABLE_CONTINUOUS_UPDATES, enable, *rect)


def fence(flags: int, payload: bytes) -> bytes:
    """The same bytes both ways."""
    return struct.pack(">B3xIB", ServerMessage.FENCE, flags, len(payload)) + payload


def framebuffer_update(count: int, rectangles: bytes) -> bytes:
    return struct.pack(">BxH", ServerMessage.FRAMEBUFFER_UPDATE, count) + rectangles


def rectangle(rect: Rect, encoding: int) -> bytes:
    """The 12 bytes before a rectangle's data."""
    return struct.pack(">HHHHi", *rect, encoding)


def desktop_size(width: int, height: int) -> bytes:
    """The DesktopSize pseudo-rectangle."""
    return rectangle(Rect(0, 0, width, height), Encoding.DESKTOP_SIZE)


def extended_desktop_size(width: int, height: int, reason: int = 0, status: int = 0) -> bytes:
    """The ExtendedDesktopSize pseudo-rectangle, one screen that fills the framebuffer."""
    return rectangle(
        Rect(reason, status, width, height), Encoding.EXTENDED_DESKTOP_SIZE
    ) + struct.pack(">B3xIHHHHI", 1, 0, 0, 0, width, height, 0)


def server_cut_text(text: bytes) -> bytes:
    return struct.pack(">B3xI", ServerMessage.SERVER_CUT_TEXT, len(text)) + text


def extended_cut_text(flags: int, data: bytes = b"", client: bool = False) -> bytes:
    """A message of the extended clipboard, told from text by its negative length."""
    kind = ClientMessage.CLIENT_CUT_TEXT if client else ServerMessage.SERVER_CUT_TEXT
    return struct.pack(">B3xiI", kind, -4 - len(data), flags) + data


def set_colour_map_entries(colours: Sequence[tuple[int, int, int]]) -> bytes:
    """The colour map from its first entry on; 16 bits for each of red, green and blue."""
    head = struct.pack(">BxHH", ServerMessage.SET_COLOUR_MAP_ENTRIES, 0, len(colours))
    return head + b"".join(struct.pack(">HHH", *colour) for colour in colours)


def desktop_name(name: str) -> bytes:
    """The DesktopName pseudo-rectangle."""
    data = name.encode()
    return rectangle(EMPTY, Encoding.DESKTOP_NAME) + struct.pack(">I", len(data)) + data


def bell() -> bytes:
    return bytes([ServerMessage.BELL])


def end_of_continuous_updates() -> bytes:
    """That we know them, or that we have stopped."""
    return bytes([ServerMessage.END_OF_CONTINUOUS_UPDATES])


def refusal(reason: str) -> bytes:
    """Zero security types and why (RFC 6143 §7.1.2), at most 256 bytes of it."""
    text = reason.encode()[:MAX_REFUSAL_BYTES]
    return struct.pack(">BI", 0, len(text)) + text
