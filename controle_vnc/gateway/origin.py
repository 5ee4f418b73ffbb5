"""Which pages may open a WebSocket: the site's own, the configured, and the same host. Pure."""

from collections.abc import Iterable
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
MAX_ORIGIN_CHARACTERS = 512  # a host has 253 at most


def is_allowed(origin: str | None, host: str | None, allowed: Iterable[str]) -> bool:
    """Whether a page of `origin` may connect where the browser's `Host` header is `host`.

    Default ports are filled in: `https://a` on host `a` is the same place as `a:443`.
    """
    place = _place(origin)
    if place is None:
        return False
    if any(_place(entry) == place for entry in allowed):
        return True
    scheme, name, port = place
    return host is not None and _place(f"{scheme}://{host}") == (scheme, name, port)


def _place(origin: str | None) -> tuple[str, str, int] | None:
    """Scheme, host and port, or None where it is no origin of a web page."""
    if not origin or len(origin) > MAX_ORIGIN_CHARACTERS:
        return None
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in _PORTS or not parts.hostname or not plain:
        return None
    return parts.scheme, parts.hostname.lower(), port or _PORTS[parts.scheme]
