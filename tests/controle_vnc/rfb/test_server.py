import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages, viewer_messages
from controle_vnc.rfb.encoders import raw, tight
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.rfb.stream import ByteStream, to_the_end
from tests.controle_vnc.rfb.sessions import connected


def greeted(version):
    handshake = ServerHandshake()
    assert handshake.data_to_send() == b"RFB 003.008\n"
    handshake.receive_data(version)
    assert handshake.greeted
    return handshake


def test_a_viewer_is_let_in_without_password():
    handshake = greeted(b"RFB 003.008\n")
    handshake.offer()
    assert handshake.data_to_send() == b"\x01\x01"
    handshake.receive_data(b"\x01\x01rest")
    assert handshake.data_to_send() == bytes(4)
    assert handshake.done
    assert handshake.rest == b"rest"
    handshake.open(ServerInit(8, 6, RGBX, "pc-01"))
    assert handshake.data_to_send().endswith(b"\0\0\0\x05pc-01")


def test_older_viewers_are_let_in_their_way():
    for version, offer, result in ((b"RFB 003.007\n", b"\x01\x01", b""),):
        handshake = greeted(version)
        handshake.offer()
        assert handshake.data_to_send() == offer
        handshake.receive_data(b"\x01\x01")
        assert handshake.data_to_send() == result
    handshake = greeted(b"RFB 003.003\n")
    handshake.offer()
    assert handshake.data_to_send() == b"\0\0\0\x01"
    handshake.receive_data(b"\x01")
    assert handshake.done


def test_a_refusal_is_told_with_its_reason():
    handshake = greeted(b"RFB 003.008\n")
    handshake.refuse("é" * 300)
    sent = handshake.data_to_send()
    assert sent[:5] == b"\0\0\0\x01\0"
    assert len(sent) == 5 + 256


@pytest.mark.parametrize("data", [b"GET / HTTP/1", b"RFB 003.0x8\n", b"RFB 004.000\n"])
def test_what_is_no_viewer_is_refused(data):
    with pytest.raises(ProtocolError):
        ServerHandshake().receive_data(data)


def test_a_security_type_not_offered_is_refused():
    handshake = greeted(b"RFB 003.008\n")
    with pytest.raises(ProtocolError):
        handshake.receive_data(b"\x02")


def test_messages_are_given_as_values():
    parser = viewer_messages.ViewerMessages()
    sent = (
        messages.set_pixel_format(RGBX)
        + messages.set_encodings([7, -24])
        + messages.update_request(True, Rect(1, 2, 3, 4))
        + messages.key_event(True, 0x61)
        + b"\xff\0\0\x01\0\0\0\x62\0\0\0\x30"
        + messages.pointer_event(1, 5, 6)
        + messages.client_cut_text(b"ab")
        + messages.fence(1, b"x")
        + b"\x96\x01\0\x01\0\x02\0\x03\0\x04"
        + bytes([250, 0, 1, 2])
    )
    assert parser.feed(sent) == [
        viewer_messages.SetPixelFormat(RGBX),
        viewer_messages.SetEncodings((7, -24)),
        viewer_messages.UpdateRequest(True, Rect(1, 2, 3, 4)),
        viewer_messages.KeyEvent(True, 0x61),
        viewer_messages.KeyEvent(True, 0x62, 0x30),
        viewer_messages.PointerEvent(1, 5, 6),
        viewer_messages.CutText("ab"),
        viewer_messages.Fence(1, b"x"),
        viewer_messages.EnableContinuousUpdates(True, Rect(1, 2, 3, 4)),
    ]


def seen_by_a_viewer(pixels, rect, quality):
    data = tight.encode(pixels, rect, RGBX, quality)
    viewer = connected(pixels.shape[1], pixels.shape[0])
    viewer.receive_data(messages.framebuffer_update(1, data), to_the_end)
    return viewer.framebuffer.pixels[rect.y : rect.bottom, rect.x : rect.right, :3]


def screen(kind, width=300, height=200):
    random = np.random.default_rng(7)
    pixels = np.zeros((height, width, 4), np.uint8)
    if kind == "two colours":
        pixels[:, :, 1] = random.integers(0, 2, (height, width)) * 200
    elif kind == "a palette":
        pixels[:, :, 0] = random.integers(0, 200, (height, width))
    elif kind == "noise":
        pixels[:] = random.integers(0, 256, (height, width, 4))
    return pixels


@pytest.mark.parametrize("kind", ["one colour", "two colours", "a palette", "noise"])
@pytest.mark.parametrize("rect", [Rect(0, 0, 300, 200), Rect(3, 5, 1, 1), Rect(290, 190, 10, 10)])
def test_tight_without_jpeg_shows_the_same_pixels(kind, rect):
    pixels = screen(kind)
    expected = pixels[rect.y : rect.bottom, rect.x : rect.right, :3]
    assert (seen_by_a_viewer(pixels, rect, None) == expected).all()


def test_tight_with_jpeg_shows_nearly_the_same():
    pixels = np.zeros((128, 256, 4), np.uint8)
    pixels[:, :, 0] = np.arange(256)
    pixels[:, :, 1] = np.arange(128)[:, None]
    seen = seen_by_a_viewer(pixels, Rect(0, 0, 256, 128), 9)
    assert abs(seen.astype(int) - pixels[:, :, :3]).max() < 12


def test_each_rectangle_can_be_read_by_a_viewer_that_joins_late():
    pixels = screen("a palette")
    tight.encode(pixels, Rect(0, 0, 300, 200), RGBX, None)
    assert (seen_by_a_viewer(pixels, Rect(0, 0, 300, 200), None) == pixels[:, :, :3]).all()


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 400))
def test_any_small_picture_survives_tight(width, height, colours):
    random = np.random.default_rng(width * 100 + height)
    pixels = random.integers(0, colours, (height, width, 4), np.int64).astype(np.uint8)
    seen = seen_by_a_viewer(pixels, Rect(0, 0, width, height), None)
    assert (seen == pixels[:, :, :3]).all()


@pytest.mark.parametrize("length", [0, 127, 128, 16383, 16384, 4194303])
def test_compact_lengths_are_read_back(length):
    from controle_vnc.rfb.decoders.tight import compact_length

    read: list[int] = []

    def parser():
        read.append((yield from compact_length()))

    ByteStream(parser()).feed(tight.compact_length(length))
    assert read == [length]


def test_raw_honours_the_viewers_pixel_format():
    pixels = np.array([[[255, 128, 0, 9]]], np.uint8)
    rgb565 = PixelFormat(16, 16, True, True, (31, 63, 31), (11, 5, 0))
    assert raw.encode(pixels, Rect(0, 0, 1, 1), rgb565)[12:] == (31 << 11 | 32 << 5).to_bytes(
        2, "big"
    )
    bgrx = PixelFormat(32, 24, False, True, (255, 255, 255), (16, 8, 0))
    assert raw.encode(pixels, Rect(0, 0, 1, 1), bgrx)[12:] == bytes([0, 128, 255, 0])
    bgr233 = PixelFormat(8, 8, False, True, (7, 7, 3), (0, 3, 6))
    assert raw.encode(pixels, Rect(0, 0, 1, 1), bgr233)[12:] == bytes([7 | 4 << 3])


def test_a_pixel_format_is_read_back_and_checked():
    assert PixelFormat.from_bytes(RGBX.to_bytes()) == RGBX
    with pytest.raises(ProtocolError):
        PixelFormat.from_bytes(b"\x18" + RGBX.to_bytes()[1:])
    with pytest.raises(ProtocolError):
        PixelFormat.from_bytes(b"\x08" + RGBX.to_bytes()[1:])
