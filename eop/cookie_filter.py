"""Cookies of others on the same host never break a request."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


_HALF_QUOTED = re.compile(r'[^=]*=\s*"(?!(?:[^"\\]|\\.)*"\s*\Z)')


class ReadableCookies:
    """WSGI: pass on the cookies that are printable ASCII, drop the others.

    Werkzeug decodes all of the header as UTF-8 at once: one byte of a neighbour's cookie that is
    not would fail the whole request. And it lets a quoted value go on over the semicolons after
    it: the odd quote of one neighbour and that of another would swallow what is between them.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        sent = environ.get("HTTP_COOKIE")
        if sent is not None and not (_is_readable(sent) and '"' not in sent):
            environ["HTTP_COOKIE"] = ";".join(filter(_is_readable, sent.split(";")))
        return self._application(environ, start_response)


def _is_readable(text: str) -> bool:
    return text.isascii() and text.isprintable() and not _HALF_QUOTED.match(text)
