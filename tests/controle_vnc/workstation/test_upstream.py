import asyncio
import collections
import contextlib
import itertools
import socket
import struct

import pytest

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.layer import PORTION_BYTES
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.workstation.address import parse_address
from controle_vnc.workstation.connection import Connection
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.target import Target
from controle_vnc.workstation.turn import TURN_SECONDS
from controle_vnc.workstation.upstream import open_upstream, shake_hands
from tests.controle_vnc.rfb.security_types.pairs import PASSWORD, SCREEN, lock_of
from tests.fakes.locked_screen import HEIGHT, WIDTH, LockedScreen

SECONDS = 10
ASKED = messages.set_encodings([Encoding.RAW]) + messages.update_request(
    False, Rect(0, 0, WIDTH, HEIGHT)
)


@pytest.mark.parametrize("way", ["read", "follow"])
@pytest.mark.parametrize("kind", [T.NONE, T.VNC_AUTHENTICATION, T.TLS_VNC, T.X509_VNC])
def test_what_is_read_or_followed_of_an_upstream_is_plain(kind, way):
    async def play(port):
        target = Target(parse_address(f"127.0.0.1:{port}"), PASSWORD)
        upstream = await open_upstream(target, Timing(), asyncio.Lock())
        connection, came = upstream.connection, bytearray(upstream.rest)
        connection.write(ASKED)
        whole = WIDTH * HEIGHT * 4 + 4 + 12
        async with asyncio.timeout(SECONDS):
            if way == "read":
                while len(came) < whole:
                    came += await connection.read()
            else:
                all_came = asyncio.Event()

                def take(data):
                    came.extend(data)
                    if len(came) >= whole:
                        all_came.set()

                connection.follow(take, all_came.set)
                await all_came.wait()
        connection.close()
        assert bytes(came[:4]) == b"\0\0\0\1"

    with LockedScreen(lock_of(kind)) as screen:
        asyncio.run(play(screen.port))
        assert screen.kinds == [kind]


class Noisy:
    """A layer that says nothing for a while, however much it hears; then it turns bytes around."""

    is_over = False

    def __init__(self, noise, opening):
        self.noise, self.opening = noise, opening

    def open(self, data):
        self.opening()
        silent = min(self.noise, len(data))
        self.noise -= silent
        return self.seal(data[silent:])

    def seal(self, data):
        return bytes(byte ^ 0x55 for byte in data)


NOISE = 8 * PORTION_BYTES
PICTURE = bytes(range(256)) * 160
SAYS = (
    b"RFB 003.008\n" + b"\1\x13" + b"\0\2" + b"\0" + struct.pack(">BI", 1, T.TLS_NONE) + b"\1"
)  # and what it says then goes through the layer


def test_a_handshake_takes_turns_and_loses_nothing_that_comes_at_once_with_its_end():
    async def play():
        loop, turns = asyncio.get_running_loop(), asyncio.Lock()
        rounds, opened = itertools.count(), []
        now = 0

        def go_round():
            nonlocal now
            now = next(rounds)
            loop.call_soon(go_round)

        def opening():
            assert turns.locked()
            opened.append(now)

        layer = Noisy(NOISE, opening)
        near, far = socket.socketpair()
        far.setblocking(False)
        connection = Connection(near)
        given = Credentials(tls=lambda anonymous, approve: layer)
        handshake = ClientHandshake(given)
        screen = layer.seal(bytes(4) + SCREEN.to_bytes() + PICTURE)
        with far, contextlib.closing(connection):
            async with asyncio.timeout(2), asyncio.TaskGroup() as group:
                group.create_task(loop.sock_sendall(far, SAYS + bytes(NOISE) + screen))
                go_round()
                ticks = itertools.count(0.0, 0.6 * TURN_SECONDS)  # so long takes a step
                init = await shake_hands(connection, handshake, Timing(), turns, ticks.__next__)
                connection.go_through(handshake.wrapping)
                came = handshake.rest
                while len(came) < len(PICTURE):
                    came += await connection.read()
        assert init.name == SCREEN.name
        assert came == PICTURE
        return opened

    opened = asyncio.run(play())
    assert len(opened) > NOISE // PORTION_BYTES
    assert max(collections.Counter(opened).values()) == 2
