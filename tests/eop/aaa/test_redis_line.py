"""One question, one answer, and nobody else's; whatever becomes of connections."""

import subprocess
import sys
import threading

import pytest
import redis

from eop.aaa.redis_line import Line
from eop.aaa.redis_sessions import connect
from tests.desktops import wait_until
from tests.redis_server import RedisServer

FORKED = """
import os, sys
from eop.aaa.redis_line import Line
from eop.aaa.redis_sessions import connect

client = connect(sys.argv[1], None)
line = Line(client)
assert line.hash_at("1") == {"name": "one"}
ours = line._idle[0]
child = os.fork()
for _ in range(50):
    assert line.hash_at("2" if child else "1") == {"name": "two" if child else "one"}
assert (line._idle[0] is ours) == bool(child)
if child:
    assert os.waitpid(child, 0)[1] == 0
    client.close()
else:
    os._exit(0)
"""


@pytest.fixture(scope="module")
def server():
    with RedisServer() as running:
        yield running


@pytest.fixture
def admin(server):
    """The test's own client, of a Redis with two hashes."""
    client = server.client()
    client.flushall()
    client.hset("1", mapping={"name": "one"})
    client.hset("2", mapping={"name": "two"})
    yield client
    client.close()


@pytest.fixture
def line(server, admin):
    client = connect(server.url, None)
    yield Line(client)
    client.close()


def connections(admin):
    """How many others are connected."""
    return len(admin.client_list()) - 1


def test_a_hash_is_read_and_where_there_is_none_it_is_empty(line):
    assert line.hash_at("1") == {"name": "one"}
    assert line.hash_at("nothing") == {}


def test_one_after_the_other_takes_one_connection(line, admin):
    for _ in range(20):
        assert line.hash_at("2") == {"name": "two"}
    assert connections(admin) == 1


def test_those_who_ask_at_once_get_each_his_own_answer(line, admin):
    ready, wrong = threading.Barrier(8), []

    def ask(number):
        ready.wait(10)
        for _ in range(200):
            if line.hash_at(number) != {"name": {"1": "one", "2": "two"}[number]}:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=("12"[place % 2],)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert connections(admin) <= 8


def test_a_connection_that_redis_closed_is_opened_anew(line, admin):
    assert line.hash_at("1") == {"name": "one"}
    admin.client_kill_filter(_type="normal", skipme=True)
    assert line.hash_at("2") == {"name": "two"}
    assert connections(admin) == 1


@pytest.mark.parametrize("protocol", [2, 3])
def test_either_protocol_says_the_same(server, admin, protocol):
    client = connect(f"{server.url}?protocol={protocol}", None)
    assert Line(client).hash_at("1") == {"name": "one"}
    client.close()


def test_an_answer_that_came_too_late_is_nobody_elses(server, admin, monkeypatch):
    monkeypatch.setattr("eop.aaa.redis_sessions.ANSWER_SECONDS", 0.1)
    client = connect(server.url, None)
    line = Line(client)
    assert line.hash_at("1") == {"name": "one"}
    server.freeze()
    try:
        with pytest.raises(redis.TimeoutError):
            line.hash_at("1")
    finally:
        server.thaw()
    for _ in range(5):
        assert line.hash_at("2") == {"name": "two"}
    client.close()


def test_whatever_ends_a_question_ends_its_connection(line, admin, monkeypatch):
    assert line.hash_at("1") == {"name": "one"}

    def interrupted(_connection, _name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # after it was asked, before it was answered
        patch.setattr(line._client, "parse_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            line.hash_at("1")
    assert line.hash_at("2") == {"name": "two"}


def test_work_is_done_between_question_and_answer(line, admin):
    def asked():
        return admin.info("commandstats").get("cmdstat_hgetall", {"calls": 0})["calls"]

    admin.config_resetstat()
    heard = lambda: wait_until(lambda: asked() == 1 and "heard", 5, "the question")  # noqa: E731
    assert line.hash_while("1", heard) == ({"name": "one"}, "heard")


def test_work_does_not_wait_for_the_answer(line, server):
    assert line.hash_at("2") == {"name": "two"}  # a connection is open
    server.freeze()
    try:
        assert line.hash_while("1", server.thaw) == ({"name": "one"}, None)
    finally:
        server.thaw()


def test_work_that_fails_leaves_no_answer_to_the_next_question(line):
    with pytest.raises(ZeroDivisionError):
        line.hash_while("1", lambda: 1 / 0)
    assert line.hash_at("2") == {"name": "two"}


def test_a_wrong_kind_of_key_is_an_error_and_the_next_question_is_answered(line, admin):
    admin.set("text", "x")
    with pytest.raises(redis.ResponseError):
        line.hash_at("text")
    assert line.hash_at("1") == {"name": "one"}


def test_a_process_that_was_forked_off_has_a_connection_of_its_own(server, admin):
    command = [sys.executable, "-W", "ignore", "-c", FORKED, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
