import os
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.websocket import (
    BINARY,
    CLOSE,
    MAX_CONTROL_BYTES,
    MAX_FRAME_BYTES,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    close_frame,
    frame,
)

MASK = b"\x11\x22\x33\x44"


def masked(kind, data=b"", final=True, mask=MASK, length=None):
    """A frame as a browser sends it."""
    length = len(data) if length is None else length
    first = (0x80 if final else 0) | kind
    if length < 126:
        head = struct.pack(">BB", first, 0x80 | length)
    elif length < 65536:
        head = struct.pack(">BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", first, 0x80 | 127, length)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def joined(pieces):
    return b"".join(piece.data for piece in pieces if piece.kind == BINARY)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 125, 126, 65535, 65536])
def test_data_comes_out_as_it_went_in(size):
    data = os.urandom(size)
    assert joined(FrameReader().feed(masked(BINARY, data))) == data


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 50))
def test_borders_of_reads_mean_nothing(first, second, step):
    stream = masked(BINARY, first) + masked(PING, b"p") + masked(BINARY, second)
    reader, pieces = FrameReader(), []
    for at in range(0, len(stream), step):
        pieces += reader.feed(stream[at : at + step])
    assert joined(pieces) == first + second
    assert [piece.data for piece in pieces if piece.kind == PING] == [b"p"]


@given(st.binary(max_size=400))
def test_noise_ends_in_pieces_or_in_a_frame_error(noise):
    reader = FrameReader()
    try:
        reader.feed(noise)
    except FrameError:
        return
    assert len(reader._header) <= 14 + MAX_CONTROL_BYTES


def test_a_cut_message_is_joined_around_control_frames():
    reader = FrameReader()
    pieces = reader.feed(masked(BINARY, b"ab", final=False))
    pieces += reader.feed(masked(PONG, b"x"))
    pieces += reader.feed(masked(0, b"cd", final=False) + masked(0, b"ef"))
    assert joined(pieces) == b"abcdef"


def test_a_frame_at_the_limit_passes_and_one_byte_more_is_refused_at_once():
    FrameReader().feed(masked(BINARY, length=MAX_FRAME_BYTES))
    with pytest.raises(FrameError) as caught:
        FrameReader().feed(masked(BINARY, length=MAX_FRAME_BYTES + 1))
    assert caught.value.code == 1009


@pytest.mark.parametrize("length", [2**40, 2**63, 2**64 - 1])
def test_an_announced_giant_is_refused_by_its_header(length):
    with pytest.raises(FrameError) as caught:
        FrameReader().feed(masked(BINARY, length=length))
    assert caught.value.code == 1009


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"\x82\x01x", 1002),  # no mask
        (masked(BINARY | 0x40), 1002),  # reserved bits
        (masked(TEXT, b"hello"), 1003),
        (masked(3), 1002),  # unknown
        (masked(0xB), 1002),
        (masked(0), 1002),  # goes on with nothing
        (masked(BINARY, b"a", final=False) + masked(BINARY), 1002),
        (masked(PING, final=False), 1002),
        (masked(PING, b"x" * 126), 1002),
    ],
)
def test_what_breaks_the_protocol_is_refused_with_its_code(wire, code):
    with pytest.raises(FrameError) as caught:
        FrameReader().feed(wire)
    assert caught.value.code == code


def test_a_control_frame_at_the_limit_passes():
    (piece,) = FrameReader().feed(masked(PING, b"x" * MAX_CONTROL_BYTES))
    assert piece.data == b"x" * MAX_CONTROL_BYTES


def test_a_large_frame_in_small_drops_costs_linear_time():
    wire = masked(BINARY, bytes(MAX_FRAME_BYTES))
    reader, size, began = FrameReader(), 0, time.process_time()
    for at in range(0, len(wire), 512):
        size += len(joined(reader.feed(wire[at : at + 512])))
    assert size == MAX_FRAME_BYTES
    assert time.process_time() - began < 1


@pytest.mark.parametrize(("size", "header"), [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)])
def test_our_own_frames_have_the_shortest_header(size, header):
    assert len(frame(BINARY, bytes(size))) == header + size


def test_a_close_frame_carries_its_code():
    assert close_frame(1000) == bytes([0x80 | CLOSE, 2]) + b"\x03\xe8"
