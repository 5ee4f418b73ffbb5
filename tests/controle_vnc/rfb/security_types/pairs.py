"""Our client and our server, joined without a network."""

import contextlib
import functools
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from controle_vnc.errors import AuthenticationError, ControleVncError
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.security_types.choice import ANONYMOUS, PLAIN, RA2, VNC, X509
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.rfb.security_types.trust import Trust
from controle_vnc.rfb.server_handshake import Lock, ServerHandshake
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.tls import client_tls, server_tls
from tests.fakes.certificate import certificate

ANY = Trust(takes_any=True)
SCREEN = ServerInit(8, 6, RGBX, "desk")
USER, PASSWORD = b"ada", "pässword longer than eight".encode()


def rsa_key(number=0):
    """A server's key; another `number` is another server's."""
    return _rsa_key(number)


@functools.cache
def _rsa_key(_number):
    return rsa.generate_private_key(65537, 2048)


def server_certificate(number=0):
    """The files of a server's certificate and of its key."""
    return _server_certificate(number)


@functools.cache
def _server_certificate(_number):
    return certificate(Path(tempfile.mkdtemp(prefix="eop-tls-")))


def lock_of(*kinds, password=PASSWORD, user=USER, number=0):
    """A server that takes `kinds`, with the credentials above."""
    kinds = frozenset(kinds)
    has_user = kinds & PLAIN
    return Lock(
        kinds,
        password=password if kinds & (VNC | RA2) else None,
        check=(lambda name, given: (name, given) == (user, password)) if has_user else None,
        rsa_key=rsa_key(number) if kinds & RA2 else None,
        tls=server_tls(*server_certificate(number)) if kinds & (X509 | ANONYMOUS) else None,
    )


def credentials(password=PASSWORD, user=USER, trust=ANY, host="127.0.0.1"):
    """Those of a server that may have everything; `trust=Trust()`: nobody has met it yet."""
    return Credentials(password, user, trust, client_tls(trust, host))


def exchange(client, server, size=1 << 20):
    """Carry bytes between both, `size` at once, until neither says anything more."""
    offered = False
    while True:
        down, up = server.data_to_send(), client.data_to_send()
        if server.greeted and not offered:
            server.offer()
            offered = True
            continue
        if not down and not up:
            return
        for at in range(0, len(up), size):
            server.receive_data(up[at : at + size])
        if server.done and client.stage != "done" and not getattr(server, "told", False):
            server.told = True
            server.open(SCREEN)
        for at in range(0, len(down), size):
            client.receive_data(down[at : at + size], to_the_end)


def joined(given, lock, size=1 << 20, among=None):
    """Both sides after the opening."""
    client, server = ClientHandshake(given, among), ServerHandshake(lock)
    exchange(client, server, size)
    return client, server


def refused(client, lock):
    """The server, which does not let `client` in; what it says while it fails is delivered."""
    server = ServerHandshake(lock)
    try:
        exchange(client, server)
    except AuthenticationError:
        client.receive_data(server.data_to_send(), to_the_end)
    return server


@contextlib.contextmanager
def errors_of_ours():
    """Lets one of this package's errors pass, which has to say something."""
    told = "nothing went wrong"
    try:
        yield
    except ControleVncError as error:
        told = str(error)
    assert told


EVERY_KIND = sorted(SecurityType[name] for name in (
    "NONE", "VNC_AUTHENTICATION", "RA2", "RA2NE", "RA2_256", "RA2NE_256", "PLAIN", "TLS_NONE",
    "TLS_VNC", "TLS_PLAIN", "X509_NONE", "X509_VNC", "X509_PLAIN",
))  # fmt: skip
