"""RFB towards a workstation's VNC server: bytes in, pixels, events and bytes out."""

import struct
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import EMPTY, Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client_clipboard import ClientClipboard, ClipboardEvent
from controle_vnc.rfb.client_handshake import Handshake, printable
from controle_vnc.rfb.clipboard import MAX_EXTENDED_BYTES
from controle_vnc.rfb.constants import (
    FENCE_BLOCK_BEFORE,
    FENCE_KNOWN_FLAGS,
    FENCE_REQUEST,
    LAST_RECT_COUNT,
    MAX_CUT_TEXT_BYTES,
    MAX_FENCE_BYTES,
    MAX_NAME_BYTES,
    MAX_RECTANGLES,
    MAX_SCREENS,
    SUPPORTED_MESSAGES_BYTES,
    ClientMessage,
    Encoding,
    SecurityType,
    ServerMessage,
)
from controle_vnc.rfb.cursor import (
    Cursor,
    decode_cursor,
    decode_cursor_with_alpha,
    decode_x_cursor,
)
from controle_vnc.rfb.decoders import new_decoders
from controle_vnc.rfb.decoders.base import Decoder
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat
from controle_vnc.rfb.pixels import MAP_COLOUR_BYTES, MAX_MAP_BITS, PixelReader
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.rfb.stream import ByteStream, Steps

DEFAULT_ENCODINGS = (
    Encoding.COPY_RECT,
    Encoding.TIGHT,
    Encoding.ZRLE,
    Encoding.ZLIB,
    Encoding.TIGHT_PNG,
    Encoding.JPEG,
    Encoding.TRLE,
    Encoding.HEXTILE,
    Encoding.CORRE,
    Encoding.RRE,
    Encoding.RAW,
    Encoding.DESKTOP_SIZE,
    Encoding.EXTENDED_DESKTOP_SIZE,
    Encoding.LAST_RECT,
    Encoding.FENCE,
    Encoding.SUPPORTED_MESSAGES,
)
"""What costs servers and us least comes first: many take the first that they know.

Cursor is left out: the server then draws the pointer, and tiles show it. ContinuousUpdates too:
requests set the pace, a wall's or a live view's. ExtendedClipboard too: nobody who looks at a wall
needs to know that a student copies something.
"""

QUALITY = 5  # JPEG level of Tight: seven times fewer bytes on motion than lossless
COMPRESSION = 2  # levels 0 and 1 switch off TigerVNC's search for what has really changed

MAX_RESIZES = 4  # in one update, each of which copies the screen; servers send one

NATIVE_ONLY = ("Intel(r) AMT KVM",)  # screens of 8 or 16 bits in firmware, known by their name
REASON_THIS_CLIENT = 1  # of an ExtendedDesktopSize: the answer to what we have asked

_RECTANGLE = struct.Struct(">HHHHi")


@dataclass(frozen=True)
class Connected:
    """The handshake is done and `framebuffer` is there, still black."""

    width: int
    height: int
    name: str


@dataclass(frozen=True)
class Updated:
    """One FramebufferUpdate is painted; `damage` bounds what it touched (it may be empty)."""

    damage: Rect


@dataclass(frozen=True)
class Resized:
    """The screen has another size; ask for all of it."""

    width: int
    height: int


@dataclass(frozen=True)
class Bell:
    pass


@dataclass(frozen=True)
class CutText:
    """Somebody copied text on the workstation; Latin-1 (RFC 6143 §7.6.4)."""

    text: bytes


@dataclass(frozen=True)
class FenceAnswered:
    """The server has done all that was asked before this fence."""

    payload: bytes


@dataclass(frozen=True)
class CursorChanged:
    """`cursor` is new."""


@dataclass(frozen=True)
class Renamed:
    """The desktop has another name, safe to show."""

    name: str


@dataclass(frozen=True)
class ColoursChanged:
    """The colour map is another one: what is on the screen may look wrong; ask for all of it."""


@dataclass(frozen=True)
class ContinuousUpdatesEnded:
    """The server knows ContinuousUpdates, or has stopped them."""


@dataclass(frozen=True)
class ResizeRefused:
    """The server does not change its size for us; `status` is rfbproto's."""

    status: int


Event = (
    Connected
    | Updated
    | Resized
    | Bell
    | CutText
    | FenceAnswered
    | CursorChanged
    | Renamed
    | ColoursChanged
    | ContinuousUpdatesEnded
    | ResizeRefused
    | ClipboardEvent
)


class RfbClient:
    """One connection to a VNC server, without its socket.

    `native`: take the server's own pixel format instead of asking for ours, which it may not heed.
    After `receive_data`, take `events` and send `data_to_send`. What `receive_data` raises
    (`AuthenticationError`, `UnsupportedError`, `ProtocolError`) ends the connection.
    """

    def __init__(
        self,
        credentials: Credentials | bytes | None,
        encodings: Sequence[int] = DEFAULT_ENCODINGS,
        quality: int | None = QUALITY,
        compression: int = COMPRESSION,
        native: bool = False,
        among: frozenset[SecurityType] | None = None,
    ) -> None:
        self.framebuffer: Framebuffer | None = None
        self.cursor: Cursor | None = None
        self.supports_fence = False
        self.supports_scale = False
        self.supports_continuous_updates = False
        self.supports_desktop_size = False
        self.is_translated = False
        self._native = native
        self._keeps_pixels = True
        self.quality = quality
        self._encodings = list(encodings) + [-256 + compression]
        self._out = bytearray()
        self._events: list[Event] = []
        self._clipboard = ClientClipboard(self._out)
        self._pixels = PixelReader(RGBX)
        self._decoders: dict[int, Decoder] = {}
        self._handshake = Handshake(credentials, self._out, among)
        self._damage = EMPTY
        self._resizes = 0
        self._stream = ByteStream(self._session(), self._handshake.wrapping)

    @property
    def stage(self) -> str:
        """How far the handshake is: `version`, `security`, `init` or `done`."""
        return self._handshake.stage

    @property
    def next_kinds(self) -> frozenset[SecurityType]:
        """What may be tried on a new connection where the handshake failed; see `Handshake`."""
        return self._handshake.next_kinds

    def receive_data(self, data: bytes, must_rest: Callable[[], bool]) -> None:
        """Decode `data` to its end, or until a step after which we `must_rest`: see `is_behind`.

        A few bytes may take minutes to decode: on an event loop no one may be decoded `to_the_end`.
        """
        self._stream.feed(data, must_rest)

    @property
    def is_behind(self) -> bool:
        """More could be decoded of what was received; `receive_data(b"")` goes on."""
        return self._stream.can_go_on

    def data_to_send(self) -> bytes:
        return self._handshake.wrapping.take()

    def events(self) -> list[Event]:
        """What has happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    # --- what we ask ----------------------------------------------------------------------

    def request_update(self, incremental: bool, rect: Rect | None = None) -> None:
        """Ask for what changed, or with `incremental` false for all of `rect` (the screen)."""
        if rect is None:
            rect = self._screen().bounds
        self._out += messages.update_request(incremental, rect)

    def send_fence(self, payload: bytes) -> None:
        """Ask the server to answer once it has done all before; only if `supports_fence`."""
        self._out += messages.fence(FENCE_REQUEST | FENCE_BLOCK_BEFORE, payload)

    def set_scale(self, factor: int) -> None:
        """Ask for the screen shrunk by `factor`; only if `supports_scale`. `Resized` follows."""
        self._keeps_pixels = False
        self._out += messages.set_scale(factor)

    def set_quality(self, level: int) -> None:
        """From now on ask for JPEG of `level` (0 to 9), after the handshake."""
        self.quality = level
        self._say_encodings()

    def _say_encodings(self) -> None:
        level = [] if self.quality is None else [-32 + self.quality]
        self._out += messages.set_encodings(self._encodings + level)

    def key_event(self, down: bool, keysym: int) -> None:
        self._out += messages.key_event(down, keysym)

    def pointer_event(self, mask: int, x: int, y: int) -> None:
        self._out += messages.pointer_event(mask, x, y)

    def cut_text(self, text: bytes) -> None:
        self._out += messages.client_cut_text(text)

    def copy_text(self, text: str) -> None:
        """Say that `text` was copied here, in Unicode where the server knows how to take that."""
        if not self._clipboard.copy(text):
            self.cut_text(text.encode("latin-1", "replace"))

    def request_text(self) -> None:
        """Ask for the text that the server has offered."""
        self._clipboard.request()

    def enable_continuous_updates(self, enable: bool) -> None:
        """Have updates sent unasked, or no longer; only if `supports_continuous_updates`."""
        self._out += messages.enable_continuous_updates(enable, self._screen().bounds)

    def set_desktop_size(self, width: int, height: int) -> None:
        """Ask for another size; only if `supports_desktop_size`."""
        self._out += messages.set_desktop_size(width, height)

    # --- the server's messages -------------------------------------------------------------

    def _screen(self) -> Framebuffer:
        if self.framebuffer is None:
            raise ProtocolError("no screen yet")
        return self.framebuffer

    def _session(self) -> Steps:
        yield from self._handshake.steps()
        init = self._handshake.server_init
        if init is None:
            raise ProtocolError("no ServerInit")
        self._agree_on_pixels(init)
        self._say_encodings()
        self.framebuffer = Framebuffer(init.width, init.height)
        self._events.append(Connected(init.width, init.height, init.name))
        handlers = {
            ServerMessage.FRAMEBUFFER_UPDATE: self._update,
            ServerMessage.SET_COLOUR_MAP_ENTRIES: self._colour_map,
            ServerMessage.BELL: self._bell,
            ServerMessage.SERVER_CUT_TEXT: self._cut_text,
            ServerMessage.END_OF_CONTINUOUS_UPDATES: self._end_of_continuous_updates,
            ServerMessage.FENCE: self._fence,
        }
        while True:
            kind = (yield 1)[0]
            handler = handlers.get(kind)  # type: ignore[call-overload]
            if handler is None:
                raise ProtocolError(f"message of type {kind}")
            yield from handler()

    def _agree_on_pixels(self, init: ServerInit) -> None:
        """Ask for our format, or take the server's own."""
        chosen = RGBX
        native = init.pixel_format
        is_readable = native.true_colour or native.bits_per_pixel <= MAX_MAP_BITS
        if (self._native or init.name in NATIVE_ONLY) and is_readable:
            chosen = native
        else:
            self._out += messages.set_pixel_format(RGBX)
        self.is_translated = chosen != native
        self._pixels = PixelReader(chosen)
        self._decoders = new_decoders(self._pixels)

    @property
    def pixel_format(self) -> PixelFormat:
        """What pixels come in."""
        return self._pixels.format

    def _update(self) -> Steps:
        (count,) = struct.unpack(">xH", (yield 3))
        if count > MAX_RECTANGLES and count != LAST_RECT_COUNT:
            raise ProtocolError(f"{count} rectangles in one update")
        self._damage = EMPTY
        self._resizes = 0
        limit = MAX_RECTANGLES if count == LAST_RECT_COUNT else count
        for _ in range(limit):
            last = yield from self._rectangle()
            if last:
                break
        else:
            if count == LAST_RECT_COUNT:
                raise ProtocolError("an update without end")
        self._events.append(Updated(self._damage))

    def _rectangle(self) -> Generator[int, bytes, bool]:
        x, y, width, height, encoding = _RECTANGLE.unpack((yield 12))
        rect = Rect(x, y, width, height)
        decoder = self._decoders.get(encoding)
        if decoder is None:
            return (yield from self._pseudo(rect, encoding))
        screen = self._screen()
        screen.check(rect)
        if width and height:
            yield from decoder.decode(rect, screen)
            self._damage = self._damage.union(rect)
        return False

    def _pseudo(self, rect: Rect, encoding: int) -> Generator[int, bytes, bool]:
        if encoding == Encoding.LAST_RECT:
            return True
        cursor = self._cursor(rect, encoding)
        if cursor is not None:
            self.cursor = yield from cursor
            self._events.append(CursorChanged())
        elif encoding == Encoding.DESKTOP_SIZE:
            self._resize(rect)
        elif encoding == Encoding.EXTENDED_DESKTOP_SIZE:
            yield from self._extended_size(rect)
        elif encoding == Encoding.DESKTOP_NAME:
            yield from self._name()
        elif encoding == Encoding.SUPPORTED_MESSAGES:
            yield from self._supported_messages(rect)
        else:
            raise ProtocolError(f"encoding {encoding}, which was not asked for")
        return False

    def _cursor(self, rect: Rect, encoding: int) -> Generator[int, bytes, Cursor] | None:
        if encoding == Encoding.CURSOR:
            return decode_cursor(rect, self._pixels.plain)
        if encoding == Encoding.X_CURSOR:
            return decode_x_cursor(rect)
        if encoding == Encoding.CURSOR_WITH_ALPHA:
            return decode_cursor_with_alpha(rect)
        return None

    def _extended_size(self, rect: Rect) -> Steps:
        """The size and its monitors, which are not told apart; or that we do not get it."""
        screens = (yield 4)[0]
        if screens > MAX_SCREENS:
            raise ProtocolError(f"{screens} monitors")
        yield screens * 16
        self.supports_desktop_size = True
        reason, status = rect.x, rect.y
        if reason == REASON_THIS_CLIENT and status:
            self._events.append(ResizeRefused(status))
        else:
            self._resize(rect)

    def _name(self) -> Steps:
        (length,) = struct.unpack(">I", (yield 4))
        if length > MAX_NAME_BYTES:
            raise ProtocolError(f"a desktop name of {length} bytes")
        self._events.append(Renamed(printable((yield length))))

    def _supported_messages(self, rect: Rect) -> Steps:
        if rect.width != SUPPORTED_MESSAGES_BYTES:
            raise ProtocolError(f"{rect.width} bytes of supported messages")
        known = yield SUPPORTED_MESSAGES_BYTES
        kind = ClientMessage.SET_SCALE
        self.supports_scale = bool(known[kind // 8] & 1 << kind % 8)

    def _resize(self, rect: Rect) -> None:
        """Take another size; the same size again (as TigerVNC announces itself) is nothing."""
        screen = self._screen()
        if (rect.width, rect.height) == (screen.width, screen.height):
            return
        self._resizes += 1
        if self._resizes > MAX_RESIZES:
            raise ProtocolError(f"{self._resizes} sizes in one update")
        screen.resize(rect.width, rect.height, self._keeps_pixels)
        self._keeps_pixels = True
        self._damage = self._damage.intersection(screen.bounds)
        self._events.append(Resized(rect.width, rect.height))

    def _colour_map(self) -> Steps:
        """Of use only where we take the server's own format and that has one."""
        first, count = struct.unpack(">xHH", (yield 5))
        if self._pixels.set_colours(first, (yield count * MAP_COLOUR_BYTES)):
            self._events.append(ColoursChanged())

    def _bell(self) -> Steps:
        self._events.append(Bell())
        yield 0

    def _end_of_continuous_updates(self) -> Steps:
        self.supports_continuous_updates = True
        self._events.append(ContinuousUpdatesEnded())
        yield 0

    def _cut_text(self) -> Steps:
        (length,) = struct.unpack(">3xi", (yield 7))
        is_extended = length < 0 and Encoding.EXTENDED_CLIPBOARD in self._encodings
        if abs(length) > (MAX_EXTENDED_BYTES if is_extended else MAX_CUT_TEXT_BYTES):
            raise ProtocolError(f"{length} bytes of cut text")
        if is_extended:
            event = self._clipboard.take((yield -length))
            if event is not None:
                self._events.append(event)
        elif length < 0:
            raise ProtocolError("a clipboard message that was not asked for")
        else:
            self._events.append(CutText((yield length)))

    def _fence(self) -> Steps:
        flags, length = struct.unpack(">3xIB", (yield 8))
        if length > MAX_FENCE_BYTES:
            raise ProtocolError(f"a fence of {length} bytes")
        payload = yield length
        self.supports_fence = True
        if flags & FENCE_REQUEST:
            self._out += messages.fence(flags & FENCE_KNOWN_FLAGS, payload)
        else:
            self._events.append(FenceAnswered(payload))
