"""ExtendedClipboard as a server: text in any script both ways, on request."""

import struct

from controle_vnc.rfb import messages
from controle_vnc.rfb.clipboard import (
    ACTIONS,
    CAPABILITIES,
    NOTIFY,
    PEEK,
    PROVIDE,
    REQUEST,
    TEXT,
    check_sizes,
    packed,
    unpacked,
    written,
)
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES

_SIZE = struct.Struct(">I")


class ServerClipboard:
    """What is said of the clipboard to one viewer; methods give the bytes to say at once.

    A viewer that has told nothing of itself is taken to know everything, as the protocol says.
    """

    def __init__(self) -> None:
        self._actions = ACTIONS
        self._limit = MAX_CUT_TEXT_BYTES
        self._size = 0  # of the text in a Provide
        self._provided = b""  # the data of one; packed once, however often it is asked for

    def introduce(self) -> bytes:
        """Tell the viewer what we know."""
        flags = CAPABILITIES | ACTIONS | TEXT
        return messages.extended_cut_text(flags, _SIZE.pack(MAX_CUT_TEXT_BYTES))

    def offer(self, text: str) -> bytes:
        """There is a new text on our side; the viewer may want it later, or takes it unasked."""
        self._size = len(written(text))
        self._provided = packed(text) if self._size <= MAX_CUT_TEXT_BYTES else b""
        if not self._provided:
            return b""
        if self._actions & NOTIFY:
            return messages.extended_cut_text(NOTIFY | TEXT)
        return self._provide() if self._size <= self._limit else b""

    def take(self, flags: int, data: bytes) -> tuple[bytes, str | None]:
        """A message of the viewer: what to answer, and the text that came with it."""
        if flags & CAPABILITIES:
            self._learn(flags, data)
        elif flags & REQUEST and flags & TEXT:
            return self._provide(), None
        elif flags & PEEK:
            known = TEXT if self._provided else 0
            return messages.extended_cut_text(NOTIFY | known), None
        elif flags & NOTIFY and flags & TEXT:
            return messages.extended_cut_text(REQUEST | TEXT), None
        elif flags & PROVIDE and flags & TEXT:
            return b"", unpacked(data)
        return b"", None

    def _learn(self, flags: int, data: bytes) -> None:
        check_sizes(flags, data)
        self._actions = flags & ACTIONS
        self._limit = _SIZE.unpack_from(data)[0] if flags & TEXT else 0  # text is the first of them

    def _provide(self) -> bytes:
        """The text, where there is one and the viewer takes any."""
        if not (self._provided and self._actions & PROVIDE):
            return b""
        return messages.extended_cut_text(PROVIDE | TEXT, self._provided)
