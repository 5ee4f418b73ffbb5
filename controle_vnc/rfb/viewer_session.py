"""What is said to one viewer and by it beside the pictures, after its handshake. Pure."""

from collections.abc import Collection

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES, Encoding
from controle_vnc.rfb.encoders.pixels import colour_map
from controle_vnc.rfb.encoders.quality import SHARED
from controle_vnc.rfb.flow import Flow
from controle_vnc.rfb.server_clipboard import ServerClipboard
from controle_vnc.rfb.taste import Taste
from controle_vnc.rfb.viewer_messages import (
    CutText,
    EnableContinuousUpdates,
    ExtendedCutText,
    Fence,
    KeyEvent,
    PointerEvent,
    SetDesktopSize,
    SetEncodings,
    SetPixelFormat,
    UpdateRequest,
    ViewerMessage,
    ViewerMessages,
)

MAX_ANSWER_BYTES = 4096  # of one kind, before the viewer reads them: a fence's has 73 at most

Wish = KeyEvent | PointerEvent | CutText | SetDesktopSize
"""What a viewer says to whoever owns the screen."""


class ViewerSession:
    """Follows one viewer: `taste` is how, `flow` when it wants to be shown the screen.

    `choice` are the encodings it may get. With `extended_clipboard` one that knows it is told
    texts in it, and else as Latin-1.
    """

    def __init__(self, choice: Collection[int] = SHARED, extended_clipboard: bool = False) -> None:
        self.taste = Taste(choice)
        self.flow = Flow()
        self._parser = ViewerMessages()
        self._offers_clipboard = extended_clipboard
        self._clipboard: ServerClipboard | None = None
        self._answers = bytearray()
        self._colour_map = False
        self._bell = False
        self._cut_text = b""

    # --- from the viewer

    def receive_data(self, data: bytes, now: float) -> list[Wish]:
        """Take in what the viewer sent at `now` (seconds); what is for the screen's owner.

        Raises `ProtocolError` for what no viewer may send.
        """
        taken = (self._take(message, now) for message in self._parser.feed(data))
        return [wish for wish in taken if wish is not None]

    def _take(self, message: ViewerMessage, now: float) -> Wish | None:
        if isinstance(message, UpdateRequest):
            self.flow.ask(message)
        elif isinstance(message, Fence):
            self._answer(self.flow.take(message, now))
        elif isinstance(message, EnableContinuousUpdates):
            self._answer(self.flow.enable(message))
        elif isinstance(message, SetPixelFormat):
            self.taste.learn(message)
            self._colour_map = not message.pixel_format.true_colour
        elif isinstance(message, SetEncodings):
            self._learn(message, now)
        elif isinstance(message, ExtendedCutText):
            return self._extended(message)
        else:
            return message
        return None

    def _learn(self, message: SetEncodings, now: float) -> None:
        self.taste.learn(message)
        self._answer(self.flow.learn(message.encodings, now))
        if (
            self._offers_clipboard
            and self._clipboard is None
            and Encoding.EXTENDED_CLIPBOARD in message.encodings
        ):
            self._clipboard = ServerClipboard()
            self._parser.layout.has_extended_clipboard = True
            self._answer(self._clipboard.introduce())

    def _extended(self, message: ExtendedCutText) -> CutText | None:
        if self._clipboard is None:
            return None
        answer, text = self._clipboard.take(message.flags, message.data)
        if len(answer) > MAX_ANSWER_BYTES:  # a text: the newest one will do
            self._cut_text = answer
        else:
            self._answer(answer)
        return None if text is None else CutText(text)

    def has_told_buttons(self) -> None:
        """The viewer knows from now on that we know ExtendedMouseButtons."""
        self._parser.layout.has_extended_buttons = True

    def _answer(self, data: bytes) -> None:
        self._answers += data
        if len(self._answers) > MAX_ANSWER_BYTES:
            raise ProtocolError("messages without reading the answers")

    # --- to the viewer

    def bell(self) -> None:
        self._bell = True

    def cut_text(self, text: str) -> None:
        """There is a new text on the screen's clipboard; only the newest is told, none too long."""
        if self._clipboard is not None:
            self._cut_text = self._clipboard.offer(text)
        elif len(text) <= MAX_CUT_TEXT_BYTES:
            self._cut_text = messages.server_cut_text(text.encode("latin-1", "replace"))

    def tell_size(self, old: Rect, new: Rect, reason: int = 0, status: int = 0) -> bytes:
        """The rectangle that tells the size `new` (ExtendedDesktopSize says why, and what of it).

        `b""` for a viewer that cannot follow, to which the screen is still `old`.
        """
        rectangle = self.taste.resize(new.width, new.height, reason, status)
        if rectangle and new != old:
            self.flow.resized(old, new)
        return rectangle

    def data_to_send(self) -> bytes:
        """All there is to say between two updates."""
        data = bytes(self._answers)
        self._answers.clear()
        if self._colour_map:
            data += messages.set_colour_map_entries(colour_map())
        if self._bell:
            data += messages.bell()
        data += self._cut_text
        self._colour_map = self._bell = False
        self._cut_text = b""
        return data
