"""Walls and screens on real Xvnc and x11vnc desktops."""

import asyncio
import io
import time

import pytest
from PIL import Image

from controle_vnc.viewer import live, wall
from tests.desktops import X11vncDesktop, XvncDesktop, missing_programs
from tests.fakes.house import browsing, house, screen_grant, stored, until, wall_grant
from tests.fakes.rfb_viewer import RfbViewer, cut_text, pointer, request, stroke

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=f"lacks {missing_programs()}")
RETURN = 0xFF0D


def typed(word):
    return b"".join(stroke(ord(letter)) for letter in word) + stroke(RETURN)


def is_red(jpeg):
    """Whether the lower right of a tile is #c80000, as JPEG keeps it."""
    pixel = Image.open(io.BytesIO(jpeg)).convert("RGB").getpixel((300, 220))
    return max(abs(a - b) for a, b in zip(pixel, (200, 0, 0), strict=True)) < 12


def row(desktop, number=1):
    return stored(number, desktop.address, password=desktop.password.encode())


@pytest.mark.parametrize("kind", [XvncDesktop, X11vncDesktop])
def test_a_change_on_a_desktop_is_on_its_tile_within_two_seconds(kind, tmp_path):
    async def play(desktop):
        async with house(row(desktop)) as place, browsing(wall.serve, wall_grant(), place) as page:
            page.show([1])
            await page.event("state", number=1, state="ready")
            await page.tile(1)
            await asyncio.to_thread(desktop.paint, "#c80000")
            painted = time.monotonic()
            while not is_red((await page.tile(1))[3]):
                assert time.monotonic() < painted + 2
            for _ in range(5):
                assert (await page.event("seen"))["numbers"] == [1]

    with kind(tmp_path) as desktop:
        asyncio.run(play(desktop))


def test_a_killed_desktop_is_told_within_5_seconds_and_back_within_10(tmp_path):
    async def play(desktop):
        async with house(row(desktop)) as place, browsing(wall.serve, wall_grant(), place) as page:
            page.show([1])
            await page.tile(1)
            desktop.kill()
            await page.event("state", 5, number=1, state="refused")
            await asyncio.to_thread(desktop.start)
            await page.event("state", 10, number=1, state="ready")
            await page.tile(1)

    with XvncDesktop(tmp_path) as desktop:
        asyncio.run(play(desktop))


@pytest.mark.parametrize("kind", [XvncDesktop, X11vncDesktop])
@pytest.mark.parametrize("decoded", [False, True])
def test_typing_arrives_under_control_and_never_under_view(kind, decoded, tmp_path):
    async def play(desktop, note):
        async with house(row(desktop)) as place:
            if decoded:
                place.hub.find("id1").serve_decoded("session")
            for mode, word in (("view", "stolen"), ("control", "hello")):
                grant = screen_grant(mode=mode)
                async with browsing(live.serve, grant, place) as page:
                    viewer = await RfbViewer(page).open()
                    viewer.send(pointer(0, 100, 100) + typed(word) + cut_text(b"stolen"))
                    for _ in range(3):
                        viewer.send(request(16, 16))
                        assert (await viewer.message())[0] == "update"
            await until(lambda: "hello" in note.read_text(), "the word typed")
            assert note.read_text() == "hello\n"

    with kind(tmp_path / "desktop") as desktop:
        note = tmp_path / "note.txt"
        desktop.open_note(note)
        desktop.run("xdotool", "mousemove", "100", "100")
        time.sleep(0.5)
        asyncio.run(play(desktop, note))


def test_a_wrong_password_is_told_once_and_does_not_get_us_blacklisted(tmp_path):
    async def play(desktop):
        wrong = stored(1, desktop.address, password=b"wrong")
        async with house(wrong, row(desktop, 2)) as place:
            async with browsing(wall.serve, wall_grant(), place) as page:
                page.show([1, 2])
                await page.event("state", number=1, state="wrong_password")
                for _ in range(8):
                    page.show([])
                    await asyncio.sleep(0.15)
                    page.show([1, 2])
                    await asyncio.sleep(0.15)
            for _ in range(6):
                async with browsing(live.serve, screen_grant(), place) as page:
                    assert "wrong_password" in await RfbViewer(page).refusal()
            async with browsing(live.serve, screen_grant("id2"), place) as page:
                await RfbViewer(page).open()

    with XvncDesktop(tmp_path) as desktop:
        asyncio.run(play(desktop))


def test_x11vnc_sends_a_wall_a_shrunk_screen_and_a_viewer_the_whole_one(tmp_path):
    async def play(desktop):
        async with house(row(desktop)) as place, browsing(wall.serve, wall_grant(), place) as page:
            link = place.hub.find("id1").link
            page.show([1])
            await until(lambda: link.client and link.client.framebuffer.width <= 400, "shrunk")
            await asyncio.to_thread(desktop.paint, "#c80000")
            while not is_red((await page.tile(1))[3]):
                pass
            place.hub.find("id1").serve_decoded("session")
            async with browsing(live.serve, screen_grant(), place) as screen:
                viewer = await RfbViewer(screen).open()
                assert viewer.size == (800, 600)
                await asyncio.to_thread(desktop.paint, "#0000c8")
                assert link.client.framebuffer.width == 800
            await until(lambda: link.client.framebuffer.width == 400, "shrunk again")
            assert place.hub.find("id1").describe().state == "ready"

    with X11vncDesktop(tmp_path) as desktop:
        asyncio.run(play(desktop))


def test_tigervnc_is_never_asked_to_shrink(tmp_path):
    async def play(desktop):
        async with house(row(desktop)) as place, browsing(wall.serve, wall_grant(), place) as page:
            page.show([1])
            await page.tile(1)
            client = place.hub.find("id1").link.client
            assert not client.supports_scale
            for _ in range(2):
                assert (await page.event("seen"))["numbers"] == [1]
            assert place.hub.find("id1").link.client is client
            assert client.framebuffer.width == 800

    with XvncDesktop(tmp_path) as desktop:
        asyncio.run(play(desktop))


async def shown_after(desktop, page, colour):
    """Seconds from a change of the desktop to a tile that was captured after it."""
    began = time.time()
    await asyncio.to_thread(desktop.paint, colour)
    captured_at = 0.0
    while captured_at < began:
        captured_at = (await page.tile(1))[2] / 1000
    return time.time() - began


@pytest.mark.parametrize("kind", [XvncDesktop, X11vncDesktop])
def test_a_browser_that_stops_reading_freezes_no_tile(kind, tmp_path):
    """x11vnc freezes every client while one does not read: so we read, and then hang up."""

    async def play(desktop):
        async with (
            house(row(desktop)) as place,
            browsing(wall.serve, wall_grant(), place) as page,
            browsing(live.serve, screen_grant(), place) as stalled,
        ):
            page.show([1])
            await page.tile(1)
            await shown_after(desktop, page, "#204060")
            await shown_after(desktop, page, "#304060")
            viewer = await RfbViewer(stalled).open()
            stalled.reader._transport.pause_reading()
            ages = []
            for step in range(6):
                viewer.send(request(*viewer.size) * 8)  # eight whole pictures, never read
                ages.append(await shown_after(desktop, page, f"#{step * 16:02x}4060"))
            seat = place.hub.find("id1")
            await until(lambda: not seat.direct.is_open, "the pass-through closed")
            assert not seat.may_pass_through("session")
        assert (
            max(ages) < 3
        )  # two of the wall's requests at most; a frozen server shows nothing at all

    with kind(tmp_path, geometry="1280x720") as desktop:
        asyncio.run(play(desktop))
