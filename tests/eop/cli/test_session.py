import pytest
from sqlalchemy import select

from eop.audit.tables import audit
from tests.redis_server import RedisServer


@pytest.fixture(params=["sql", "redis"])
def store(request, quiet, monkeypatch):
    """An installation with two people signed in, in either store."""
    from eop import services

    if request.param == "sql":
        yield from signed_in(quiet)
        return
    with RedisServer() as server:
        monkeypatch.setenv("EOP_SESSION_STORE", server.url)
        quiet.parts.close()
        from dataclasses import replace

        quiet.site = replace(quiet.site, SESSION_STORE=server.url)
        quiet.parts = services.make(quiet.site, quiet.shared, quiet.clock)
        yield from signed_in(quiet)
        quiet.parts.close()


def signed_in(installation):
    installation.add_user()
    installation.add_user("noor")
    installation.camille = installation.signed_in()
    installation.noor = installation.signed_in("noor")
    yield installation


def test_live_sessions_are_listed(store, eopctl):
    listed = eopctl("session", "list", "--json").json
    assert [one["user"] for one in listed] == ["camille", "noor"]
    assert listed[0]["address"] == "127.0.0.1"
    text = eopctl("session", "list", "--user", "noor").out
    assert "noor" in text
    assert "camille" not in text
    assert listed[1]["id"][:12] in text


def test_a_session_is_ended_by_its_first_digits(store, eopctl):
    first = eopctl("session", "list", "--json").json[0]["id"]
    done = eopctl("session", "revoke", first[:8])
    assert (done.code, done.out) == (0, "ended 1 session\n")
    assert store.camille.get("session").status_code == 401
    assert store.noor.get("session").status_code == 200
    with store.parts.database.read() as connection:
        kept = connection.execute(select(audit).where(audit.c.kind == "session_revoked")).one()
    assert (kept.session, kept.details["login"]) == (first, "camille")


def test_all_of_a_user_are_ended(store, eopctl):
    again = store.signed_in()
    done = eopctl("session", "revoke", "--user", "camille", "--json")
    assert done.json["ended"] == 2
    for browser, status in ((store.camille, 401), (again, 401), (store.noor, 200)):
        assert browser.get("session").status_code == status


def test_all_of_everyone_are_ended(store, eopctl):
    assert eopctl("session", "revoke", "--all").out == "ended 2 sessions\n"
    assert eopctl("session", "list", "--json").json == []
    assert eopctl("session", "revoke", "--all").out == "ended 0 sessions\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name sessions"),
        (("abcdef0123", "--all"), 2, "name sessions"),
        (("--user", "nobody"), 1, "there is no user 'nobody'"),
        (("0123456",), 1, "at least 8 digits"),
        (("00000000",), 1, "no live session"),
    ],
)
def test_what_cannot_be_ended_is_told(store, eopctl, arguments, code, words):
    done = eopctl("session", "revoke", *arguments)
    assert done.code == code
    assert words in done.err
    assert store.camille.get("session").status_code == 200


def test_a_store_that_is_down_is_told(store, eopctl, monkeypatch):
    monkeypatch.setenv("EOP_SESSION_STORE", "unix:///nowhere/redis.sock")
    done = eopctl("session", "list")
    assert done.code == 1
    assert "the session store does not answer" in done.err
