import asyncio
import contextlib
import struct
from dataclasses import replace

import pytest

from controle_vnc.control.messages import Controller
from controle_vnc.viewer.live import serve
from controle_vnc.viewer.stream import Stream
from controle_vnc.workstation import upstream
from controle_vnc.workstation.pace import Timing
from tests.fakes import vnc_server as fake
from tests.fakes.house import browsing, house, screen_grant, stored, until
from tests.fakes.rfb_viewer import (
    DESKTOP_SIZE,
    RAW,
    TIGHT,
    RfbViewer,
    cut_text,
    encodings,
    key,
    pointer,
    request,
    stroke,
)
from tests.fakes.vnc_server import FakeVncServer

QUICK = Timing(linger=0.05, wall=0.05, settle=0.0, connect=1, opening=1.5)
VIEW, CONTROL = screen_grant(), screen_grant(mode="control")
LOOK = {"name": "Camille", "look": "g2", "mode": "view", "workstation": "pc-01", "room": "S12"}
NATIVE = bytes([30, 20, 10, 0])  # the double's order: blue, green, red
DECODED = bytes([10, 20, 30, 0])


def journal(place):
    return [(event.kind, event.details) for event in place.clerk.journal.after(0)]


class Eye:
    """Keeps the decoded link open, as a wall does."""

    live = False
    shown_width = None

    def __init__(self):
        self.client = None

    def opened(self, client, has_picture):
        self.client = client

    def event(self, event):
        pass

    def lost(self):
        self.client = None

    def told(self, health):
        pass


async def look(place):
    """Open the decoded link of workstation 1 and wait for its picture."""
    eye, seat = Eye(), place.hub.find("id1")
    seat.watch(eye)
    await until(lambda: seat.link.has_picture, "the decoded picture")
    return eye


def play_screen(play, behaviour=fake.desktop, size=(64, 48), timing=QUICK, clipboard=True):
    """Run `play(server, place)` on one workstation."""

    async def run():
        async with (
            FakeVncServer(behaviour, size) as server,
            house(stored(1, server.address), timing=timing, clipboard=clipboard) as place,
        ):
            await play(server, place)

    asyncio.run(run())


def test_the_first_screen_is_passed_through_and_counted():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            viewer = await RfbViewer(browser).open()
            assert (viewer.size, viewer.name) == ((64, 48), b"double")
            rectangles = await viewer.picture()
            assert rectangles == [((0, 0, 64, 48), b"\x0a\x14\x1e\x00" * (64 * 48))]
            assert place.hub.status("id1").state == "viewed"
            assert (server.accepted, place.hub.upstreams, place.hub.screens) == (1, 1, 1)
        await until(lambda: not server.sessions, "the upstream closed")
        assert place.hub.status("id1").state == "ready"
        assert journal(place) == [
            ("screen_opened", LOOK),
            ("screen_closed", {**LOOK, "seconds": 0, "code": "left"}),
        ]

    play_screen(play)


def test_the_journal_says_whose_screen_it_was_from_its_opening_to_its_end():
    async def play():
        async with (
            FakeVncServer() as server,
            house(stored(1, server.address, user="zoe martin"), timing=QUICK) as place,
        ):
            async with browsing(serve, screen_grant(user="zoe martin"), place) as browser:
                await RfbViewer(browser).open()
            opened, closed = journal(place)
        assert opened == ("screen_opened", {**LOOK, "watched": "zoe_martin"})
        assert closed[1]["watched"] == "zoe_martin"
        assert closed[1]["look"] == opened[1]["look"]

    asyncio.run(play())


def test_under_control_the_workstation_is_controlled_and_input_passes():
    async def play(server, place):
        async with browsing(serve, CONTROL, place) as browser:
            viewer = await RfbViewer(browser).open()
            viewer.send(stroke(0x61) + pointer(1, 5, 6) + cut_text(b"hello"))
            await until(lambda: {4, 5, 6} <= set(server.types()), "input")
            told = place.hub.status("id1")
            assert told.state == "controlled"
            assert told.controllers == [Controller(CONTROL.user, CONTROL.name)]
        assert place.hub.status("id1").controllers == []

    play_screen(play)


def test_who_controls_is_told_each_once_and_who_only_views_is_not():
    async def play(server, place):
        grants = [
            CONTROL,
            replace(CONTROL, id="g3", session="s3"),
            replace(CONTROL, id="g4", session="s4", user="roux", name="M. Roux"),
            replace(VIEW, id="g5", session="s5", user="klein", name="Mme Klein"),
        ]
        async with contextlib.AsyncExitStack() as stack:
            for grant in grants:
                browser = await stack.enter_async_context(browsing(serve, grant, place))
                await RfbViewer(browser).open()
            assert [one.login for one in place.hub.status("id1").controllers] == [
                CONTROL.user, "roux",
            ]  # fmt: skip

    play_screen(play)


def test_under_view_no_input_passes_and_no_clipboard_comes_back():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            viewer = await RfbViewer(browser).open()
            viewer.send(stroke(0x61) + pointer(1, 5, 6) + cut_text(b"hello"))
            viewer.send(struct.pack(">BBHHHBx", 251, 0, 800, 600, 0, 0)[:8])
            viewer.send(struct.pack(">BBHII", 255, 0, 1, 0x61, 30))
            server.say(struct.pack(">BxxxI", 3, 6) + b"secret")
            await viewer.picture()
            await viewer.picture()
            assert set(server.types()) <= {0, 2, 3, 150, 248}

    play_screen(play)


@pytest.mark.parametrize(("clipboard", "count"), [(True, 1), (False, 0)])
def test_the_clipboard_passes_under_control_where_the_setting_allows_it(clipboard, count):
    async def play(server, place):
        async with browsing(serve, CONTROL, place) as browser:
            viewer = await RfbViewer(browser).open()
            viewer.send(cut_text(b"hello") + stroke(0x61))
            await until(lambda: 4 in server.types(), "a key")
            assert server.types().count(6) == count
            server.say(struct.pack(">BxxxI", 3, 6) + b"secret")
            viewer.ask()
            kinds = [(await viewer.message())[0]]
            while kinds[-1] != "update":
                kinds.append((await viewer.message())[0])
            assert kinds.count("text") == count

    play_screen(play, clipboard=clipboard)


def test_an_unknown_message_closes_the_screen():
    async def play(server, place):
        async with browsing(serve, CONTROL, place) as browser:
            viewer = await RfbViewer(browser).open()
            viewer.send(b"\xfa" * 4 + b"\x63" * 50)
            await asyncio.wait_for(browser.task, 2)
            assert journal(place)[-1][1]["code"] == "forbidden"

    play_screen(play)


def test_the_second_viewer_gets_the_decoded_picture_and_both_live():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as first, browsing(serve, VIEW, place) as second:
            one = await RfbViewer(first).open()
            two = await RfbViewer(second).open()
            third = [((0, 0, 64, 48), DECODED * (64 * 48))]
            assert await two.picture() == third
            two.ask(incremental=1)
            server.paint((200, 100, 50))
            kind, rectangles = await two.message()
            assert kind == "update"
            assert rectangles[0][1][:4] == bytes([200, 100, 50, 0])
            assert (await one.picture())[0][1][:3] == bytes([200, 100, 50])
            assert server.accepted == 2

    play_screen(play)


def test_many_viewers_cost_two_connections():
    async def play(server, place):
        async with (
            browsing(serve, VIEW, place) as a,
            browsing(serve, VIEW, place) as b,
            browsing(serve, VIEW, place) as c,
        ):
            for browser in (a, b, c):
                viewer = await RfbViewer(browser).open()
                await viewer.picture()
            assert server.accepted == 2
            assert place.hub.upstreams == 2
            assert place.hub.screens == 3

    play_screen(play)


def test_a_decoded_screen_obeys_its_mode_and_lets_go_of_keys():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as first:
            await RfbViewer(first).open()
            async with browsing(serve, VIEW, place) as watching:
                viewer = await RfbViewer(watching).open()
                viewer.send(stroke(0x61) + pointer(1, 5, 6) + cut_text(b"hello"))
                await viewer.picture()
                assert not {4, 5, 6} & set(server.types())
            async with browsing(serve, CONTROL, place) as typing:
                viewer = await RfbViewer(typing).open()
                viewer.send(key(0xFFE1) + pointer(1, 5, 6) + cut_text(b"hello"))
                await until(lambda: {4, 5, 6} <= set(server.types()), "input")
                server.say(struct.pack(">BxxxI", 3, 6) + b"secret" + b"\x02")
                texts = [await viewer.message() for _ in range(2)]
                assert sorted(texts) == [("bell", b""), ("text", b"secret")]
            await until(lambda: key(0xFFE1, 0) in server.received, "the key released")
            await until(lambda: pointer(0, 5, 6) in server.received, "the button released")

    play_screen(play)


def test_a_decoded_viewer_is_served_in_its_own_pixel_format_and_encodings():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as first, browsing(serve, VIEW, place) as browser:
            await RfbViewer(first).open()
            viewer = await RfbViewer(browser).open()
            format_16 = struct.pack(">BBBBHHHBBBxxx", 16, 16, 0, 1, 31, 63, 31, 11, 5, 0)
            viewer.send(b"\0\0\0\0" + format_16 + request(64, 48))
            assert await browser.exactly(4) == b"\0\0\0\1"
            await browser.exactly(12)
            (pixel,) = struct.unpack("<H", (await browser.exactly(64 * 48 * 2))[:2])
            assert (pixel >> 11, pixel >> 5 & 63, pixel & 31) == (1, 5, 4)
            native = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
            viewer.send(b"\0\0\0\0" + native + encodings(TIGHT, RAW) + request(64, 48))
            await browser.exactly(4)
            assert struct.unpack(">HHHHi", await browser.exactly(12)) == (0, 0, 64, 48, TIGHT)
            assert await browser.exactly(4) == b"\x8f" + DECODED[:3]

    play_screen(play)


def test_a_decoded_viewer_is_told_a_new_size():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as first, browsing(serve, VIEW, place) as browser:
            await RfbViewer(first).open()
            viewer = await RfbViewer(browser).open()
            viewer.send(encodings(RAW, DESKTOP_SIZE))
            await viewer.picture()
            viewer.ask(incremental=1)
            server.size = (80, 40)
            server.colour = (1, 2, 3)
            resize = struct.pack(">BxHHHHHi", 0, 1, 0, 0, 80, 40, DESKTOP_SIZE)
            server.say(resize)
            while viewer.size != (80, 40):
                assert (await viewer.message())[0] == "update"
            while (rectangles := await viewer.picture())[0][1][:3] != bytes([1, 2, 3]):
                assert rectangles
            assert rectangles[0][0] == (0, 0, 80, 40)

    play_screen(play)


def test_a_server_for_one_client_serves_the_wall_and_a_screen_together():
    async def play(server, place):
        await look(place)
        async with browsing(serve, CONTROL, place) as browser:
            viewer = await RfbViewer(browser).open()
            assert (await viewer.picture())[0][1] == DECODED * (64 * 48)
            viewer.send(stroke(0x61))
            await until(lambda: 4 in server.types(), "a key")
            assert place.hub.find("id1").direct.takes_one_client
            assert place.hub.status("id1").state == "controlled"
        accepted = server.accepted
        async with browsing(serve, VIEW, place) as browser:
            await RfbViewer(browser).open()
            assert server.accepted == accepted

    play_screen(play, behaviour=fake.solitary)


def test_a_server_that_throws_the_first_client_out_is_recognised():
    async def play(server, place):
        await look(place)
        async with browsing(serve, VIEW, place) as browser:
            await RfbViewer(browser).open()
            await until(lambda: browser.task.done(), "the page has to open it again")
        await until(lambda: place.hub.find("id1").direct.takes_one_client, "recognised")
        await until(lambda: place.hub.find("id1").link.has_picture, "the wall goes on", 7)
        async with browsing(serve, VIEW, place) as browser:
            viewer = await RfbViewer(browser).open()
            assert (await viewer.picture())[0][1] == DECODED * (64 * 48)

    play_screen(play, behaviour=fake.jealous)


def test_a_wall_that_comes_to_a_server_for_one_client_gets_its_tile():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            await RfbViewer(browser).open()
            seat, eye = place.hub.find("id1"), Eye()
            seat.watch(eye)
            await until(lambda: browser.task.done(), "the page has to open it again")
            await until(lambda: seat.link.has_picture, "the wall has its picture", 7)
        async with browsing(serve, VIEW, place) as browser:
            await (await RfbViewer(browser).open()).picture()

    play_screen(play, behaviour=fake.solitary)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (fake.garbage, "bad_server"),
        (fake.closes_at_once, "closed"),
        (fake.announces_65535, "bad_server"),
        (fake.refuses_password, "wrong_password"),
        (fake.turns_away, "turned_away"),
        (fake.unknown_security, "unsupported"),
        (fake.silent, "silent"),
    ],
)
def test_a_screen_that_cannot_be_opened_is_told_in_rfb(behaviour, code):
    async def play():
        async with FakeVncServer(behaviour) as server:
            row = stored(1, server.address, password=b"x")
            async with house(row, timing=replace(QUICK, opening=0.3)) as place:
                async with browsing(serve, VIEW, place) as browser:
                    assert (await RfbViewer(browser).refusal()).endswith(f"({code})")
                assert journal(place)[-1][0] == "screen_refused"
                assert journal(place)[-1][1]["code"] == code
                assert place.hub.status("id1").reason.code == code

    asyncio.run(play())


def test_a_failed_password_is_not_tried_again_for_the_next_screen():
    async def play():
        async with (
            FakeVncServer(fake.refuses_password) as server,
            house(stored(1, server.address, password=b"x")) as place,
        ):
            for _ in range(3):
                async with browsing(serve, VIEW, place) as browser:
                    assert "wrong_password" in await RfbViewer(browser).refusal()
            assert server.accepted == 1
            place.hub.refresh(["id1"])
            await asyncio.sleep(0.05)
            assert server.accepted == 1

    asyncio.run(play())


def test_an_unknown_workstation_and_a_full_journal_are_told_and_nothing_is_opened():
    async def play(server, place):
        async with browsing(serve, screen_grant("gone"), place) as browser:
            assert "unknown_workstation" in await RfbViewer(browser).refusal()
        place.clerk.journal._limit = 0
        async with browsing(serve, VIEW, place) as browser:
            assert "(journal)" in await RfbViewer(browser).refusal()
        assert server.accepted == 0

    play_screen(play)


def test_a_refusal_says_why_in_a_sentence():
    async def play():
        async with house(stored(1, "127.0.0.1:1")) as place:
            async with browsing(serve, VIEW, place) as browser:
                reason = await RfbViewer(browser).refusal()
            assert reason == "The workstation refuses the connection. (connection_refused)"

    asyncio.run(play())


@pytest.mark.parametrize("decoded", [False, True])
def test_the_order_to_close_ends_a_screen_within_a_second(decoded):
    async def play(server, place):
        if decoded:
            place.hub.find("id1").serve_decoded("session")
        async with browsing(serve, VIEW, place) as browser:
            await RfbViewer(browser).open()
            browser.closing.close("signed_out")
            await asyncio.wait_for(browser.task, 1)
        assert journal(place)[-1][1]["code"] == "signed_out"
        assert place.hub.status("id1").state == "ready"

    play_screen(play)


@pytest.mark.parametrize("decoded", [False, True])
def test_no_key_or_button_stays_pressed_after_the_order_to_close(decoded):
    async def play(server, place):
        if decoded:
            place.hub.find("id1").serve_decoded("session")
        async with browsing(serve, CONTROL, place) as browser:
            viewer = await RfbViewer(browser).open()
            viewer.send(key(0xFFE1) + pointer(1, 5, 6))
            await until(lambda: {4, 5} <= set(server.types()), "input")
            browser.closing.close("signed_out")
            await asyncio.wait_for(browser.task, 1)
        released = {key(0xFFE1, 0), pointer(0, 5, 6)}
        await until(lambda: released <= set(server.received), "both released", 2)

    play_screen(play)


@pytest.mark.parametrize("decoded", [False, True])
def test_a_workstation_that_dies_ends_its_screens(decoded):
    async def play(server, place):
        if decoded:
            place.hub.find("id1").serve_decoded("session")
        async with browsing(serve, VIEW, place) as browser:
            await RfbViewer(browser).open()
            await server.stop()
            await asyncio.wait_for(browser.task, 2)
        assert journal(place)[-1][1]["code"] == "closed"
        await until(lambda: place.hub.status("id1").state == "refused", "told")

    play_screen(play)


@pytest.mark.parametrize("decoded", [False, True])
@pytest.mark.parametrize("change", [{"room": "S13"}, {"user": "leo.petit"}, {"user": None}])
def test_a_workstation_with_another_room_or_user_closes_its_screens(change, decoded):
    async def play():
        async with FakeVncServer() as server:
            row = stored(1, server.address, user="zoe.martin")
            async with house(row, timing=QUICK) as place:
                if decoded:
                    place.hub.find("id1").serve_decoded("session")
                async with browsing(serve, screen_grant(user="zoe.martin"), place) as browser:
                    await RfbViewer(browser).open()
                    place.hub.change(replace(row, **change))
                    await asyncio.wait_for(browser.task, 1)
                assert journal(place)[-1][1]["code"] == "changed"
                assert place.hub.screens == 0

    asyncio.run(play())


@pytest.mark.parametrize("change", [{"room": "S13"}, {"user": "leo.petit"}])
def test_no_screen_opens_for_a_right_to_another_room_or_user(change):
    async def play(server, place):
        place.hub.change(replace(place.hub.find("id1").stored, **change))
        async with browsing(serve, VIEW, place) as browser:
            assert (await RfbViewer(browser).refusal()).endswith("(changed)")
        assert server.accepted == 0
        assert journal(place)[-1][1]["code"] == "changed"

    play_screen(play)


@pytest.mark.parametrize("decoded", [False, True])
@pytest.mark.parametrize("change", [{"room": "S13"}, {"address": "127.0.0.1:1"}, None])
def test_a_screen_that_is_being_opened_ends_with_what_it_was_granted_for(change, decoded):
    async def play(server, place):
        seat = place.hub.find("id1")
        if decoded:
            seat.serve_decoded("session")
        async with browsing(serve, VIEW, place) as browser:
            await browser.exactly(12)
            browser.send(b"RFB 003.008\n")
            assert await browser.exactly(2) == b"\x01\x01"
            assert place.hub.screens == 0
            place.hub.change(replace(seat.stored, **change)) if change else place.hub.remove("id1")
            await asyncio.wait_for(browser.task, 1)
        assert journal(place)[-1][1]["code"] == ("changed" if change else "removed")

    play_screen(play)


class LastWord(Stream):
    """A viewer whose session ends just when its handshake does."""

    def __init__(self, viewer, closing):
        super().__init__(viewer._wire)
        self._closing = closing

    async def shake_hands(self, handshake, until):
        went_on = await super().shake_hands(handshake, until)
        if handshake.done:
            self._closing.close("signed_out")
        return went_on


@pytest.mark.parametrize("decoded", [False, True])
def test_nothing_of_a_screen_is_told_to_a_session_that_ends_meanwhile(decoded):
    async def serve_last_word(grant, closing, viewer, place):
        await serve(grant, closing, LastWord(viewer, closing), place)
        await viewer.close()

    async def play(server, place):
        if decoded:
            place.hub.find("id1").serve_decoded("session")
        async with browsing(serve_last_word, VIEW, place) as browser:
            with pytest.raises(asyncio.IncompleteReadError) as cut_off:
                await RfbViewer(browser).open()
            assert (cut_off.value.expected, cut_off.value.partial) == (24, b"")
        assert journal(place)[-1][1]["code"] == "signed_out"

    play_screen(play)


def test_a_workstation_with_another_name_keeps_its_screens():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            viewer = await RfbViewer(browser).open()
            place.hub.change(replace(place.hub.find("id1").stored, name="pc-one"))
            assert await viewer.picture()

    play_screen(play)


def test_a_removed_workstation_closes_its_screens():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            await RfbViewer(browser).open()
            place.hub.remove("id1")
            await asyncio.wait_for(browser.task, 1)
        assert journal(place)[-1][1]["code"] == "removed"

    play_screen(play)


def test_a_browser_that_does_not_read_is_cut_off_and_next_served_decoded():
    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            viewer = await RfbViewer(browser).open()
            browser.reader._transport.pause_reading()
            for _ in range(20):
                viewer.ask()
            await asyncio.wait_for(browser.task, 5)
        assert journal(place)[-1][1]["code"] == "slow"
        async with browsing(serve, VIEW, place) as browser:
            viewer = await RfbViewer(browser).open()
            assert (await viewer.picture())[0][1][:4] == DECODED
            assert not place.hub.find("id1").direct.is_open

    play_screen(play, size=(640, 480))


def test_a_viewer_that_does_not_read_holds_up_no_other():
    async def play(server, place):
        place.hub.find("id1").serve_decoded("session")
        async with browsing(serve, VIEW, place) as slow, browsing(serve, VIEW, place) as quick:
            lazy = await RfbViewer(slow).open()
            eager = await RfbViewer(quick).open()
            slow.reader._transport.pause_reading()
            for _ in range(30):
                lazy.ask()
            for colour in range(10):
                server.paint((colour, 0, 0))
                assert await eager.picture()

    play_screen(play, size=(640, 480))


def test_a_viewer_that_says_nothing_is_left_after_its_deadline(monkeypatch):
    monkeypatch.setattr("controle_vnc.viewer.stream.HANDSHAKE_SECONDS", 0.2)

    async def play(server, place):
        async with browsing(serve, VIEW, place) as browser:
            await asyncio.wait_for(browser.task, 2)
        assert server.accepted == 0

    play_screen(play)


@pytest.mark.parametrize("road", ["look", "screen"])
def test_every_handshake_goes_in_turn_with_what_is_decoded(road, monkeypatch):
    shared, decode = [], upstream.decode_a_while

    def noted(one, data, turns, clock, rest):
        shared.append(turns)
        return decode(one, data, turns, clock, rest)

    async def play(server, place):
        monkeypatch.setattr(upstream, "decode_a_while", noted)
        seat = place.hub.find("id1")
        if road == "look":
            place.hub.look_again(seat)
            await until(lambda: seat.link.health.state == "ready", "the look")
        else:
            async with browsing(serve, VIEW, place) as browser:
                await RfbViewer(browser).open()
        assert set(shared) == {seat.link.turns}

    play_screen(play)
