"""What every store of sessions does, held against each of them."""

import contextlib
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from eop.aaa.redis_sessions import RedisSessions, connect
from eop.aaa.session import Beginning, Keys, Lifetime, is_token
from eop.aaa.sql_sessions import SqlSessions
from eop.aaa.tables import revocation
from eop.directory import substitutes, users
from eop.directory.substitutes import Substitution
from eop.errors import RefusedError, SessionsDownError
from tests.control_server import make_certificate
from tests.desktops import wait_until
from tests.redis_server import RedisServer

KEYS = Keys("k" * 32)
HOUR = 3_600_000
LIFETIME = Lifetime(absolute_ms=12 * HOUR, idle_ms=4 * HOUR)
NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def redis_server():
    with RedisServer() as server:
        yield server


class Store:
    """A store, and what the tests do with it; each call is a transaction of its own."""

    def __init__(self, kept, house):
        self.kept, self.database = kept, house.parts.database
        self.ids = {}
        for login in ("camille", "noor"):
            house.add_user(login)
            with self.database.read() as connection:
                self.ids[login] = users.get(connection, login).id

    def begin(self, login="camille", now=NOW, **more):
        beginning = Beginning(self.ids[login], login, "local", "192.0.2.1", **more)
        with self.database.write() as connection:
            return self.kept.start(connection, beginning, now)[1]

    def ask(self, method, *arguments):
        with self.database.read() as connection:
            return getattr(self.kept, method)(connection, *arguments)

    def do(self, method, *arguments):
        with self.database.write() as connection:
            return getattr(self.kept, method)(connection, *arguments)

    def revoked(self):
        with self.database.read() as connection:
            return set(connection.scalars(select(revocation.c.session)))


@pytest.fixture(params=["sql", "redis"])
def kind(request):
    return request.param


@pytest.fixture
def make(kind, quiet, request):
    """`make(lifetime)` gives a store of this kind."""

    def made(lifetime=LIFETIME):
        if kind == "sql":
            return Store(SqlSessions(KEYS, lifetime), quiet)
        server = request.getfixturevalue("redis_server")
        client = server.client()
        client.flushall()
        request.addfinalizer(client.close)
        kept = RedisSessions(KEYS, lifetime, connect(server.url, None))
        request.addfinalizer(kept.close)
        return Store(kept, quiet)

    return made


@pytest.fixture
def store(make):
    return make()


def test_a_new_session_is_found_by_the_hash_of_its_token(store):
    beginning = Beginning(store.ids["camille"], "camille", "ldap", "192.0.2.1", "Firefox é", "eop")
    with store.database.write() as connection:
        token, made = store.kept.start(connection, beginning, NOW)
    assert is_token(token)
    assert made.id == KEYS.session_id(token)
    assert store.ask("find", made.id, NOW) == made
    assert (made.login, made.authenticator, made.browser, made.application) == (
        "camille", "ldap", "Firefox é", "eop",
    )  # fmt: skip
    assert (made.created_at, made.seen_at, made.ends_at) == (NOW, NOW, NOW + 12 * HOUR)


def test_whose_it_is_comes_with_it_and_with_what_was_granted(store):
    made = store.begin()
    found, user, temporary = store.ask("find_with_user", made.id, NOW)
    assert (found, temporary) == (made, ())
    with store.database.read() as connection:
        assert user == users.get(connection, "camille")
    assert user.rooms == ("*",)


def test_what_he_is_granted_for_some_days_comes_with_it_while_it_holds(store):
    made = store.begin("noor")
    given = Substitution("noor", ("S12", "S14"), ("3eB",), NOW + 10, NOW + 20, "admin")
    longer = Substitution("noor", ("S16",), (), NOW + 10, NOW + 30, "admin")
    for one in (given, longer):
        with store.database.write() as connection:
            substitutes.give(connection, one, NOW)
    for at, values in {
        NOW + 9: [],
        NOW + 10: ["S16", "3eB", "S12", "S14"],
        NOW + 19: ["S16", "3eB", "S12", "S14"],
        NOW + 20: ["S16"],
        NOW + 30: [],
    }.items():
        found, user, temporary = store.ask("find_with_user", made.id, at)
        assert (found, user.rooms, user.classes) == (made, ("*",), ("*",))
        assert [one.value for one in temporary] == values
        with store.database.read() as connection:
            assert temporary == substitutes.grants_at(connection, user.id, at)
    other = store.begin("camille")
    assert store.ask("find_with_user", other.id, NOW + 10).temporary == ()


def test_a_grant_that_is_given_or_taken_counts_at_the_next_question(store):
    made = store.begin()
    given = Substitution("camille", ("S12",), (), NOW, NOW + HOUR, "admin")
    with store.database.write() as connection:
        (grant,) = substitutes.give(connection, given, NOW)
    assert [one.id for one in store.ask("find_with_user", made.id, NOW).temporary] == [grant.id]
    with store.database.write() as connection:
        substitutes.take(connection, grant.id)
        users.set_grants(connection, store.ids["camille"], ("S99",), ())
    found = store.ask("find_with_user", made.id, NOW)
    assert (found.temporary, found.user.rooms, found.user.classes) == ((), ("S99",), ())
    with store.database.write() as connection:
        users.set_state(connection, "camille", "disabled")
    assert store.ask("find_with_user", made.id, NOW).user.state == "disabled"


def test_a_question_is_one_statement_the_first_time_and_later(store, statements):
    made = store.begin()
    for _ in range(3):
        assert len(statements(lambda: store.ask("find_with_user", made.id, NOW))) == 1


def test_an_end_counts_at_the_next_question(store):
    made = store.begin()
    for _ in range(3):
        assert store.ask("find_with_user", made.id, NOW).user.login == "camille"
    store.do("end", [made.id], NOW)
    assert store.ask("find_with_user", made.id, NOW) is None


def test_an_unknown_id_is_nobody(store):
    for unknown in ("0" * 64, "", "session:*", "é"):
        assert store.ask("find", unknown, NOW) is None
        assert store.ask("find_with_user", unknown, NOW) is None


@pytest.mark.parametrize(
    ("later", "lives"), [(4 * HOUR - 1, True), (4 * HOUR, False), (4 * HOUR + 1, False)]
)
def test_an_unused_session_lives_up_to_its_limit_exactly(store, later, lives):
    made = store.begin()
    assert (store.ask("find", made.id, NOW + later) is not None) is lives
    assert (store.ask("find_with_user", made.id, NOW + later) is not None) is lives
    assert len(store.ask("live", NOW + later)) == lives
    assert len(store.ask("of_user", store.ids["camille"], NOW + later)) == lives


@pytest.mark.parametrize(("left", "lives"), [(1, True), (0, False), (-1, False)])
def test_use_never_moves_the_end_of_a_session(store, left, lives):
    made = store.begin()
    for hour in range(1, 12):
        store.do("touch", made.id, NOW + hour * HOUR)
    found = store.ask("find", made.id, NOW + 12 * HOUR - left)
    assert (found is not None) is lives
    if found:
        assert found == replace(made, seen_at=NOW + 11 * HOUR)


def test_without_an_idle_limit_only_the_end_counts(make):
    store = make(Lifetime(12 * HOUR, 0))
    made = store.begin()
    assert store.ask("find", made.id, NOW + 12 * HOUR - 1)
    assert store.ask("find_with_user", made.id, NOW + 12 * HOUR - 1)
    assert store.ask("find_with_user", made.id, NOW + 12 * HOUR) is None


def test_sessions_are_listed_the_oldest_first(store):
    later, first = store.begin(now=NOW + 5), store.begin(now=NOW)
    other = store.begin("noor", now=NOW + 9)
    assert store.ask("live", NOW + 9) == [first, later, other]
    assert store.ask("of_user", store.ids["camille"], NOW + 9) == [first, later]


def test_a_ticket_names_its_sessions_until_they_end(store):
    made = store.begin(ticket="t" * 64)
    store.begin(ticket="u" * 64)
    assert store.ask("of_ticket", "t" * 64) == [made.id]
    store.do("end", [made.id], NOW)
    assert store.ask("of_ticket", "t" * 64) == []


def test_an_end_is_counted_once_and_queued_for_the_daemon(store):
    made, other = store.begin(), store.begin()
    assert store.do("end", [made.id, made.id], NOW) == 1
    assert store.do("end", [made.id], NOW) == 0
    assert store.revoked() == {made.id}
    assert store.ask("live", NOW) == [other]


def test_of_two_ends_at_once_one_counts(store):
    made = store.begin()
    counts, barrier = [], threading.Barrier(2)

    def end():
        barrier.wait(5)
        counts.append(store.do("end", [made.id], NOW))

    threads = [threading.Thread(target=end) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(counts) == [0, 1]
    assert store.revoked() == {made.id}


def test_a_revocation_belongs_to_the_transaction_of_its_caller(store):
    made = store.begin()
    with contextlib.suppress(ZeroDivisionError), store.database.write() as connection:
        store.kept.end(connection, [made.id], NOW)
        raise ZeroDivisionError
    assert store.revoked() == set()


def test_what_was_made_from_a_session_ends_with_it(store):
    parent = store.begin()
    child = store.begin(parent=parent.id, application="eop")
    grandchild = store.begin(parent=child.id)
    other = store.begin()
    assert store.do("end", [parent.id], NOW) == 3
    assert store.revoked() == {parent.id, child.id, grandchild.id}
    assert store.ask("live", NOW) == [other]


def test_a_session_that_ends_leaves_the_one_it_was_made_from(store):
    parent = store.begin()
    child = store.begin(parent=parent.id)
    assert store.do("end", [child.id], NOW) == 1
    assert store.ask("live", NOW) == [parent]
    assert store.do("end", [parent.id], NOW) == 1


def test_nothing_is_made_from_a_session_that_is_over(store):
    parent = store.begin()
    store.do("end", [parent.id], NOW)
    with pytest.raises(RefusedError) as refused:
        store.begin(parent=parent.id)
    assert refused.value.code == "signed_out"
    assert store.ask("live", NOW) == []


def test_what_was_made_from_a_session_never_outlives_it_and_keeps_it_in_use(store):
    parent = store.begin()
    child = store.begin(now=NOW + 3 * HOUR, parent=parent.id, until=parent.ends_at)
    assert child.ends_at == parent.ends_at
    assert store.ask("find", parent.id, NOW + 6 * HOUR).seen_at == NOW + 3 * HOUR
    store.do("touch", child.id, NOW + 6 * HOUR)
    assert store.ask("find", parent.id, NOW + 9 * HOUR).seen_at == NOW + 6 * HOUR


def test_all_of_a_user_end_together_and_nobody_elses(store):
    mine = {store.begin().id for _ in range(3)}
    other = store.begin("noor")
    assert store.do("end_all", store.ids["camille"], NOW) == 3
    assert store.revoked() == mine
    assert store.ask("live", NOW) == [other]
    assert store.do("end_all", store.ids["camille"], NOW) == 0


def test_what_is_over_is_cleaned_away_and_revoked(store):
    unused, used = store.begin(), store.begin()
    child = store.begin(parent=unused.id)
    store.do("touch", used.id, NOW + HOUR)
    assert store.do("end_expired", NOW + 4 * HOUR - 1) == 0
    assert store.do("end_expired", NOW + 4 * HOUR) == 2
    assert store.revoked() == {unused.id, child.id}
    assert store.do("end_expired", NOW + 4 * HOUR) == 0
    assert [one.id for one in store.ask("live", NOW + 4 * HOUR)] == [used.id]


def test_a_use_of_what_has_ended_brings_nothing_back(store):
    made = store.begin()
    store.do("end", [made.id], NOW)
    store.do("touch", made.id, NOW + 1)
    assert store.ask("find", made.id, NOW + 1) is None


def test_who_was_removed_is_nobody_and_who_was_renamed_keeps_his_session(store, quiet):
    from sqlalchemy import delete, update

    from eop.directory.tables import user

    gone, renamed = store.begin(), store.begin("noor")
    assert store.ask("find_with_user", gone.id, NOW).user.login == "camille"
    with store.database.write() as connection:
        connection.execute(delete(user).where(user.c.login == "camille"))
        connection.execute(update(user).where(user.c.login == "noor").values(login="nour"))
    assert store.ask("find_with_user", gone.id, NOW) is None
    session, owner, _ = store.ask("find_with_user", renamed.id, NOW)
    assert (session.login, owner.login) == ("nour", "nour")


# Redis alone


@pytest.fixture
def redis_store(quiet, redis_server):
    client = redis_server.client()
    client.flushall()
    kept = RedisSessions(KEYS, LIFETIME, connect(redis_server.url, None))
    store = Store(kept, quiet)
    store.client = client
    yield store
    kept.close()
    client.close()


def test_redis_itself_lets_what_is_over_vanish_and_screens_are_told(redis_store):
    redis_store.kept.lifetime = Lifetime(absolute_ms=HOUR, idle_ms=300)
    made = redis_store.begin(ticket="t" * 64)
    key = redis_store.kept._key(made.id)
    assert 0 < redis_store.client.pttl(key) <= 300
    wait_until(lambda: not redis_store.client.exists(key), 2, "its end")
    assert redis_store.ask("of_ticket", "t" * 64) == []
    assert redis_store.do("end_expired", NOW) == 1  # by its own clock it would still live
    assert redis_store.revoked() == {made.id}


def test_every_key_in_redis_expires_by_itself(redis_store):
    parent = redis_store.begin(ticket="t" * 64)
    redis_store.begin(parent=parent.id)
    keys = list(redis_store.client.scan_iter())
    assert len(keys) == 6
    assert all(0 < redis_store.client.pttl(key) <= 12 * HOUR for key in keys)
    redis_store.do("touch", parent.id, NOW + 11 * HOUR)
    assert HOUR - 5000 < redis_store.client.pttl(redis_store.kept._key(parent.id)) <= HOUR


def test_sets_forget_what_has_expired_when_something_is_added(redis_store):
    lost, kept = redis_store.begin(ticket="t" * 64), redis_store.begin(ticket="t" * 64)
    redis_store.client.delete(redis_store.kept._key(lost.id))  # as its expiry does
    new = redis_store.begin(ticket="t" * 64)
    for name in (f"user:{redis_store.ids['camille']}", "ticket:" + "t" * 64):
        assert redis_store.client.smembers(redis_store.kept._prefix + name) == {kept.id, new.id}


def test_nothing_is_left_in_redis_of_what_has_ended(redis_store):
    parent = redis_store.begin(ticket="t" * 64)
    redis_store.begin(parent=parent.id)
    redis_store.do("end", [parent.id], NOW)
    assert list(redis_store.client.scan_iter()) == []


def test_redis_holds_no_token(redis_store):
    beginning = Beginning(redis_store.ids["camille"], "camille", "local", "192.0.2.1")
    with redis_store.database.write() as connection:
        token, _ = redis_store.kept.start(connection, beginning, NOW)
    client = redis_store.client
    for key in client.scan_iter():
        held = client.hgetall(key) if client.type(key) == "hash" else client.smembers(key)
        assert token not in f"{key} {held}"


def test_two_sites_share_a_redis_and_nothing_else(redis_store, redis_server):
    made = redis_store.begin()
    other = RedisSessions(Keys("o" * 32), LIFETIME, connect(redis_server.tcp_url, None))
    with redis_store.database.write() as connection:
        assert other.live(connection, NOW) == []
        assert other.end_expired(connection, NOW + 24 * HOUR) == 0
    other.close()
    assert redis_store.ask("live", NOW) == [made]


@pytest.mark.parametrize("field", ["id", "login", "ends_at", "seen_at"])
def test_a_spoilt_record_lets_nobody_in(redis_store, field, caplog):
    made = redis_store.begin()
    key = redis_store.kept._key(made.id)
    redis_store.client.hdel(key, field)
    assert redis_store.ask("find_with_user", made.id, NOW) is None
    redis_store.client.hset(key, field, "x")
    if field != "login":
        assert redis_store.ask("find", made.id, NOW) is None
    assert "cannot be read" in caplog.text


def test_only_redis_says_whose_a_session_is(redis_store):
    made = redis_store.begin()
    for login in ("camille", "noor", "camille"):
        owner = redis_store.ids[login]
        redis_store.client.hset(redis_store.kept._key(made.id), "user_id", owner)
        for _ in range(2):
            session, user, _ = redis_store.ask("find_with_user", made.id, NOW)
            assert (session.login, user.login, user.id) == (login, login, owner)


def test_what_is_remembered_has_a_limit_and_is_no_answer(redis_store, monkeypatch):
    monkeypatch.setattr("eop.aaa.redis_sessions.MAX_OWNERS", 2)
    logins = ("camille", "noor", "camille", "noor")
    begun = [(redis_store.begin(login).id, login) for login in logins]
    for session_id, login in begun * 2:
        assert redis_store.ask("find_with_user", session_id, NOW).user.login == login
        assert 0 < len(redis_store.kept._owners) <= 2
    redis_store.do("end", [begun[-1][0]], NOW)
    assert redis_store.ask("find_with_user", begun[-1][0], NOW) is None
    assert begun[-1][0] not in redis_store.kept._owners


def test_the_record_of_another_session_lets_nobody_in(redis_store, caplog):
    made, other = redis_store.begin(), redis_store.begin("noor")
    key, others = redis_store.kept._key(made.id), redis_store.kept._key(other.id)
    redis_store.client.copy(others, key, replace=True)
    assert redis_store.ask("find_with_user", made.id, NOW) is None
    assert redis_store.ask("find", made.id, NOW) is None
    assert redis_store.ask("live", NOW) == [other]
    assert "cannot be read" in caplog.text


def test_a_redis_that_is_down_is_told_once_and_found_again(redis_store, redis_server, caplog):
    made = redis_store.begin()
    redis_server.stop()
    try:
        for _ in range(3):
            with pytest.raises(SessionsDownError):
                redis_store.ask("find_with_user", made.id, NOW)
        with pytest.raises(SessionsDownError):
            redis_store.begin()
    finally:
        redis_server.start()
    assert caplog.text.count("the session store does not answer") == 1
    assert redis_store.ask("find", made.id, NOW) is None  # this Redis keeps nothing on disk
    assert "answers again" in caplog.text


def test_a_redis_that_hangs_is_not_waited_for(redis_store, redis_server, monkeypatch):
    monkeypatch.setattr("eop.aaa.redis_sessions.ANSWER_SECONDS", 0.2)
    impatient = RedisSessions(KEYS, LIFETIME, connect(redis_server.url, None))
    redis_server.freeze()
    try:
        with pytest.raises(SessionsDownError), redis_store.database.read() as connection:
            impatient.find(connection, "0" * 64, NOW)
    finally:
        redis_server.thaw()
        impatient.close()


def test_over_tls_the_certificate_is_checked(quiet, tmp_path):
    certificate = make_certificate(tmp_path)
    with RedisServer(certificate=certificate) as server:
        address = f"rediss://127.0.0.1:{server.port}/0"
        trusting = connect(f"{address}?ssl_ca_certs={certificate[0]}", None)
        wary = connect(address, None)
        with quiet.parts.database.read() as connection:
            assert RedisSessions(KEYS, LIFETIME, trusting).live(connection, NOW) == []
            with pytest.raises(SessionsDownError, match="certificate verify failed"):
                RedisSessions(KEYS, LIFETIME, wary).live(connection, NOW)
        trusting.close()
        wary.close()


def test_a_password_is_asked_for_and_shown_to_nobody(quiet, caplog):
    with RedisServer("a secret") as server:
        right = RedisSessions(KEYS, LIFETIME, connect(server.url, "a secret"))
        wrong = RedisSessions(KEYS, LIFETIME, connect(server.url, "another secret"))
        with quiet.parts.database.read() as connection:
            assert right.live(connection, NOW) == []
            with pytest.raises(SessionsDownError) as refused:
                wrong.live(connection, NOW)
        right.close()
        wrong.close()
    assert "secret" not in caplog.text + str(refused.value)
