"""The whole server side: bytes of a viewer in, its picture out."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client import RfbClient
from controle_vnc.rfb.clipboard import (
    CAPABILITIES,
    NOTIFY,
    PROVIDE,
    REQUEST,
    TEXT,
    packed,
)
from controle_vnc.rfb.constants import (
    FENCE_REQUEST,
    MAX_CUT_TEXT_BYTES,
    MAX_FENCE_BYTES,
    MAX_SCREENS,
    Encoding,
)
from controle_vnc.rfb.cursor import Cursor
from controle_vnc.rfb.encoders import ALL
from controle_vnc.rfb.encoders import cursor as cursors
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.server import DONE, EVERYTHING, MAX_COPIES, PROHIBITED, ROOM_BYTES, RfbServer
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.rfb.viewer_messages import CutText, KeyEvent, PointerEvent, SetDesktopSize
from tests.controle_vnc.rfb.reference import MAP8, RGB565, Reference, seen_as

WIDTH, HEIGHT = 300, 200
SCREEN = Rect(0, 0, WIDTH, HEIGHT)
PLAIN = (Encoding.RAW,)
VERSION_BYTES = 12


def noise(width, height, seed=1):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3)).astype(np.uint8)


def screen(width=WIDTH, height=HEIGHT):
    framebuffer = Framebuffer(width, height)
    framebuffer.blit(framebuffer.bounds, noise(width, height))
    return framebuffer


def hello(*codes, pixel_format=None):
    """What a viewer says up to its first words after the handshake."""
    said = b"RFB 003.008\n\x01\x01"
    if pixel_format is not None:
        said += messages.set_pixel_format(pixel_format)
    return said + messages.set_encodings(codes)


def ask(incremental=True, rect=SCREEN):
    return messages.update_request(incremental, rect)


class Play:
    """A server of ours, and what it says to a viewer that the test speaks for."""

    def __init__(self, *codes, pixel_format=None, framebuffer=None, choice=EVERYTHING):
        self.framebuffer = framebuffer or screen()
        self.server = RfbServer(self.framebuffer, "desk", choice=choice)
        self.opening = self.hear()
        said = hello(*codes, pixel_format=pixel_format)
        for part in (said[:VERSION_BYTES], said[VERSION_BYTES:]):
            self.opening += self.say(part)

    def say(self, data, now=0.0):
        self.wishes = self.server.receive_data(data, now)
        return self.hear(now)

    def hear(self, now=0.0):
        heard = bytearray()
        while data := self.server.data_to_send(now):
            heard += data
        return bytes(heard)

    def paint(self, rect, seed=9):
        self.framebuffer.blit(rect, noise(rect.width, rect.height, seed))


def rectangles(update):
    """The rectangles of an update without pixels: place and encoding, and its bytes."""
    kind, count = struct.unpack(">BxH", update[:4])
    assert kind == 0
    return count, [struct.unpack(">HHHHi", update[4:16])]


# --- pictures


@pytest.mark.parametrize("encoding", sorted(ALL - {Encoding.JPEG}))
@pytest.mark.parametrize("end", [(), (Encoding.LAST_RECT,)])
def test_a_viewer_gets_the_first_encoding_that_it_names(encoding, end):
    play = Play(encoding, *end, Encoding.RAW)
    reference = Reference(WIDTH, HEIGHT)
    reference.read(play.say(ask(False)))
    assert set(reference.encodings) <= {encoding, Encoding.RAW}
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()
    assert play.say(ask()) == b""
    play.framebuffer.fill(Rect(100, 100, 50, 50), (1, 2, 3))
    reference.encodings.clear()
    reference.read(play.hear())
    assert reference.encodings[0] == encoding
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_a_viewer_of_nothing_we_know_gets_raw():
    reference = Reference(WIDTH, HEIGHT)
    reference.read(Play(50, 1234).say(ask(False)))
    assert set(reference.encodings) == {Encoding.RAW}


def test_what_is_not_in_the_choice_is_not_used():
    reference = Reference(WIDTH, HEIGHT)
    reference.read(Play(Encoding.TIGHT, Encoding.ZRLE, choice={Encoding.ZRLE}).say(ask(False)))
    assert set(reference.encodings) == {Encoding.ZRLE}


def test_our_own_client_and_our_own_server_understand_each_other():
    framebuffer = screen()
    server, client = RfbServer(framebuffer, "desk"), RfbClient(None)

    def shows_it():
        return (client.framebuffer.pixels[..., :3] == framebuffer.pixels[..., :3]).all()

    framebuffer.fill(Rect(0, 0, 300, 200), (9, 8, 7))
    for turn in range(12):
        client.receive_data(server.data_to_send(turn), to_the_end)
        server.receive_data(client.data_to_send(), turn)
        if client.framebuffer is not None and turn % 2:
            client.request_update(turn > 5)
            framebuffer.fill(Rect(turn, turn, 20, 20), (turn, 1, 2))
            server.receive_data(client.data_to_send(), turn)
            while data := server.data_to_send(turn):
                client.receive_data(data, to_the_end)
            assert shows_it()
    assert shows_it()


@pytest.mark.parametrize("pixel_format", [RGB565, MAP8])
def test_pixels_come_in_the_format_that_the_viewer_set(pixel_format):
    play = Play(Encoding.HEXTILE, pixel_format=pixel_format)
    if not pixel_format.true_colour:
        kind, first, count = struct.unpack(">BxHH", play.opening[-1542:-1536])
        assert (kind, first, count) == (1, 0, 256)
        assert play.opening[-6:] == b"\xff" * 6
    reference = Reference(WIDTH, HEIGHT, pixel_format)
    reference.read(play.say(ask(False)))
    assert (reference.pixels == seen_as(play.framebuffer.pixels, pixel_format)).all()


def test_a_colour_map_of_fewer_colours_is_refused():
    few = struct.pack(">BBBB", 8, 4, 0, 0) + bytes(12)
    with pytest.raises(ProtocolError, match="^a colour map of fewer than 256 colours$"):
        Play(0).say(struct.pack(">B3x", 0) + few)


def test_a_part_can_be_asked_for_and_the_rest_is_not_forgotten():
    play = Play(*PLAIN)
    reference = Reference(WIDTH, HEIGHT)
    reference.read(play.say(ask(False)))
    play.paint(Rect(10, 10, 5, 5))
    play.paint(Rect(250, 150, 5, 5))
    reference.read(play.say(ask(True, Rect(0, 0, 50, 50))))
    assert (reference.pixels[:100, :100] == play.framebuffer.pixels[:100, :100, :3]).all()
    assert (reference.pixels != play.framebuffer.pixels[..., :3]).any()
    reference.read(play.say(ask()))
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_a_large_update_comes_in_portions_each_of_the_newest_pixels():
    framebuffer = screen(1024, 512)
    play = Play(*PLAIN, framebuffer=framebuffer)
    play.server.receive_data(ask(False, framebuffer.bounds), 0.0)
    first = play.server.data_to_send(0.0)
    assert ROOM_BYTES <= len(first) <= 2 * ROOM_BYTES + 128
    framebuffer.fill(Rect(900, 400, 50, 50), (1, 2, 3))  # in a cell that is still to come
    play.server.session.bell()
    play.server.receive_data(messages.fence(FENCE_REQUEST, b"now"), 0.0)
    portions = [first]
    while data := play.server.data_to_send(0.0):
        assert len(data) <= 2 * ROOM_BYTES + 128
        portions.append(data)
    assert len(portions) > 16
    whole = b"".join(portions)
    assert whole.endswith(messages.fence(0, b"now") + messages.bell())  # never within an update
    reference = Reference(1024, 512)
    reference.read(whole[: -len(messages.fence(0, b"now") + messages.bell())])
    assert (reference.pixels == framebuffer.pixels[..., :3]).all()


def test_continuous_updates_come_without_requests_and_wait_for_fences():
    play = Play(Encoding.TIGHT, Encoding.FENCE, Encoding.CONTINUOUS_UPDATES)
    ours = messages.fence(FENCE_REQUEST | 1, struct.pack(">I", 1))
    assert play.opening.endswith(ours + messages.end_of_continuous_updates())
    reference = Reference(WIDTH, HEIGHT)
    said = play.say(
        messages.fence(1, struct.pack(">I", 1)) + struct.pack(">BBHHHH", 150, 1, *SCREEN), 1.0
    )
    fence = len(ours)
    reference.read(said[:-fence])
    play.paint(Rect(0, 0, 9, 9))
    reference.read(play.hear()[:-fence])
    play.paint(Rect(0, 0, 9, 9), 7)
    assert play.hear() == b""  # two fences are unanswered
    reference.read(play.say(messages.fence(1, struct.pack(">I", 3)))[:-fence])
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()
    assert play.say(struct.pack(">BBHHHH", 150, 0, *SCREEN)) == messages.end_of_continuous_updates()


# --- CopyRect


def scrolled(play, dy=10):
    rect = Rect(0, 0, WIDTH, HEIGHT - dy)
    play.framebuffer.copy(rect, 0, dy)
    play.server.copied(rect, 0, dy)


def copying():
    play = Play(Encoding.COPY_RECT, Encoding.ZRLE)
    reference = Reference(WIDTH, HEIGHT)
    reference.read(play.say(ask(False)))
    reference.encodings.clear()
    return play, reference


def test_what_is_scrolled_is_copied_by_the_viewer():
    play, reference = copying()
    for _ in range(3):
        scrolled(play)
        play.paint(Rect(0, HEIGHT - 10, WIDTH, 10))
    reference.read(play.say(ask()))
    assert reference.encodings[0] == Encoding.COPY_RECT
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_copies_in_a_row_are_sent_in_their_order_and_not_without_end():
    play, reference = copying()
    for turn in range(MAX_COPIES + 3):
        scrolled(play, 1 + turn % 3)
    reference.read(play.say(ask()))
    assert reference.encodings[:MAX_COPIES] == [Encoding.COPY_RECT] * MAX_COPIES
    assert Encoding.COPY_RECT not in reference.encodings[MAX_COPIES:]
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_a_copy_is_not_told_to_a_viewer_that_shows_something_else():
    play, reference = copying()
    play.paint(Rect(5, 50, 20, 20))
    scrolled(play)
    reference.read(play.say(ask()))
    assert Encoding.COPY_RECT not in reference.encodings
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_a_copy_while_an_update_is_on_its_way_is_sent_as_pixels():
    framebuffer = screen(1024, 512)
    play = Play(Encoding.COPY_RECT, Encoding.RAW, framebuffer=framebuffer)
    play.server.receive_data(ask(False, framebuffer.bounds), 0.0)
    said = play.server.data_to_send(0.0)
    framebuffer.copy(Rect(0, 0, 1024, 500), 0, 12)
    play.server.copied(Rect(0, 0, 1024, 500), 0, 12)
    said += play.hear() + play.say(ask(True, framebuffer.bounds))
    reference = Reference(1024, 512)
    reference.read(said)
    assert (reference.pixels == framebuffer.pixels[..., :3]).all()


def test_a_viewer_without_copy_rect_gets_pixels():
    play = Play(Encoding.ZRLE)
    reference = Reference(WIDTH, HEIGHT)
    reference.read(play.say(ask(False)))
    scrolled(play)
    reference.read(play.say(ask()))
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


@settings(max_examples=40)
@given(st.lists(st.sampled_from("ppcasrq"), max_size=30), st.integers(0, 2**32 - 1))
def test_whatever_happens_in_between_the_viewer_ends_with_the_picture(steps, seed):
    random = np.random.default_rng(seed)
    play = Play(Encoding.COPY_RECT, Encoding.HEXTILE, Encoding.LAST_RECT)
    client = RfbClient(None, (Encoding.COPY_RECT, Encoding.HEXTILE, Encoding.LAST_RECT))
    client.receive_data(play.opening, to_the_end)

    def rect():
        width, height = random.integers(1, 200), random.integers(1, 150)
        x, y = random.integers(0, WIDTH - width), random.integers(0, HEIGHT - height)
        return Rect(int(x), int(y), int(width), int(height))

    for step in steps:
        if step == "p":
            play.framebuffer.fill(rect(), tuple(int(c) for c in random.integers(0, 256, 3)))
        elif step == "c":
            target = rect()
            x = int(random.integers(0, WIDTH - target.width))
            y = int(random.integers(0, HEIGHT - target.height))
            play.framebuffer.copy(target, x, y)
            play.server.copied(target, x, y)
        elif step == "a":
            play.server.receive_data(ask(bool(random.integers(0, 3))), 0.0)
        elif step == "q":
            play.server.receive_data(ask(True, rect()), 0.0)
        elif step == "s":
            client.receive_data(play.server.data_to_send(0.0), to_the_end)
        else:
            client.receive_data(play.hear(), to_the_end)
    client.receive_data(play.hear(), to_the_end)
    for _ in range(2):
        client.receive_data(play.say(ask()), to_the_end)
    assert (client.framebuffer.pixels[..., :3] == play.framebuffer.pixels[..., :3]).all()


# --- sizes


def test_a_new_size_is_told_alone_and_then_all_of_the_new_screen():
    play = Play(Encoding.RAW, Encoding.DESKTOP_SIZE)
    play.say(ask(False))
    play.framebuffer.resize(64, 48)
    play.paint(Rect(0, 0, 64, 48))
    assert play.say(ask()) == messages.framebuffer_update(1, messages.desktop_size(64, 48))
    reference = Reference(64, 48)
    reference.read(play.say(ask()))
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_a_viewer_that_cannot_follow_is_shown_what_fits():
    play = Play(*PLAIN)
    play.say(ask(False))
    play.framebuffer.resize(400, 100)
    reference = Reference(WIDTH, HEIGHT)
    reference.read(play.say(ask()))
    assert (reference.pixels[:100] == play.framebuffer.pixels[:, :WIDTH, :3]).all()


def test_a_viewer_that_learns_to_follow_is_shown_the_rest():
    play = Play(*PLAIN)
    play.framebuffer.resize(400, 300)
    play.paint(Rect(0, 0, 400, 300))
    play.say(ask())
    told = play.say(messages.set_encodings([0, Encoding.DESKTOP_SIZE]) + ask())
    assert told == messages.framebuffer_update(1, messages.desktop_size(400, 300))
    reference = Reference(400, 300)
    reference.read(play.say(ask(True, Rect(0, 0, 400, 300))))
    assert (reference.pixels == play.framebuffer.pixels[..., :3]).all()


def test_another_size_ends_an_update_that_may_end_early():
    framebuffer = screen(1024, 512)
    play = Play(*PLAIN, Encoding.LAST_RECT, Encoding.DESKTOP_SIZE, framebuffer=framebuffer)
    play.server.receive_data(ask(False, framebuffer.bounds), 0.0)
    first = play.server.data_to_send(0.0)
    framebuffer.resize(64, 48)
    last = play.server.data_to_send(0.0)
    assert last == messages.rectangle(Rect(0, 0, 0, 0), Encoding.LAST_RECT)
    Reference(1024, 512).read(first + last)
    told = messages.framebuffer_update(65535, messages.desktop_size(64, 48) + last)
    assert play.say(ask()) == told


def test_another_size_does_not_break_an_update_that_has_a_count():
    framebuffer = screen(1024, 512)
    play = Play(*PLAIN, framebuffer=framebuffer)
    play.server.receive_data(ask(False, framebuffer.bounds), 0.0)
    said = play.server.data_to_send(0.0)
    framebuffer.resize(64, 48)
    Reference(1024, 512).read(said + play.hear())


def test_a_viewer_may_wish_for_another_size_and_is_told_what_became_of_it():
    play = Play(Encoding.RAW, Encoding.EXTENDED_DESKTOP_SIZE)
    known = messages.framebuffer_update(1, messages.extended_desktop_size(WIDTH, HEIGHT))
    assert play.say(ask(False)).startswith(known)  # and the pixels in another update
    assert play.say(messages.set_desktop_size(64, 48)) == b""
    assert play.wishes == [SetDesktopSize(64, 48)]
    play.server.answer_size(PROHIBITED)
    refused = messages.extended_desktop_size(WIDTH, HEIGHT, 1, PROHIBITED)
    assert play.say(ask()) == messages.framebuffer_update(1, refused)
    play.framebuffer.resize(64, 48)
    play.server.answer_size(DONE)
    done = messages.extended_desktop_size(64, 48, 1, DONE)
    assert play.hear() == messages.framebuffer_update(1, done)


# --- what is no picture


def arrow(width=10, height=12):
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[2:, 3:] = (200, 100, 50, 255)
    pixels[5:8, 4:6] = (10, 10, 10, 128)
    pixels[9, 9] = (255, 255, 255, 100)
    return Cursor(pixels, (3, 2))


def test_a_cursor_is_told_once_in_the_best_way_a_viewer_knows():
    for codes, kind in (
        ((Encoding.CURSOR, Encoding.CURSOR_WITH_ALPHA), Encoding.CURSOR_WITH_ALPHA),
        ((Encoding.X_CURSOR, Encoding.CURSOR), Encoding.CURSOR),
        ((Encoding.X_CURSOR,), Encoding.X_CURSOR),
    ):
        play = Play(Encoding.RAW, *codes)
        play.say(ask(False))
        play.server.show_cursor(arrow())
        expected = cursors.encode(arrow(), kind, RGBX)
        assert play.say(ask()) == messages.framebuffer_update(1, expected)
        assert play.say(ask()) == b""
        play.server.show_cursor(Cursor(arrow().pixels, (0, 0)))
        assert play.hear() != b""
    play = Play(*PLAIN)
    play.say(ask(False))
    play.server.show_cursor(arrow())
    assert play.say(ask()) == b""


def test_our_own_client_sees_the_cursor():
    client = RfbClient(None, (Encoding.RAW, Encoding.CURSOR))
    play = Play(Encoding.RAW, Encoding.CURSOR)
    client.receive_data(play.opening, to_the_end)
    play.server.show_cursor(arrow())
    client.receive_data(play.say(ask(False)), to_the_end)
    seen, drawn = client.cursor, arrow()
    assert seen.hotspot == (3, 2)
    is_there = drawn.pixels[..., 3] >= 128
    assert ((seen.pixels[..., 3] == 255) == is_there).all()
    assert (seen.pixels[is_there][:, :3] == drawn.pixels[is_there][:, :3]).all()


def test_a_cursor_with_alpha_is_weakened_by_its_opacity():
    data = cursors.encode(arrow(), Encoding.CURSOR_WITH_ALPHA, RGBX)
    assert data[:16] == struct.pack(">HHHHii", 3, 2, 10, 12, -314, 0)
    pixels = np.frombuffer(data[16:], np.uint8).reshape(12, 10, 4)
    assert pixels[5, 4].tolist() == [5, 5, 5, 128]
    assert pixels[0, 0].tolist() == [0, 0, 0, 0]


def test_an_x_cursor_has_two_colours_and_a_mask():
    data = cursors.encode(arrow(), Encoding.X_CURSOR, RGBX)
    assert data[12:18] == bytes(3) + b"\xff" * 3
    dark, mask = data[18 : 18 + 24], data[42:]
    assert len(mask) == 24
    assert mask[:4] == bytes(4)
    assert mask[4:6] == bytes([0b00011111, 0b11000000])
    assert dark[10] & 0b00001100 == 0b00001100


@pytest.mark.parametrize("kind", cursors.KINDS)
def test_no_cursor_at_all_has_no_data(kind):
    nothing = Cursor(np.zeros((0, 0, 4), np.uint8), (0, 0))
    size = 16 if kind == Encoding.CURSOR_WITH_ALPHA else 12
    assert len(cursors.encode(nothing, kind, RGBX)) == size


def test_a_new_name_is_told():
    play = Play(Encoding.RAW, Encoding.DESKTOP_NAME)
    play.say(ask(False))
    play.server.rename("élève")
    assert play.say(ask()) == messages.framebuffer_update(1, messages.desktop_name("élève"))


def test_bell_and_text_need_no_request():
    play = Play(*PLAIN)
    play.server.session.bell()
    play.server.session.cut_text("déjà €")
    assert play.hear() == messages.bell() + messages.server_cut_text(b"d\xe9j\xe0 ?")


def test_a_text_that_is_too_long_is_not_told():
    play = Play(*PLAIN)
    play.server.session.cut_text("a" * MAX_CUT_TEXT_BYTES)
    assert len(play.hear()) == 8 + MAX_CUT_TEXT_BYTES
    play.server.session.cut_text("a" * (MAX_CUT_TEXT_BYTES + 1))
    assert play.hear() == b""


def test_the_extended_clipboard_carries_any_text_both_ways():
    play = Play(Encoding.RAW, Encoding.EXTENDED_CLIPBOARD)
    caps = CAPABILITIES | REQUEST | NOTIFY | PROVIDE | 1 << 26 | TEXT
    assert play.opening.endswith(
        messages.extended_cut_text(caps, struct.pack(">I", MAX_CUT_TEXT_BYTES))
    )
    ours = messages.extended_cut_text(caps, bytes(4), client=True)
    assert play.say(ours) == b""
    play.server.session.cut_text("один\nдва")
    assert play.hear() == messages.extended_cut_text(NOTIFY | TEXT)
    asked = play.say(messages.extended_cut_text(REQUEST | TEXT, client=True))
    assert asked == messages.extended_cut_text(PROVIDE | TEXT, packed("один\nдва"))
    assert play.say(messages.extended_cut_text(NOTIFY | TEXT, client=True)) == (
        messages.extended_cut_text(REQUEST | TEXT)
    )
    play.say(messages.extended_cut_text(PROVIDE | TEXT, packed("три\n✓"), client=True))
    assert play.wishes == [CutText("три\n✓")]


# --- what a viewer may say


def test_keys_pointer_and_text_are_wishes():
    play = Play(Encoding.RAW, Encoding.EXTENDED_MOUSE_BUTTONS, Encoding.QEMU_EXTENDED_KEY_EVENT)
    first = play.say(ask(False))
    assert first[4:28] == b"".join(
        messages.rectangle(Rect(0, 0, 0, 0), code)
        for code in (Encoding.QEMU_EXTENDED_KEY_EVENT, Encoding.EXTENDED_MOUSE_BUTTONS)
    )
    play.say(
        messages.key_event(True, 0x61)
        + struct.pack(">BBHII", 255, 0, 1, 0x61, 0x1E)
        + messages.pointer_event(1, 5, 6)
        + struct.pack(">BBHHB", 5, 0x81, 7, 8, 3)
        + messages.client_cut_text(b"d\xe9j\xe0")
    )
    assert play.wishes == [
        KeyEvent(True, 0x61),
        KeyEvent(True, 0x61, 0x1E),
        PointerEvent(1, 5, 6),
        PointerEvent(1 | 3 << 7, 7, 8),
        CutText("déjà"),
    ]


def test_without_extended_buttons_bit_seven_is_button_eight():
    play = Play(*PLAIN)
    play.say(messages.pointer_event(0x80, 1, 2) + messages.key_event(True, 5))
    assert play.wishes == [PointerEvent(0x80, 1, 2), KeyEvent(True, 5)]


AT_THE_LIMIT = {
    "encodings": (messages.set_encodings([0] * 512), messages.set_encodings([0] * 513)),
    "cut text": (
        messages.client_cut_text(bytes(MAX_CUT_TEXT_BYTES)),
        messages.client_cut_text(bytes(MAX_CUT_TEXT_BYTES + 1)),
    ),
    "extended cut text": (
        messages.extended_cut_text(1 << 26, bytes(MAX_CUT_TEXT_BYTES - 4), client=True),
        messages.extended_cut_text(1 << 26, bytes(MAX_CUT_TEXT_BYTES - 3), client=True),
    ),
    "fence": (
        messages.fence(0, bytes(MAX_FENCE_BYTES)),
        messages.fence(0, bytes(MAX_FENCE_BYTES + 1)),
    ),
    "screens": (
        struct.pack(">BxHHBx", 251, 9, 9, MAX_SCREENS) + bytes(16 * MAX_SCREENS),
        struct.pack(">BxHHBx", 251, 9, 9, MAX_SCREENS + 1) + bytes(16 * MAX_SCREENS + 16),
    ),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_what_a_viewer_says_has_a_limit(name):
    within, beyond = AT_THE_LIMIT[name]
    Play(Encoding.RAW, Encoding.EXTENDED_CLIPBOARD).say(within)
    with pytest.raises(ProtocolError):
        Play(Encoding.RAW, Encoding.EXTENDED_CLIPBOARD).say(beyond)


def test_answers_that_nobody_reads_end_the_connection():
    server = Play(*PLAIN).server
    fence = messages.fence(FENCE_REQUEST, bytes(MAX_FENCE_BYTES))
    count = 4096 // len(fence)
    server.receive_data(fence * count, 0.0)
    with pytest.raises(ProtocolError, match="^messages without reading the answers$"):
        server.receive_data(fence, 0.0)


def test_texts_that_nobody_reads_are_held_once():
    play = Play(Encoding.RAW, Encoding.EXTENDED_CLIPBOARD)
    random = np.random.default_rng(4)
    text = "".join(chr(one) for one in random.integers(32, 0x3000, 200_000))
    play.server.session.cut_text(text)
    request = messages.extended_cut_text(REQUEST | TEXT, client=True)
    play.server.receive_data(request * 50, 0.0)
    assert len(play.hear()) < 2 * len(text.encode())


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([
    b"\x00\x00\x00\x00", b"\x02\x00\x00\x01", b"\x03\x00", b"\x06\x00\x00\x00\xff\xff\xff\xf0",
    b"\x96\x01", b"\xf8\x00\x00\x00\x80\x00\x00\x00\x04", b"\xfb\x00", b"\xff\x00",
    b"\xfa\x00\x01\x02", messages.update_request(False, SCREEN),
    messages.set_encodings([7, -223, -308, -239, -312, -313, Encoding.EXTENDED_CLIPBOARD]),
    messages.extended_cut_text(PROVIDE | TEXT, b"x", True),
]), max_size=12))  # fmt: skip
def test_no_bytes_of_a_viewer_raise_anything_else(parts):
    framebuffer = Framebuffer(40, 30)
    server = RfbServer(framebuffer, "desk")
    try:
        for part in (b"RFB 003.008\n\x01\x01", *parts):
            server.receive_data(part, 0.0)
            for _ in range(8):
                server.data_to_send(0.0)
    except ProtocolError:
        pass


def test_a_viewer_that_dribbles_is_served_like_any_other():
    framebuffer = screen()
    server = RfbServer(framebuffer, "desk")
    said = hello(Encoding.ZRLE) + ask(False)
    heard = server.data_to_send(0.0)
    for at in range(len(said)):
        server.receive_data(said[at : at + 1], 0.0)
        while data := server.data_to_send(0.0):
            heard += data
    client = RfbClient(None, (Encoding.ZRLE,))
    client.receive_data(heard, to_the_end)
    assert (client.framebuffer.pixels[..., :3] == framebuffer.pixels[..., :3]).all()
