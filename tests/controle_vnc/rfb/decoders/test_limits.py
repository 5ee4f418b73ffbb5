"""Each limit of a rectangle at its value, and one past it."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.inflate import MAX_COMPRESSED_SLACK
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import connected, update
from tests.controle_vnc.rfb.writing import FORMATS, compact_length

AREA = 8 * 6
WHOLE = (0, 0, 8, 6)
MOST_INFLATED = {
    Encoding.ZLIB: AREA * 4,
    Encoding.ZRLE: AREA * 4 + 1 + 127 * 3,
    Encoding.TIGHT: AREA * 3,
    Encoding.TIGHT_PNG: AREA * 3,
}
HEADS = {
    Encoding.ZLIB: lambda length: struct.pack(">I", length),
    Encoding.ZRLE: lambda length: struct.pack(">I", length),
    Encoding.TIGHT: lambda length: b"\x00" + compact_length(length),
    Encoding.TIGHT_PNG: lambda length: b"\xa0" + compact_length(length),
}


@pytest.mark.parametrize("encoding", MOST_INFLATED)
def test_compressed_data_may_be_as_long_as_its_pixels_and_64_kib(encoding):
    most = MOST_INFLATED[encoding] + MAX_COMPRESSED_SLACK
    connected().receive_data(update(WHOLE, encoding, HEADS[encoding](most)), to_the_end)
    with pytest.raises(ProtocolError, match=f"{most + 1} compressed bytes"):
        connected().receive_data(update(WHOLE, encoding, HEADS[encoding](most + 1)), to_the_end)


@pytest.mark.parametrize("encoding", [Encoding.RRE, Encoding.CORRE])
def test_there_may_be_as_many_subrectangles_as_pixels(encoding):
    place = struct.pack(">HHHH" if encoding == Encoding.RRE else ">BBBB", 7, 5, 1, 1)
    data = struct.pack(">I", AREA) + bytes(4) + (b"\1\2\3\0" + place) * AREA
    client = connected()
    client.receive_data(update(WHOLE, encoding, data), to_the_end)
    assert tuple(client.framebuffer.pixels[5, 7, :3]) == (1, 2, 3)
    with pytest.raises(ProtocolError, match=f"{AREA + 1} subrectangles in {AREA} pixels"):
        client.receive_data(update(WHOLE, encoding, struct.pack(">I", AREA + 1)), to_the_end)


def test_a_corre_rectangle_is_at_most_255_pixels_a_side():
    data = bytes(4) + b"\1\2\3\0"
    client = connected(300, 300)
    client.receive_data(update((0, 0, 255, 255), Encoding.CORRE, data), to_the_end)
    assert len(client.events()) == 1
    for size in ((256, 1), (1, 256)):
        with pytest.raises(ProtocolError, match="a CoRRE rectangle of"):
            connected(300, 300).receive_data(
                update((0, 0, *size), Encoding.CORRE, data), to_the_end
            )


@pytest.mark.parametrize("encoding", [Encoding.TIGHT, Encoding.TIGHT_PNG])
def test_tight_rectangles_are_at_most_2048_wide(encoding):
    fill = b"\x80\1\2\3"
    connected(2049, 1).receive_data(update((0, 0, 2048, 1), encoding, fill), to_the_end)
    with pytest.raises(ProtocolError, match="a Tight rectangle 2049 wide"):
        connected(2049, 1).receive_data(update((0, 0, 2049, 1), encoding, fill), to_the_end)


def test_a_colour_map_may_name_65535_colours_more_than_there_are():
    client = connected(pixel_format=FORMATS["map"])
    client.receive_data(struct.pack(">BxHH", 1, 65535, 65535) + bytes(6) * 65535, to_the_end)
    client.receive_data(struct.pack(">BxHH", 1, 255, 0), to_the_end)
    assert len(client.events()) == 2


@given(
    st.sampled_from([0, 1, 2, 3, 150, 248]), st.binary(max_size=80), st.sampled_from(list(FORMATS))
)
def test_hostile_messages_raise_protocol_errors_only(kind, data, name):
    client = connected(
        pixel_format=FORMATS[name], encodings=[Encoding.EXTENDED_CLIPBOARD, Encoding.RAW]
    )
    with contextlib.suppress(ProtocolError):
        client.receive_data(bytes([kind]) + data, to_the_end)
