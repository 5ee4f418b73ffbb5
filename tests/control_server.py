"""A real 8788 on a port of its own, in a thread; and certificates for it."""

import asyncio
import datetime
import ipaddress
import threading
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controle_vnc.control.server import ControlServer, Dispatch
from controle_vnc.settings import Settings

SECRET = b"a secret for the tests of 8788"


class RunningServer:
    """`ControlServer` with its own loop; `settings` names the port it got."""

    def __init__(self, dispatch: Dispatch, settings: Settings | None = None) -> None:
        self.settings = replace(settings or Settings(), CONTROL_PORT=0)
        self._dispatch = dispatch
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> "RunningServer":
        self._thread.start()
        assert self._up.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        assert not self._thread.is_alive()

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.server = ControlServer(self.settings, SECRET, self._dispatch)
        await self.server.start()
        self.settings = replace(self.settings, CONTROL_PORT=self.server.port)
        self._up.set()
        await self._stop.wait()
        await self.server.stop()


def make_certificate(folder: Path, name: str = "own") -> tuple[str, str]:
    """Paths of a new self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(paths[0]), str(paths[1])
