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
    SHORT_BYTES,
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


@pytest.mark.parametrize(
    "size", [0, 1, 3, 4, 125, 126, SHORT_BYTES, SHORT_BYTES + 1, 1023, 65535, 65536]
)
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


@given(st.binary(min_size=1500, max_size=3000), st.integers(1, 1499))
def test_a_large_frame_may_be_cut_anywhere(data, at):
    wire = masked(BINARY, data, mask=b"\x01\x80\xff\x00")
    reader = FrameReader()
    assert joined(reader.feed(wire[:at]) + reader.feed(memoryview(wire)[at:])) == data


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1014, 3000, 4999])
def test_a_close_frame_may_carry_a_code_and_a_reason(code):
    said = struct.pack(">H", code) + "à bientôt".encode()
    assert FrameReader().feed(masked(CLOSE, said)) == [(CLOSE, said)]


@pytest.mark.parametrize("together", [True, False])
def test_nothing_is_understood_after_a_close_frame(together):
    reader, after = FrameReader(), masked(BINARY, b"x") + b"\xff" * 100
    if together:
        assert reader.feed(masked(CLOSE) + after) == [(CLOSE, b"")]
    else:
        assert reader.feed(masked(CLOSE)) == [(CLOSE, b"")]
        assert reader.feed(after) == []


def test_many_messages_in_one_read_come_one_by_one():
    wire = b"".join(masked(BINARY, bytes([n]) * n) for n in range(1, 100))
    assert FrameReader().feed(wire) == [(BINARY, bytes([n]) * n) for n in range(1, 100)]


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
        (b"\x89\xfe", 1002),  # a control frame's length in two bytes
        (b"\x89\xff", 1002),
        (b"\x82\xfe\x00\x7d" + MASK, 1002),  # 125 in two bytes
        (b"\x82\xff" + struct.pack(">Q", 65535) + MASK, 1002),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(CLOSE, struct.pack(">H", 999)), 1002),
        (masked(CLOSE, struct.pack(">H", 1005)), 1002),
        (masked(CLOSE, struct.pack(">H", 1006)), 1002),
        (masked(CLOSE, struct.pack(">H", 1015)), 1002),
        (masked(CLOSE, struct.pack(">H", 2999)), 1002),
        (masked(CLOSE, struct.pack(">H", 5000)), 1002),
        (masked(CLOSE, struct.pack(">H", 1000) + b"\xff"), 1007),
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
