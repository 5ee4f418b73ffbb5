"""RFB towards a viewer: a framebuffer in, bytes out; the other way its wishes."""

from collections import deque
from collections.abc import Collection
from dataclasses import replace

from controle_vnc.framebuffer.framebuffer import Framebuffer, Pixels
from controle_vnc.framebuffer.grid import Change
from controle_vnc.framebuffer.rect import EMPTY, Rect
from controle_vnc.framebuffer.shown import Shown
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import LAST_RECT_COUNT, Encoding
from controle_vnc.rfb.cursor import Cursor
from controle_vnc.rfb.encoders import ALL, Encoders, copy_rect
from controle_vnc.rfb.encoders import cursor as cursors
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.rfb.viewer_messages import UpdateRequest
from controle_vnc.rfb.viewer_session import ViewerSession, Wish

EVERYTHING = ALL | {Encoding.COPY_RECT}

ROOM_BYTES = 64 * 1024  # about so much is encoded at once; the rest when that has been sent
CELLS_AT_ONCE = 16  # a few ms: who has more to encode holds nobody up for longer
MAX_COPIES = 64  # between two updates; beyond that the pixels are sent

BY_SERVER, BY_VIEWER = range(2)
"""Who gave a screen its size (rfbproto, "ExtendedDesktopSize Pseudo-encoding")."""
DONE, PROHIBITED, NO_RESOURCES, INVALID = range(4)
"""What became of a wish for another size."""

ACKNOWLEDGED = (Encoding.QEMU_EXTENDED_KEY_EVENT, Encoding.EXTENDED_MOUSE_BUTTONS)
"""Kinds of input that a viewer uses once an empty rectangle has told it that we know them."""


class RfbServer:
    """One viewer's connection, without its socket.

    After `receive_data` or a change of the framebuffer send `data_to_send` until it is empty;
    to wait until the viewer has taken one portion before the next is made is what keeps a slow
    viewer's memory small and its picture new. `receive_data` raises `ProtocolError`, and for who
    is not let in `AuthenticationError` or `HungUpError`: the connection ends then, or once it
    `is_over`, after what there is to send. Time is in seconds, from any moment.
    """

    def __init__(
        self,
        framebuffer: Framebuffer,
        name: str,
        handshake: ServerHandshake | None = None,
        choice: Collection[int] = EVERYTHING,
    ) -> None:
        self.session = ViewerSession(ALL.intersection(choice), extended_clipboard=True)
        self._framebuffer = framebuffer
        self._name = name
        self._handshake = handshake or ServerHandshake()
        self._has_offered = self._is_open = False
        self._copies: deque[bytes] = deque()
        self._takes_copies = Encoding.COPY_RECT in choice
        self._encoders = Encoders()
        self._shown = Shown()
        self._told = _Told(name)
        self._cursor: Cursor | None = None
        self._cursors = 0  # shown so far
        self._size_reason, self._size_status = BY_SERVER, DONE
        self._update: _Update | None = None

    # --- the viewer

    @property
    def is_open(self) -> bool:
        """The handshake is done."""
        return self._is_open

    @property
    def is_over(self) -> bool:
        """The viewer has said that nothing more follows."""
        return self._handshake.wrapping.is_over

    def receive_data(self, data: bytes, now: float) -> list[Wish]:
        """Take in what the viewer sent at `now`; what it wants of the screen's owner."""
        if self._is_open:
            return self.session.receive_data(self._handshake.wrapping.open_all(data), now)
        self._handshake.receive_data(data)
        if self._handshake.greeted and not self._has_offered:
            self._has_offered = True
            self._handshake.offer()
        if not self._handshake.done:
            return []
        framebuffer = self._framebuffer
        self._shown.bounds = framebuffer.bounds
        self._handshake.open(ServerInit(framebuffer.width, framebuffer.height, RGBX, self._name))
        self._is_open = True
        return self.session.receive_data(self._handshake.rest, now)

    # --- the screen's owner

    def copied(self, rect: Rect, source_x: int, source_y: int) -> None:
        """Say at once that nothing but a copy to `rect` has changed since the last word.

        Without that word, or where the viewer cannot follow, it is sent the pixels.
        """
        shown, stamp = self._shown, self._framebuffer.grid.stamp
        can_follow = (
            self._takes_copies
            and self._update is None
            and Encoding.COPY_RECT in self.session.taste.encodings
            and shown.has_all(self._framebuffer, stamp - 1)
            and shown.bounds == self._framebuffer.bounds
            and len(self._copies) < MAX_COPIES
        )
        if can_follow:
            self._copies.append(copy_rect.encode(rect, source_x, source_y))
            shown.seen = stamp

    def show_cursor(self, cursor: Cursor) -> None:
        """From now on the pointer looks so, to viewers that draw it themselves."""
        self._cursor = cursor
        self._cursors += 1

    def rename(self, name: str) -> None:
        """Give the desktop another name."""
        self._name = name

    def answer_size(self, status: int) -> None:
        """Tell what became of a `SetDesktopSize`; `DONE` once the framebuffer has that size."""
        self._size_reason, self._size_status = BY_VIEWER, status
        self._told.size = EMPTY

    # --- to the viewer

    def data_to_send(self, now: float) -> bytes:
        """The next portion, a little more than `ROOM_BYTES` at most; `b""` for nothing now."""
        data = self._handshake.data_to_send()
        return data + self._handshake.wrapping.seal(self._said(now)) if self._is_open else data

    def _said(self, now: float) -> bytes:
        data = b""
        if self._update is None:
            data = self.session.data_to_send()
            self._begin_update()
        if self._update is not None:
            data += self._go_on(self._update, now)
        return data

    def _begin_update(self) -> None:
        wanted = self.session.flow.wanted
        if wanted is None:
            return
        has_changed = self._shown.bounds != self._framebuffer.bounds
        size = self._new_size()
        if size:  # no update that tells a size may have pixels
            if not has_changed:
                wanted = replace(wanted)  # and this one does not answer the request
            self._start(wanted, [size], [])
            return
        begun = [*self._copies, *self._news()]
        self._copies.clear()
        rest = self._shown.take(self._framebuffer, wanted.rect, wanted.incremental)
        if begun or rest:
            self._start(wanted, begun, rest)

    def _start(self, wanted: UpdateRequest, begun: list[bytes], rest: list[Change]) -> None:
        taste = self.session.taste
        has_end = Encoding.LAST_RECT in taste.encodings
        self._update = _Update(wanted, taste.quality, self._framebuffer, begun, rest, has_end)

    def _go_on(self, update: "_Update", now: float) -> bytes:
        data = update.portion(self._encoders)
        if not update.is_over:
            return data
        self._update = None
        return data + self.session.flow.sent(update.wanted, now)

    # --- rectangles without pixels

    def _new_size(self) -> bytes:
        """The size, where the viewer can be told and does not know it."""
        old, new, told = self._shown.bounds, self._framebuffer.bounds, self._told
        is_announced = Encoding.EXTENDED_DESKTOP_SIZE in self.session.taste.encodings
        if new == old and (told.size == new or not is_announced):
            return b""
        rectangle = self.session.tell_size(old, new, self._size_reason, self._size_status)
        if rectangle:
            self._size_reason, self._size_status = BY_SERVER, DONE
            told.size = new
            if new != old:
                self._copies.clear()
                self._shown.bounds = new
        return rectangle

    def _news(self) -> list[bytes]:
        """What else the viewer does not know and understands."""
        encodings, told = self.session.taste.encodings, self._told
        news = []
        for code in ACKNOWLEDGED:
            if code in encodings and code not in told.known:
                told.known.add(code)
                news.append(messages.rectangle(EMPTY, code))
        if Encoding.EXTENDED_MOUSE_BUTTONS in told.known:
            self.session.has_told_buttons()
        if Encoding.DESKTOP_NAME in encodings and told.name != self._name:
            told.name = self._name
            news.append(messages.desktop_name(self._name))
        kind = next((kind for kind in cursors.KINDS if kind in encodings), None)
        pixel_format = self.session.taste.pixel_format
        drawn = (self._cursors, kind, pixel_format)
        if self._cursor is not None and kind is not None and told.cursor != drawn:
            told.cursor = drawn
            news.append(cursors.encode(self._cursor, kind, pixel_format))
        return news


class _Told:
    """What a viewer has been told beside pixels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = EMPTY
        self.known: set[int] = set()
        self.cursor: object = None


class _Update:
    """One FramebufferUpdate on its way: each cell is encoded when there is room to send it."""

    def __init__(
        self,
        wanted: UpdateRequest,
        quality: Quality,
        framebuffer: Framebuffer,
        begun: list[bytes],
        rest: list[Change],
        has_end: bool,
    ) -> None:
        self.wanted = wanted
        self._quality = quality
        self._framebuffer = framebuffer
        self._pixels: Pixels = framebuffer.pixels
        self._rest = deque(rest)
        self._has_end = has_end
        self._out = bytearray()
        count = LAST_RECT_COUNT if has_end else len(begun) + len(rest)
        self._out += messages.framebuffer_update(count, b"".join(begun))
        self.is_over = False

    def portion(self, encoders: Encoders) -> bytes:
        """Some more of it."""
        if self._has_end and self._framebuffer.pixels is not self._pixels:
            self._rest.clear()  # of another screen: the viewer is told its size next
        cells = 0
        while self._rest and len(self._out) < ROOM_BYTES and cells < CELLS_AT_ONCE:
            box = self._rest.popleft().box
            self._out += encoders.encode(self._quality, self._pixels, box)
            cells += 1
        if not self._rest:
            self.is_over = True
            if self._has_end:
                self._out += messages.rectangle(EMPTY, Encoding.LAST_RECT)
        data = bytes(self._out)
        self._out.clear()
        return data
