"""The addresses a browser may use: the site's origins, and where its WebSockets go."""

from urllib.parse import urlsplit

from flask import request

from controle_vnc.settings import Settings
from eop.settings import SiteSettings

GATEWAY_PATH = "/websockify"
PROXIED = "eop.proxied"  # set in the environment of a request that came through the proxy


def public_origin(site: SiteSettings, shared: Settings) -> str:
    """scheme://host of the site, as the browser of this request knows it."""
    if site.PUBLIC_URL:
        parts = urlsplit(site.PUBLIC_URL)
        return f"{parts.scheme}://{parts.netloc}"
    host = request.host or f"{shared.WEB_HOST}:{shared.WEB_PORT}"  # HTTP/1.0, or an odd Host
    return f"{request.scheme}://{host}"


def is_tls(site: SiteSettings) -> bool:
    """Whether browsers come here over TLS: this one, as proxies tell, or all by `PUBLIC_URL`."""
    return request.is_secure or urlsplit(site.PUBLIC_URL).scheme == "https"


def is_own_origin(origin: str, site: SiteSettings, shared: Settings) -> bool:
    """Whether a page of that origin may send changes here."""
    own = {public_origin(site, shared), f"{request.scheme}://{request.host}"}
    return origin in own or origin in shared.ALLOWED_ORIGINS


def gateway_url(site: SiteSettings, shared: Settings) -> str:
    """Where this browser opens its WebSockets: the proxy's own port, or the gateway's."""
    public = urlsplit(public_origin(site, shared))
    if site.PUBLIC_URL or request.environ.get(PROXIED):
        scheme = "wss" if public.scheme == "https" else "ws"
        return f"{scheme}://{public.netloc}{GATEWAY_PATH}"
    scheme = "wss" if shared.GATEWAY_CERTIFICATE else "ws"
    name = public.hostname or shared.GATEWAY_HOST
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}:{shared.GATEWAY_PORT}{GATEWAY_PATH}"
