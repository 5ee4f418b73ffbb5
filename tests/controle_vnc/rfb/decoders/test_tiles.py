"""What TRLE and ZRLE read alike, and the one thing in which they differ."""

import struct
import zlib

import numpy as np
import pytest

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import connected, update

SIDES = {Encoding.TRLE: 16, Encoding.ZRLE: 64}
RED, BLUE = (255, 0, 0), (0, 0, 255)
TWO = bytes([*RED, *BLUE])
AGAIN = {"packed": bytes([127, 0x40]), "runs": bytes([129, 0, 1])}


def painted(encoding, width, height, data):
    if encoding == Encoding.ZRLE:
        stream = zlib.compressobj()
        data = stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
        data = struct.pack(">I", len(data)) + data
    client = connected(width, height)
    client.receive_data(update((0, 0, width, height), encoding, data), to_the_end)
    assert client.events()
    return client.framebuffer.pixels[..., :3]


@pytest.mark.parametrize("encoding", SIDES)
@pytest.mark.parametrize("way", AGAIN)
def test_trle_alone_may_name_the_palette_of_the_tile_before(encoding, way):
    side = SIDES[encoding]
    data = b"\x02" + TWO + bytes(side // 8) + AGAIN[way]
    if encoding == Encoding.ZRLE:
        with pytest.raises(ProtocolError, match=f"tile of kind {AGAIN[way][0]}"):
            painted(encoding, side + 2, 1, data)
    else:
        assert (painted(encoding, side + 2, 1, data)[0, side:] == [RED, BLUE]).all()


@pytest.mark.parametrize("encoding", SIDES)
@pytest.mark.parametrize("kind", ["plain", "palette"])
def test_a_run_may_fill_its_tile_and_not_a_pixel_more(encoding, kind):
    side = SIDES[encoding]

    def runs(length):
        whole, rest = divmod(length - 1, 255)
        head = b"\x80" + bytes(BLUE) if kind == "plain" else bytes([130]) + TWO + bytes([129])
        return head + b"\xff" * whole + bytes([rest])

    assert (painted(encoding, side, side, runs(side * side)) == np.array(BLUE)).all()
    with pytest.raises(ProtocolError, match="a run leaves its tile"):
        painted(encoding, side, side, runs(side * side + 1))
    with pytest.raises(ProtocolError, match="a run leaves its tile"):
        painted(encoding, side, side, runs(side * side * 2))


def test_a_zrle_tile_that_is_cut_off_is_refused():
    with pytest.raises(ProtocolError, match="too few pixels"):
        painted(Encoding.ZRLE, 2, 1, b"\x80" + bytes(BLUE))
