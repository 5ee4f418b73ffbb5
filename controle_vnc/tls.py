"""TLS without a socket, for VNC servers and viewers that encrypt: bytes in, bytes out."""

import contextlib
import functools
import logging
import os
import ssl
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from controle_vnc.errors import ProtocolError, UntrustedServerError
from controle_vnc.rfb.layer import Layer
from controle_vnc.rfb.security_types.credentials import TlsMaker
from controle_vnc.rfb.security_types.trust import Trust

logger = logging.getLogger(__name__)

ANONYMOUS_CIPHERS = "aNULL:!eNULL:!LOW:!EXP:!RC4:!3DES:!MD5:@SECLEVEL=0"
"""Diffie-Hellman without certificates; OpenSSL counts all of it as level 0."""

CERTIFIED_CIPHERS = "DEFAULT:!kDHE"
"""Elliptic curves alone, for their cost is fixed; of TLS 1.3 this says nothing: `GroupCheck`."""

MIN_GROUP_BITS = 1024  # what older servers have; in a smaller one a mere listener may read along
MAX_GROUP_BYTES = 512  # 4096 bits: a group twice as long takes a second of everybody's time
FINITE_FIELD_GROUPS = range(0x0100, 0x0200)  # of TLS 1.3, up to 8192 bits (RFC 7919 §2)
KEY_SHARE = 51  # RFC 8446 §4.2
MAX_GREETING_BYTES = 16 * 1024  # before keys are agreed on; without certificates that is 1 KiB
HANDSHAKE_RECORD, SERVER_HELLO, SERVER_KEY_EXCHANGE = 22, 2, 12
ELLIPTIC_SUITES = 0xC0  # the first byte of their numbers
HELLO_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random bytes of a ServerHello that asks for another greeting (RFC 8446 §4.1.3)."""

MAX_CA_BYTES = 1024 * 1024  # Debian's file of all authorities has a quarter of it
MAX_CA_FILES = 8  # kept as they were read, for reading takes 20 ms; sites have one

READ_BYTES = 64 * 1024  # at once; a record has 16 KiB at most


class TlsLayer:
    """One side of TLS. Nothing of RFB goes out before `approve` took the peer's certificate.

    It raises `UntrustedServerError` or `ProtocolError`.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        approve: Callable[[bytes], None] | None = None,
        *,
        groups: "GroupCheck | None" = None,
        is_server: bool = False,
        host: str | None = None,
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._in, self._out, is_server, host)
        except ValueError as error:
            raise UntrustedServerError("no certificate can be for that name") from error
        self._approve = approve
        self._groups = groups
        self._held = bytearray()
        self._is_up = False
        self.is_over = False

    def open(self, data: bytes) -> bytes:
        if self.is_over:  # OpenSSL reads no more: it would only be kept
            if data:
                raise ProtocolError("data after the end of TLS")
            return b""
        if self._groups is not None and not self._is_up:
            self._groups.feed(data)
        self._in.write(data)
        try:
            self._shake_hands()
            return self._read() if self._is_up else b""
        except ssl.SSLCertVerificationError as error:
            raise UntrustedServerError(
                f"the server's certificate is not trusted: {error.verify_message}"
            ) from error
        except ssl.SSLError as error:
            raise ProtocolError(f"TLS failed: {error.reason or type(error).__name__}") from error

    def seal(self, data: bytes) -> bytes:
        try:
            self._shake_hands()
        except ssl.SSLError as error:
            raise ProtocolError(f"TLS failed: {error.reason or type(error).__name__}") from error
        self._held += data
        if self._is_up and self._held:
            held, self._held = self._held, bytearray()
            with contextlib.suppress(ssl.SSLError):  # it is broken: whoever reads from it tells
                self._write(held)
        return self._out.read()

    def _shake_hands(self) -> None:
        if self._is_up:
            return
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        if self._approve is not None:
            certificate = self._tls.getpeercert(binary_form=True)
            if not certificate:
                raise ProtocolError("the server shows no certificate")
            self._approve(certificate)
        self._is_up = True

    def _read(self) -> bytes:
        parts = []
        try:
            while part := self._tls.read(READ_BYTES):
                parts.append(part)
            self.is_over = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_over = True
        if self.is_over:
            self._in.read()  # nobody is going to
        return b"".join(parts)

    def _write(self, data: bytearray) -> None:
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                sent += self._tls.write(view[sent:])


class GroupCheck:
    """Reads along, before OpenSSL does, which Diffie-Hellman group a server wants.

    RFC 5246 §6.2.1, §7.4.1.3 and §7.4.3; RFC 8446 §4.1.3 and §4.2.8. With certificates all are on
    elliptic curves; `anonymous` servers may have another, neither too small nor too large.
    """

    def __init__(self, anonymous: bool) -> None:
        self._anonymous = anonymous
        self._records = bytearray()
        self._messages = bytearray()
        self._suite = 0
        self._is_done = False

    def feed(self, data: bytes) -> None:
        """Raises `ProtocolError` for a group that we do not take, or a greeting without end."""
        if self._is_done:
            return
        self._records += data
        while len(self._records) >= 5 and not self._is_done:
            end = 5 + int.from_bytes(self._records[3:5], "big")
            if len(self._records) < end:
                break
            if self._records[0] == HANDSHAKE_RECORD:
                self._messages += self._records[5:end]
                self._read()
            del self._records[:end]
        if len(self._records) + len(self._messages) > MAX_GREETING_BYTES and not self._is_done:
            raise ProtocolError("a TLS greeting without end")

    def _read(self) -> None:
        while len(self._messages) >= 4 and not self._is_done:
            end = 4 + int.from_bytes(self._messages[1:4], "big")
            if len(self._messages) < end:
                return
            self._take(self._messages[0], bytes(self._messages[4:end]))
            del self._messages[:end]

    def _take(self, kind: int, body: bytes) -> None:
        if kind == SERVER_HELLO and len(body) > 34:
            after = body[35 + body[34] :]
            self._suite = int.from_bytes(after[:2], "big")
            for group in _key_shares(after[5:]):
                if group in FINITE_FIELD_GROUPS:
                    raise ProtocolError(f"a Diffie-Hellman group of TLS 1.3, number {group}")
            # there are only elliptic curves, or a key exchange of RSA
            self._is_done = not self._anonymous and body[2:34] != HELLO_RETRY
        elif kind == SERVER_KEY_EXCHANGE:
            if self._suite >> 8 != ELLIPTIC_SUITES:
                self._check_group(body)
            self._is_done = True

    @staticmethod
    def _check_group(body: bytes) -> None:
        size = int.from_bytes(body[:2], "big")
        if size > MAX_GROUP_BYTES:
            raise ProtocolError(f"a Diffie-Hellman group of {size * 8} bits")
        bits = int.from_bytes(body[2 : 2 + size], "big").bit_length()
        if bits < MIN_GROUP_BITS:
            raise ProtocolError(f"a Diffie-Hellman group of {bits} bits")


def _key_shares(extensions: bytes) -> Iterator[int]:
    """The groups in the extensions of a ServerHello; what is malformed OpenSSL refuses."""
    while len(extensions) >= 4:
        kind, size = (int.from_bytes(extensions[at : at + 2], "big") for at in (0, 2))
        if kind == KEY_SHARE and size >= 2:
            yield int.from_bytes(extensions[4:6], "big")
        extensions = extensions[4 + size :]


def client_tls(trust: Trust, host: str) -> TlsMaker:
    """What begins TLS towards the server at `host`, which has to prove itself to `trust`.

    It raises `UntrustedServerError` where that can be proven to nobody.
    """
    name = host.partition("%")[0].removesuffix(".")  # no certificate has a zone, nor the root's dot

    def begin(anonymous: bool, approve: Callable[[bytes], None]) -> Layer:
        if anonymous:
            return TlsLayer(_anonymous(is_server=False), groups=GroupCheck(anonymous=True))
        groups = GroupCheck(anonymous=False)
        if trust.ca_file is None:
            return TlsLayer(_pinned(), approve, groups=groups)
        return TlsLayer(_signed(trust.ca_file), approve, groups=groups, host=name)

    return begin


@functools.cache
def _pinned() -> ssl.SSLContext:
    """The fingerprint counts, not who signed, nor which name or dates are in the certificate."""
    context = _certified()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _signed(ca_file: str) -> ssl.SSLContext:
    """Certificates that `ca_file` vouches for. Which file it is, and why not, only the log tells.

    Otherwise whoever may type a path would learn what files this machine has, and who watches a
    wall where they lie.
    """
    try:
        found = _regular(os.stat(ca_file))
        context = _authorities(ca_file, (found.st_mtime_ns, found.st_size, found.st_ino))
    except (OSError, ValueError) as error:
        logger.warning("%s is no file of authorities: %s", ca_file, error)
        context = None
    if context is None:
        raise UntrustedServerError("the stored file of authorities cannot be read as certificates")
    return context


@functools.lru_cache(MAX_CA_FILES)
def _authorities(ca_file: str, _present: tuple[int, ...]) -> ssl.SSLContext | None:
    """What is in the file at present; `None` where that is no certificates."""
    text = _read(ca_file)
    context = _certified()
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        logger.warning("%s is no file of authorities: %s", ca_file, error)
        return None
    return context


def _regular(found: os.stat_result) -> os.stat_result:
    """Refuses pipes, devices, and what the kernel makes up as it is read (and has no size)."""
    if not stat.S_ISREG(found.st_mode) or not 0 < found.st_size <= MAX_CA_BYTES:
        raise ValueError(f"no file of 1 to {MAX_CA_BYTES} bytes")
    return found


def _read(path: str) -> str:
    """What is there may be another thing than it was a moment ago: it is looked at once more."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        _regular(os.fstat(file.fileno()))
        data = file.read(MAX_CA_BYTES + 1)
    if len(data) > MAX_CA_BYTES:
        raise ValueError(f"more than {MAX_CA_BYTES} bytes")
    return data.decode("ascii", "ignore")  # names beside them


def _certified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(CERTIFIED_CIPHERS)
    return context


@functools.cache
def _anonymous(*, is_server: bool) -> ssl.SSLContext:
    """Without certificates, and nothing but that: who asks for X509 never gets this."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    if not is_server:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 has none without certificates
    context.set_ciphers(ANONYMOUS_CIPHERS)
    return context


def server_tls(certificate: Path | None, key: Path | None) -> Callable[[bool], Layer]:
    """What begins TLS towards a viewer; without a certificate only anonymous types can be."""
    context: ssl.SSLContext | None = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.load_cert_chain(certificate, key)
        context.num_tickets = 0  # TigerVNC's viewer takes a ticket for the end of what has come

    def begin(anonymous: bool) -> Layer:
        if anonymous:
            return TlsLayer(_anonymous(is_server=True), is_server=True)
        if context is None:
            raise ProtocolError("there is no certificate to show")
        return TlsLayer(context, is_server=True)

    return begin
