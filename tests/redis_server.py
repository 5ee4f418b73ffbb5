"""A real Redis on a unix socket (and a port), without any file but its log."""

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
import redis

from tests.desktops import free_port, wait_until

PROGRAM = "/usr/bin/redis-server"


class RedisServer:
    """`with RedisServer() as server:` then `server.url`; `password` is asked for where given.

    `certificate` and its key are for TLS on the port.
    """

    def __init__(self, password: str = "", certificate: tuple[str, str] | None = None) -> None:
        if not Path(PROGRAM).exists():
            pytest.skip("Debian's redis-server is not installed")
        self.folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        self.socket, self.port, self.password = self.folder / "redis.sock", free_port(), password
        self.url = f"unix://{self.socket}"
        self.tcp_url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        lines = [
            "bind 127.0.0.1", f"port {self.port}", f"unixsocket {self.socket}",
            "unixsocketperm 700", f"dir {self.folder}", 'save ""', "appendonly no", "databases 2",
            f"logfile {self.folder}/redis.log",
        ]  # fmt: skip
        if certificate:  # then its port speaks nothing but TLS
            lines[1] = f"port 0\ntls-port {self.port}\ntls-auth-clients no"
            lines += [f"tls-cert-file {certificate[0]}", f"tls-key-file {certificate[1]}"]
        if password:
            lines.append(f'requirepass "{password}"')
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> "RedisServer":
        self.process = subprocess.Popen([PROGRAM, str(self.folder / "redis.conf")])
        wait_until(self._answers, 10, "redis-server")
        return self

    def _answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False

    def client(self) -> "redis.Redis":
        """A client of the test's own, to look inside."""
        return redis.Redis(
            unix_socket_path=str(self.socket),
            password=self.password or None,
            decode_responses=True,
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)  # one that was frozen ends, too
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> "RedisServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)
