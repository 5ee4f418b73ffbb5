"""Our client and real servers: what captures cannot show, for it takes two to speak."""

import contextlib
import select
import socket
import time

import pytest

from controle_vnc.rfb import client as rfb
from controle_vnc.rfb.client_clipboard import TextGiven, TextOffered
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.stream import to_the_end
from tests.desktops import X11vncDesktop, XvncDesktop, missing_programs

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=f"lacks {missing_programs()}")

SECONDS = 10
TEXT = "élève ☕ 日本"


class Line:
    """A client with its socket."""

    def __init__(self, desktop, *encodings, native=False):
        wanted = [*rfb.DEFAULT_ENCODINGS, *encodings]
        self.client = rfb.RfbClient(desktop.password.encode(), wanted, native=native)
        self._socket = socket.create_connection(("127.0.0.1", desktop.port))
        self.events = []
        self.asks = True
        self.until(lambda: self.client.framebuffer is not None, "a handshake")

    def until(self, condition, what):
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < deadline, what
            self._socket.sendall(self.client.data_to_send())
            if select.select([self._socket], [], [], 0.05)[0]:
                data = self._socket.recv(65536)
                assert data, f"hung up before {what}"
                self.client.receive_data(data, to_the_end)
                self._take(self.client.events())
        self._socket.sendall(self.client.data_to_send())

    def _take(self, events):
        self.events += events
        if self.asks and any(isinstance(event, rfb.Updated) for event in events):
            self.client.request_update(True)

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def see(self, colour):
        self.until(lambda: tuple(self.client.framebuffer.pixels[50, 60, :3]) == colour, f"{colour}")

    def close(self):
        self._socket.close()


@pytest.fixture
def started(tmp_path):
    """Starts a desktop of a class and connects to it."""
    with contextlib.ExitStack() as stack:

        def start(kind, *encodings, **options):
            desktop = stack.enter_context(kind(tmp_path))
            desktop.paint("#102030")
            line = Line(desktop, *encodings, **options)
            stack.callback(line.close)
            line.client.request_update(False)
            line.see((16, 32, 48))
            return desktop, line

        yield start


def test_unicode_text_is_copied_both_ways_with_tigervnc(started, tmp_path):
    desktop, line = started(XvncDesktop, Encoding.EXTENDED_CLIPBOARD)
    (tmp_path / "copied").write_text(TEXT, encoding="utf-8")
    desktop.spawn("xclip", "-selection", "clipboard", str(tmp_path / "copied"))
    line.until(lambda: line.told(TextOffered), "an offer")
    line.client.request_text()
    line.until(lambda: line.told(TextGiven), "the text")
    assert line.told(TextGiven)[-1] == TextGiven(TEXT)
    line.client.copy_text(TEXT + "\nligne")
    line.until(lambda: True, "the offer sent")
    target = tmp_path / "pasted"
    pasting = desktop.spawn("sh", "-c", f"xclip -o -selection clipboard > {target}")
    line.until(lambda: pasting.poll() is not None, "somebody pasting")
    assert target.read_text(encoding="utf-8") == TEXT + "\nligne"


def test_tigervnc_sends_continuous_updates_until_it_is_told_to_stop(started):
    desktop, line = started(XvncDesktop, Encoding.CONTINUOUS_UPDATES)
    line.until(lambda: line.client.supports_continuous_updates, "that it knows them")
    line.client.enable_continuous_updates(True)
    line.until(lambda: True, "that they begin")
    line.asks = False
    for colour, pixel in (("#506070", (80, 96, 112)), ("#a0b0c0", (160, 176, 192))):
        desktop.paint(colour)
        line.see(pixel)
    ended = len(line.told(rfb.ContinuousUpdatesEnded))
    line.client.enable_continuous_updates(False)
    line.until(lambda: len(line.told(rfb.ContinuousUpdatesEnded)) > ended, "that they have ended")


def test_tigervnc_takes_another_size_and_refuses_an_absurd_one(started):
    _, line = started(XvncDesktop)
    line.until(lambda: line.client.supports_desktop_size, "that it can be asked")
    line.client.set_desktop_size(640, 400)
    line.until(lambda: rfb.Resized(640, 400) in line.events, "the new size")
    assert line.client.framebuffer.width == 640
    line.client.set_desktop_size(0, 0)
    line.until(lambda: line.told(rfb.ResizeRefused), "a refusal")
    assert line.client.framebuffer.width == 640


@pytest.mark.parametrize("kind", [XvncDesktop, X11vncDesktop])
def test_a_desktop_is_decoded_in_its_own_pixels(started, kind):
    _, line = started(kind, native=True)
    assert line.client.pixel_format != RGBX
