"""PNG pictures of a known size: only the parts that make pixels ever reach the decoder."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">IIBBBBB")  # width, height, bits, colour type and three methods
NEEDED = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}  # others may hold text or profiles to inflate
MAX_CHUNKS = 4096  # a server's library writes one IDAT for each few KiB
COLOUR_TYPES = {0, 2, 3}  # grey, colour, palette: a screen has no opacity
MAX_BITS = 8  # a colour
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)


def decode_png(data: bytes, rect: Rect) -> Pixels:
    """Rows × columns × 3 of `data`, whose own size must be that of `rect`."""
    clean = _needed_chunks(data, rect)
    try:
        with Image.open(io.BytesIO(clean), formats=["PNG"]) as picture:
            return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    except UNREADABLE as error:
        raise ProtocolError("an unreadable PNG") from error


def _needed_chunks(data: bytes, rect: Rect) -> bytes:
    """`data` without what makes no pixels; raises `ProtocolError` for a header unlike `rect`."""
    if not data.startswith(SIGNATURE):
        raise ProtocolError("this is no PNG")
    chunks = [SIGNATURE]
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(data):
            raise ProtocolError("a PNG that is cut off")
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            raise ProtocolError("a PNG that is cut off")
        if kind == b"IHDR" or len(chunks) == 1:
            _check_header(kind, data[at + 8 : end - 4], rect, len(chunks))
        if kind in NEEDED:
            chunks.append(data[at:end])
        if kind == b"IEND":
            return b"".join(chunks)
        at = end
    raise ProtocolError("a PNG of too many parts")


def _check_header(kind: bytes, body: bytes, rect: Rect, place: int) -> None:
    if kind != b"IHDR" or len(body) != HEADER.size or place != 1:
        raise ProtocolError("a PNG must have one header")
    width, height, bits, colours, *methods = HEADER.unpack(body)
    if (width, height) != (rect.width, rect.height):
        raise ProtocolError(f"a PNG of {width}×{height} for {rect}")
    if bits > MAX_BITS or colours not in COLOUR_TYPES or any(methods):
        raise ProtocolError("a PNG of a kind that no server sends")
