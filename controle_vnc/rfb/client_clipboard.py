"""ExtendedClipboard (rfbproto, encoding 0xC0A1E5CE) as a client: text in UTF-8, on request."""

import struct
from dataclasses import dataclass

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.clipboard import (
    ACTIONS,
    CAPABILITIES,
    FLAGS_BYTES,
    NOTIFY,
    PEEK,
    PROVIDE,
    REQUEST,
    TEXT,
    check_sizes,
    packed,
    unpacked,
)

UNASKED_BYTES = 0  # of text: a server tells that it has some, and we ask where it is wanted


@dataclass(frozen=True)
class TextOffered:
    """Text was copied on the workstation; `RfbClient.request_text` fetches it."""


@dataclass(frozen=True)
class TextGiven:
    """Text that was copied on the workstation."""

    text: str


ClipboardEvent = TextOffered | TextGiven


class ClientClipboard:
    """What the two sides may do and have; adds what is to be said to `out`."""

    def __init__(self, out: bytearray) -> None:
        self._out = out
        self._text: str | None = None
        self._server_actions = 0

    @property
    def is_known(self) -> bool:
        """The server has told that it speaks this."""
        return bool(self._server_actions)

    def take(self, body: bytes) -> ClipboardEvent | None:
        """Understand a message's flags and data; raises `ProtocolError`."""
        if len(body) < FLAGS_BYTES:
            raise ProtocolError("a clipboard message without flags")
        (flags,) = struct.unpack_from(">I", body)
        data = body[FLAGS_BYTES:]
        if flags & CAPABILITIES:
            self._agree(flags, data)
        elif flags & REQUEST:
            self._provide(flags)
        elif flags & PEEK:
            self._notify()
        elif flags & NOTIFY:
            return TextOffered() if flags & TEXT else None
        elif flags & PROVIDE and flags & TEXT:
            return TextGiven(unpacked(data))
        return None

    def copy(self, text: str) -> bool:
        """Offer `text` to the server; whether it takes it this way."""
        if not (self._server_actions & (NOTIFY | PROVIDE)):
            return False
        self._text = text
        if self._server_actions & NOTIFY:
            self._notify()
        else:
            self._provide(TEXT)
        return True

    def request(self) -> None:
        """Ask for the text that the server has."""
        self._say(REQUEST | TEXT, b"")

    def _agree(self, flags: int, data: bytes) -> None:
        check_sizes(flags, data)
        self._server_actions = flags & ACTIONS
        self._say(CAPABILITIES | ACTIONS | TEXT, struct.pack(">I", UNASKED_BYTES))

    def _notify(self) -> None:
        self._say(NOTIFY | (0 if self._text is None else TEXT), b"")

    def _provide(self, flags: int) -> None:
        if self._text is None or not flags & TEXT:
            return
        self._say(PROVIDE | TEXT, packed(self._text))

    def _say(self, flags: int, data: bytes) -> None:
        self._out += messages.extended_cut_text(flags, data, client=True)
