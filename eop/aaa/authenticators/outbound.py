"""Requests to single sign-on servers: every wait has an end, and every answer a size."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from eop.aaa.authenticators.base import AuthenticatorDownError
from eop.sign_on_settings import is_loopback

AT_ONCE = 8  # half of the site's threads: a server that hangs does not stop the others
PIECE_BYTES = 16 * 1024
KEEP_SECONDS = 3600.0
FAILED_SECONDS = 10.0  # a server that is down is not asked by everyone who comes meanwhile
WAIT_SECONDS = 3.0  # for another thread that fetches the same

T = TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """How long one request may take, in seconds, and how large its answer may be.

    `whole` bounds what `read` alone does not: a server that sends one byte after the other.
    """

    connect: float = 3.0
    read: float = 5.0
    whole: float = 8.0
    answer_bytes: int = 256 * 1024  # the largest set of keys known has 40 KiB


class AnswerError(requests.RequestException):
    """The answer was too slow, too large, compressed, or led elsewhere."""


class _Watch(threading.local):
    """The sockets this thread has opened for the request it is busy with."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []


# at level DEBUG it writes whole addresses, with the tickets in them
logging.getLogger("urllib3").setLevel(logging.INFO)

_watch = _Watch()
_turns = threading.BoundedSemaphore(AT_ONCE)


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _watch.sockets.append(self.sock)


class _TlsConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _watch.sockets.append(self.sock)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class BoundedAdapter(HTTPAdapter):
    """Sends one request a connection, follows no redirect, and hands out whole answers alone."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager

    def send(
        self, request: requests.PreparedRequest, *_args: Any, **options: Any
    ) -> requests.Response:
        """The answer, read to its end; raises `requests.RequestException`."""
        bounds = self._bounds
        request.headers["Accept-Encoding"] = "identity"
        request.headers["Connection"] = "close"
        # requests names what it passes; of that, how long to wait is not its to say
        options |= {"stream": True, "timeout": (bounds.connect, bounds.read)}
        options["proxies"] = _proxies(str(request.url))
        if not _turns.acquire(timeout=bounds.connect):
            raise AnswerError("too many requests to sign-on servers wait for their answer")
        try:
            with _deadline(bounds.whole) as is_over:
                return self._answer(request, options, is_over)
        finally:
            # many servers do not say that they close it, as they were told to: kept, the next
            # request would go down a connection that may be closed at any moment
            self.close()
            _turns.release()

    def _answer(
        self, request: requests.PreparedRequest, options: Any, is_over: threading.Event
    ) -> requests.Response:
        try:
            response = super().send(request, **options)
            try:
                body = self._body(response)
            finally:
                response.close()
        except (requests.RequestException, OSError) as error:
            if is_over.is_set():
                raise self._too_slow() from error
            raise
        if is_over.is_set():
            raise self._too_slow()
        if response.is_redirect:
            raise AnswerError("the answer leads elsewhere")
        response._content, response._content_consumed = body, True  # type: ignore[attr-defined]
        return response

    def _too_slow(self) -> AnswerError:
        return AnswerError(f"no whole answer within {self._bounds.whole} s")

    def _body(self, response: requests.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise AnswerError("the answer is compressed, which was not asked for")
        body = bytearray()
        try:
            while piece := response.raw.read1(PIECE_BYTES, decode_content=False):
                body += piece
                if len(body) > self._bounds.answer_bytes:
                    raise AnswerError(f"the answer is larger than {self._bounds.answer_bytes} B")
        except HTTPError as error:
            raise AnswerError(f"the answer broke off: {type(error).__name__}") from error
        return bytes(body)


def _proxies(address: str) -> dict[str, str]:
    """The proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`), not for this machine."""
    if is_loopback(urlsplit(address).hostname or ""):
        return {}
    return dict(requests.utils.get_environ_proxies(address))


@contextlib.contextmanager
def _deadline(seconds: float) -> Iterator[threading.Event]:
    """Cut this thread's connections when the time is over; the event says that it was."""
    is_over = threading.Event()
    sockets = _watch.sockets = []

    def cut() -> None:
        is_over.set()
        for one in sockets:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # not SSLSocket's own: it forgets its TLS state under who reads
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()


def prepare(session: requests.Session, ca_file: str, bounds: Bounds) -> None:
    """Have a session send by `BoundedAdapter`, and take no password from the environment."""
    session.trust_env = False  # ~/.netrc would add passwords
    session.verify = ca_file or True
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(bounds))


def reason(error: Exception) -> str:
    """Why a request failed, without its address: that may hold a ticket."""
    return str(error) if isinstance(error, AnswerError) else type(error).__name__


class Cached(Generic[T]):
    """Something fetched from a sign-on server and kept for a while; so is a failure."""

    def __init__(
        self, fetch: Callable[[], T], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._steady = fetch, steady
        self._lock = threading.Lock()
        self._kept: tuple[T, float] | None = None
        self._failed: tuple[str, float] | None = None

    def get(self, seconds: float = KEEP_SECONDS) -> T:
        """What was fetched less than `seconds` ago, else anew; `AuthenticatorDownError`."""
        kept = self._young(seconds)
        if kept is not None:
            return kept[0]
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise AuthenticatorDownError("it is being asked already, and does not answer")
        try:
            kept = self._young(seconds)  # another thread may have fetched it meanwhile
            return kept[0] if kept is not None else self._fetched()
        finally:
            self._lock.release()

    def _young(self, seconds: float) -> tuple[T, float] | None:
        kept = self._kept
        return kept if kept is not None and self._steady() - kept[1] < seconds else None

    def _fetched(self) -> T:
        if self._failed is not None and self._steady() - self._failed[1] < FAILED_SECONDS:
            raise AuthenticatorDownError(self._failed[0])
        try:
            value = self._fetch()
        except AuthenticatorDownError as error:
            self._failed = str(error), self._steady()
            raise
        self._kept, self._failed = (value, self._steady()), None
        return value
