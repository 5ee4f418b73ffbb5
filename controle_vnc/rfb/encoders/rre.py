"""RRE and CoRRE (RFC 6143 §7.7.3, rfbproto "CoRRE Encoding"): a ground and boxes on it."""

import struct

import numpy as np

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders.boxes import boxes_of, records
from controle_vnc.rfb.encoders.pixels import values_of
from controle_vnc.rfb.messages import rectangle
from controle_vnc.rfb.pixel_format import PixelFormat

MAX_COMPACT_SIDE = 255  # CoRRE counts pixels in one byte


def encode(pixels: Pixels, rect: Rect, pixel_format: PixelFormat, compact: bool = False) -> bytes:
    """One rectangle: RRE, with `compact` CoRRE, or Raw where that is shorter.

    CoRRE takes a `rect` of at most 255×255.
    """
    values = values_of(pixels[rect.y : rect.bottom, rect.x : rect.right], pixel_format)
    place = np.dtype("u1" if compact else ">u2")
    boxes = boxes_of(values, max(values.shape))
    ground = boxes.value[boxes.ground][:1]  # a slice: one number alone loses its byte order
    rest = boxes.without_ground()
    size = values.dtype.itemsize + 4 * place.itemsize
    if 4 + values.dtype.itemsize + len(rest.x) * size >= values.nbytes:
        return rectangle(rect, Encoding.RAW) + values.tobytes()
    columns = [column.astype(place) for column in (rest.x, rest.y, rest.width, rest.height)]
    data = records([rest.value, *columns]).tobytes()
    head: bytes = struct.pack(">I", len(rest.x)) + ground.tobytes()
    encoding = Encoding.CORRE if compact else Encoding.RRE
    return rectangle(rect, encoding) + head + data
