import struct

import pytest

from controle_vnc.errors import AuthenticationError, ProtocolError, UnsupportedError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import client as rfb
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.messages import framebuffer_update, rectangle
from controle_vnc.rfb.security import vnc_response
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import bytewise, connected, opening, server_init, update

CHALLENGE = bytes(range(16))


def shaken(data, password=None):
    handshake = ClientHandshake(password)
    handshake.receive_data(data, to_the_end)
    return handshake


@pytest.mark.parametrize(
    ("banner", "answer"),
    [
        (b"RFB 003.003\n", b"RFB 003.003\n"),
        (b"RFB 003.006\n", b"RFB 003.003\n"),
        (b"RFB 003.007\n", b"RFB 003.007\n"),
        (b"RFB 003.008\n", b"RFB 003.008\n"),
        (b"RFB 003.889\n", b"RFB 003.008\n"),
        (b"RFB 004.000\n", b"RFB 003.008\n"),
        (b"RFB 004.001\n", b"RFB 003.008\n"),
        (b"RFB 005.000\n", b"RFB 003.008\n"),
    ],
)
def test_each_version_seen_in_the_wild_is_answered(banner, answer):
    assert shaken(banner).data_to_send() == answer


@pytest.mark.parametrize("banner", [b"SSH-2.0-Open\n", b"RFB 0x3.008\n", b"HTTP/1.1 400"])
def test_what_is_no_vnc_server_is_told(banner):
    with pytest.raises(ProtocolError):
        shaken(banner)


def test_a_repeater_is_told():
    with pytest.raises(UnsupportedError, match="this is a repeater, not a VNC server"):
        shaken(b"RFB 000.000\n")


def test_the_whole_opening_without_password_in_3_8():
    handshake = shaken(opening() + b"more")
    assert handshake.data_to_send() == b"RFB 003.008\n\x01\x01"
    assert (handshake.server_init.width, handshake.server_init.height) == (8, 6)
    assert handshake.server_init.name == "desk"
    assert handshake.rest == b"more"
    assert handshake.stage == "done"


def test_the_opening_byte_by_byte_is_the_same():
    handshake = ClientHandshake(None)
    for byte in bytewise(opening()):
        handshake.receive_data(byte, to_the_end)
    assert handshake.server_init.name == "desk"


def test_3_3_and_3_7_have_no_security_result_without_password():
    assert shaken(b"RFB 003.003\n" + b"\0\0\0\x01" + server_init()).server_init
    assert shaken(b"RFB 003.007\n" + b"\x01\x01" + server_init()).server_init


@pytest.mark.parametrize("kind", [5, 6, 19, 129, 130, 258, 262])
def test_3_3_knows_no_other_types(kind):
    with pytest.raises(UnsupportedError, match=f"security type {kind} is not supported in RFB 3.3"):
        shaken(b"RFB 003.003\n" + struct.pack(">I", kind), b"pw")


def test_vnc_authentication_answers_the_challenge():
    session = b"RFB 003.008\n\x02\x02\x01" + CHALLENGE + bytes(4) + server_init()
    handshake = shaken(session, b"s3cret")
    answer = vnc_response(b"s3cret", CHALLENGE)
    assert handshake.data_to_send() == b"RFB 003.008\n\x02" + answer + b"\x01"


def test_the_response_is_that_of_a_known_vector():
    # Computed with TigerVNC's own vncpasswd: its fixed key encrypts the password in a file.
    fixed_key = bytes([23, 82, 107, 6, 35, 78, 88, 7])
    assert vnc_response(fixed_key, b"abc\0\0\0\0\0").hex() == "9c0a172d3482e122"


def test_a_long_password_counts_with_its_first_eight_bytes():
    assert vnc_response(b"12345678", CHALLENGE) == vnc_response(b"123456789", CHALLENGE)


def test_a_refused_password_is_told_with_the_servers_reason():
    session = b"RFB 003.008\n\x01\x02" + CHALLENGE + b"\0\0\0\x01" + b"\0\0\0\x03no!"
    with pytest.raises(AuthenticationError, match="no!"):
        shaken(session, b"wrong")


def test_a_password_that_nobody_stored_is_told():
    with pytest.raises(AuthenticationError):
        shaken(b"RFB 003.008\n\x01\x02")


def test_unknown_security_and_refusals_are_told():
    with pytest.raises(UnsupportedError, match="18"):
        shaken(b"RFB 003.008\n\x01\x12", b"x")
    with pytest.raises(UnsupportedError, match="busy"):
        shaken(b"RFB 003.008\n\0\0\0\0\x04busy")
    with pytest.raises(ProtocolError):
        shaken(b"RFB 003.008\n\0\0\0\x10\x01")


def test_what_a_mac_offers_is_told_by_its_numbers():
    with pytest.raises(UnsupportedError, match=r"\[30, 33, 35, 36\]"):
        shaken(b"RFB 003.889\n" + bytes([4, 30, 33, 36, 35]), b"password")


@pytest.mark.parametrize("minor", [3, 7])
def test_older_servers_tell_no_reason_for_a_refused_password(minor):
    offer = b"\0\0\0\x02" if minor == 3 else b"\x01\x02"
    with pytest.raises(AuthenticationError, match="the password was refused"):
        shaken(b"RFB 003.%03d\n" % minor + offer + CHALLENGE + b"\0\0\0\x01", b"wrong")


def test_a_screen_is_as_large_as_the_limit_and_no_larger():
    assert shaken(opening(7680, 4320)).server_init
    for size in ((7681, 4320), (16385, 1), (65535, 65535)):
        with pytest.raises(ProtocolError):
            shaken(opening(*size))


def test_a_name_is_shown_short_and_harmless():
    name = shaken(opening(name=b"a\x1b[31m\n" + b"x" * 4000)).server_init.name
    assert len(name) <= 256
    assert name.isprintable()
    with pytest.raises(ProtocolError):
        shaken(opening(name=b"x" * 4097))


def test_connecting_asks_for_our_format_and_encodings():
    client = rfb.RfbClient(None)
    client.receive_data(opening(), to_the_end)
    assert client.events() == [rfb.Connected(8, 6, "desk")]
    sent = client.data_to_send()
    assert sent.startswith(b"RFB 003.008\n\x01\x01\0\0\0\0\x20\x18\0\x01")
    client.request_update(incremental=False)
    assert client.data_to_send() == struct.pack(">BBHHHH", 3, 0, 0, 0, 8, 6)


def test_an_update_says_what_it_touched():
    client = connected()
    rects = rectangle(Rect(0, 0, 1, 1), 0) + bytes(4) + rectangle(Rect(5, 4, 2, 1), 0) + bytes(8)
    client.receive_data(framebuffer_update(2, rects), to_the_end)
    assert client.events() == [rfb.Updated(Rect(0, 0, 7, 5))]


def test_last_rect_ends_an_update():
    client = connected()
    session = rectangle(Rect(0, 0, 1, 1), 0) + bytes(4) + rectangle(Rect(0, 0, 0, 0), -224)
    client.receive_data(framebuffer_update(65535, session), to_the_end)
    assert client.events() == [rfb.Updated(Rect(0, 0, 1, 1))]


def test_too_many_rectangles_are_refused():
    with pytest.raises(ProtocolError):
        connected().receive_data(struct.pack(">BxH", 0, 16385), to_the_end)
    endless = rectangle(Rect(0, 0, 0, 0), 0) * 16384
    with pytest.raises(ProtocolError):
        connected().receive_data(framebuffer_update(65535, endless), to_the_end)


def test_a_new_size_is_told_once():
    client = connected()
    client.receive_data(update((0, 0, 20, 10), -223, b""), to_the_end)
    assert rfb.Resized(20, 10) in client.events()
    client.receive_data(update((0, 0, 20, 10), -308, b"\x01\0\0\0" + bytes(16)), to_the_end)
    assert client.events() == [rfb.Updated(Rect(0, 0, 0, 0))]
    assert client.framebuffer.width == 20


def test_a_cursor_is_kept():
    client = connected()
    client.receive_data(update((1, 0, 2, 1), -239, bytes(8) + b"\x40"), to_the_end)
    assert client.cursor.hotspot == (1, 0)
    assert client.cursor.pixels[0, :, 3].tolist() == [0, 255]


def test_fences_are_answered_and_answers_told():
    client = connected()
    client.receive_data(struct.pack(">B3xIB", 248, 0x80000007, 2) + b"hi", to_the_end)
    assert client.data_to_send() == struct.pack(">B3xIB", 248, 7, 2) + b"hi"
    assert client.supports_fence
    client.send_fence(b"me")
    assert client.data_to_send() == struct.pack(">B3xIB", 248, 0x80000001, 2) + b"me"
    client.receive_data(struct.pack(">B3xIB", 248, 1, 2) + b"me", to_the_end)
    assert client.events() == [rfb.FenceAnswered(b"me")]
    with pytest.raises(ProtocolError):
        client.receive_data(struct.pack(">B3xIB", 248, 1, 65), to_the_end)


def supported(*kinds):
    bits = bytearray(64)
    for kind in kinds:
        bits[kind // 8] |= 1 << kind % 8
    return update((0, 0, 64, 0), -131071, bytes(bits))


def test_a_server_that_tells_so_may_be_asked_to_shrink_its_screen():
    client = connected()
    client.receive_data(supported(0, 2, 3, 4, 5, 6, 7, 9, 256 + 8), to_the_end)
    assert not client.supports_scale
    for byte in supported(8):
        client.receive_data(bytes([byte]), to_the_end)
    assert client.supports_scale
    client.set_scale(4)
    assert client.data_to_send() == b"\x08\x04\0\0"


@pytest.mark.parametrize("width", [0, 63, 65, 65535])
def test_a_list_of_messages_has_one_length(width):
    with pytest.raises(ProtocolError, match=f"{width} bytes of supported messages"):
        connected().receive_data(update((0, 0, width, 0), -131071, bytes(64)), to_the_end)


def test_a_shrunk_screen_keeps_no_pixel_of_the_large_one_and_a_new_size_does():
    client = connected()
    client.framebuffer.fill(client.framebuffer.bounds, (1, 2, 3))
    client.set_scale(2)
    client.receive_data(update((0, 0, 4, 3), -223, b""), to_the_end)
    assert not client.framebuffer.pixels.any()
    client.framebuffer.fill(client.framebuffer.bounds, (1, 2, 3))
    client.receive_data(update((0, 0, 3, 2), -223, b""), to_the_end)
    assert (client.framebuffer.pixels[..., :3] == (1, 2, 3)).all()


def test_other_messages_are_understood():
    client = connected()
    client.receive_data(b"\x02" + struct.pack(">BxHH", 1, 0, 2) + bytes(12) + b"\x96", to_the_end)
    client.receive_data(struct.pack(">B3xI", 3, 4) + b"text", to_the_end)
    assert client.events() == [rfb.Bell(), rfb.ContinuousUpdatesEnded(), rfb.CutText(b"text")]


def test_cut_text_has_a_limit():
    connected().receive_data(struct.pack(">B3xI", 3, 1024 * 1024), to_the_end)
    for length in (1024 * 1024 + 1, 0xFFFFFFFF):
        with pytest.raises(ProtocolError):
            connected().receive_data(struct.pack(">B3xI", 3, length), to_the_end)


def test_an_unknown_message_ends_the_connection():
    with pytest.raises(ProtocolError):
        connected().receive_data(b"\x63", to_the_end)


def test_input_is_written_as_the_protocol_says():
    client = connected()
    client.key_event(True, 0x61)
    client.pointer_event(1, 3, 4)
    client.cut_text(b"ab")
    expected = b"\x04\x01\0\0\0\0\0\x61" + b"\x05\x01\0\x03\0\x04" + b"\x06\0\0\0\0\0\0\x02ab"
    assert client.data_to_send() == expected


def sizes(count):
    """One update that announces `count` sizes, each another one."""
    rects = [
        rectangle(Rect(0, 0, 10 + number, 10), Encoding.DESKTOP_SIZE) for number in range(count)
    ]
    return framebuffer_update(count, b"".join(rects))


def test_four_sizes_in_one_update_are_taken_and_five_are_not():
    client = connected()
    client.receive_data(sizes(rfb.MAX_RESIZES), to_the_end)
    assert client.framebuffer.width == 13
    client = connected()
    with pytest.raises(ProtocolError, match="5 sizes in one update"):
        client.receive_data(sizes(rfb.MAX_RESIZES + 1), to_the_end)


def test_a_new_name_is_told_short_and_harmless():
    client = connected()
    client.receive_data(
        update((0, 0, 0, 0), -307, struct.pack(">I", 6) + "é\x1b[m".encode() + b"\n"), to_the_end
    )
    assert client.events() == [rfb.Renamed("é [m"), rfb.Updated(Rect(0, 0, 0, 0))]
    client.receive_data(
        update((0, 0, 0, 0), -307, struct.pack(">I", 4096) + b"x" * 4096), to_the_end
    )
    assert client.events()[0] == rfb.Renamed("x" * 256)
    with pytest.raises(ProtocolError, match="a desktop name of 4097 bytes"):
        client.receive_data(update((0, 0, 0, 0), -307, struct.pack(">I", 4097)), to_the_end)


def extended_size(width, height, reason=0, status=0, screens=1):
    data = bytes([screens, 0, 0, 0]) + bytes(16 * screens)
    return update((reason, status, width, height), -308, data)


def test_a_size_that_we_do_not_get_is_told_and_nothing_changes():
    client = connected()
    assert not client.supports_desktop_size
    client.receive_data(extended_size(8, 6), to_the_end)
    assert client.supports_desktop_size
    client.events()
    client.set_desktop_size(20, 10)
    expected = struct.pack(">BxHHBxIHHHHI", 251, 20, 10, 1, 0, 0, 0, 20, 10, 0)
    assert client.data_to_send() == expected
    assert len(expected) == 24
    client.receive_data(extended_size(20, 10, reason=1, status=3), to_the_end)
    assert client.events() == [rfb.ResizeRefused(3), rfb.Updated(Rect(0, 0, 0, 0))]
    assert client.framebuffer.width == 8
    client.receive_data(extended_size(20, 10, reason=1), to_the_end)
    assert client.events()[0] == rfb.Resized(20, 10)


def test_a_status_counts_only_where_we_have_asked():
    client = connected()
    client.receive_data(extended_size(20, 10, reason=2, status=3, screens=64), to_the_end)
    assert client.framebuffer.width == 20


def test_continuous_updates_are_asked_for_where_the_server_knows_them():
    client = connected(encodings=[*rfb.DEFAULT_ENCODINGS, Encoding.CONTINUOUS_UPDATES])
    assert not client.supports_continuous_updates
    client.receive_data(b"\x96", to_the_end)
    assert client.supports_continuous_updates
    assert client.events() == [rfb.ContinuousUpdatesEnded()]
    client.enable_continuous_updates(True)
    assert client.data_to_send() == struct.pack(">BBHHHH", 150, 1, 0, 0, 8, 6)
    client.receive_data(
        update((0, 0, 1, 1), 0, bytes(4)) + update((1, 0, 1, 1), 0, bytes(4)), to_the_end
    )
    assert len(client.events()) == 2
    client.enable_continuous_updates(False)
    assert client.data_to_send() == struct.pack(">BBHHHH", 150, 0, 0, 0, 8, 6)


def test_what_costs_least_is_asked_for_first():
    order = list(rfb.DEFAULT_ENCODINGS)
    wanted = [Encoding.COPY_RECT, Encoding.TIGHT, Encoding.ZRLE, Encoding.HEXTILE, Encoding.RRE]
    assert sorted(wanted, key=order.index) == wanted
    assert Encoding.CONTINUOUS_UPDATES not in order
    assert Encoding.EXTENDED_CLIPBOARD not in order
    assert Encoding.CURSOR not in order


def test_a_screen_may_be_empty_but_nothing_is_painted_on_it():
    client = connected(0, 0)
    with pytest.raises(ProtocolError):
        client.receive_data(update((0, 0, 1, 1), 0, bytes(4)), to_the_end)


def test_nothing_is_asked_of_a_client_without_a_screen():
    client = rfb.RfbClient(None)
    with pytest.raises(ProtocolError, match="no screen yet"):
        client.request_update(False)
