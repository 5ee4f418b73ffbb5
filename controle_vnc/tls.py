"""TLS without a socket, for VNC servers and viewers that encrypt: bytes in, bytes out."""

import functools
import ssl
from collections.abc import Callable
from pathlib import Path

from controle_vnc.errors import ProtocolError, UntrustedServerError
from controle_vnc.rfb.layer import Layer
from controle_vnc.rfb.security_types.trust import Trust

ANONYMOUS_CIPHERS = "aNULL:!eNULL:!LOW:!EXP:!RC4:!3DES:!MD5:@SECLEVEL=0"
"""Diffie-Hellman without certificates; OpenSSL counts all of it as level 0."""

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
        is_server: bool = False,
        host: str | None = None,
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, is_server, host)
        self._approve = approve
        self._held = bytearray()
        self._is_up = False
        self.is_over = False

    def open(self, data: bytes) -> bytes:
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
            self._held += data
            if self._is_up and self._held:
                held, self._held = self._held, bytearray()
                self._write(held)
        except ssl.SSLError as error:
            raise ProtocolError(f"TLS failed: {error.reason or type(error).__name__}") from error
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
        return b"".join(parts)

    def _write(self, data: bytearray) -> None:
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                sent += self._tls.write(view[sent:])


def client_tls(trust: Trust, host: str) -> Callable[[bool, Callable[[bytes], None]], Layer]:
    """What begins TLS towards the server at `host`, which has to prove itself to `trust`."""

    def begin(anonymous: bool, approve: Callable[[bytes], None]) -> Layer:
        if anonymous:
            return TlsLayer(_anonymous(is_server=False))
        if trust.ca_file is None:
            return TlsLayer(_pinned(), approve)
        return TlsLayer(_signed(trust.ca_file), approve, host=host)

    return begin


@functools.cache
def _pinned() -> ssl.SSLContext:
    """The fingerprint counts, not who signed, nor which name or dates are in the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _signed(ca_file: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UntrustedServerError(
            f"{ca_file} cannot be read as certificates: {error.strerror or error}"
        ) from error
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
