"""A viewer's messages as values, for screens that are served from a decoded picture."""

import struct
from dataclasses import dataclass

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client_messages import HAS_MORE_BUTTONS, ClientMessages
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
    """`keycode` is the key itself (a QEMU message tells it): an XT scan code, or 0."""

    down: bool
    keysym: int
    keycode: int = 0


@dataclass(frozen=True)
class PointerEvent:
    """Bit 0 of `mask` is button 1; with ExtendedMouseButtons there are 15 of them."""

    mask: int
    x: int
    y: int


@dataclass(frozen=True)
class CutText:
    text: str


@dataclass(frozen=True)
class ExtendedCutText:
    """A message of the extended clipboard, still packed."""

    flags: int
    data: bytes


@dataclass(frozen=True)
class SetDesktopSize:
    """The viewer wishes the screen to have another size; its list of monitors is left out."""

    width: int
    height: int


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
    | ExtendedCutText
    | SetDesktopSize
    | Fence
    | EnableContinuousUpdates
)


class ViewerMessages:
    """Bytes in, messages out; raises `ProtocolError` for an unknown one."""

    def __init__(self) -> None:
        self.layout = ClientMessages()
        """What the viewer may say depends on what it was told: see its attributes."""

    def feed(self, data: bytes) -> list[ViewerMessage]:
        """The messages that are whole; xvp is left out."""
        parsed = (_parsed(message) for message in self.layout.feed(data))
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
            down, keysym, keycode = struct.unpack(">xHII", body)
            return KeyEvent(bool(down), keysym, keycode)
        case ClientMessage.POINTER_EVENT:
            return _pointer_event(body)
        case ClientMessage.CLIENT_CUT_TEXT:
            return _cut_text(body)
        case ClientMessage.SET_DESKTOP_SIZE:
            return SetDesktopSize(*struct.unpack(">xHH", body[:5]))
        case ClientMessage.FENCE:
            return Fence(struct.unpack(">3xI", body[:7])[0], body[8:])
        case ClientMessage.ENABLE_CONTINUOUS_UPDATES:
            enable, *rect = struct.unpack(">BHHHH", body)
            return EnableContinuousUpdates(bool(enable), Rect(*rect))
    return None


def _pointer_event(body: bytes) -> PointerEvent:
    mask, x, y = struct.unpack(">BHH", body[:5])
    if more := body[5:]:
        mask = mask & ~HAS_MORE_BUTTONS | more[0] << 7
    return PointerEvent(mask, x, y)


def _cut_text(body: bytes) -> CutText | ExtendedCutText:
    (length,) = struct.unpack(">i", body[3:7])
    if length >= 0:
        return CutText(body[7:].decode("latin-1"))
    if len(body) < 11:
        raise ProtocolError("a message of the extended clipboard without flags")
    return ExtendedCutText(struct.unpack(">I", body[7:11])[0], body[11:])
