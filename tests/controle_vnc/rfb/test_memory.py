"""No rectangle, however large, costs more than 64 MiB above the picture itself."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import MAX_KEPT_BYTES, Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.base import MAX_FILTERED_PIXELS, MAX_PICTURE_PIXELS
from controle_vnc.rfb.decoders.tight_png import MAX_PNG_PIXELS
from controle_vnc.rfb.messages import framebuffer_update, rectangle
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import connected, update
from tests.controle_vnc.rfb.writing import FORMATS, compact_length, jpeg, png

MOST_BYTES = 64 * 1024 * 1024
READ_BYTES = 256 * 1024
WIDE = (7680, 4320)
TILES_64 = -(-WIDE[0] // 64) * -(-WIDE[1] // 64)
TILES_16 = WIDE[0] // 16 * WIDE[1] // 16
TIGHT = (2048, MAX_FILTERED_PIXELS // 2048)
JPEG = (2048, MAX_PICTURE_PIXELS // 2048)
PNG = (1024, MAX_PNG_PIXELS // 1024)


def black(size):
    return np.zeros((size[1], size[0], 3), np.uint8)


def packed(block, times):
    """The zlib stream of `block` again and again, made without having it all at once."""
    stream = zlib.compressobj(1)
    data = b"".join(stream.compress(block) for _ in range(times))
    data += stream.flush(zlib.Z_SYNC_FLUSH)
    return struct.pack(">I", len(data)) + data


def tight(block, times, head):
    return told(head, packed(block, times)[4:])


def told(head, data):
    return head + compact_length(len(data)) + data


def peak(pixel_format, size, rect, encoding, data):
    """Bytes held at most while a rectangle is decoded, beside the framebuffer."""
    session = update((0, 0, *rect), encoding, data)
    client = connected(*size, pixel_format=pixel_format)
    tracemalloc.start()
    try:
        for at in range(0, len(session), READ_BYTES):
            client.receive_data(session[at : at + READ_BYTES], to_the_end)
        assert client.events()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


ROW = WIDE[0] * 4
CASES = {
    "zlib": lambda: (None, WIDE, WIDE, Encoding.ZLIB, packed(bytes(ROW * 16), WIDE[1] // 16)),
    "zlib of 8 bits": lambda: (
        FORMATS["map"], WIDE, WIDE, Encoding.ZLIB, packed(bytes(WIDE[0] * 16), WIDE[1] // 16),
    ),
    "zrle": lambda: (
        None, WIDE, (7680, 1024), Encoding.ZRLE, packed(bytes(1 + 64 * 64 * 3), 120 * 16),
    ),
    "zrle of 30 bits": lambda: (
        FORMATS["30 bits"], WIDE, WIDE, Encoding.ZRLE, packed(b"\x01\0\0\0\0", TILES_64),
    ),
    "rre": lambda: (None, WIDE, WIDE, Encoding.RRE, struct.pack(">I", 9999) + bytes(4 + 12 * 9999)),
    "hextile": lambda: (None, WIDE, (7680, 1024), Encoding.HEXTILE, bytes([2, 1, 2, 3, 4]) * 30720),
    "tight": lambda: (
        None, TIGHT, TIGHT, Encoding.TIGHT, tight(bytes(2048 * 3), 2048, b"\0"),
    ),
    "tight of 30 bits": lambda: (
        FORMATS["30 bits"], TIGHT, TIGHT, Encoding.TIGHT, tight(bytes(2048 * 4), 2048, b"\0"),
    ),
    "tight palette": lambda: (
        FORMATS["30 bits"], TIGHT, TIGHT, Encoding.TIGHT,
        tight(bytes(2048), 2048, b"\x40\x01\x02" + bytes(12)),
    ),
    "tight jpeg": lambda: (None, JPEG, JPEG, Encoding.TIGHT, told(b"\x90", jpeg(black(JPEG)))),
    "jpeg": lambda: (None, JPEG, JPEG, Encoding.JPEG, jpeg(black(JPEG))),
    "tightpng": lambda: (None, PNG, PNG, Encoding.TIGHT_PNG, told(b"\xa0", png(black(PNG)))),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_largest_rectangles_cost_little_beside_the_picture(name):
    case = CASES[name]()
    assert peak(*case) < MOST_BYTES - len(case[-1])  # what the network brought is not all held


def test_a_zrle_bomb_is_refused_before_it_is_inflated():
    bomb = packed(bytes(1024 * 1024), 200)
    client = connected()
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            client.receive_data(update((0, 0, 8, 6), Encoding.ZRLE, bomb), to_the_end)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_sizes_that_follow_each_other_are_not_all_held():
    framebuffer = Framebuffer(*WIDE)
    tracemalloc.start()
    try:
        for width in (7679, 7678, 7680):
            framebuffer.resize(width, 4320)
        assert tracemalloc.get_traced_memory()[1] < framebuffer.pixels.nbytes + MOST_BYTES
    finally:
        tracemalloc.stop()


def test_a_screen_as_large_as_the_limit_is_kept_in_another_size_and_a_larger_one_is_not():
    height = MAX_KEPT_BYTES // 4 // 4096
    for rows, kept in ((height, True), (height + 1, False)):
        framebuffer = Framebuffer(4096, rows)
        framebuffer.fill(framebuffer.bounds, (1, 2, 3))
        framebuffer.resize(100, 100)
        assert framebuffer.pixels.any() == kept


def test_many_small_rectangles_hold_nothing():
    rects = (rectangle(Rect(0, 0, 1, 1), Encoding.RAW) + bytes(4)) * 16384
    client = connected()
    tracemalloc.start()
    try:
        client.receive_data(framebuffer_update(16384, rects), to_the_end)
        assert tracemalloc.get_traced_memory()[1] < 3 * len(rects)
    finally:
        tracemalloc.stop()
