import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client_filter import VIEW_ENCODINGS, ClientMessageFilter
from controle_vnc.rfb.constants import MAX_HELD_KEYS
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.server_filter import ServerMessageFilter
from tests.controle_vnc.rfb.decoders.test_decoders import CASES, compact, synced
from tests.controle_vnc.rfb.sessions import bytewise, update

HARMLESS = {
    "SetPixelFormat": messages.set_pixel_format(RGBX),
    "SetEncodings": messages.set_encodings([0, 7, 16]),
    "FramebufferUpdateRequest": messages.update_request(True, Rect(0, 0, 8, 6)),
    "EnableContinuousUpdates": struct.pack(">BBHHHH", 150, 1, 0, 0, 8, 6),
    "Fence": messages.fence(1, b"abc"),
}
INPUT = {
    "KeyEvent": messages.key_event(True, 0x61),
    "PointerEvent": messages.pointer_event(0xFF, 1, 2),
    "SetDesktopSize": struct.pack(">BxHHBx", 251, 8, 6, 1) + bytes(16),
    "QEMU extended key": struct.pack(">BBHII", 255, 0, 1, 0x61, 30),
}
CUT_TEXT = messages.client_cut_text(b"hello")
XVP = bytes([250, 0, 1, 2])


@pytest.mark.parametrize("name", HARMLESS)
def test_a_viewer_may_ask_for_pixels(name):
    assert ClientMessageFilter(control=False, clipboard=False).feed(HARMLESS[name])


@pytest.mark.parametrize("name", INPUT)
def test_input_passes_under_control_and_not_under_view(name):
    after = HARMLESS["Fence"]
    assert ClientMessageFilter(True, False).feed(INPUT[name] + after) == INPUT[name] + after
    assert ClientMessageFilter(False, False).feed(INPUT[name] + after) == after


def test_cut_text_passes_with_the_clipboard_alone():
    assert ClientMessageFilter(True, True).feed(CUT_TEXT) == CUT_TEXT
    assert ClientMessageFilter(True, False).feed(CUT_TEXT) == b""
    assert ClientMessageFilter(False, False).feed(CUT_TEXT) == b""


def test_xvp_never_passes():
    assert ClientMessageFilter(True, True).feed(XVP) == b""


@pytest.mark.parametrize(
    "kind", sorted(set(range(256)) - {0, 2, 3, 4, 5, 6, 150, 248, 250, 251, 255})
)
def test_an_unknown_type_closes_the_screen(kind):
    with pytest.raises(ProtocolError):
        ClientMessageFilter(True, True).feed(bytes([kind]))


def test_qemu_audio_closes_the_screen():
    with pytest.raises(ProtocolError):
        ClientMessageFilter(True, True).feed(bytes([255, 1]) + bytes(10))


def test_private_encodings_are_taken_out():
    extended_clipboard, audio, xvp, buttons = 0xC0A1E5CE - (1 << 32), -259, -309, -316
    wanted = [7, extended_clipboard, audio, xvp, buttons, 50, 21, -32, -239, -258]
    view = ClientMessageFilter(False, False).feed(messages.set_encodings(wanted))
    assert view == messages.set_encodings([7, -32])
    control = ClientMessageFilter(True, True).feed(messages.set_encodings(wanted))
    assert control == messages.set_encodings([7, -32, -239, -258])


def test_byte_by_byte_passes_the_same():
    everything = b"".join([*HARMLESS.values(), *INPUT.values(), CUT_TEXT, XVP])
    whole = ClientMessageFilter(False, False).feed(everything)
    one = ClientMessageFilter(False, False)
    assert b"".join(one.feed(byte) for byte in bytewise(everything)) == whole
    assert whole == b"".join(HARMLESS.values())


@pytest.mark.parametrize(
    "head",
    [
        struct.pack(">B3xI", 6, 1024 * 1024 + 1),
        struct.pack(">B3xI", 6, 0xFFFFFFF0),
        struct.pack(">BxH", 2, 513),
        struct.pack(">B3xIB", 248, 0, 65),
        struct.pack(">BxHHBx", 251, 1, 1, 65),
    ],
)
def test_lengths_past_the_limit_close_the_screen(head):
    with pytest.raises(ProtocolError):
        ClientMessageFilter(True, True).feed(head)


def test_another_pixel_format_after_the_first_request_closes_the_screen():
    client = ClientMessageFilter(False, False)
    client.feed(HARMLESS["SetPixelFormat"] + HARMLESS["FramebufferUpdateRequest"])
    client.feed(HARMLESS["SetPixelFormat"])
    other = bytearray(HARMLESS["SetPixelFormat"])
    other[4] = 8
    with pytest.raises(ProtocolError):
        client.feed(bytes(other[:4]) + bytes([8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0]))


def test_what_is_left_pressed_is_let_go():
    control = ClientMessageFilter(True, False)
    control.feed(messages.key_event(True, 0x61) + messages.key_event(True, 0xFFE1))
    control.feed(messages.key_event(False, 0x61) + messages.pointer_event(1, 3, 4))
    control.feed(struct.pack(">BBHII", 255, 0, 1, 0x62, 48))
    assert control.releases() == (
        messages.key_event(False, 0xFFE1)
        + struct.pack(">BBHII", 255, 0, 0, 0x62, 48)
        + messages.pointer_event(0, 3, 4)
    )
    assert control.releases() == b""


def test_a_viewer_that_only_looks_holds_nothing():
    view = ClientMessageFilter(False, False)
    view.feed(messages.key_event(True, 0x61) + messages.pointer_event(1, 3, 4))
    assert view.releases() == b""


def test_no_more_keys_are_pressed_than_can_be_let_go():
    control = ClientMessageFilter(True, False)
    pressed = [messages.key_event(True, key) for key in range(MAX_HELD_KEYS)]
    assert control.feed(b"".join(pressed)) == b"".join(pressed)
    assert control.feed(messages.key_event(True, MAX_HELD_KEYS)) == b""
    assert control.feed(pressed[0]) == pressed[0]
    assert len(control.releases()) == len(b"".join(pressed))


def passed(walk, *chunks):
    return b"".join(part for chunk in chunks for part in walk.feed(chunk))


def server_filter(size=(8, 6)):
    init = ServerInit(*size, RGBX, "desk")
    return ServerMessageFilter(init, ClientMessageFilter(False, False))


SESSION = (
    b"".join(
        update(rect, code, data) for rect, code, data, _ in CASES.values() if code in VIEW_ENCODINGS
    )
    + update((0, 0, 1, 1), 1, bytes(4))
    + update((0, 0, 2, 2), 2, struct.pack(">I", 1) + bytes(4 + 12))
    + update((0, 0, 8, 6), 6, struct.pack(">I", 5) + b"12345")
    + update((0, 0, 3, 3), -239, bytes(9 * 4 + 3))
    + update((0, 0, 8, 6), -308, b"\x01\0\0\0" + bytes(16))
    + update((0, 0, 0, 0), -307, b"\0\0\0\x03abc")
    + update((0, 0, 0, 0), -261, b"\x01")
    + update((0, 0, 0, 0), -258, b"")
    + update((0, 0, 0, 0), -224, b"", count=65535)
    + update((0, 0, 8, 6), 7, b"\x00" + compact(synced(bytes(8 * 6 * 3))))
    + b"\x02\x96"
    + struct.pack(">BxHH", 1, 0, 1)
    + bytes(6)
    + messages.fence(0x80000001, b"x")
)
SECRET = messages.server_cut_text(b"private") + messages.server_cut_text(b"")


def test_everything_but_the_clipboard_passes():
    assert passed(server_filter(), SESSION) == SESSION
    assert passed(server_filter(), SECRET + SESSION + SECRET + SESSION) == SESSION * 2


def test_byte_by_byte_the_clipboard_never_leaks():
    walk = server_filter()
    chunks = bytewise(SECRET + SESSION + SECRET + SESSION)
    assert passed(walk, *chunks) == SESSION * 2


@given(st.lists(st.integers(0, len(SECRET + SESSION)), max_size=8))
def test_any_split_passes_the_same(cuts):
    edges = [0, *sorted(cuts), len(SECRET + SESSION)]
    walk = server_filter()
    data = SECRET + SESSION
    chunks = [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    assert passed(walk, *chunks) == SESSION


def test_pixels_are_not_held_back():
    walk = server_filter(size=(800, 600))
    head = update((0, 0, 800, 600), 0, b"")
    assert passed(walk, head + bytes(1000)) == head + bytes(1000)
    assert passed(walk, bytes(64 * 1024)) == bytes(64 * 1024)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">B3xI", 3, 0xFFFFFFFF),
        b"\x63",
        update((0, 0, 65535, 65535), 0, b""),
        update((0, 0, 8, 6), 16, b"\xff\xff\xff\xff"),
        update((0, 0, 8, 6), 99, b""),
        update((0, 0, 8, 6), 2, b"\xff\xff\xff\xff"),
        update((0, 0, 65535, 65535), -223, b""),
        struct.pack(">B3xIB", 248, 0, 65),
    ],
)
def test_a_hostile_server_closes_the_screen(data):
    with pytest.raises(ProtocolError):
        server_filter().feed(data)


@given(st.binary(max_size=400))
def test_hostile_bytes_raise_protocol_errors_only(data):
    for walk in (server_filter(), ClientMessageFilter(True, True)):
        with contextlib.suppress(ProtocolError):
            walk.feed(data)
