"""Bare JPEG pictures, with their tables and without."""

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import jpeg as shared_jpeg
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.base import MAX_PICTURE_PIXELS
from controle_vnc.rfb.inflate import MAX_COMPRESSED_SLACK
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected, painted, update
from tests.controle_vnc.rfb.writing import jpeg

WIDTH, HEIGHT = 48, 40
WHOLE = (0, 0, WIDTH, HEIGHT)
RAMP = np.stack(np.meshgrid(np.arange(WIDTH) * 5, np.arange(HEIGHT) * 6), -1)
PICTURE = np.concatenate([RAMP, 255 - RAMP[:, :, :1]], 2).astype(np.uint8)


GOOD = jpeg(PICTURE)


def segments(data):
    """The segments of a JPEG: marker and bytes; the last begins with the scan."""
    at, found = 2, []
    while data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        found.append((data[at + 1], data[at:end]))
        at = end
    return [*found, (0xDA, data[at:])]


def without(data, *markers):
    return data[:2] + b"".join(body for kind, body in segments(data) if kind not in markers)


def difference(client, picture=PICTURE):
    return abs(client.framebuffer.pixels[:, :, :3].astype(int) - picture).max()


def test_a_bare_picture_is_painted_and_what_follows_is_left_for_the_next():
    client = connected(WIDTH, HEIGHT)
    client.receive_data(update(WHOLE, Encoding.JPEG, jpeg(PICTURE)) + b"\x02", to_the_end)
    assert len(client.events()) == 2
    assert difference(client) < 20


def test_one_byte_at_a_time_paints_the_same_picture():
    session = update(WHOLE, Encoding.JPEG, jpeg(PICTURE))
    whole = painted([session], WIDTH, HEIGHT)
    assert (painted(bytewise(session), WIDTH, HEIGHT) == whole).all()


@pytest.mark.parametrize("missing", [(0xC4,), (0xDB,), (0xC4, 0xDB), (0xE0, 0xC4, 0xDB)])
def test_tables_that_are_left_out_are_those_sent_last(missing):
    client = connected(WIDTH, HEIGHT)
    client.receive_data(update(WHOLE, Encoding.JPEG, jpeg(np.zeros_like(PICTURE))), to_the_end)
    client.receive_data(update(WHOLE, Encoding.JPEG, without(jpeg(PICTURE), *missing)), to_the_end)
    assert difference(client) < 20


def test_new_tables_replace_the_old_ones():
    client = connected(WIDTH, HEIGHT)
    for quality in (30, 95):
        client.receive_data(update(WHOLE, Encoding.JPEG, jpeg(PICTURE, quality)), to_the_end)
    client.receive_data(update(WHOLE, Encoding.JPEG, without(jpeg(PICTURE), 0xDB)), to_the_end)
    assert difference(client) < 20


def test_a_picture_without_quantisation_ever_is_refused():
    with pytest.raises(ProtocolError):
        painted([update(WHOLE, Encoding.JPEG, without(jpeg(PICTURE), 0xDB))], WIDTH, HEIGHT)


def saved(picture, **options):
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, **options)
    return out.getvalue()


def test_fill_bytes_restarts_and_progressive_scans_are_read():
    grey = Image.fromarray(PICTURE).convert("L").convert("RGB")
    progressive = saved(grey.convert("L"), progressive=True)
    restarted = saved(grey, restart_marker_blocks=1)
    filled = saved(grey)[:-2] + b"\xff\xff\xff\xd9"
    assert progressive.count(b"\xff\xda") > 3
    assert b"\xff\xd0" in restarted
    for data in (progressive, restarted, filled):
        client = connected(WIDTH, HEIGHT)
        client.receive_data(update(WHOLE, Encoding.JPEG, data) + b"\x02", to_the_end)
        assert len(client.events()) == 2
        assert difference(client, np.asarray(grey)) < 20


def test_each_scan_counts_for_all_its_pixels(monkeypatch):
    progressive = saved(Image.fromarray(PICTURE).convert("L"), progressive=True)
    most = progressive.count(b"\xff\xda") * WIDTH * HEIGHT
    monkeypatch.setattr(shared_jpeg, "MAX_SCANNED_PIXELS", most)
    painted([update(WHOLE, Encoding.JPEG, progressive)], WIDTH, HEIGHT)
    monkeypatch.setattr(shared_jpeg, "MAX_SCANNED_PIXELS", most - 1)
    with pytest.raises(ProtocolError, match="too many scans"):
        painted([update(WHOLE, Encoding.JPEG, progressive)], WIDTH, HEIGHT)


@pytest.mark.parametrize("in_scan", [False, True])
def test_fill_bytes_count_as_the_rest_does(in_scan):
    at = GOOD.index(b"\xff\xda") if not in_scan else len(GOOD) - 2
    room = WIDTH * HEIGHT * 3 + MAX_COMPRESSED_SLACK - (len(GOOD) - 2)
    most, more = (GOOD[:at] + b"\xff" * fill + GOOD[at:] for fill in (room, room + 1))
    painted([update(WHOLE, Encoding.JPEG, most)], WIDTH, HEIGHT)
    with pytest.raises(ProtocolError, match="compressed bytes"):
        painted([update(WHOLE, Encoding.JPEG, more)], WIDTH, HEIGHT)


def with_size(data, width, height):
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


HEAD = b"\xff\xd8"
FRAME = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, HEIGHT, WIDTH, 3)
HOSTILE = {
    "larger than its rectangle": with_size(jpeg(PICTURE), WIDTH + 1, HEIGHT),
    "smaller than its rectangle": with_size(jpeg(PICTURE), WIDTH, HEIGHT - 1),
    "of 65535 pixels a side": with_size(jpeg(PICTURE), 65535, 65535),
    "no marker": HEAD + b"xy",
    "a segment shorter than its length": HEAD + b"\xff\xe0\0\1",
    "a scan without a frame": HEAD + b"\xff\xda\0\2",
    "two frames": HEAD + FRAME + FRAME,
    "a frame that is cut off": HEAD + b"\xff\xc0\0\3\x08",
    "a table that is cut off": HEAD + b"\xff\xdb\0\x10" + bytes(14),
    "a table of a number that is none": HEAD + b"\xff\xdb\0\x43\x04" + bytes(64),
    "a Huffman table of a class that is none": HEAD + b"\xff\xc4\0\x13\x20" + bytes(16),
    "without an end": HEAD + b"\xff\x01" * 40000,
    "longer than any picture of its size": HEAD + b"\xff\xe0\xff\xff" + bytes(65533) * 2,
    "coded pixels without an end": HEAD + FRAME + b"\xff\xda\0\2" + bytes(80000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures_end_the_connection(name):
    with pytest.raises(ProtocolError):
        painted([update(WHOLE, Encoding.JPEG, HOSTILE[name])], WIDTH, HEIGHT)


def test_a_rectangle_of_2_megapixels_is_read_and_a_row_more_is_not():
    client = connected(2048, 1025)
    client.receive_data(
        update((0, 0, 2048, MAX_PICTURE_PIXELS // 2048), Encoding.JPEG, HEAD), to_the_end
    )
    with pytest.raises(ProtocolError, match="a JPEG rectangle of 2048×1025"):
        connected(2048, 1025).receive_data(
            update((0, 0, 2048, 1025), Encoding.JPEG, HEAD), to_the_end
        )


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_a_spoilt_picture_raises_protocol_errors_only(at, spoilt):
    data = GOOD[:at] + spoilt + GOOD[at + len(spoilt) :]
    client = connected(WIDTH, HEIGHT)
    with contextlib.suppress(ProtocolError):
        client.receive_data(update(WHOLE, Encoding.JPEG, data) * 2, to_the_end)
