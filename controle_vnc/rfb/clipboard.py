"""What both sides know of ExtendedClipboard (rfbproto, encoding 0xC0A1E5CE): text in UTF-8.

Of its five formats only text is known: nothing that a viewer or a desktop puts on its clipboard
is worth the risk of the others.
"""

import struct
import zlib

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.constants import MAX_CUT_TEXT_BYTES

TEXT = 1 << 0
FORMATS = 0xFFFF  # a bit for each
CAPABILITIES, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in range(24, 29))
ACTIONS = REQUEST | PEEK | NOTIFY | PROVIDE
FLAGS_BYTES = 4
MAX_EXTENDED_BYTES = FLAGS_BYTES + MAX_CUT_TEXT_BYTES


def packed(text: str) -> bytes:
    """The data of a Provide: a size and so many bytes, which end with a NUL."""
    data = written(text)
    return zlib.compress(struct.pack(">I", len(data)) + data)


def written(text: str) -> bytes:
    """`text` as it goes into a Provide: every line ends with CR and LF, all of it with a NUL."""
    lines = text.replace("\r\n", "\n").replace("\n", "\r\n")
    return lines.encode(errors="replace") + b"\0"


def unpacked(data: bytes) -> str:
    """The text in a Provide; raises `ProtocolError`."""
    stream = zlib.decompressobj()
    try:
        head = stream.decompress(data, 4)
        if len(head) < 4:
            raise ProtocolError("a clipboard without its size")
        (size,) = struct.unpack(">I", head)
        if size > MAX_CUT_TEXT_BYTES:
            raise ProtocolError(f"{size} bytes of clipboard")
        text = stream.decompress(stream.unconsumed_tail, size) if size else b""
    except zlib.error as error:
        raise ProtocolError("an unreadable clipboard") from error
    if len(text) < size:
        raise ProtocolError("a clipboard that is cut off")
    decoded = text.partition(b"\0")[0].decode("utf-8", "replace")
    return decoded.replace("\r\n", "\n")


def check_sizes(flags: int, data: bytes) -> None:
    """Refuse Capabilities that do not tell a size for each of their formats."""
    if len(data) < 4 * (flags & FORMATS).bit_count():
        raise ProtocolError("clipboard formats without their sizes")
