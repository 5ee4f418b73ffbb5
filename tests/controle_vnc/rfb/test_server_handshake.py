import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import AuthenticationError, ProtocolError
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security import vnc_response
from controle_vnc.rfb.security_types import vencrypt
from controle_vnc.rfb.server_handshake import Lock, ServerHandshake
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.tls import server_tls
from tests.controle_vnc.rfb.security_types.pairs import (
    EVERY_KIND,
    PASSWORD,
    USER,
    credentials,
    errors_of_ours,
    joined,
    lock_of,
    refused,
    rsa_key,
)


@pytest.mark.parametrize("size", [1 << 20, 1])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_client_and_server_agree_whole_and_byte_by_byte(kind, size):
    client, server = joined(credentials(), lock_of(kind), size)
    assert client.server_init.name == "desk"
    assert server.kind is kind
    assert server.done
    encrypts = kind not in (T.NONE, T.VNC_AUTHENTICATION, T.PLAIN, T.RA2NE, T.RA2NE_256)
    assert (client.wrapping.encrypts, server.wrapping.encrypts) == (encrypts, encrypts)
    proves = kind in (T.X509_NONE, T.X509_VNC, T.X509_PLAIN, *(k for k in T if 5 <= k < 256))
    assert (client.shown is not None) == (proves and kind is not T.VENCRYPT)


@pytest.mark.parametrize("kind", [T.TLS_NONE, T.X509_VNC, T.RA2, T.RA2_256])
def test_what_follows_is_encrypted_both_ways(kind):
    client, server = joined(credentials(), lock_of(kind))
    ends = client.wrapping, server.wrapping
    for ours, theirs in (ends, ends[::-1]):
        sealed = ours.seal(b"a picture" * 3000)
        assert b"picture" not in sealed
        heard = b"".join(theirs.open(bytes([byte])) for byte in sealed[:100])
        assert heard + theirs.open_all(sealed[100:]) == b"a picture" * 3000


@pytest.mark.parametrize("kind", [k for k in EVERY_KIND if "NONE" not in k.name])
def test_a_wrong_password_lets_nobody_in(kind):
    client = ClientHandshake(credentials(b"wrong"))
    with pytest.raises(AuthenticationError, match="user name or the password is wrong"):
        refused(client, lock_of(kind))
    assert client.stage == "security"


def test_a_viewer_of_3_3_gets_vnc_authentication_or_nothing():
    server = ServerHandshake(lock_of(T.VNC_AUTHENTICATION, T.RA2, T.X509_VNC))
    server.receive_data(b"RFB 003.003\n")
    server.offer()
    said = server.data_to_send()
    assert said[:16] == b"RFB 003.008\n" + b"\0\0\0\2"
    server.receive_data(vnc_response(PASSWORD, said[16:]) + b"\1")
    assert server.done
    assert server.data_to_send() == bytes(4)


def test_a_viewer_of_3_3_does_not_get_around_a_lock_it_does_not_know():
    server = ServerHandshake(lock_of(T.RA2_256))
    server.receive_data(b"RFB 003.003\n")
    server.offer()
    assert server.data_to_send()[12:16] == bytes(4)
    with pytest.raises(ProtocolError, match="no way in"):
        server.receive_data(b"\1")
    assert not server.done


def test_a_response_before_its_challenge_lets_nobody_in():
    for banner in (b"RFB 003.003\n", b"RFB 003.008\n\2"):
        server = ServerHandshake(lock_of(T.VNC_AUTHENTICATION))
        with pytest.raises(AuthenticationError):
            server.receive_data(banner + vnc_response(PASSWORD, bytes(16)) + b"\1")
        assert not server.done


@pytest.mark.parametrize("chosen", [T.NONE, T.RA2, 256, 0])
def test_a_type_that_was_not_offered_is_told(chosen):
    server = ServerHandshake(lock_of(T.VNC_AUTHENTICATION, T.TLS_VNC))
    with pytest.raises(ProtocolError, match="was not offered"):
        server.receive_data(b"RFB 003.008\n" + bytes([chosen & 0xFF]))


def test_a_subtype_that_was_not_offered_is_told():
    server = ServerHandshake(lock_of(T.X509_VNC))
    with pytest.raises(ProtocolError, match="security type 257 was not offered"):
        server.receive_data(b"RFB 003.008\n\x13\0\2" + struct.pack(">I", T.TLS_NONE))


def test_another_version_of_vencrypt_is_refused():
    server = ServerHandshake(lock_of(T.X509_VNC))
    with pytest.raises(ProtocolError, match=r"another VeNCrypt than 0\.2"):
        server.receive_data(b"RFB 003.008\n\x13\0\1")
    assert server.data_to_send().endswith(b"\0\2\1")


def plain(user, password):
    server = ServerHandshake(Lock(frozenset({T.PLAIN}), check=lambda *both: both == (USER, user)))
    server.receive_data(b"RFB 003.008\n\x13\0\2" + struct.pack(">I", T.PLAIN))
    server.receive_data(struct.pack(">II", len(user), len(password)))


def test_credentials_are_as_long_as_the_limit_and_no_longer():
    longest = b"x" * vencrypt.MAX_FIELD_BYTES
    plain(longest, longest)
    for user, password in ((longest + b"x", b""), (b"", longest + b"x")):
        with pytest.raises(ProtocolError, match="credentials of"):
            plain(user, password)
    with pytest.raises(AuthenticationError, match="more than 1024 bytes"):
        vencrypt.plain(USER, longest + b"x")


def test_a_lock_has_what_its_types_need():
    for options in (
        {"kinds": frozenset()},
        {"kinds": frozenset({T.VENCRYPT})},
        {"kinds": frozenset({T.VNC_AUTHENTICATION})},
        {"kinds": frozenset({T.PLAIN})},
        {"kinds": frozenset({T.RA2}), "password": b"x"},
        {"kinds": frozenset({T.TLS_NONE})},
    ):
        with pytest.raises(ValueError, match="needs?|no security type"):
            Lock(**options)
    assert "secret" not in repr(Lock(frozenset({T.RA2}), password=b"secret", rsa_key=rsa_key()))


def test_without_a_certificate_only_anonymous_types_can_be():
    with pytest.raises(ProtocolError, match="no certificate to show"):
        server_tls(None, None)(False)
    assert server_tls(None, None)(True).seal(b"") == b""


LOCKS = [lock_of(kind) for kind in EVERY_KIND]


@given(st.sampled_from(LOCKS), st.binary(max_size=64), st.binary(max_size=600))
def test_any_bytes_of_a_viewer_end_in_an_error_of_ours_or_wait(lock, chosen, data):
    server = ServerHandshake(lock)
    with errors_of_ours():
        server.receive_data(b"RFB 003.008\n")
        server.offer()
        server.receive_data(bytes([lock.types[0]]))
        if lock.subtypes:
            server.receive_data(b"\0\2" + struct.pack(">I", lock.subtypes[0]))
        server.receive_data(chosen)
        server.receive_data(data)
        server.data_to_send()
    if lock.kinds != {T.NONE}:
        assert not server.done or lock.kinds <= {T.NONE, T.TLS_NONE, T.X509_NONE}


@given(st.sampled_from([T.PLAIN, T.TLS_NONE, T.TLS_VNC, T.X509_PLAIN]), st.binary(max_size=600))
def test_any_bytes_of_a_vencrypt_server_end_in_an_error_of_ours_or_wait(kind, data):
    client = ClientHandshake(credentials())
    with errors_of_ours():
        client.receive_data(b"RFB 003.008\n\1\x13\0\2\0\1" + struct.pack(">I", kind), to_the_end)
        client.receive_data(data, to_the_end)
        client.data_to_send()
        client.receive_data(data, to_the_end)
    assert client.stage == "security" or kind is T.PLAIN  # four zeros let us in there


@given(st.binary(max_size=300))
def test_any_list_of_types_ends_in_an_error_of_ours_or_wait(data):
    client = ClientHandshake(credentials())
    with errors_of_ours():
        client.receive_data(b"RFB 003.008\n" + data, to_the_end)
