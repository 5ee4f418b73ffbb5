"""Where a workstation's VNC server is: `host:port`, `[v6]:port` or `unix:/path`."""

import ipaddress
import re
from dataclasses import dataclass

from controle_vnc.errors import RequestRefusedError

MAX_HOST_CHARACTERS = 253  # DNS
MAX_UNIX_PATH_BYTES = 107  # sun_path of Linux, less its final zero
MAX_PORT = 65535

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")


@dataclass(frozen=True)
class Address:
    """Either `path` (a unix socket) or `host` and `port`."""

    host: str
    port: int
    path: str | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address in `text`; raises `RequestRefusedError("invalid", …)` where it is none."""
    if text.startswith("unix:"):
        return _parse_path(text[len("unix:") :])
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not rest.startswith(":") or not _is_ip6(host):
            raise _invalid(text)
        return Address(host, _parse_port(rest[1:], text))
    host, colon, port = text.rpartition(":")
    if not colon or len(host) > MAX_HOST_CHARACTERS or not _HOST.fullmatch(host):
        raise _invalid(text)
    return Address(host, _parse_port(port, text))


def _parse_path(path: str) -> Address:
    if not path.startswith("/") or "\0" in path:
        raise _invalid(f"unix:{path}")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_UNIX_PATH_BYTES:
        raise RequestRefusedError(
            "invalid", f"the path of a unix socket is at most {MAX_UNIX_PATH_BYTES} bytes"
        )
    return Address("", 0, path)


def _parse_port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT))):
        raise _invalid(whole)
    port = int(text)
    if not 1 <= port <= MAX_PORT:
        raise _invalid(whole)
    return port


def _is_ip6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _invalid(text: str) -> RequestRefusedError:
    return RequestRefusedError(
        "invalid", f"{text[:300]!r} is no address: write host:port, [v6]:port or unix:/path"
    )
