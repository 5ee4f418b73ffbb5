import pytest

from eop.proxy import TrustedProxy

FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "198.51.100.4",
    "HTTP_X_FORWARDED_HOST": "school.example",
    "HTTP_X_FORWARDED_PROTO": "https",
}


def seen(peer, **headers):
    environ = {
        "REMOTE_ADDR": peer,
        "HTTP_HOST": "127.0.0.1:5000",
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "5000",
        **headers,
    }
    found = []
    TrustedProxy(lambda inner, _: found.append(inner) or [], ["127.0.0.1"])(environ, None)
    return found[0]


def test_what_our_proxy_says_counts():
    environ = seen("127.0.0.1", **FORWARDED)
    assert environ["REMOTE_ADDR"] == "198.51.100.4"
    assert environ["HTTP_HOST"] == "school.example"
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["eop.proxied"] is True


def test_only_the_nearest_hop_counts():
    chain = FORWARDED | {"HTTP_X_FORWARDED_FOR": "10.9.9.9, 198.51.100.4"}
    assert seen("127.0.0.1", **chain)["REMOTE_ADDR"] == "198.51.100.4"


@pytest.mark.parametrize("peer", ["192.0.2.1", "", "::1"])
def test_what_a_stranger_says_is_dropped(peer):
    environ = seen(peer, **FORWARDED)
    assert environ["REMOTE_ADDR"] == peer
    assert environ["HTTP_HOST"] == "127.0.0.1:5000"
    assert "eop.proxied" not in environ
    assert not [name for name in environ if name.startswith("HTTP_X_FORWARDED")]


def test_a_request_without_the_host_it_asked_for_came_straight():
    environ = seen("127.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.4")
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert "eop.proxied" not in environ
