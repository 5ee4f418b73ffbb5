import pytest

from tests.eop.installation import API, MOUNT

PATHS = [
    "/", "/login", "/logout", "/eoleauth", "/ping", "/nowhere", "/documents", "/favicon.ico",
    "/%00", "/..%2f..%2fetc/passwd", MOUNT, MOUNT + "/", MOUNT + "/documents/",
    MOUNT + "/nowhere", MOUNT + "/static/eop.css", MOUNT + "/static/../settings.py",
    API + "/session", API + "/nowhere", API + "/openapi.json", API,
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "TRACE"])
def test_every_answer_carries_the_security_headers(house, path, method):
    answer = house.browser().open(path, method)
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status_code < 500
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert f"connect-src 'self' ws://127.0.0.1:{house.shared.GATEWAY_PORT}/websockify" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"]


def test_a_server_error_carries_them_too_and_tells_nothing(house, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the secret detail")

    monkeypatch.setattr("eop.aaa.sql_sessions.SqlSessions.find_with_user", broken)
    browser = house.signed_in()
    for path in (API + "/session", MOUNT + "/", "/login"):
        answer = browser.open(path)
        assert answer.status_code == 500
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "secret detail" not in answer.text


def test_pages_are_not_kept_and_own_files_may_be(house):
    browser = house.browser()
    assert browser.open("/login").headers["Cache-Control"] == "no-store"
    assert browser.open(MOUNT + "/static/eop.css").headers["Cache-Control"] != "no-store"


def test_every_answer_has_its_own_nonce(house):
    browser = house.browser()
    policies = {browser.open("/login").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


@pytest.mark.parametrize("host", ["evil.example; script-src *", "a b", "x\ty", "", "[::1"])
def test_an_odd_host_cannot_write_into_the_policy(house, host):
    policy = house.browser(host or " ").open("/login").headers["Content-Security-Policy"]
    assert "*" not in policy
    assert policy.count("script-src") == 1
    assert policy.count(";") == 10


def test_https_is_insisted_on_only_where_it_was_chosen(house):
    from dataclasses import replace

    from eop import services

    proxied = {"X-Forwarded-Host": "eop.example", "X-Forwarded-Proto": "https"}
    answer = house.browser().open("/login", headers=proxied)
    assert "Strict-Transport-Security" not in answer.headers
    house.parts.close()
    house.site = replace(house.site, HSTS=600)
    house.parts = services.make(house.site, house.shared)
    answer = house.browser().open("/login", headers=proxied)
    assert answer.headers["Strict-Transport-Security"] == "max-age=600"
    assert "Strict-Transport-Security" not in house.browser().open("/login").headers
