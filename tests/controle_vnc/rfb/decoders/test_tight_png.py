"""TightPNG: PNG in place of Tight's filters."""

import contextlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.tight_png import MAX_PNG_PIXELS
from controle_vnc.rfb.png import MAX_CHUNKS
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected, painted, update
from tests.controle_vnc.rfb.writing import FORMATS, compact_length, jpeg, png

SIZE = (24, 10)
PICTURE = np.random.default_rng(3).integers(0, 256, (10, 24, 3), np.uint8)


def sent(data, kind=0xA0):
    return update(
        (0, 0, *SIZE), Encoding.TIGHT_PNG, bytes([kind]) + compact_length(len(data)) + data
    )


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_header(*fields):
    good = png(PICTURE)
    return good[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + good[33:]


def with_chunks(*chunks):
    good = png(PICTURE)
    return good[:33] + b"".join(chunks) + good[33:]


@pytest.mark.parametrize("name", ["rgbx", "565", "map"])
def test_a_png_is_painted_whatever_the_pixel_format(name):
    client = connected(*SIZE, pixel_format=FORMATS[name])
    client.receive_data(sent(png(PICTURE)) + b"\x02", to_the_end)
    assert len(client.events()) == 2
    assert (client.framebuffer.pixels[:, :, :3] == PICTURE).all()


def test_one_byte_at_a_time_paints_the_same_picture():
    assert (painted(bytewise(sent(png(PICTURE))), *SIZE) == PICTURE).all()


@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_palettes_and_greys_are_painted(mode):
    flat = np.zeros((10, 24, 3), np.uint8)
    flat[3:5] = 255
    assert (painted([sent(png(flat, mode))], *SIZE) == flat).all()


def test_fills_and_jpegs_are_those_of_tight():
    fill = update((0, 0, *SIZE), Encoding.TIGHT_PNG, b"\x80\1\2\3")
    assert (painted([fill], *SIZE) == (1, 2, 3)).all()
    grey = np.full((10, 24, 3), 128, np.uint8)
    assert abs(painted([sent(jpeg(grey), 0x90)], *SIZE).astype(int) - 128).max() < 4


def test_what_makes_no_pixels_never_reaches_the_decoder():
    bomb = zlib.compress(bytes(1 << 20))
    odd = with_chunks(
        chunk(b"zTXt", b"k\0\0" + bomb), chunk(b"iCCP", b"k\0\0" + bomb), chunk(b"acTL", bytes(8))
    )
    assert (painted([sent(odd)], *SIZE) == PICTURE).all()


def test_as_many_parts_as_the_limit_are_taken_and_one_more_is_not():
    empty = chunk(b"tEXt", b"")
    client = connected(256, 256)
    wide = np.zeros((256, 256, 3), np.uint8)
    good = png(wide)
    parts = 3  # header, pixels, end
    for extra, taken in ((MAX_CHUNKS - parts, True), (MAX_CHUNKS - parts + 1, False)):
        data = good[:33] + empty * extra + good[33:]
        rect = update(
            (0, 0, 256, 256), Encoding.TIGHT_PNG, b"\xa0" + compact_length(len(data)) + data
        )
        if taken:
            client.receive_data(rect, to_the_end)
        else:
            with pytest.raises(ProtocolError, match="a PNG of too many parts"):
                client.receive_data(rect, to_the_end)


def test_a_png_of_a_megapixel_is_read_and_a_row_more_is_not():
    head = b"\xa0" + compact_length(100)
    connected(1024, 1025).receive_data(
        update((0, 0, 1024, MAX_PNG_PIXELS // 1024), Encoding.TIGHT_PNG, head), to_the_end
    )
    with pytest.raises(ProtocolError, match="a PNG of 1024×1025"):
        connected(1024, 1025).receive_data(
            update((0, 0, 1024, 1025), Encoding.TIGHT_PNG, head), to_the_end
        )


GOOD = png(PICTURE)
HOSTILE = {
    "wider than its rectangle": with_header(25, 10, 8, 2, 0, 0, 0),
    "lower than its rectangle": with_header(24, 9, 8, 2, 0, 0, 0),
    "of 2147483647 pixels a side": with_header(2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0),
    "of 16 bits": with_header(24, 10, 16, 2, 0, 0, 0),
    "with opacity": with_header(24, 10, 8, 6, 0, 0, 0),
    "interlaced": with_header(24, 10, 8, 2, 0, 0, 1),
    "with two headers": with_chunks(GOOD[8:33]),
    "without a header": GOOD[:8] + GOOD[33:],
    "without pixels": GOOD[:33] + chunk(b"IEND", b""),
    "with a wrong sum": GOOD[:40] + bytes([GOOD[40] ^ 1]) + GOOD[41:],
    "cut off": GOOD[:-4],
    "cut off in a part": GOOD[:40],
    "with a part of 4 GiB": with_chunks(b"\xff\xff\xff\xffIDAT"),
    "a palette picture without its palette": with_header(24, 10, 8, 3, 0, 0, 0),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures_end_the_connection(name):
    with pytest.raises(ProtocolError):
        painted([sent(HOSTILE[name])], *SIZE)


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_a_spoilt_picture_raises_protocol_errors_only(at, spoilt):
    with contextlib.suppress(ProtocolError):
        painted([sent(GOOD[:at] + spoilt + GOOD[at + len(spoilt) :])], *SIZE)


@given(
    st.binary(max_size=100),
    st.sampled_from([b"IDAT", b"PLTE", b"IEND", b"IHDR"]),
    st.sampled_from([0, 2, 3]),
    st.sampled_from([1, 2, 4, 8]),
)
def test_spoilt_parts_with_right_sums_raise_protocol_errors_only(body, kind, colours, bits):
    good = with_header(24, 10, bits, colours, 0, 0, 0)
    with contextlib.suppress(ProtocolError):
        painted([sent(good[:33] + chunk(kind, body) + good[33:])], *SIZE)
