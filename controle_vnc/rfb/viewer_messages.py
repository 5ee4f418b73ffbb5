"""A viewer's messages as values, for screens that are served from a decoded picture."""

import struct
from dataclasses import dataclass

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client_messages import ClientMessages
from controle_vnc.rfb.constants import ClientMessage
from controle_vnc.rfb.pixel_format import PixelFormat


@dataclass(frozen=True)
class SetPixelFormat:
    pixel_format: PixelFormat


@dataclass(frozen=True)
class SetEncodings:
    encodings: tuple[int, ...]


@dataclass(frozen=True)
class UpdateRequest:
    incremental: bool
    rect: Rect


@dataclass(frozen=True)
class KeyEvent:
    down: bool
    keysym: int


@dataclass(frozen=True)
class PointerEvent:
    mask: int
    x: int
    y: int


@dataclass(frozen=True)
class CutText:
    text: bytes


@dataclass(frozen=True)
class Fence:
    flags: int
    payload: bytes


@dataclass(frozen=True)
class EnableContinuousUpdates:
    enable: bool
    rect: Rect


ViewerMessage = (
    SetPixelFormat
    | SetEncodings
    | UpdateRequest
    | KeyEvent
    | PointerEvent
    | CutText
    | Fence
    | EnableContinuousUpdates
)


class ViewerMessages:
    """Bytes in, messages out; raises `ProtocolError` for an unknown one."""

    def __init__(self) -> None:
        self._messages = ClientMessages()

    def feed(self, data: bytes) -> list[ViewerMessage]:
        """The messages that are whole; xvp and SetDesktopSize are left out."""
        parsed = (_parsed(message) for message in self._messages.feed(data))
        return [message for message in parsed if message is not None]


def _parsed(message: bytes) -> ViewerMessage | None:  # noqa: C901, PLR0911 (one line a type)
    body = message[1:]
    match message[0]:
        case ClientMessage.SET_PIXEL_FORMAT:
            return SetPixelFormat(PixelFormat.from_bytes(body[3:]))
        case ClientMessage.SET_ENCODINGS:
            return SetEncodings(struct.unpack(f">{(len(body) - 3) // 4}i", body[3:]))
        case ClientMessage.FRAMEBUFFER_UPDATE_REQUEST:
            incremental, *rect = struct.unpack(">BHHHH", body)
            return UpdateRequest(bool(incremental), Rect(*rect))
        case ClientMessage.KEY_EVENT:
            down, keysym = struct.unpack(">BxxI", body)
            return KeyEvent(bool(down), keysym)
        case ClientMessage.QEMU:
            down, keysym, _ = struct.unpack(">xHII", body)
            return KeyEvent(bool(down), keysym)
        case ClientMessage.POINTER_EVENT:
            return PointerEvent(*struct.unpack(">BHH", body))
        case ClientMessage.CLIENT_CUT_TEXT:
            return CutText(body[7:])
        case ClientMessage.FENCE:
            return Fence(struct.unpack(">3xI", body[:7])[0], body[8:])
        case ClientMessage.ENABLE_CONTINUOUS_UPDATES:
            enable, *rect = struct.unpack(">BHHHH", body)
            return EnableContinuousUpdates(bool(enable), Rect(*rect))
    return None
