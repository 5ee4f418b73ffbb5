import pytest

from controle_vnc.gateway.origin import MAX_ORIGIN_CHARACTERS, is_allowed

ALLOWED = ["http://127.0.0.1:5000", "https://eop.example:8443"]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:5000", "127.0.0.1:6080"),
        ("https://eop.example:8443", None),
        ("HTTPS://EOP.example:8443", "x"),
        ("https://school.example", "school.example"),
        ("https://school.example", "school.example:443"),
        ("http://school.example:80", "school.example"),
        ("https://[2001:db8::1]:6080", "[2001:db8::1]:6080"),
    ],
)
def test_the_site_and_its_own_host_may_connect(origin, host):
    assert is_allowed(origin, host, ALLOWED)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "127.0.0.1:6080"),
        ("", "127.0.0.1:6080"),
        ("null", "null"),
        ("https://evil.example", "school.example"),
        ("https://school.example.evil.example", "school.example"),
        ("https://school.example:444", "school.example"),
        ("http://127.0.0.1:5001", "127.0.0.1:6080"),
        ("https://127.0.0.1:5000", "127.0.0.1:6080"),
        ("file://school.example", "school.example"),
        ("https://school.example@evil.example", "school.example"),
        ("https://evil.example/https://school.example", "evil.example/x"),
        ("https://school.example:port", "school.example:port"),
        ("https://school.example:99999", "school.example:99999"),
        ("https://[::1", "[::1"),
        ("https://", ""),
        ("https://" + "a" * MAX_ORIGIN_CHARACTERS, "a" * MAX_ORIGIN_CHARACTERS),
    ],
)
def test_others_may_not(origin, host):
    assert not is_allowed(origin, host, ALLOWED)
