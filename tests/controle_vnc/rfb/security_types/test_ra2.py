import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import (
    AuthenticationError,
    KeyChangedError,
    ProtocolError,
    UnconfirmedServerError,
    UntrustedServerError,
)
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import ra2
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.rfb.security_types.trust import Trust
from controle_vnc.rfb.server_handshake import Lock, ServerHandshake
from controle_vnc.rfb.stream import ByteStream, to_the_end
from tests.controle_vnc.rfb.security_types.pairs import (
    ANY,
    PASSWORD,
    SCREEN,
    USER,
    errors_of_ours,
    joined,
    lock_of,
    rsa_key,
)
from tests.controle_vnc.rfb.security_types.test_eax import by_blocks

RA2_KINDS = [T.RA2, T.RA2NE, T.RA2_256, T.RA2NE_256]


class Other:
    """The other side of RA2 once more: of hashlib, whole numbers and single AES blocks alone."""

    def __init__(self, kind):
        self.hash = hashlib.sha256 if kind >= 129 else hashlib.sha1
        self.size = 32 if kind >= 129 else 16
        numbers = rsa_key().private_numbers()
        self.n, self.d = numbers.public_numbers.n, numbers.d
        self.wire = struct.pack(">I", 2048) + self.n.to_bytes(256, "big")
        self.wire += (65537).to_bytes(256, "big")
        self.random = bytes(range(self.size))
        self.sent = self.heard = 0

    def encrypted(self, wire):
        size = struct.unpack(">I", wire[:4])[0] // 8
        n = int.from_bytes(wire[4 : 4 + size], "big")
        e = int.from_bytes(wire[4 + size :], "big")
        padded = b"\0\2" + b"\x55" * (size - 3 - self.size) + b"\0" + self.random
        sealed = pow(int.from_bytes(padded, "big"), e, n)
        return struct.pack(">H", size) + sealed.to_bytes(size, "big")

    def decrypted(self, sealed):
        padded = pow(int.from_bytes(sealed, "big"), self.d, self.n).to_bytes(256, "big")
        return padded[-self.size :]

    def derive(self, theirs):
        self.key = self.hash(theirs + self.random).digest()[: self.size]
        self.their_key = self.hash(self.random + theirs).digest()[: self.size]

    def sealed(self, text):
        head = struct.pack(">H", len(text))
        nonce = self.sent.to_bytes(16, "little")
        self.sent += 1
        return head + by_blocks(self.key, nonce, head, text)

    def opened(self, data):
        """The text of the first message of `data`, and what follows it."""
        size = struct.unpack(">H", data[:2])[0]
        nonce = self.heard.to_bytes(16, "little")
        self.heard += 1
        body, rest = data[2 : 2 + size + 16], data[2 + size + 16 :]
        # counter mode: sealing what is sealed opens it
        text = by_blocks(self.their_key, nonce, data[:2], body[:-16])[:-16]
        assert by_blocks(self.their_key, nonce, data[:2], text) == body
        return text, rest


@pytest.mark.parametrize("kind", RA2_KINDS)
@pytest.mark.parametrize("wants_user", [True, False])
def test_the_client_speaks_with_a_server_made_of_nothing_but_numbers(kind, wants_user):
    server, client = Other(kind), ClientHandshake(Credentials(PASSWORD, USER, ANY))
    client.receive_data(b"RFB 003.008\n" + bytes([1, kind]) + server.wire, to_the_end)
    said = client.data_to_send()[13:]
    theirs, said = said[: 4 + 512], said[4 + 512 :]
    assert said[:2] == b"\1\0"
    server.derive(server.decrypted(said[2:258]))
    client.receive_data(server.encrypted(theirs), to_the_end)
    text, rest = server.opened(client.data_to_send())
    assert text == server.hash(theirs + server.wire).digest()
    assert rest == b""
    client.receive_data(server.sealed(server.hash(server.wire + theirs).digest()), to_the_end)
    client.receive_data(server.sealed(b"\1" if wants_user else b"\2"), to_the_end)
    text, rest = server.opened(client.data_to_send())
    user = USER if wants_user else b""
    assert text == bytes([len(user)]) + user + bytes([len(PASSWORD)]) + PASSWORD
    follows = server.sealed if kind in (T.RA2, T.RA2_256) else bytes
    client.receive_data(follows(bytes(4)), to_the_end)
    assert client.data_to_send() == (b"\1" if follows is bytes else _client_says(server, b"\1"))
    client.receive_data(follows(SCREEN.to_bytes()), to_the_end)
    assert client.server_init.name == "desk"
    identity = "rsa" if kind in (T.RA2, T.RA2_256) else "rsa-ne"
    assert client.shown == f"{identity}-sha256:" + hashlib.sha256(server.wire).hexdigest()


def _client_says(server, text):
    head = struct.pack(">H", len(text))
    return head + by_blocks(server.their_key, server.heard.to_bytes(16, "little"), head, text)


@pytest.mark.parametrize("kind", RA2_KINDS)
def test_the_server_speaks_with_a_viewer_made_of_nothing_but_numbers(kind):
    viewer, server = Other(kind), ServerHandshake(lock_of(kind))
    server.receive_data(b"RFB 003.008\n")
    server.offer()
    server.receive_data(bytes([kind]) + viewer.wire)
    said = server.data_to_send()
    assert said[:14] == b"RFB 003.008\n" + bytes([1, kind])
    theirs, sealed = said[14 : 14 + 516], said[14 + 516 :]
    viewer.derive(viewer.decrypted(sealed[2:]))
    server.receive_data(viewer.encrypted(theirs))
    text, _ = viewer.opened(server.data_to_send())
    assert text == viewer.hash(theirs + viewer.wire).digest()
    server.receive_data(viewer.sealed(viewer.hash(viewer.wire + theirs).digest()))
    assert viewer.opened(server.data_to_send()) == (b"\2", b"")
    server.receive_data(viewer.sealed(b"\0" + bytes([len(PASSWORD)]) + PASSWORD))
    said = server.data_to_send()
    encrypts = kind in (T.RA2, T.RA2_256)
    assert (viewer.opened(said)[0] if encrypts else said) == bytes(4)
    server.receive_data(viewer.sealed(b"\1") if encrypts else b"\1")
    assert server.done


def test_a_wrong_password_is_told_to_both():
    for kind in RA2_KINDS:
        server, client = (
            ServerHandshake(lock_of(kind)),
            ClientHandshake(Credentials(b"wrong", trust=ANY)),
        )
        with pytest.raises(AuthenticationError, match="user name or the password is wrong"):
            _run(client, server)
        with pytest.raises(AuthenticationError, match="user name or the password is wrong"):
            client.receive_data(server.data_to_send(), to_the_end)


def _run(client, server):
    server.receive_data(client.data_to_send())
    client.receive_data(server.data_to_send(), to_the_end)
    server.receive_data(client.data_to_send())
    server.offer()
    for _ in range(6):
        client.receive_data(server.data_to_send(), to_the_end)
        server.receive_data(client.data_to_send())


def test_another_key_is_told_before_anything_is_said():
    first, _ = joined(Credentials(PASSWORD, trust=ANY), lock_of(T.RA2_256))
    known = Credentials(PASSWORD, trust=Trust(pin=first.shown))
    assert joined(known, lock_of(T.RA2_256))[0].stage == "done"
    server, client = ServerHandshake(lock_of(T.RA2_256, number=1)), ClientHandshake(known)
    with pytest.raises(KeyChangedError):
        _run(client, server)
    assert client.data_to_send() == b""


def test_a_user_name_that_is_asked_for_and_not_stored_is_told():
    lock = Lock(frozenset({T.RA2}), check=lambda *_: True, rsa_key=rsa_key())
    with pytest.raises(AuthenticationError, match="a user name is asked for and none is stored"):
        joined(Credentials(PASSWORD, trust=ANY), lock)


def test_a_server_that_shows_our_own_key_is_told_nothing():
    """It could send back what we prove ourselves with, and would be believed."""
    client = ClientHandshake(Credentials(PASSWORD, trust=ANY))
    ours = ra2.public_key(ra2.own_key()).wire
    client.receive_data(b"RFB 003.008\n" + bytes([1, T.RA2]), to_the_end)
    client.data_to_send()
    with pytest.raises(ProtocolError, match="shows our own key"):
        client.receive_data(ours, to_the_end)
    assert client.data_to_send() == b""


@pytest.mark.parametrize("bits", [2048, 2047, 1024])
def test_a_short_key_is_not_confirmed_by_one_press_but_by_hand(bits):
    wire = key_bytes(bits, (1 << bits - 1) + 1)
    client = ClientHandshake(Credentials(PASSWORD))
    with pytest.raises(UntrustedServerError, match="nobody has confirmed") as told:
        client.receive_data(b"RFB 003.008\n" + bytes([1, T.RA2]) + wire, to_the_end)
    assert isinstance(told.value, UnconfirmedServerError) == (bits >= ra2.MIN_NEW_KEY_BITS)
    assert (told.value.shown is None) == (bits < ra2.MIN_NEW_KEY_BITS)
    pin = Trust(pin="rsa-sha256:" + hashlib.sha256(wire).hexdigest())
    known = ClientHandshake(Credentials(PASSWORD, trust=pin))
    known.receive_data(b"RFB 003.008\n" + bytes([1, T.RA2]) + wire, to_the_end)
    assert len(known.data_to_send()) > 500


# --- limits


def read_key(data):
    found = []

    def parser():
        found.append((yield from ra2.read_public_key()))

    ByteStream(parser()).feed(data)
    return found


def key_bytes(bits, n=None, e=65537):
    size = (bits + 7) // 8
    n = (1 << bits - 1) + 1 if n is None else n
    return struct.pack(">I", bits) + n.to_bytes(size, "big") + e.to_bytes(size, "big")


@pytest.mark.parametrize("bits", [ra2.MIN_KEY_BITS, ra2.MAX_KEY_BITS])
def test_a_key_is_as_long_as_the_limits(bits):
    assert read_key(key_bytes(bits))[0].key.key_size == bits


@pytest.mark.parametrize("bits", [0, ra2.MIN_KEY_BITS - 1, ra2.MAX_KEY_BITS + 1, 0xFFFFFFFF])
def test_a_key_out_of_the_limits_is_refused_by_its_head_alone(bits):
    with pytest.raises(ProtocolError, match=f"an RSA key of {bits} bits"):
        read_key(struct.pack(">I", bits))


def test_an_exponent_is_as_long_as_the_limit_and_no_longer():
    longest = (1 << ra2.MAX_EXPONENT_BITS) - 1
    assert read_key(key_bytes(2048, e=longest))
    with pytest.raises(ProtocolError, match="is none"):
        read_key(key_bytes(2048, e=longest + 2))


@pytest.mark.parametrize(
    ("n", "e"), [(1 << 2047, 65537), (3, 65537), (0, 65537), ((1 << 2047) + 1, 2),
                 ((1 << 2047) + 1, 1), ((1 << 2047) + 1, 0)],
)  # fmt: skip
def test_what_is_no_key_is_told(n, e):
    with pytest.raises(ProtocolError, match="what was sent as an RSA key is none"):
        read_key(key_bytes(2048, n, e))


def test_messages_of_another_size_are_refused_by_their_heads():
    def reading(sizes):
        yield from ra2.Talk(bytes(16)).read(sizes)

    stream = ByteStream(reading(range(20, 21)))
    with pytest.raises(ProtocolError, match="an encrypted message of 21 bytes"):
        stream.feed(b"\0\x15")


def layers():
    return (
        ra2.EaxLayer(ra2.Talk(bytes(16)), ra2.Talk(bytes(15) + b"\1")),
        ra2.EaxLayer(ra2.Talk(bytes(15) + b"\1"), ra2.Talk(bytes(16))),
    )


@given(st.lists(st.binary(max_size=20000), max_size=4), st.integers(1, 30000))
def test_what_follows_arrives_however_it_is_cut(texts, size):
    ours, theirs = layers()
    sealed = b"".join(ours.seal(text) for text in texts)
    heard = b"".join(theirs.open(sealed[at : at + size]) for at in range(0, len(sealed), size))
    assert heard == b"".join(texts)


def test_we_say_nothing_longer_than_what_others_read():
    ours, _ = layers()
    assert ours.seal(bytes(8192))[:2] == b"\x20\x00"
    assert ours.seal(bytes(8193))[8192 + 18 :][:2] == b"\0\1"


def test_an_empty_message_is_told_and_a_repeated_one_too():
    ours, theirs = layers()
    with pytest.raises(ProtocolError, match="of 0 bytes"):
        theirs.open(bytes(18))
    ours, theirs = layers()
    sealed = ours.seal(b"once")
    assert theirs.open(sealed) == b"once"
    with pytest.raises(ProtocolError, match="changed on its way"):
        theirs.open(sealed)


@given(st.binary(max_size=700), st.sampled_from(RA2_KINDS))
def test_any_bytes_of_a_server_end_in_an_error_of_ours_or_wait(data, kind):
    client = ClientHandshake(Credentials(PASSWORD, USER, ANY))
    client.receive_data(b"RFB 003.008\n" + bytes([1, kind]), to_the_end)
    with errors_of_ours():
        client.receive_data(data, to_the_end)


@given(st.binary(max_size=520))
def test_credentials_are_read_or_told(text):
    try:
        user, password = ra2._split(text or b"\0")
    except ProtocolError:
        pass
    else:
        assert bytes([len(user)]) + user + bytes([len(password)]) + password == text


def test_the_own_key_is_made_once():
    assert ra2.own_key() is ra2.own_key()
    assert isinstance(ra2.own_key(), rsa.RSAPrivateKey)
    assert ra2.own_key().key_size == ra2.OWN_KEY_BITS
