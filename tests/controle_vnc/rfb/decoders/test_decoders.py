import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.base import BAND_PIXELS
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected, painted, update
from tests.controle_vnc.rfb.writing import FORMATS, compact_length

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def rgbx(*colours):
    return b"".join(bytes(colour) + b"\0" for colour in colours)


def rgb(*colours):
    return b"".join(bytes(colour) for colour in colours)


def synced(data):
    stream = zlib.compressobj()
    return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def zrle(data):
    packed = synced(data)
    return struct.pack(">I", len(packed)) + packed


def compact(data):
    length = len(data)
    assert length < 1 << 14
    head = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return head + data


def picture(*rows):
    return np.array(rows, np.uint8)


# rect, encoding, data, the pixels expected in the rectangle
GRADIENT = [[(10, 20, 30), (15, 25, 35)], [(12, 22, 32), (18, 27, 36)]]
CASES = {
    "raw": ((1, 2, 2, 1), Encoding.RAW, rgbx(RED, GREEN), [[RED, GREEN]]),
    "hextile raw": ((0, 0, 2, 1), Encoding.HEXTILE, b"\x01" + rgbx(RED, BLUE), [[RED, BLUE]]),
    "hextile background": (
        (0, 0, 2, 2), Encoding.HEXTILE, b"\x02" + rgbx(GREEN), [[GREEN, GREEN]] * 2,
    ),
    "hextile foreground": (
        (0, 0, 3, 1), Encoding.HEXTILE,
        b"\x0e" + rgbx(RED, BLUE) + b"\x01" + bytes([0x10, 0x10]), [[RED, BLUE, BLUE]],
    ),
    "hextile coloured": (
        (0, 0, 3, 1), Encoding.HEXTILE,
        b"\x1a" + rgbx(RED) + b"\x01" + rgbx(GREEN) + bytes([0x20, 0x00]), [[RED, RED, GREEN]],
    ),
    "zrle raw": ((0, 0, 2, 1), Encoding.ZRLE, zrle(b"\0" + rgb(RED, BLUE)), [[RED, BLUE]]),
    "zrle solid": ((0, 0, 2, 1), Encoding.ZRLE, zrle(b"\1" + rgb(RED)), [[RED, RED]]),
    "zrle packed 1 bit": (
        (0, 0, 3, 2), Encoding.ZRLE,
        zrle(b"\2" + rgb(RED, BLUE) + bytes([0b01000000, 0b10100000])),
        [[RED, BLUE, RED], [BLUE, RED, BLUE]],
    ),
    "zrle packed 2 bits": (
        (0, 0, 3, 1), Encoding.ZRLE, zrle(b"\3" + rgb(RED, BLUE, GREEN) + bytes([0b00100100])),
        [[RED, GREEN, BLUE]],
    ),
    "zrle packed 4 bits": (
        (0, 0, 2, 1), Encoding.ZRLE,
        zrle(bytes([5]) + rgb(RED, BLUE, GREEN, RED, BLUE) + bytes([0x24])), [[GREEN, BLUE]],
    ),
    "zrle plain runs": (
        (0, 0, 4, 1), Encoding.ZRLE, zrle(bytes([128]) + rgb(RED) + b"\2" + rgb(BLUE) + b"\0"),
        [[RED, RED, RED, BLUE]],
    ),
    "zrle palette runs": (
        (0, 0, 4, 1), Encoding.ZRLE,
        zrle(bytes([130]) + rgb(RED, BLUE) + bytes([0x81, 2, 0])), [[BLUE, BLUE, BLUE, RED]],
    ),
    "tight fill": ((0, 0, 2, 2), Encoding.TIGHT, b"\x80" + rgb(BLUE), [[BLUE, BLUE]] * 2),
    "tight short copy": (
        (0, 0, 3, 1), Encoding.TIGHT, b"\x00" + rgb(RED, GREEN, BLUE), [[RED, GREEN, BLUE]],
    ),
    "tight copy": (
        (0, 0, 4, 1), Encoding.TIGHT, b"\x00" + compact(synced(rgb(RED, GREEN, BLUE, RED))),
        [[RED, GREEN, BLUE, RED]],
    ),
    "tight two colours": (
        (0, 0, 3, 1), Encoding.TIGHT, b"\x40\x01\x01" + rgb(RED, BLUE) + bytes([0b01000000]),
        [[RED, BLUE, RED]],
    ),
    "tight palette": (
        (0, 0, 3, 1), Encoding.TIGHT,
        b"\x40\x01\x02" + rgb(RED, BLUE, GREEN) + bytes([2, 1, 0]), [[GREEN, BLUE, RED]],
    ),
    "tight gradient": (
        (0, 0, 2, 2), Encoding.TIGHT,
        b"\x40\x02" + compact(synced(bytes([10, 20, 30, 5, 5, 5, 2, 2, 2, 1, 0, 255]))), GRADIENT,
    ),
    "rre": (
        (1, 0, 3, 2), Encoding.RRE,
        struct.pack(">I", 2) + rgbx(RED, BLUE) + struct.pack(">HHHH", 1, 0, 2, 2)
        + rgbx(GREEN) + struct.pack(">HHHH", 2, 1, 1, 1),
        [[RED, BLUE, BLUE], [RED, BLUE, GREEN]],
    ),
    "rre background": ((0, 0, 2, 1), Encoding.RRE, bytes(4) + rgbx(BLUE), [[BLUE, BLUE]]),
    "corre": (
        (1, 0, 3, 1), Encoding.CORRE,
        struct.pack(">I", 1) + rgbx(RED, BLUE) + bytes([1, 0, 2, 1]), [[RED, BLUE, BLUE]],
    ),
    "zlib": ((0, 0, 2, 1), Encoding.ZLIB, zrle(rgbx(RED, BLUE)), [[RED, BLUE]]),
    "trle raw": ((0, 0, 2, 1), Encoding.TRLE, b"\0" + rgb(RED, BLUE), [[RED, BLUE]]),
    "trle solid": ((0, 0, 2, 2), Encoding.TRLE, b"\1" + rgb(RED), [[RED, RED]] * 2),
    "trle packed": (
        (0, 0, 3, 1), Encoding.TRLE, b"\3" + rgb(RED, BLUE, GREEN) + bytes([0b00100100]),
        [[RED, GREEN, BLUE]],
    ),
    "trle plain runs": (
        (0, 0, 4, 1), Encoding.TRLE, bytes([128]) + rgb(RED) + b"\2" + rgb(BLUE) + b"\0",
        [[RED, RED, RED, BLUE]],
    ),
    "trle palette runs": (
        (0, 0, 4, 1), Encoding.TRLE, bytes([130]) + rgb(RED, BLUE) + bytes([0x81, 2, 0]),
        [[BLUE, BLUE, BLUE, RED]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_known_bytes_paint_known_pixels(name):
    rect, encoding, data, expected = CASES[name]
    x, y, width, height = rect
    pixels = painted([update(rect, encoding, data)])
    assert (pixels[y : y + height, x : x + width] == picture(*expected)).all()


@pytest.mark.parametrize("name", CASES)
def test_one_byte_at_a_time_paints_the_same_picture(name):
    rect, encoding, data, _ = CASES[name]
    session = update(rect, encoding, data)
    assert (painted(bytewise(session)) == painted([session])).all()


@pytest.mark.parametrize("name", CASES)
def test_a_cut_off_rectangle_gives_no_update(name):
    rect, encoding, data, _ = CASES[name]
    client = connected()
    client.receive_data(update(rect, encoding, data)[:-1], to_the_end)
    assert client.events() == []


@pytest.mark.parametrize("name", CASES)
def test_what_follows_a_rectangle_is_left_for_the_next(name):
    rect, encoding, data, _ = CASES[name]
    client = connected()
    client.receive_data(
        update(rect, encoding, data) + update((7, 5, 1, 1), 0, rgbx(GREEN)), to_the_end
    )
    assert tuple(client.framebuffer.pixels[5, 7, :3]) == GREEN
    assert len(client.events()) == 2


def test_copy_rect_may_overlap_itself():
    first = update((0, 0, 3, 1), Encoding.RAW, rgbx(RED, GREEN, BLUE))
    second = update((1, 0, 3, 1), Encoding.COPY_RECT, struct.pack(">HH", 0, 0))
    assert (painted([first, second])[0, :4] == picture(RED, RED, GREEN, BLUE)).all()


def test_streams_live_from_rectangle_to_rectangle():
    stream = zlib.compressobj()
    session = b""
    for colour in (RED, BLUE):
        packed = stream.compress(b"\1" + rgb(colour)) + stream.flush(zlib.Z_SYNC_FLUSH)
        session += update((0, 0, 8, 6), Encoding.ZRLE, struct.pack(">I", len(packed)) + packed)
    assert (painted([session]) == BLUE).all()


def jpeg(width, height):
    return simplejpeg.encode_jpeg(
        np.full((height, width, 3), 128, np.uint8), quality=95, colorspace="RGB"
    )


def test_a_tight_jpeg_is_painted():
    data = b"\x90" + compact(jpeg(8, 6))
    assert abs(painted([update((0, 0, 8, 6), Encoding.TIGHT, data)]).astype(int) - 128).max() < 4


@pytest.mark.parametrize("spare", [0, 20_000])
def test_a_tight_jpeg_is_painted_whatever_its_length_takes_and_wherever_it_is_cut(spare):
    plain = jpeg(128, 64)
    comment = b"\xff\xfe" + struct.pack(">H", spare + 2) + bytes(spare)
    data = plain[:2] + comment + plain[2:]
    head = b"\x90" + (long_compact if spare else compact)(data)[: -len(data)]
    session = update((0, 0, 128, 64), Encoding.TIGHT, head + data)
    for size in (1, 7, len(session)):
        client = connected(128, 64)
        for at in range(0, len(session), size):
            client.receive_data(session[at : at + size], to_the_end)
        assert len(client.events()) == 1
        assert abs(client.framebuffer.pixels[:, :, :3].astype(int) - 128).max() < 4


@pytest.mark.parametrize("name", ["jpeg", *[name for name in CASES if "tight" in name]])
def test_what_looks_equal_is_equal_in_the_fourth_byte_too(name):
    jpeg_case = ((0, 0, 8, 6), Encoding.TIGHT, b"\x90" + compact(jpeg(8, 6)), None)
    rect, encoding, data, _ = CASES.get(name, jpeg_case)
    client = connected()
    client.receive_data(update(rect, encoding, data), to_the_end)
    assert not client.framebuffer.pixels[:, :, 3].any()


HOSTILE = {
    "a JPEG larger than its rectangle": ((0, 0, 4, 4), 7, b"\x90" + compact(jpeg(8, 6))),
    "a JPEG of one byte": ((0, 0, 4, 4), 7, b"\x90\x01xy"),
    "a JPEG longer than its pixels": ((0, 0, 4, 4), 7, b"\x90\xff\xff\xff"),
    "no JPEG at all": ((0, 0, 4, 4), 7, b"\x90" + compact(b"nonsense")),
    "Tight of an unknown kind": ((0, 0, 4, 4), 7, b"\xa0"),
    "an unknown Tight filter": ((0, 0, 1, 1), 7, b"\x40\x07" + bytes(3)),
    "a Tight index outside its palette": (
        (0, 0, 3, 1), 7, b"\x40\x01\x02" + rgb(RED, BLUE, GREEN) + bytes([2, 1, 3]),
    ),
    "a Tight bomb": ((0, 0, 8, 6), 7, b"\x00" + compact(synced(bytes(8 * 6 * 3 + 1)))),
    "too little in Tight": ((0, 0, 8, 6), 7, b"\x00" + compact(synced(bytes(8 * 6 * 3 - 1)))),
    "no zlib in Tight": ((0, 0, 8, 6), 7, b"\x00" + compact(b"nonsense, sixteen")),
    "a ZRLE bomb": ((0, 0, 8, 6), 16, zrle(bytes(1_000_000))),
    "a ZRLE run that leaves its tile": (
        (0, 0, 2, 1), 16, zrle(bytes([128]) + rgb(RED) + b"\2"),
    ),
    "an endless ZRLE run": ((0, 0, 2, 1), 16, zrle(bytes([128]) + rgb(RED) + b"\xff" * 300)),
    "a ZRLE index outside its palette": (
        (0, 0, 2, 1), 16, zrle(b"\3" + rgb(RED, BLUE, GREEN) + bytes([0b11110000])),
    ),
    "a ZRLE tile of no known kind": ((0, 0, 2, 1), 16, zrle(bytes([17]) + bytes(60))),
    "a ZRLE tile cut off": ((0, 0, 2, 1), 16, zrle(b"\0" + rgb(RED))),
    "bytes after the last ZRLE tile": ((0, 0, 1, 1), 16, zrle(b"\1" + rgb(RED) + b"x")),
    "4 GiB of ZRLE": ((0, 0, 8, 6), 16, b"\xff\xff\xff\xff"),
    "a Hextile subrectangle that leaves its tile": (
        (0, 0, 3, 1), 5, b"\x0e" + rgbx(RED, BLUE) + b"\x01" + bytes([0x10, 0x20]),
    ),
    "more RRE subrectangles than pixels": ((0, 0, 2, 1), 2, struct.pack(">I", 3) + bytes(40)),
    "an RRE subrectangle that leaves on the right": (
        (0, 0, 2, 2), 2, struct.pack(">I", 1) + bytes(8) + struct.pack(">HHHH", 1, 0, 2, 1),
    ),
    "an RRE subrectangle that leaves at the bottom": (
        (0, 0, 2, 2), 2, struct.pack(">I", 1) + bytes(8) + struct.pack(">HHHH", 0, 65535, 1, 65535),
    ),
    "a CoRRE subrectangle that leaves": (
        (0, 0, 2, 2), 4, struct.pack(">I", 1) + bytes(8) + bytes([255, 0, 255, 1]),
    ),
    "a zlib bomb": ((0, 0, 8, 6), 6, zrle(bytes(1_000_000))),
    "a pixel too many in zlib": ((0, 0, 8, 6), 6, zrle(bytes(8 * 6 * 4 + 1))),
    "a pixel too few in zlib": ((0, 0, 8, 6), 6, zrle(bytes(8 * 6 * 4 - 1))),
    "no zlib in zlib": ((0, 0, 8, 6), 6, struct.pack(">I", 8) + b"nonsense"),
    "4 GiB of zlib": ((0, 0, 8, 6), 6, b"\xff\xff\xff\xff"),
    "a TRLE run that leaves its tile": ((0, 0, 2, 1), 15, bytes([128]) + rgb(RED) + b"\2"),
    "an endless TRLE run": ((0, 0, 2, 1), 15, bytes([128]) + rgb(RED) + b"\xff" * 300),
    "a TRLE palette run that leaves its tile": (
        (0, 0, 2, 1), 15, bytes([130]) + rgb(RED, BLUE) + b"\x80\2",
    ),
    "a TRLE index outside its palette": (
        (0, 0, 2, 1), 15, b"\3" + rgb(RED, BLUE, GREEN) + bytes([0b11110000]),
    ),
    "a TRLE tile of no known kind": ((0, 0, 2, 1), 15, bytes([17])),
    "a TRLE palette again before the first": ((0, 0, 2, 1), 15, bytes([127, 0])),
    "TRLE runs of a palette before the first": ((0, 0, 2, 1), 15, bytes([129, 0, 0])),
    "basic data in TightPNG": ((0, 0, 4, 4), -260, b"\0"),
    "no PNG in TightPNG": ((0, 0, 4, 4), -260, b"\xa0" + compact(b"nonsense")),
    "no JPEG in JPEG": ((0, 0, 4, 4), 21, b"nonsense"),
    "a rectangle past the right edge": ((5, 0, 4, 1), 0, b""),
    "a rectangle past the bottom": ((0, 5, 1, 2), 0, b""),
    "a rectangle of 4 GiB": ((0, 0, 65535, 65535), 0, b""),
    "a copy from outside": ((0, 0, 4, 4), 1, struct.pack(">HH", 5, 0)),
    "an encoding nobody asked for": ((0, 0, 1, 1), 22, b""),
    "a cursor of 257": ((0, 0, 257, 1), -239, b""),
    "a screen of 65535 × 65535": ((0, 0, 65535, 65535), -223, b""),
    "65 monitors": ((0, 0, 8, 6), -308, bytes([65, 0, 0, 0])),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_rectangles_end_the_connection(name):
    with pytest.raises(ProtocolError):
        painted([update(*HOSTILE[name])])


def test_a_tight_rectangle_may_be_2048_wide_and_no_wider():
    data = b"\x80" + rgb(BLUE)
    assert (painted([update((0, 0, 2048, 1), 7, data)], 2049, 1)[0, :2048] == BLUE).all()
    with pytest.raises(ProtocolError):
        painted([update((0, 0, 2049, 1), 7, data)], 2049, 1)


def test_empty_rectangles_are_nothing():
    for encoding in (0, 1, 2, 4, 5, 6, 7, 15, 16, 21, -260):
        assert (painted([update((0, 0, 0, 0), encoding, b"")]) == 0).all()


DECODED = [0, 1, 2, 4, 5, 6, 7, 15, 16, 21, -260, -239, -240, -314, -307, -308]


@given(st.binary(max_size=300), st.sampled_from(DECODED), st.sampled_from(list(FORMATS)))
def test_hostile_bytes_raise_protocol_errors_only(data, encoding, name):
    client = connected(pixel_format=FORMATS[name])
    with contextlib.suppress(ProtocolError):
        client.receive_data(update((0, 0, 8, 6), encoding, data), to_the_end)


@given(st.binary(max_size=300), st.sampled_from([6, 16]))
def test_hostile_bytes_in_a_zlib_stream_raise_protocol_errors_only(data, encoding):
    with contextlib.suppress(ProtocolError):
        painted([update((0, 0, 8, 6), encoding, zrle(data))])


@given(st.data())
def test_any_split_paints_the_same_picture(data):
    session = b"".join(
        update(rect, code, body)
        for rect, code, body, _ in CASES.values()
        if code in {0, 1, 2, 4, 5, 15}
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(session)), max_size=6)))
    edges = [0, *cuts, len(session)]
    chunks = [session[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    assert (painted(chunks) == painted([session])).all()


def test_a_large_raw_rectangle_is_read_in_bands():
    noise = np.random.default_rng(1).integers(0, 255, (600, 800, 4), np.uint8)
    sent = io.BytesIO(update((0, 0, 800, 600), 0, noise.tobytes()))
    pixels = painted(iter(lambda: sent.read(65536), b""), 800, 600)
    assert (pixels == noise[:, :, :3]).all()


def steps_of(client, data):
    """How many turns `data` takes when each is over after its first step."""
    client.receive_data(data, lambda: True)
    turns = 1
    while client.is_behind:
        client.receive_data(b"", lambda: True)
        turns += 1
    return turns


def big_gradient(side):
    return b"\x40\x02" + long_compact(synced(bytes(side * side * 3)))


def long_compact(data):
    length = len(data)
    return bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14]) + data


def rre_over_and_over(count, side):
    whole = rgbx(RED) + struct.pack(">HHHH", 0, 0, side, side)
    return struct.pack(">I", count) + rgbx(BLUE) + whole * count


def big_zrle(width, height):
    tiles = -(-width // 64) * -(-height // 64)
    return zrle((b"\1" + rgb(RED)) * tiles)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        (Encoding.RAW, bytes(1024 * 1024 * 4)),
        (Encoding.COPY_RECT, struct.pack(">HH", 0, 0)),
        (Encoding.TIGHT, b"\x80" + rgb(BLUE)),
        (Encoding.TIGHT, big_gradient(1024)),
        (Encoding.ZRLE, big_zrle(1024, 1024)),
        (Encoding.ZLIB, zrle(bytes(1024 * 1024 * 4))),
        (Encoding.RRE, rre_over_and_over(100, 1024)),
        (Encoding.TRLE, (b"\1" + rgb(RED)) * 64 * 64),
    ],
    ids=["raw", "copy", "fill", "gradient", "zrle", "zlib", "rre", "trle"],
)
def test_a_large_rectangle_leaves_turns_to_others(encoding, data):
    client = connected(1024, 1024)
    assert steps_of(client, update((0, 0, 1024, 1024), encoding, data)) > 16
    assert len(client.events()) == 1


@pytest.mark.parametrize("source", [(0, 0), (0, 600), (30, 20), (5, 300), (40, 0)])
def test_a_large_copy_may_overlap_itself_in_every_direction(source):
    random = np.random.default_rng(1)
    client = connected(640, 1200)
    client.framebuffer.pixels[:] = random.integers(0, 255, (1200, 640, 4), np.uint8)
    before = client.framebuffer.pixels.copy()
    x, y = source
    client.receive_data(
        update((20, 10, 600, 600), Encoding.COPY_RECT, struct.pack(">HH", x, y)), to_the_end
    )
    before[10:610, 20:620] = before[y : y + 600, x : x + 600].copy()
    assert (client.framebuffer.pixels == before).all()


def test_a_tight_rectangle_of_4_megapixels_is_taken_and_a_row_more_is_not():
    data = b"\x40\x01\x01" + rgb(RED, BLUE)
    whole = long_compact(synced(bytes([255]) * (2048 // 8 * 2048)))
    client = connected(2048, 2049)
    client.receive_data(update((0, 0, 2048, 2048), Encoding.TIGHT, data + whole), to_the_end)
    assert tuple(client.framebuffer.pixels[2047, 2047, :3]) == BLUE
    with pytest.raises(ProtocolError, match="a Tight rectangle of 2048×2049"):
        client.receive_data(update((0, 0, 2048, 2049), Encoding.TIGHT, data), to_the_end)


def test_a_jpeg_in_tight_of_2_megapixels_is_read_and_a_row_more_is_not():
    jpeg = compact_length(100)
    client = connected(2048, 1025)
    client.receive_data(update((0, 0, 2048, 1024), Encoding.TIGHT, b"\x90" + jpeg), to_the_end)
    with pytest.raises(ProtocolError, match="a Tight rectangle of 2048×1025"):
        connected(2048, 1025).receive_data(
            update((0, 0, 2048, 1025), Encoding.TIGHT, b"\x90" + jpeg), to_the_end
        )


@pytest.mark.parametrize("colours", [2, 3])
def test_a_large_palette_rectangle_is_painted_in_parts_with_a_rest_between(colours):
    row = 2048 // 8 if colours == 2 else 2048
    palette = b"\x40\x01" + bytes([colours - 1]) + rgb(RED, BLUE, BLUE)[: 3 * colours]
    data = palette + long_compact(synced(bytes([255 if colours == 2 else 2]) * (row * 512)))
    client = connected(2048, 512)
    client.receive_data(update((0, 0, 2048, 512), Encoding.TIGHT, data), lambda: True)
    pixels = client.framebuffer.pixels
    seen_halves = 0
    while client.is_behind:
        client.receive_data(b"", lambda: True)
        seen_halves += bool(pixels[0].any()) and not pixels[-1].any()
    assert seen_halves >= 2048 * 512 // BAND_PIXELS - 1
    assert (client.framebuffer.pixels[:, :, :3] == BLUE).all()


def with_scans(count):
    """A JPEG whose last comment holds as many starts of a scan as make `count`."""
    jpeg = simplejpeg.encode_jpeg(np.zeros((16, 16, 3), np.uint8), colorspace="RGB")
    marks = b"\xff\xda" * (count - jpeg.count(b"\xff\xda"))
    comment = b"\xff\xfe" + struct.pack(">H", len(marks) + 2) + marks
    return jpeg[:2] + comment + jpeg[2:]


def test_a_jpeg_of_8_scans_is_taken_and_of_9_is_not():
    client = connected(16, 16)
    client.receive_data(
        update((0, 0, 16, 16), Encoding.TIGHT, b"\x90" + compact(with_scans(8))), to_the_end
    )
    assert len(client.events()) == 1
    with pytest.raises(ProtocolError, match="too many scans"):
        client.receive_data(
            update((0, 0, 16, 16), Encoding.TIGHT, b"\x90" + compact(with_scans(9))), to_the_end
        )
