"""What a proxy says of a request is believed only when the proxy is one of ours."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from eop.addresses import PROXIED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_FORWARDED",
)


class TrustedProxy:
    """WSGI: apply X-Forwarded-{For,Host,Proto} of a trusted peer, drop those of anyone else.

    A proxy always tells the host it was asked for; a request without it came straight to us.
    """

    def __init__(self, application: "WSGIApplication", trusted: Iterable[str]) -> None:
        self._application = application
        self._fixed = ProxyFix(application, x_for=1, x_proto=1, x_host=1)
        self._trusted = frozenset(trusted)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        is_trusted = environ.get("REMOTE_ADDR") in self._trusted
        if is_trusted and environ.get("HTTP_X_FORWARDED_HOST"):
            environ[PROXIED] = True
            return self._fixed(environ, start_response)
        for name in FORWARDED:
            environ.pop(name, None)
        return self._application(environ, start_response)
