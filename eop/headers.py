"""Security headers on every response, errors and redirects included."""

import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from eop.aaa.membership import current
from eop.addresses import gateway_url, is_tls
from eop.services import services

NONCE_BYTES = 16

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    # not no-referrer: with it browsers send "Origin: null" with our own forms
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
    "fullscreen=(self), clipboard-read=(self), clipboard-write=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def init_app(app: Flask) -> None:
    """Make a nonce before each request, set the headers after it."""
    app.before_request(_make_nonce)
    app.after_request(_set_headers)


def _make_nonce() -> None:
    g.nonce = secrets.token_urlsafe(NONCE_BYTES)


def _set_headers(response: Response) -> Response:
    site = services().site
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    policy = content_security_policy()
    if response.headers.get("Content-Disposition", "").startswith("attachment"):
        policy += "; sandbox"  # should a browser show it all the same
    response.headers["Content-Security-Policy"] = policy
    if not (request.endpoint or "").endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    if site.HSTS and is_tls(site):
        response.headers["Strict-Transport-Security"] = f"max-age={site.HSTS}"
    return response


def content_security_policy() -> str:
    """Own files only; pictures also from memory; WebSockets only to the gateway."""
    socket = gateway_url(services().site, services().shared)
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{g.nonce}'" if "nonce" in g else "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "media-src": "'self' blob:",
        "manifest-src": "'self'",
        "connect-src": f"'self' {socket}",
        "form-action": " ".join(["'self'", *_sign_in_origins()]),
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _sign_in_origins() -> list[str]:
    """Where signing in and out leads on to: browsers hold `form-action` against redirects, too."""
    member = current()
    elsewhere = services().site.APPLICATIONS if member.name == "aaa" else []
    addresses = [*elsewhere, *([member.aaa_url] if member.aaa_url else [])]
    return sorted({"{0.scheme}://{0.netloc}".format(urlsplit(one)) for one in addresses})
