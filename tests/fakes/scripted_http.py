"""An HTTP server in a thread that answers what a test tells it to, byte by byte if need be."""

import ssl
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.desktops import free_port

Answer = Iterable[bytes]


def whole(body: bytes, status: str = "200 OK", **headers: str) -> Answer:
    """A well-formed answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ["\r\n".join(lines).encode() + b"\r\n\r\n", body]


class ScriptedServer:
    """`with ScriptedServer(answer) as server:` `answer(method, path, body)` gives raw pieces.

    With a certificate's and a key's file it speaks TLS.
    """

    def __init__(self, answer: Callable[[str, str, bytes], Answer], *tls: Path) -> None:
        script = self
        self.answer, self.asked = answer, []
        self.stopping = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                script.asked.append((self.command, self.path, self.headers, body))
                self.close_connection = True
                try:
                    for piece in script.answer(self.command, self.path, body):
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    return  # who asked has gone: that is what some tests are about

            do_POST = do_GET  # noqa: N815 - the name that the base class looks for

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.port = free_port()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def pause(self, seconds: float) -> None:
        """Say nothing for so long, or until the test is over."""
        self.stopping.wait(seconds)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
