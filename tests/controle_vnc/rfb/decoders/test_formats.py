"""Every decoder in every pixel format, against pictures written by hand-made encoders."""

import itertools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import client as rfb
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected, opening, update
from tests.controle_vnc.rfb.writing import (
    FORMATS,
    Writer,
    compact_length,
    jpeg,
    noise,
    shown,
)

ENCODINGS = {
    "raw": Encoding.RAW,
    "rre": Encoding.RRE,
    "corre": Encoding.CORRE,
    "hextile": Encoding.HEXTILE,
    "zlib": Encoding.ZLIB,
    "tight": Encoding.TIGHT,
    "trle": Encoding.TRLE,
    "zrle": Encoding.ZRLE,
}
SIZE = (70, 21)
JPEG = jpeg(np.zeros((16, 16, 3), np.uint8))
COLOURS = np.random.default_rng(5).integers(0, 256, (1024, 3), np.uint8)


def colour_map(colours=COLOURS, first=0):
    entries = (colours.astype(">u2") << 8 | 0x7F).astype(">u2").tobytes()
    return struct.pack(">BxHH", 1, first, len(colours)) + entries


def opened(pixel_format, size=SIZE):
    client = connected(*size, pixel_format=pixel_format)
    if not pixel_format.true_colour:
        client.receive_data(colour_map(), to_the_end)
        assert client.events() == [rfb.ColoursChanged()]
    return client


def pixels_of(client):
    return client.framebuffer.pixels[:, :, :3]


@pytest.mark.parametrize("colours", [1, 2, 3, 9, 40, None])
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_paints_what_every_format_means(encoding, name, colours):
    pixel_format = FORMATS[name]
    numbers = noise(pixel_format, *SIZE, colours)
    data = getattr(Writer(pixel_format), encoding)(numbers)
    client = opened(pixel_format)
    client.receive_data(update((0, 0, *SIZE), ENCODINGS[encoding], data), to_the_end)
    assert len(client.events()) == 1
    assert (pixels_of(client) == shown(numbers, pixel_format, COLOURS)).all()


@pytest.mark.parametrize("name", ["565 big", "map 16", "xrgb"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_one_byte_at_a_time_paints_the_same_picture(encoding, name):
    pixel_format = FORMATS[name]
    numbers = noise(pixel_format, 17, 9, 20)
    client = opened(pixel_format, (17, 9))
    data = getattr(Writer(pixel_format), encoding)(numbers)
    for byte in bytewise(update((0, 0, 17, 9), ENCODINGS[encoding], data)):
        client.receive_data(byte, to_the_end)
    assert (pixels_of(client) == shown(numbers, pixel_format, COLOURS)).all()


@pytest.mark.parametrize("name", [name for name in FORMATS if "map" not in name])
@pytest.mark.parametrize("size", [(1, 30), (30, 1), (23, 17), (2, 2)])
def test_the_gradient_filter_is_undone_in_every_true_colour(name, size):
    pixel_format = FORMATS[name]
    numbers = noise(pixel_format, *size)
    client = opened(pixel_format, size)
    data = Writer(pixel_format).tight(numbers, filter_id=2)
    client.receive_data(update((0, 0, *size), Encoding.TIGHT, data), to_the_end)
    assert (pixels_of(client) == shown(numbers, pixel_format)).all()


def test_every_tight_stream_lives_until_it_is_reset_whichever_are_reset_together():
    client, writer = opened(RGBX, (16, 16)), Writer(RGBX)
    steps = itertools.product(range(4), range(16), (0, 1, 2))
    for seed, (stream, resets, filter_id) in enumerate(steps):
        numbers = noise(RGBX, 16, 16, 50, seed)
        data = writer.tight(numbers, stream, resets, filter_id)
        client.receive_data(update((0, 0, 16, 16), Encoding.TIGHT, data), to_the_end)
        assert (pixels_of(client) == shown(numbers, RGBX)).all()


@pytest.mark.parametrize("control", [0x80, 0x90])
@pytest.mark.parametrize("stream", range(4))
def test_fills_and_jpegs_may_reset_streams_too(control, stream):
    client, writer = opened(RGBX, (16, 16)), Writer(RGBX)
    numbers = noise(RGBX, 16, 16)
    client.receive_data(update((0, 0, 16, 16), 7, writer.tight(numbers, stream)), to_the_end)
    reset = bytes([control | 1 << stream]) + (
        b"\1\2\3" if control == 0x80 else compact_length(len(JPEG)) + JPEG
    )
    client.receive_data(update((0, 0, 16, 16), 7, reset), to_the_end)
    client.receive_data(update((0, 0, 16, 16), 7, Writer(RGBX).tight(numbers, stream)), to_the_end)
    assert (pixels_of(client) == shown(numbers, RGBX)).all()


def test_another_colour_map_tells_to_ask_for_everything_again():
    client = opened(FORMATS["map"], (4, 2))
    client.receive_data(colour_map(COLOURS[:3], 254), to_the_end)
    assert client.events() == [rfb.ColoursChanged()]
    client.receive_data(update((0, 0, 4, 2), 0, bytes([253, 254, 255, 0] * 2)), to_the_end)
    expected = [COLOURS[253], COLOURS[0], COLOURS[1], COLOURS[0]]
    assert (pixels_of(client)[0] == expected).all()


def test_a_colour_map_says_nothing_to_a_connection_in_true_colour():
    client = connected()
    client.receive_data(colour_map(), to_the_end)
    assert client.events() == []


def test_a_colour_map_of_32_bits_is_refused():
    with pytest.raises(ProtocolError, match="a colour map for pixels of 32 bits"):
        PixelReader(PixelFormat(32, 24, False, False, (0, 0, 0), (0, 0, 0)))


def test_a_server_with_a_colour_map_of_32_bits_is_asked_for_our_format_in_any_case():
    client = rfb.RfbClient(None, native=True)
    mapped = PixelFormat(32, 24, False, False, (0, 0, 0), (0, 0, 0))
    client.receive_data(opening(4, 1, pixel_format=mapped), to_the_end)
    assert client.pixel_format == RGBX
    assert client.is_translated


def test_a_screen_in_firmware_is_taken_as_it_is():
    client = rfb.RfbClient(None)
    client.receive_data(opening(4, 1, b"Intel(r) AMT KVM", FORMATS["332"]), to_the_end)
    assert client.data_to_send().startswith(b"RFB 003.008\n\x01\x01\x02")  # no pixel format
    client.receive_data(update((0, 0, 4, 1), 0, b"\xe0\x1c\x03\xff"), to_the_end)
    assert pixels_of(client).tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255] * 3]]


def test_pixels_of_what_we_ask_for_stay_as_they_came():
    client = connected(2, 1)
    client.receive_data(update((0, 0, 2, 1), 0, b"\1\2\3\4\5\6\7\x08"), to_the_end)
    assert client.framebuffer.pixels.tobytes() == b"\1\2\3\4\5\6\7\x08"


@settings(max_examples=60)
@given(
    st.sampled_from([8, 16, 32]),
    st.booleans(),
    st.tuples(*[st.integers(0, 16)] * 3),
    st.tuples(*[st.integers(0, 31)] * 3),
    st.sampled_from(["raw", "zlib", "trle", "tight"]),
)
def test_every_format_that_is_taken_is_understood(bits, big, widths, shifts, encoding):
    maxima = tuple((1 << width) - 1 for width in widths)
    asked = PixelFormat(bits, min(24, bits), big, True, maxima, shifts)
    try:
        pixel_format = PixelFormat.from_bytes(asked.to_bytes())
    except ProtocolError:
        return
    numbers = noise(pixel_format, 5, 3)
    client = opened(pixel_format, (5, 3))
    data = getattr(Writer(pixel_format), encoding)(numbers)
    client.receive_data(update((0, 0, 5, 3), ENCODINGS[encoding], data), to_the_end)
    assert (pixels_of(client) == shown(numbers, pixel_format)).all()
