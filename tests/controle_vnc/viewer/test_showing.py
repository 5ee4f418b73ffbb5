"""Viewers that others have written show what our own RFB server serves."""

import contextlib
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageGrab

from controle_vnc.errors import AuthenticationError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client import RfbClient, Updated
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.rfb.viewer_messages import KeyEvent, PointerEvent
from tests.controle_vnc.rfb.reference import BGR233, RGB565, seen_as
from tests.controle_vnc.rfb.security_types.pairs import credentials, lock_of
from tests.desktops import START_SECONDS, Desktop, wait_until
from tests.fakes.picture_server import PictureServer

WIDTH, HEIGHT = 320, 240
SECONDS = 20


def drawn(has_noise=True):
    framebuffer = Framebuffer(WIDTH, HEIGHT)
    random = np.random.default_rng(2)
    framebuffer.fill(framebuffer.bounds, (40, 60, 120))
    for _ in range(30):
        width, height = int(random.integers(3, 90)), int(random.integers(3, 60))
        place = Rect(
            int(random.integers(0, WIDTH - width)),
            int(random.integers(0, HEIGHT - height)),
            width,
            height,
        )
        framebuffer.fill(place, tuple(int(one) for one in random.integers(0, 256, 3)))
    if has_noise:
        noise = random.integers(0, 256, (60, 80, 3)).astype(np.uint8)
        framebuffer.blit(Rect(200, 150, 80, 60), noise)
    return framebuffer


@pytest.fixture(scope="module")
def display(tmp_path_factory):
    """An X server where viewers open their windows."""
    screen = Display(tmp_path_factory.mktemp("display"))
    screen.start_x("Xvfb", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset")
    yield screen
    screen.stop()


class Display(Desktop):
    """Xvfb with nothing on it."""

    @contextlib.contextmanager
    def viewer(self, *command):
        """A viewer as long as the block lasts."""
        environment = {**os.environ, "DISPLAY": self.display, "HOME": str(self.folder)}
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(SECONDS)

    def screenshot(self):
        return np.asarray(ImageGrab.grab(xdisplay=self.display))[..., :3]


def shows(screenshot, expected, tolerance):
    """Whether `expected` (rows × columns × 3) is somewhere on `screenshot`."""
    screenshot = screenshot.astype(int)
    height, width = expected.shape[:2]
    rows, columns = screenshot.shape[0] - height + 1, screenshot.shape[1] - width + 1
    candidates = np.ones((rows, columns), bool)
    random = np.random.default_rng(1)
    for y, x in zip(random.integers(0, height, 60), random.integers(0, width, 60), strict=True):
        part = screenshot[y : y + rows, x : x + columns]
        candidates &= (abs(part - expected[y, x]) <= tolerance).all(axis=2)
    return any(
        (abs(screenshot[y : y + height, x : x + width] - expected) <= tolerance).all()
        for y, x in np.argwhere(candidates)
    )


def until_shown(display, framebuffer, pixel_format=None):
    def is_there():
        pixels = framebuffer.pixels[..., :3]
        expected = pixels.astype(int) if pixel_format is None else seen_as(pixels, pixel_format)
        # viewers differ in what they make of five bits: 31/31 is 248 for some, 255 for others
        return shows(display.screenshot(), expected, 0 if pixel_format is None else 8)

    wait_until(is_there, SECONDS, "the picture in the viewer's window")


TIGER = ("-Shared", "-RemoteResize=0", "-AlertOnFatalError=0", "-ReconnectOnError=0",
         "-DotWhenNoCursor=0", "-AutoSelect=0", "-NoJPEG", "-MenuKey=")  # fmt: skip
VIEWERS = {
    "TigerVNC, Tight": (
        Encoding.TIGHT, None, "xtigervncviewer", *TIGER, "-PreferredEncoding=Tight"
    ),
    "TigerVNC, ZRLE": (Encoding.ZRLE, None, "xtigervncviewer", *TIGER, "-PreferredEncoding=ZRLE"),
    "TigerVNC, Hextile, 8 bits": (
        Encoding.HEXTILE, BGR233, "xtigervncviewer", *TIGER, "-PreferredEncoding=hextile",
        "-FullColor=0", "-LowColorLevel=2",
    ),
    "TightVNC's family, CoRRE": (Encoding.CORRE, None, "ssvncviewer", "-encodings", "corre"),
    "TightVNC's family, RRE, 16 bits": (
        Encoding.RRE, RGB565, "ssvncviewer", "-16bpp", "-encodings", "rre"
    ),
    "TightVNC's family, zlib": (Encoding.ZLIB, None, "ssvncviewer", "-encodings", "zlib copyrect"),
    "TightVNC's family, Tight, 8 bits": (
        Encoding.TIGHT, BGR233, "ssvncviewer", "-bgr233", "-encodings", "tight"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWERS)
def test_native_viewers_show_our_picture(display, name):
    encoding, pixel_format, *command = VIEWERS[name]
    framebuffer = drawn()
    with (
        PictureServer(framebuffer) as server,
        display.viewer(*command, f"127.0.0.1::{server.port}"),
    ):
        until_shown(display, framebuffer, pixel_format)
        (viewer,) = server.servers
        assert viewer.session.taste.quality.encoding == encoding
        server.change(lambda: framebuffer.fill(Rect(30, 30, 250, 100), (200, 30, 90)))
        until_shown(display, framebuffer, pixel_format)


def test_gtk_vnc_shows_our_picture(display):
    framebuffer = drawn(has_noise=False)  # which it takes as JPEG
    with (
        PictureServer(framebuffer) as server,
        display.viewer("gvncviewer", f"127.0.0.1:{server.port - 5900}"),
    ):
        until_shown(display, framebuffer)
        server.change(lambda: framebuffer.fill(Rect(30, 30, 250, 100), (200, 30, 90)))
        until_shown(display, framebuffer)


VNCDO = """
import sys
from vncdotool import command, rfb
from vncdotool.client import VNCDoToolClient
VNCDoToolClient.encoding = rfb.Encoding(int(sys.argv.pop(1)))
command.vncdo()
"""
# and CoRRE, which it says it reads: its reader raises struct.error at any rectangle
ITS_ENCODINGS = [Encoding.RAW, Encoding.RRE, Encoding.HEXTILE, Encoding.ZRLE]


@pytest.mark.parametrize("encoding", ITS_ENCODINGS, ids=lambda one: one.name)
def test_vncdotool_captures_and_types(tmp_path, encoding):
    framebuffer = drawn()
    with PictureServer(framebuffer) as server:
        subprocess.run(
            [sys.executable, "-c", VNCDO, str(int(encoding)), "-s", f"127.0.0.1::{server.port}",
             "type", "eop", "move", "30", "40", "click", "1",
             "capture", str(tmp_path / "seen.png")],
            check=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        pixels = np.asarray(Image.open(tmp_path / "seen.png").convert("RGB"))
        assert (pixels == framebuffer.pixels[..., :3]).all()
        keys = [wish.keysym for wish in server.wishes if isinstance(wish, KeyEvent) and wish.down]
        assert keys == [ord(letter) for letter in "eop"]
        assert PointerEvent(1, 30, 40) in server.wishes


# --- behind a lock


class Connected:
    """A client of ours on a socket."""

    def __init__(self, server, given):
        self.client = RfbClient(given, quality=None)
        self.socket = socket.create_connection(("127.0.0.1", server.port), SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def until(self, condition):
        while not condition():
            self.socket.sendall(self.client.data_to_send())
            data = self.socket.recv(65536)
            assert data, "the server has hung up"
            self.client.receive_data(data, to_the_end)


def has_pixels(event):
    return isinstance(event, Updated) and not event.damage.is_empty


def hung_up(connected):
    with contextlib.suppress(ConnectionResetError):
        while connected.recv(65536):
            pass


@pytest.mark.parametrize("kind", [T.VNC_AUTHENTICATION, T.TLS_VNC, T.X509_PLAIN, T.RA2_256])
def test_who_proves_himself_is_shown_the_screen_and_who_does_not_is_told(kind, caplog):
    framebuffer = drawn()
    with PictureServer(framebuffer, lock=lock_of(kind)) as server:
        with Connected(server, credentials()) as viewer:
            viewer.until(lambda: viewer.client.framebuffer is not None)
            viewer.client.request_update(False)
            viewer.client.key_event(True, 0x61)
            viewer.until(lambda: any(map(has_pixels, viewer.client.events())))
            same = viewer.client.framebuffer.pixels == framebuffer.pixels
            assert same[..., :3].all()
            wait_until(lambda: KeyEvent(True, 0x61) in server.wishes, SECONDS, "the key")
        with (
            Connected(server, credentials(b"wrong")) as thief,
            pytest.raises(AuthenticationError, match="user name or the password is wrong"),
        ):
            thief.until(lambda: thief.client.framebuffer is not None)
        wait_until(lambda: not server.servers, SECONDS, "nobody there")
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_what_breaks_the_layer_or_ends_it_ends_the_showing(caplog):
    with PictureServer(drawn(), lock=lock_of(T.TLS_NONE)) as server:
        for last in ("broken", "over", "no greeting"):
            with Connected(server, credentials()) as viewer:
                if last == "no greeting":
                    viewer.until(lambda viewer=viewer: viewer.client.stage == "security")
                    viewer.socket.sendall(b"\x16\3\1\0\5nonsense")
                else:
                    viewer.until(lambda viewer=viewer: viewer.client.framebuffer is not None)
                    layer = viewer.client._handshake.wrapping._layer
                    if last == "broken":
                        viewer.socket.sendall(b"\x17\3\3\0\x20" + bytes(32))
                    else:
                        with pytest.raises(ssl.SSLWantReadError):
                            layer._tls.unwrap()
                        viewer.socket.sendall(layer.seal(b""))
                hung_up(viewer.socket)
        wait_until(lambda: not server.servers, SECONDS, "nobody there")
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


# --- who behaves badly


def test_a_viewer_that_does_not_read_costs_little_and_gets_the_newest_later():
    framebuffer = Framebuffer(1600, 1200)
    random = np.random.default_rng(1)
    with (
        PictureServer(framebuffer) as server,
        socket.create_connection(("127.0.0.1", server.port)) as viewer,
    ):
        viewer.sendall(b"RFB 003.008\n\x01\x01" + messages.set_encodings([0]))
        for turn in range(20):
            noise = random.integers(0, 256, (1200, 1600, 3)).astype(np.uint8)
            server.change(lambda noise=noise: framebuffer.blit(framebuffer.bounds, noise))
            viewer.sendall(messages.update_request(turn % 2 == 0, framebuffer.bounds))
            wait_until(lambda: server._showings, SECONDS, "the viewer")
            (showing,) = server._showings
            assert showing._viewer.unsent < 512 * 1024


def test_a_viewer_that_says_nothing_or_nonsense_is_left(monkeypatch):
    monkeypatch.setattr("controle_vnc.viewer.showing.HANDSHAKE_SECONDS", 0.3)
    with PictureServer(drawn()) as server:
        for said in (b"", b"RFB 003.008\n", b"GET / HTTP/1.1\r\n", b"RFB 003.008\n\x01\x01\xee"):
            with socket.create_connection(("127.0.0.1", server.port)) as viewer:
                viewer.settimeout(SECONDS)
                viewer.sendall(said)
                while viewer.recv(4096):
                    pass
        wait_until(lambda: not server.servers, START_SECONDS, "nobody there")
