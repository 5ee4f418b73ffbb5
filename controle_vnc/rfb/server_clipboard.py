"""Text in any script both ways (rfbproto, "Extended Clipboard Pseudo-Encoding"), ours a server.

Of its five formats only text is known: nothing that a viewer or a desktop puts on its clipboard
is worth the risk of the others.
"""

import struct

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES
from controle_vnc.rfb.inflate import zlib

TEXT = 1 << 0
FORMATS = 0xFFFF
CAPS, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in range(24, 29))
ACTIONS = REQUEST | PEEK | NOTIFY | PROVIDE
LEVEL = 1

_SIZE = struct.Struct(">I")


class ServerClipboard:
    """What is said of the clipboard to one viewer; methods give the bytes to say at once.

    A viewer that has told nothing of itself is taken to know everything, as the protocol says.
    """

    def __init__(self) -> None:
        self._actions = ACTIONS
        self._limit = MAX_CUT_TEXT_BYTES
        self._text: str | None = None

    def introduce(self) -> bytes:
        """Tell the viewer what we know."""
        return messages.extended_cut_text(CAPS | ACTIONS | TEXT, _SIZE.pack(MAX_CUT_TEXT_BYTES))

    def offer(self, text: str) -> bytes:
        """There is a new text on our side; the viewer may want it later, or takes it unasked."""
        self._text = text
        if self._actions & NOTIFY:
            return messages.extended_cut_text(NOTIFY | TEXT)
        return self._provide() if len(text.encode(errors="replace")) <= self._limit else b""

    def take(self, flags: int, data: bytes) -> tuple[bytes, str | None]:
        """A message of the viewer: what to answer, and the text that came with it."""
        if flags & CAPS:
            self._learn(flags, data)
        elif flags & REQUEST and flags & TEXT:
            return self._provide(), None
        elif flags & PEEK:
            known = TEXT if self._text is not None else 0
            return messages.extended_cut_text(NOTIFY | known), None
        elif flags & NOTIFY and flags & TEXT:
            return messages.extended_cut_text(REQUEST | TEXT), None
        elif flags & PROVIDE and flags & TEXT:
            return b"", text_of(data)
        return b"", None

    def _learn(self, flags: int, data: bytes) -> None:
        if len(data) < 4 * (flags & FORMATS).bit_count():
            raise ProtocolError("the sizes of the clipboard's formats are cut off")
        self._actions = flags & ACTIONS
        self._limit = _SIZE.unpack_from(data)[0] if flags & TEXT else 0  # text is the first of them

    def _provide(self) -> bytes:
        """The text, where there is one and the viewer takes any."""
        if self._text is None or not self._actions & PROVIDE:
            return b""
        return messages.extended_cut_text(PROVIDE | TEXT, packed(self._text))


def packed(text: str) -> bytes:
    """What a message that provides `text` has after its flags."""
    data = text.replace("\r\n", "\n").replace("\n", "\r\n").encode(errors="replace") + b"\0"
    stream = zlib.compressobj(LEVEL)
    whole: bytes = stream.compress(_SIZE.pack(len(data)) + data) + stream.flush()
    return whole


def text_of(data: bytes) -> str:
    """The text in a message that provides it first of all; raises `ProtocolError`."""
    stream = zlib.decompressobj()
    try:
        plain: bytes = stream.decompress(data, _SIZE.size + MAX_CUT_TEXT_BYTES)
    except zlib.error as error:
        raise ProtocolError("an unreadable clipboard") from error
    if len(plain) < _SIZE.size:
        raise ProtocolError("a clipboard that is cut off")
    (size,) = _SIZE.unpack_from(plain)
    if size > MAX_CUT_TEXT_BYTES or len(plain) - _SIZE.size < size:
        raise ProtocolError(f"{size} bytes of text in a clipboard")
    text = plain[_SIZE.size : _SIZE.size + size].decode(errors="replace")
    return text.removesuffix("\0").replace("\r\n", "\n")
