"""Viewers that others have written sign in to our server side: noVNC, TigerVNC's."""

import functools
import http.server
import threading

import pytest

from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.server_handshake import Lock
from tests.controle_vnc.rfb.security_types.pairs import (
    PASSWORD,
    lock_of,
    rsa_key,
    server_certificate,
)
from tests.desktops import Desktop
from tests.fakes.locked_screen import COLOUR, LockedScreen
from tests.stack import ROOT

NOVNC = ROOT / "eop/frontend/node_modules/@novnc/novnc"
PAGE = """<!DOCTYPE html><title>waiting</title><div id="screen"></div><script type="module">
import RFB from "/core/rfb.js";
const { port, password, username } = Object.fromEntries(new URLSearchParams(location.search));
const rfb = new RFB(document.getElementById("screen"), `ws://127.0.0.1:${port}/`,
                    { credentials: { password, username } });
window.rfb = rfb;
rfb.addEventListener("serververification", (event) => {
    window.key = Array.from(event.detail.publickey);
    rfb.approveServer();
});
rfb.addEventListener("connect", () => { document.title = "connected"; });
rfb.addEventListener("securityfailure", (event) => {
    document.title = `refused: ${event.detail.reason}`;
});
</script>"""


class Files(http.server.SimpleHTTPRequestHandler):
    """noVNC as npm brought it, and a page that uses it."""

    def do_GET(self):
        if self.path.partition("?")[0] != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_):
        """Nothing: a test reads what it asks for."""


@pytest.fixture(scope="module")
def site():
    handler = functools.partial(Files, directory=str(NOVNC))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def go_to(page, site, screen, password, user=""):
    page.goto(f"{site}/?port={screen.port}&password={password.decode()}&username={user}")
    page.wait_for_function("document.title !== 'waiting'")


PIXEL = """() => {
    const canvas = document.querySelector("#screen canvas");
    return Array.from(canvas.getContext("2d").getImageData(10, 10, 1, 1).data.slice(0, 3));
}"""


def shows_the_colour(page):
    page.wait_for_function(f"({PIXEL})().join() === '{','.join(map(str, COLOUR))}'")


@pytest.mark.parametrize("kind", [T.RA2NE, T.VNC_AUTHENTICATION])
def test_novnc_signs_in_and_shows_the_screen(kind, site, page):
    # VNC authentication has no say on what an accent is: eight plain letters
    password = PASSWORD if kind is T.RA2NE else b"s3cret!!"
    with LockedScreen(lock_of(kind, password=password), websocket=True) as screen:
        go_to(page, site, screen, password)
        shows_the_colour(page)
        assert screen.kinds == [kind]
        page.evaluate("rfb.sendKey(0x61, 'KeyA')")
        screen.until(lambda one: (False, 0x61) in one.keys, "a key")
        if kind is T.RA2NE:
            size = rsa_key().key_size // 8
            n = bytes(page.evaluate("window.key"))[4 : 4 + size]
            assert int.from_bytes(n, "big") == rsa_key().public_key().public_numbers().n
        page.evaluate("rfb.disconnect()")


def test_novnc_signs_in_by_name_and_is_refused_with_another_password(site, page):
    def check(user, password):
        return (user, password) == (b"zoe", b"right")

    lock = Lock(frozenset({T.RA2NE}), check=check, rsa_key=rsa_key())
    with LockedScreen(lock, websocket=True) as screen:
        go_to(page, site, screen, b"right", "zoe")
        shows_the_colour(page)
        page.evaluate("rfb.disconnect()")
        go_to(page, site, screen, b"wrong", "zoe")
        assert page.title() == "refused: the user name or the password is wrong"
        assert screen.refusals == ["the user name or the password is wrong"]


class Display(Desktop):
    """An X server alone, for a viewer."""

    def start(self):
        self.start_x("Xvfb", "-screen", "0", "320x240x24", "-nolisten", "tcp")


@pytest.mark.parametrize(
    "kind", [T.VNC_AUTHENTICATION, T.TLS_NONE, T.TLS_VNC, T.X509_NONE, T.X509_VNC]
)
def test_tigervnc_signs_in_and_goes_on_reading(kind, tmp_path):
    name = {T.VNC_AUTHENTICATION: "VncAuth"}.get(kind) or _spelled(kind)
    password = b"s3cret!!"
    with (
        LockedScreen(lock_of(kind, password=password)) as screen,
        Display(tmp_path, password=password.decode()) as display,
    ):
        (tmp_path / ".vnc").mkdir()
        display.spawn(
            "env", f"HOME={tmp_path}", "xtigervncviewer", "-SecurityTypes", name,
            "-X509CA", str(server_certificate(0)[0]), "-passwd", str(display.password_file),
            "-PreferredEncoding", "Raw", "-AutoSelect=0", "-RemoteResize=0",
            f"127.0.0.1::{screen.port}",
        )  # fmt: skip
        screen.until(lambda one: True in one.requests, "the picture taken, and the next asked for")
        assert screen.kinds == [kind]


def _spelled(kind):
    family, _, sign_in = kind.name.partition("_")
    return family + sign_in.capitalize()
