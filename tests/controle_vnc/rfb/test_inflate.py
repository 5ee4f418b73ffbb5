"""What a zlib stream may say after its end: nothing."""

import struct
import tracemalloc
import zlib

import pytest
from isal import isal_zlib

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import inflate
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import connected, update
from tests.controle_vnc.rfb.writing import compact_length

WIDTH, HEIGHT = 96, 64
WHOLE = (0, 0, WIDTH, HEIGHT)
MIB = 1024 * 1024
READ_BYTES = 256 * 1024


def _lengthened(data):
    return struct.pack(">I", len(data)) + data


def _tight(data):
    return b"\0" + compact_length(len(data)) + data


def feed(client, chunks):
    for data in chunks:
        client.receive_data(data, to_the_end)


KINDS = {
    Encoding.ZLIB: (bytes(WIDTH * HEIGHT * 4), _lengthened),
    Encoding.ZRLE: (b"\1\2\3\4" * 2, _lengthened),
    Encoding.TIGHT: (bytes(WIDTH * HEIGHT * 3), _tight),
}


@pytest.fixture(params=[zlib, isal_zlib], autouse=True)
def library(request, monkeypatch):
    monkeypatch.setattr(inflate, "zlib", request.param)


@pytest.mark.parametrize("encoding", KINDS)
def test_a_stream_may_end_with_its_rectangle_and_not_a_byte_before(encoding):
    plain, framed = KINDS[encoding]
    ended = zlib.compress(plain)
    client = connected(WIDTH, HEIGHT)
    client.receive_data(update(WHOLE, encoding, framed(ended)), to_the_end)
    assert client.events()
    with pytest.raises(ProtocolError, match="after the end"):
        client.receive_data(update(WHOLE, encoding, framed(ended)), to_the_end)
    with pytest.raises(ProtocolError, match="after the end"):
        connected(WIDTH, HEIGHT).receive_data(
            update(WHOLE, encoding, framed(ended + b"x")), to_the_end
        )


@pytest.mark.parametrize("encoding", [Encoding.ZLIB, Encoding.ZRLE])
def test_what_comes_after_the_end_of_a_stream_is_not_hoarded(encoding):
    size = (7680, 4320)
    ended = zlib.compress(KINDS[encoding][0])
    client = connected(*size)
    session = update((0, 0, *size), encoding, struct.pack(">I", 90 * MIB) + ended)
    junk = bytes(READ_BYTES)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="after the end"):
            feed(client, [session, *[junk] * 32])
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()
