"""The gateway as a process of its own, on a port of its own, in front of a `PrivateDaemon`."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from websockets.sync.client import ClientConnection, connect

from tests.desktops import free_port, wait_until

ORIGIN = "http://127.0.0.1:5000"


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class GatewayProcess:
    """`patch` is Python run before the gateway starts, to shorten its times."""

    def __init__(self, folder: Path, patch: str = "", **environment: str) -> None:
        self.folder, self.port = folder, free_port()
        self.certificate = environment.get("EOP_GATEWAY_CERTIFICATE", "")
        self.errors = folder / "gateway-stderr.txt"
        self.log = folder / "home/var/log/controle-vnc/gateway.log"
        main = "from controle_vnc.gateway.__main__ import main\nraise SystemExit(main())"
        with self.errors.open("w") as errors:
            self.process = self._start(f"{patch}\n{main}", errors, environment)

    def _start(self, program: str, errors: TextIO, environment: dict[str, str]) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program],
            env={
                **os.environ,
                "EOP_HOME": str(self.folder / "home"),
                "EOP_RUN_DIR": str(self.folder),
                "EOP_GATEWAY_PORT": str(self.port),
                **environment,
            },
            stderr=errors,
        )

    def __enter__(self) -> "GatewayProcess":
        wait_until(
            lambda: (
                self.process.poll() is not None
                or (self.log.exists() and "listening" in self.log.read_text())
            ),
            10,
            "it listens",
        )
        assert self.process.poll() is None, self.errors.read_text()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(3)

    @property
    def children(self) -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                except OSError:
                    continue
                if int(parent) == self.process.pid and state != "Z":
                    found.append(int(entry.name))
        return found

    @property
    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def open(
        self,
        ticket: str = "",
        query: str = "",
        origin: str | None = ORIGIN,
        protocols: list[str] | None = None,
        path: str = "/websockify",
    ) -> ClientConnection:
        if protocols is None:
            protocols = ["binary", f"ticket.{ticket}"] if ticket else ["binary"]
        context = None
        if self.certificate:
            context = ssl.create_default_context(cafile=self.certificate)
            # websockets reads in one thread and writes in another, which OpenSSL only survives
            # where nothing but data follows a handshake; `ask` speaks 1.3
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return connect(
            f"{'wss' if context else 'ws'}://127.0.0.1:{self.port}{path}{query}",
            origin=origin,
            subprotocols=protocols or None,
            ssl=context,
            open_timeout=5,
            max_size=None,
            compression=None,
            proxy=None,
            legacy=True,  # also outside of a `with`
        )

    def dial(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 5)

    def dial_tls(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.certificate)
        return context.wrap_socket(self.dial(), server_hostname="127.0.0.1")

    def ask(self, request: bytes) -> bytes:
        """The raw answer to a raw request."""
        with self.dial_tls() if self.certificate else self.dial() as connection:
            connection.sendall(request)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """What is said until the other side hangs up."""
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionError:
        return data
    return data


def upgrade(ticket: str, *more: str, origin: str = ORIGIN, path: str = "/websockify") -> bytes:
    """A browser's request for a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Origin: {origin}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Sec-WebSocket-Protocol: binary, ticket.{ticket}",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
