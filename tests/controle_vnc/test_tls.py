import functools
import os
import socket
import ssl
import subprocess
from pathlib import Path

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


@pytest.mark.parametrize("at_once", [True, False])
def test_after_the_end_nothing_is_taken_nor_kept(at_once):
    client = client_tls(Trust(), "h")(False, nobody)
    server = server_tls(*server_certificate())(False)
    carry(client, server)
    server.seal(b"")
    with pytest.raises(ssl.SSLWantReadError):
        server._tls.unwrap()
    end = server.seal(b"")
    assert client.open(end + bytes(1 << 20) if at_once else end) == b""
    assert client.is_over
    assert client.open(b"") == b""
    assert client._in.pending == 0
    with pytest.raises(ProtocolError, match="data after the end of TLS"):
        client.open(b"\x17")
    assert client._in.pending == 0


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


def test_what_is_no_file_of_certificates_is_told_and_does_not_hold_us(tmp_path, caplog):
    pipe, large, empty, other = (tmp_path / name for name in ("pipe", "large", "empty", "other"))
    os.mkfifo(pipe)
    pem = server_certificate()[0].read_bytes()
    large.write_bytes(pem + b"\n" * (tls.MAX_CA_BYTES - len(pem)))
    empty.touch()
    other.write_text("é no certificate")
    assert client_tls(Trust(ca_file=str(large)), "h")(False, nobody)
    with large.open("ab") as file:
        file.write(b"\n")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    made_up = Path("/proc/self/pagemap")  # regular, of size 0, and hundreds of GiB to read
    for path in (pipe, large, empty, other, tmp_path, tmp_path / "nothing", loop, made_up):
        with pytest.raises(UntrustedServerError) as caught:
            client_tls(Trust(ca_file=str(path)), "h")(False, nobody)
        told = "the stored file of authorities cannot be read as certificates"
        assert str(caught.value) == told  # without its path: teachers read it
        assert str(path) in caplog.messages[-1]


def test_a_file_that_grows_while_it_is_read_is_read_no_further(tmp_path, monkeypatch):
    path = tmp_path / "growing"
    path.write_bytes(server_certificate()[0].read_bytes() + bytes(2 * tls.MAX_CA_BYTES))
    monkeypatch.setattr(tls, "_regular", lambda found: found)  # it was small when it was looked at
    with pytest.raises(UntrustedServerError, match="cannot be read as certificates"):
        client_tls(Trust(ca_file=str(path)), "h")(False, nobody)


def test_a_file_of_authorities_is_read_once_and_again_when_it_has_changed(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(tls, "_read", lambda path, really=tls._read: read.append(1) or really(path))
    path = tmp_path / "ca.pem"
    path.write_bytes(server_certificate()[0].read_bytes())
    begin = client_tls(Trust(ca_file=str(path)), "127.0.0.1")
    for _ in range(3):
        server = server_tls(*server_certificate())(False)
        server.seal(b"hello")
        assert carry(begin(False, nobody), server)[0] == b"hello"
    assert len(read) == 1
    path.write_bytes(b"no certificate any more")
    for _ in range(2):
        with pytest.raises(UntrustedServerError, match="cannot be read as certificates"):
            begin(False, nobody)
    assert len(read) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1.", "127.0.0.1%eth0"])
def test_a_name_is_known_without_its_dot_and_without_its_zone(host):
    client = client_tls(Trust(ca_file=str(server_certificate()[0])), host)(False, nobody)
    server = server_tls(*server_certificate())(False)
    server.seal(b"hello")
    assert carry(client, server)[0] == b"hello"


@pytest.mark.parametrize("host", ["", ".", "a" * 64 + ".example", "%eth0"])
def test_a_name_that_none_can_have_is_told(host):
    with pytest.raises(UntrustedServerError, match="no certificate can be for that name"):
        client_tls(Trust(ca_file=str(server_certificate()[0])), host)(False, nobody)


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


def greeting(kind, body):
    """A handshake message in its record."""
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\3\3" + len(message).to_bytes(2, "big") + message


def server_hello(suite, extensions=b"", random=bytes(32)):
    size = len(extensions).to_bytes(2, "big")
    return greeting(tls.SERVER_HELLO, b"\3\3" + random + b"\0" + suite + b"\0" + size + extensions)


def prime(bits, size=None):
    """A ServerKeyExchange as far as it is looked at."""
    size = size or (bits + 7) // 8
    number = ((1 << bits) - 1).to_bytes(size, "big")
    return greeting(tls.SERVER_KEY_EXCHANGE, size.to_bytes(2, "big") + number)


def test_a_group_is_no_smaller_than_the_limit():
    GroupCheck(anonymous=True).feed(server_hello(b"\0\x34") + prime(tls.MIN_GROUP_BITS))
    for padded in (None, 128, 512):
        with pytest.raises(ProtocolError, match="a Diffie-Hellman group of 1023 bits"):
            GroupCheck(anonymous=True).feed(
                server_hello(b"\0\x34") + prime(tls.MIN_GROUP_BITS - 1, padded)
            )


def share(group):
    return b"\0\x2b\0\2\3\4" + b"\0\x33\0\2" + group.to_bytes(2, "big")


@pytest.mark.parametrize("random", [tls.HELLO_RETRY, bytes(32)])
def test_tls_1_3_is_on_elliptic_curves_alone(random):
    for group in (0xFF, 0x200, 0x17, 0x1D):
        GroupCheck(anonymous=False).feed(server_hello(b"\x13\2", share(group), random))
    for group in (0x100, 0x104, 0x1FF):
        with pytest.raises(ProtocolError, match=f"of TLS 1.3, number {group}"):
            GroupCheck(anonymous=False).feed(server_hello(b"\x13\2", share(group), random))


def test_after_another_greeting_was_asked_for_the_group_is_looked_at_again():
    check = GroupCheck(anonymous=False)
    check.feed(server_hello(b"\x13\2", share(0x1D), tls.HELLO_RETRY))
    with pytest.raises(ProtocolError, match="number 260"):
        check.feed(server_hello(b"\x13\2", share(0x104)))


@pytest.mark.parametrize(("group", "is_taken"), [("ffdhe8192", False), ("P-384", True)])
def test_a_real_server_of_tls_1_3_does_not_choose_what_costs_us_much(group, is_taken):
    certificate, key = server_certificate()
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key,
               "-tls1_3", "-groups", group, "-naccept", "1"]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            told = next(line for line in server.stdout if line.startswith(b"ACCEPT"))
            port = int(told.split(b":")[-1])
            with socket.create_connection(("127.0.0.1", port), 10) as connected:
                client = client_tls(Trust(), "h")(False, nobody)
                if is_taken:
                    speak(client, connected)
                else:
                    with pytest.raises(ProtocolError, match="of TLS 1.3, number 260"):
                        speak(client, connected)
        finally:
            server.kill()


def speak(client, connected):
    """Until both are through with their greetings."""
    while not client._is_up:
        connected.sendall(client.seal(b""))
        assert client.open(connected.recv(65536)) == b""


def test_a_greeting_is_as_long_as_the_limit_and_no_longer():
    head = bytes([22, 3, 3]) + (16000).to_bytes(2, "big") + b"\x0b\xff\xff\xff"
    check = GroupCheck(anonymous=True)
    check.feed(head + bytes(16000 - 4))
    rest = tls.MAX_GREETING_BYTES - 16000
    check.feed(bytes([22, 3, 3, 64, 0]) + bytes(rest - 5))
    with pytest.raises(ProtocolError, match="without end"):
        check.feed(b"\0")


@given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
def test_any_bytes_are_read_or_told(chunks, is_record):
    check, client = GroupCheck(anonymous=False), client_tls(Trust(), "h")(True, nobody)
    client.seal(b"")
    for chunk in chunks:
        if is_record:
            chunk = bytes([22, 3, 3]) + len(chunk).to_bytes(2, "big") + chunk
        try:
            check.feed(chunk)
            client.open(chunk)
        except ControleVncError:
            return
