import functools
import os
import ssl
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc import tls
from controle_vnc.errors import ControleVncError, ProtocolError, UntrustedServerError
from controle_vnc.rfb.security_types.trust import Trust
from controle_vnc.tls import GroupCheck, TlsLayer, client_tls, server_tls
from tests.controle_vnc.rfb.security_types.pairs import server_certificate


def carry(client, server, size=1 << 20):
    """Until neither says anything more; what each heard."""
    heard = {client: b"", server: b""}
    while True:
        up, down = client.seal(b""), server.seal(b"")
        if not up and not down:
            return heard[client], heard[server]
        for data, layer in ((up, server), (down, client)):
            for at in range(0, len(data), size):
                heard[layer] += layer.open(data[at : at + size])


def nobody(_):
    """Approves of every certificate."""


@pytest.mark.parametrize("size", [1 << 20, 1])
@pytest.mark.parametrize("anonymous", [True, False])
def test_both_ends_hear_what_the_other_says_however_it_is_cut(anonymous, size):
    client = client_tls(Trust(), "h")(anonymous, nobody)
    server = server_tls(*server_certificate())(anonymous)
    greeting = client.seal(b"from the client")
    assert server.seal(b"from the server") == b""
    assert server.open(greeting) == b""
    assert carry(client, server, size) == (b"from the server", b"from the client")


def test_nothing_is_said_to_a_server_that_is_not_approved_of():
    def not_that_one(certificate):
        assert certificate == ssl.PEM_cert_to_DER_cert(server_certificate()[0].read_text())
        raise UntrustedServerError("not that one")

    client = client_tls(Trust(), "h")(False, not_that_one)
    server = server_tls(*server_certificate())(False)
    server.open(client.seal(b"the password"))
    with pytest.raises(UntrustedServerError, match="not that one"):
        client.open(server.seal(b""))
    with pytest.raises(UntrustedServerError, match="not that one"):
        client.seal(b"")


def test_the_end_is_heard():
    client = client_tls(Trust(), "h")(False, nobody)
    server = server_tls(*server_certificate())(False)
    carry(client, server)
    assert not client.is_over
    with pytest.raises(ssl.SSLWantReadError):
        server._tls.unwrap()
    assert client.open(server.seal(b"")) == b""
    assert client.is_over


def test_a_changed_byte_is_told():
    client = client_tls(Trust(), "h")(False, nobody)
    server = server_tls(*server_certificate())(False)
    carry(client, server)
    sealed = bytearray(server.seal(b"a picture"))
    sealed[-1] ^= 1
    with pytest.raises(ProtocolError, match="TLS failed"):
        client.open(bytes(sealed))
    assert b"a key" not in client.seal(b"a key")


def test_who_asks_for_a_certificate_is_not_served_without_one():
    client = client_tls(Trust(), "h")(False, nobody)
    with pytest.raises(ProtocolError, match="TLS failed"):
        carry(client, server_tls(None, None)(True))


def test_what_is_no_file_of_certificates_is_told_and_does_not_hold_us(tmp_path):
    pipe, large, empty, other = (tmp_path / name for name in ("pipe", "large", "empty", "other"))
    os.mkfifo(pipe)
    pem = server_certificate()[0].read_bytes()
    large.write_bytes(pem + b"\n" * (tls.MAX_CA_BYTES - len(pem)))
    empty.touch()
    other.write_text("é no certificate")
    assert client_tls(Trust(ca_file=str(large)), "h")(False, nobody)
    with large.open("ab") as file:
        file.write(b"\n")
    for path in (pipe, large, empty, other, tmp_path, tmp_path / "nothing"):
        with pytest.raises(UntrustedServerError, match="certificates"):
            client_tls(Trust(ca_file=str(path)), "h")(False, nobody)


# --- groups


@functools.cache
def group(bits, folder):
    made = subprocess.run(
        ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:ffdhe{bits}"],
        check=True, capture_output=True,
    )  # fmt: skip
    path = folder / f"{bits}.pem"
    path.write_bytes(made.stdout)
    return path


def in_group(bits, folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH-AES128-SHA:@SECLEVEL=0")
    context.load_dh_params(group(bits, folder))
    return TlsLayer(context, is_server=True)


@pytest.mark.parametrize("size", [1 << 20, 1])
def test_a_group_is_as_large_as_the_limit(size, tmp_path):
    client = client_tls(Trust(), "h")(True, nobody)
    server = in_group(tls.MAX_GROUP_BYTES * 8, tmp_path)
    server.seal(b"hello")
    assert carry(client, server, size) == (b"hello", b"")


@pytest.mark.parametrize("size", [1 << 20, 1])
def test_a_larger_group_is_refused_before_it_costs_anything(size, tmp_path):
    client = client_tls(Trust(), "h")(True, nobody)
    with pytest.raises(ProtocolError, match="a Diffie-Hellman group of 6144 bits"):
        carry(client, in_group(6144, tmp_path), size)


def test_a_greeting_is_as_long_as_the_limit_and_no_longer():
    head = bytes([22, 3, 3]) + (16000).to_bytes(2, "big") + b"\x0b\xff\xff\xff"
    check = GroupCheck()
    check.feed(head + bytes(16000 - 4))
    rest = tls.MAX_GREETING_BYTES - 16000
    check.feed(bytes([22, 3, 3, 64, 0]) + bytes(rest - 5))
    with pytest.raises(ProtocolError, match="without end"):
        check.feed(b"\0")


@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_any_bytes_are_read_or_told(chunks, is_record):
    check, client = GroupCheck(), client_tls(Trust(), "h")(True, nobody)
    client.seal(b"")
    for chunk in chunks:
        if is_record:
            chunk = bytes([22, 3, 3]) + len(chunk).to_bytes(2, "big") + chunk
        try:
            check.feed(chunk)
            client.open(chunk)
        except ControleVncError:
            return
