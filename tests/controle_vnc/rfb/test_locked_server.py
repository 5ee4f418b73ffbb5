"""Our server and our client behind every security type, joined without a network."""

import ssl

import numpy as np
import pytest

from controle_vnc.errors import AuthenticationError, HungUpError, ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client import RfbClient
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.server import RfbServer
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.rfb.viewer_messages import KeyEvent
from tests.controle_vnc.rfb.security_types.pairs import EVERY_KIND, credentials, lock_of

WIDTH, HEIGHT = 300, 200
ENCRYPTED = [T.TLS_NONE, T.X509_VNC, T.RA2, T.RA2_256]


def screen():
    framebuffer = Framebuffer(WIDTH, HEIGHT)
    random = np.random.default_rng(1)
    noise = random.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    framebuffer.blit(framebuffer.bounds, noise)
    return framebuffer


class Pair:
    """Both ends; `down` and `up` are what the wire has carried."""

    def __init__(self, lock, given=None, size=1 << 20):
        self.framebuffer = screen()
        self.server = RfbServer(self.framebuffer, "desk", ServerHandshake(lock))
        self.client = RfbClient(given or credentials(), quality=None)
        self.size = size
        self.wishes = []
        self.down, self.up = bytearray(), bytearray()

    def run(self):
        """Carry bytes until neither says anything more."""
        while True:
            down, up = self.server.data_to_send(0.0), self.client.data_to_send()
            if not down and not up:
                return self
            self.down += down
            self.up += up
            for part in self.cut(up):
                self.wishes += self.server.receive_data(part, 0.0)
            for part in self.cut(down):
                self.client.receive_data(part, to_the_end)

    def cut(self, data):
        return (data[at : at + self.size] for at in range(0, len(data), self.size))

    def shown(self):
        self.client.request_update(True)
        self.run()
        return (self.client.framebuffer.pixels == self.framebuffer.pixels)[..., :3].all()


@pytest.mark.parametrize("size", [1 << 20, 61])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_screen_is_shown_and_input_is_heard_behind_every_lock(kind, size):
    pair = Pair(lock_of(kind), size=size).run()
    assert pair.server.is_open
    assert pair.client.framebuffer is not None
    pair.client.key_event(True, 0x61)
    assert pair.shown()
    assert pair.wishes == [KeyEvent(True, 0x61)]
    pair.framebuffer.fill(Rect(10, 10, 200, 100), (200, 30, 90))
    assert pair.shown()


@pytest.mark.parametrize("kind", ENCRYPTED)
def test_nothing_of_the_screen_nor_of_the_input_is_in_clear(kind):
    pair = Pair(lock_of(kind)).run()
    pair.framebuffer.fill(pair.framebuffer.bounds, (1, 2, 3))
    pair.server.rename("the name of a desktop")
    pair.client.cut_text(b"what somebody copied")
    assert pair.shown()
    assert b"what somebody copied" not in pair.up
    assert b"the name of a desktop" not in pair.down
    assert b"desk" not in pair.down


@pytest.mark.parametrize("kind", [one for one in EVERY_KIND if "NONE" not in one.name])
def test_a_wrong_password_is_told_to_the_viewer(kind):
    pair = Pair(lock_of(kind), credentials(b"wrong"))
    with pytest.raises(AuthenticationError, match="user name or the password is wrong"):
        pair.run()
    assert not pair.server.is_open
    with pytest.raises(AuthenticationError, match="user name or the password is wrong"):
        pair.client.receive_data(pair.server.data_to_send(0.0), to_the_end)


# --- the end of TLS


@pytest.fixture
def tls(request):
    """Both ends signed in by TLS, and the two layers."""
    pair = Pair(lock_of(T.TLS_NONE)).run()
    wrappings = pair.server._handshake.wrapping, pair.client._handshake.wrapping
    return pair, *(one._layer for one in wrappings)


def goodbye(layer):
    with pytest.raises(ssl.SSLWantReadError):
        layer._tls.unwrap()
    return layer.seal(b"")


def test_a_server_that_says_goodbye_has_hung_up_and_what_it_goes_on_sending_is_not_kept(tls):
    pair, server, client = tls
    pair.client.events()
    pair.server.session.bell()
    last = pair.server.data_to_send(0.0) + goodbye(server)
    with pytest.raises(HungUpError, match="nothing more follows"):
        pair.client.receive_data(last, to_the_end)
    assert [type(event).__name__ for event in pair.client.events()] == ["Bell"]
    for _ in range(3):
        with pytest.raises(ProtocolError, match="data after the end of TLS"):
            pair.client.receive_data(bytes(1 << 20), to_the_end)
        assert client._in.pending == 0


def test_what_comes_with_the_goodbye_is_not_kept_either(tls):
    pair, server, client = tls
    with pytest.raises(HungUpError, match="nothing more follows"):
        pair.client.receive_data(goodbye(server) + bytes(1 << 20), to_the_end)
    assert client._in.pending == 0
    assert not pair.client.is_behind


def test_a_viewer_that_says_goodbye_has_left(tls):
    pair, server, client = tls
    pair.client.key_event(True, 0x61)
    wishes = pair.server.receive_data(pair.client.data_to_send() + goodbye(client), 0.0)
    assert wishes == [KeyEvent(True, 0x61)]
    assert pair.server.is_over
    with pytest.raises(ProtocolError, match="data after the end of TLS"):
        pair.server.receive_data(b"\x17", 0.0)
