from dataclasses import replace

import pytest
from flask import Flask

from controle_vnc.settings import Settings
from eop.addresses import PROXIED, gateway_url, is_own_origin
from eop.settings import SiteSettings

SITE, SHARED = SiteSettings(), Settings()


def url(base, site=SITE, shared=SHARED, *, proxied=False):
    environ = {PROXIED: True} if proxied else {}
    with Flask("x").test_request_context(base_url=base, environ_overrides=environ):
        return gateway_url(site, shared)


def test_straight_to_gunicorn_the_gateway_has_its_own_port():
    assert url("http://localhost:9999") == "ws://localhost:6080/websockify"
    assert url("http://[::1]:5000") == "ws://[::1]:6080/websockify"
    secured = replace(SHARED, GATEWAY_CERTIFICATE="/x.pem")
    assert url("http://127.0.0.1:5000", shared=secured) == "wss://127.0.0.1:6080/websockify"


def test_through_the_proxy_it_is_on_the_same_origin():
    assert url("https://eop.example", proxied=True) == "wss://eop.example/websockify"
    assert url("http://eop.example:8080", proxied=True) == "ws://eop.example:8080/websockify"


def test_the_public_address_decides_where_it_is_set():
    site = replace(SITE, PUBLIC_URL="https://eop.example:8443")
    assert url("http://10.0.0.1:5000", site) == "wss://eop.example:8443/websockify"


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://127.0.0.1:5000", True),
        ("https://eop.example", True),
        ("https://other.example", True),
        ("http://127.0.0.1", False),
        ("https://127.0.0.1:5000", False),
        ("http://127.0.0.1:5000.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_own_origins_are_the_asked_the_public_and_the_allowed(origin, own):
    site = replace(SITE, PUBLIC_URL="https://eop.example")
    shared = replace(SHARED, ALLOWED_ORIGINS=["https://other.example"])
    with Flask("x").test_request_context(base_url="http://127.0.0.1:5000"):
        assert is_own_origin(origin, site, shared) is own
