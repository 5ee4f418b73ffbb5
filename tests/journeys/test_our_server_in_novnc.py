"""noVNC, as it is delivered, shows what our own RFB server serves, in each encoding it speaks."""

import base64

import numpy as np
import pytest

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.cursor import Cursor
from controle_vnc.rfb.encoders import ALL
from controle_vnc.rfb.server import DONE
from controle_vnc.rfb.viewer_messages import CutText, KeyEvent, SetDesktopSize
from tests.desktops import wait_until
from tests.fakes.picture_server import PictureServer

WIDTH, HEIGHT = 320, 240
SECONDS = 10
JPEG_LOSS = 4  # of 255, of a screen that is part letters; another picture is off by 60
PHOTOGRAPH = Rect(160, 120, 160, 120)
LOSSLESS = [
    Encoding.RAW, Encoding.RRE, Encoding.HEXTILE, Encoding.ZLIB, Encoding.TIGHT,
    Encoding.TIGHT_PNG, Encoding.ZRLE,
]  # fmt: skip


def drawn():
    """A screen with windows, letters' edges and, at its lower right, a photograph's colours."""
    framebuffer = Framebuffer(WIDTH, HEIGHT)
    random = np.random.default_rng(8)
    framebuffer.fill(framebuffer.bounds, (40, 60, 120))
    framebuffer.fill(Rect(20, 10, 200, 90), (250, 250, 245))
    letters = random.choice([0, 255], (60, 180, 1)).repeat(3, axis=2).astype(np.uint8)
    framebuffer.blit(Rect(30, 20, 180, 60), letters)
    y, x = np.mgrid[0 : PHOTOGRAPH.height, 0 : PHOTOGRAPH.width]
    framebuffer.blit(PHOTOGRAPH, np.dstack([x, y * 2, x // 2 + y]).astype(np.uint8))
    colours = random.integers(0, 256, (40, 3))[random.integers(0, 40, (100, 140))]
    framebuffer.blit(Rect(5, 130, 140, 100), colours.astype(np.uint8))
    return framebuffer


def shown(page):
    """Rows × columns × red, green, blue of noVNC's screen."""
    width, height, data = page.evaluate("shown()")
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


def is_shown(page, framebuffer, tolerance=0):
    """Whether noVNC's pixels are off by no more than `tolerance`, on average."""
    pixels = shown(page)
    expected = framebuffer.pixels[..., :3].astype(int)
    return pixels.shape == expected.shape and abs(pixels - expected).mean() <= tolerance


def opened(page, server):
    page.goto(server.url)
    page.wait_for_function("window.heard?.some(([kind]) => kind === 'connect')")


def until_shown(page, server, tolerance=0):
    wait_until(
        lambda: is_shown(page, server.framebuffer, tolerance), SECONDS, "the picture in noVNC"
    )


def heard(page, kind):
    return page.evaluate("kind => heard.filter(([one]) => one === kind).map(([, d]) => d)", kind)


@pytest.mark.parametrize("encoding", LOSSLESS, ids=lambda one: one.name)
def test_every_encoding_is_shown_to_the_pixel(page, encoding):
    framebuffer = drawn()
    if encoding in (Encoding.TIGHT, Encoding.TIGHT_PNG):
        framebuffer.fill(PHOTOGRAPH, (1, 2, 3))  # noVNC takes it as JPEG
    with PictureServer(framebuffer, {encoding}) as server:
        opened(page, server)
        until_shown(page, server)
        (viewer,) = server.servers
        assert viewer.session.taste.quality.encoding == encoding
        for turn in range(3):
            place = Rect(10 + 40 * turn, 5 + 30 * turn, 70, 50)
            server.change(lambda place=place, turn=turn: framebuffer.fill(place, (turn, 200, 9)))
            until_shown(page, server)


@pytest.mark.parametrize(
    "encoding", [Encoding.JPEG, Encoding.TIGHT, Encoding.TIGHT_PNG], ids=lambda one: one.name
)
def test_photographs_are_shown_nearly_so(page, encoding):
    framebuffer = drawn()
    if encoding == Encoding.JPEG:  # which blurs what is no photograph
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        framebuffer.blit(framebuffer.bounds, np.dstack([x // 2, y, 99 + x // 9]).astype(np.uint8))
    with PictureServer(framebuffer, {encoding}) as server:
        opened(page, server)
        until_shown(page, server, tolerance=JPEG_LOSS)
        server.change(
            lambda: framebuffer.blit(Rect(0, 0, 160, 120), framebuffer.pixels[120:, 160:])
        )
        until_shown(page, server, tolerance=JPEG_LOSS)


def test_what_is_scrolled_is_copied_in_the_browser(page):
    framebuffer = drawn()
    with PictureServer(framebuffer, {Encoding.COPY_RECT, Encoding.ZRLE}) as server:
        opened(page, server)
        until_shown(page, server)
        target = Rect(0, 0, WIDTH, HEIGHT - 17)

        def scroll():
            framebuffer.copy(target, 0, 17)
            (viewer,) = server.servers
            viewer.copied(target, 0, 17)
            return len(viewer._copies)

        assert server.change(scroll) == 1
        until_shown(page, server)


def test_size_name_cursor_bell_and_texts_go_both_ways(page):
    framebuffer = drawn()
    with PictureServer(framebuffer, ALL - {Encoding.TIGHT, Encoding.TIGHT_PNG}) as server:
        opened(page, server)
        until_shown(page, server)
        (viewer,) = server.servers
        pixels = np.full((7, 5, 4), 255, np.uint8)

        def tell():
            viewer.rename("salle 3 — élève")
            viewer.show_cursor(Cursor(pixels, (1, 2)))
            viewer.session.bell()
            viewer.session.cut_text("один\nдва")
            framebuffer.resize(400, 300)
            framebuffer.fill(Rect(300, 200, 50, 50), (200, 1, 2))

        server.change(tell)
        until_shown(page, server)
        wait_until(lambda: heard(page, "bell"), SECONDS, "the bell")
        wait_until(lambda: heard(page, "clipboard") == [{"text": "один\nдва"}], SECONDS, "the text")
        assert heard(page, "desktopname")[-1] == {"name": "salle 3 — élève"}
        assert "url(" in page.locator("canvas").evaluate("e => e.style.cursor")

        page.evaluate("rfb.clipboardPasteFrom('три\\n✓')")
        wait_until(lambda: CutText("три\n✓") in server.wishes, SECONDS, "the text back")
        page.evaluate("rfb.sendKey(0x61, 'KeyA', true)")
        wait_until(lambda: KeyEvent(True, 0x61, 0x1E) in server.wishes, SECONDS, "the key")
        page.evaluate(
            "document.getElementById('screen').style = 'width: 500px; height: 350px';"
            "rfb.resizeSession = true"
        )
        wish = SetDesktopSize(500, 350)
        wait_until(lambda: wish in server.wishes, SECONDS, "the wish for another size")

        def obey():
            framebuffer.resize(500, 350)
            viewer.answer_size(DONE)

        server.change(obey)
        until_shown(page, server)
        assert not heard(page, "disconnect")
