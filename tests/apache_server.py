"""Debian's apache2 with `apache/eop.conf`, as a process of its own on a port of its own."""

import datetime
import ipaddress
import os
import signal
import socket
import ssl
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.desktops import free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent
APACHE = "/usr/sbin/apache2"
START_SECONDS = 15
REQUEST_SECONDS = 1  # what RequestReadTimeout knows is whole seconds
MODULES = (
    "mpm_event", "authz_core", "reqtimeout", "alias", "headers", "ssl", "proxy", "proxy_http",
)  # fmt: skip


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody signed, and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    key.chmod(0o600)
    return certificate, key


class ApacheServer:
    """In front of a site and a gateway that listen on loopback; the gateway's may speak TLS."""

    def __init__(
        self, folder: Path, web: int, gateway: int, gateway_certificate: Path | None = None
    ) -> None:
        self.folder, self.port = folder, free_port()
        self.certificate, key = make_certificate(folder)
        self.configuration = folder / "apache2.conf"
        self.errors = folder / "stderr.txt"
        owner = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
        modules = "\n".join(
            f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES
        )
        gateway_lines = f"Define EOP_GATEWAY http://127.0.0.1:{gateway}"
        if gateway_certificate:
            gateway_lines = (
                f"Define EOP_GATEWAY https://127.0.0.1:{gateway}\n"
                f"Define EOP_GATEWAY_CA {gateway_certificate}"
            )
        self.configuration.write_text(f"""\
ServerRoot {folder}
ServerName 127.0.0.1
DefaultRuntimeDir {folder}
Mutex file:{folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
{owner}
{modules}
Define EOP_REQUEST_SECONDS {REQUEST_SECONDS}
Listen 127.0.0.1:{self.port}
Define EOP_PORT {self.port}
Define EOP_CERTIFICATE {self.certificate}
Define EOP_KEY {key}
Define EOP_SITE http://127.0.0.1:{web}
{gateway_lines}
Define APACHE_LOG_DIR {folder}
Include {ROOT}/apache/eop.conf
""")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def trusting(self) -> ssl.SSLContext:
        """For clients that read and write in two threads, as `websockets` does.

        Before Python 3.13 that loses requests (6 in 1000) when TLS 1.3's session tickets come in
        while the request goes out; 1.2 has none. Browsers take 1.3.
        """
        context = ssl.create_default_context(cafile=self.certificate)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def check_syntax(self) -> str:
        """What `apache2 -t` says; fails where it finds a fault."""
        done = subprocess.run(
            [APACHE, "-f", str(self.configuration), "-t"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def logs(self) -> str:
        return "".join(path.read_text() for path in self.folder.glob("*.log"))

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.errors.read_text() + self.logs()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self) -> "ApacheServer":
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [APACHE, "-f", str(self.configuration), "-D", "FOREGROUND"],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,
            )
        wait_until(self._listens, START_SECONDS, "apache2 listens")
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
