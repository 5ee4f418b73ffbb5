"""What the fake sign-on servers have in common: a handler with forms, cookies and redirects."""

import argparse
import html
import ssl
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MAX_FORM_BYTES = 64 * 1024


class PageHandler(BaseHTTPRequestHandler):
    """Calls `get_PATH` or `post_PATH` (dots, dashes and slashes as `_`) with one-valued fields."""

    protocol_version = "HTTP/1.1"
    base = ""  # the path under which this server lives

    def do_GET(self) -> None:
        self.answer("get", self.fields(urlsplit(self.path).query))

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        assert size <= MAX_FORM_BYTES
        self.answer("post", self.fields(self.rfile.read(size).decode()))

    def answer(self, method: str, fields: dict[str, str]) -> None:
        path = urlsplit(self.path).path
        name = path.removeprefix(self.base).strip("/")
        for letter in "./-":
            name = name.replace(letter, "_")
        handler = getattr(self, f"{method}_{name}", None)
        if handler is None or not path.startswith(self.base):
            self.send(404, "nothing here")
        else:
            handler(fields)

    @staticmethod
    def fields(query: str) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(query, True).items()}

    def cookie(self, name: str) -> str:
        found = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        return found.value if found else ""

    def send(self, status: int, body: str, kind: str = "text/plain", **headers: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def page(self, title: str, content: str, status: int = 200, **headers: str) -> None:
        text = f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1>{content}"
        self.send(status, text, "text/html", **headers)

    def redirect(self, address: str, **headers: str) -> None:
        self.send(302, "", **headers, Location=address)

    def form(self, title: str, hidden: dict[str, str], trouble: str = "") -> None:
        """A sign-in form that posts back to where it came from, with what it was asked."""
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(n)}" value="{html.escape(v)}">'
            for n, v in hidden.items()
        )
        action = html.escape(urlsplit(self.path).path)
        self.page(
            title,
            f'<p role="alert">{trouble}</p><form method="post" action="{action}">{inputs}'
            '<input name="username"><input name="password" type="password">'
            "<button>Sign in</button></form>",
        )

    def log_message(self, *_: object) -> None:
        """Nothing: a test reads what it asks for."""


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", action="append", default=[], help="LOGIN:PASSWORD")
    parser.add_argument("--certificate", default="")
    parser.add_argument("--key", default="")
    return parser


def serve(handler: type[PageHandler], given: argparse.Namespace) -> None:
    """Listen on loopback until SIGTERM."""
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler)
    server.daemon_threads = True
    if given.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.certificate, given.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()
