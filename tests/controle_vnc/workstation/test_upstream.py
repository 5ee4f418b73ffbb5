import asyncio

import pytest

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.workstation.address import parse_address
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.target import Target
from controle_vnc.workstation.upstream import open_upstream
from tests.controle_vnc.rfb.security_types.pairs import PASSWORD, lock_of
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
        upstream = await open_upstream(target, Timing())
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
