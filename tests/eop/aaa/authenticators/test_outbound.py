import threading
import time
from dataclasses import replace

import pytest
import requests

from eop.aaa.authenticators import outbound
from eop.aaa.authenticators.base import AuthenticatorDownError
from eop.aaa.authenticators.outbound import AnswerError, BoundedAdapter, Bounds, Cached
from tests.fakes.certificate import certificate
from tests.fakes.scripted_http import ScriptedServer, whole

SHORT = Bounds(connect=1.0, read=0.4, whole=0.8, answer_bytes=1000)


def ask(server, bounds=SHORT):
    with requests.Session() as session:
        outbound.prepare(session, "", bounds)
        return session.get(server.url + "/there?ticket=secret")


def test_an_answer_comes_whole_and_no_connection_is_kept():
    with ScriptedServer(lambda *_: whole(b"well")) as server:
        answer = ask(server)
        assert (answer.status_code, answer.content, answer.text) == (200, b"well", "well")
        assert server.asked[0][2]["Accept-Encoding"] == "identity"
        assert server.asked[0][2]["Connection"] == "close"


def test_no_connection_is_used_twice_though_the_server_does_not_say_that_it_closes_it():
    """RFC 9112, 9.6: who asked for the close sends nothing more; the server closes any moment."""

    def without_close(*_):
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell"
        server.pause(5)  # open still, and nobody reads what comes

    with ScriptedServer(without_close) as server, requests.Session() as session:
        outbound.prepare(session, "", SHORT)
        for _ in range(3):
            assert session.get(server.url).content == b"well"
        assert len(server.asked) == 3


def test_the_largest_answer_is_read_and_one_byte_more_is_not():
    for size, is_read in ((1000, True), (1001, False)):
        with ScriptedServer(lambda *_, size=size: whole(b"x" * size)) as server:
            if is_read:
                assert len(ask(server).content) == size
            else:
                with pytest.raises(AnswerError, match="larger than 1000 B"):
                    ask(server)


def test_an_endless_answer_without_a_length_is_cut_off():
    def endless(*_):
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            yield b"x" * 100

    with ScriptedServer(endless) as server, pytest.raises(AnswerError, match="larger"):
        ask(server)


def test_a_server_that_says_nothing_is_left():
    def silent(*_):
        server.pause(5)
        return []

    with ScriptedServer(silent) as server:
        begun = time.monotonic()
        with pytest.raises(requests.ReadTimeout):
            ask(server)
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("where", ["status", "header", "body", "sized body"])
def test_a_server_that_drips_is_left_at_the_deadline(where, is_tls, tmp_path):
    begun_with = {
        "status": b"HTTP/1.1 200 ",
        "header": b"HTTP/1.1 200 OK\r\nX: ",
        "body": b"HTTP/1.1 200 OK\r\n\r\n",
        "sized body": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
    }

    def drip(*_):
        yield begun_with[where]
        while not server.stopping.is_set():
            server.pause(0.1)
            yield b"x"

    files = certificate(tmp_path) if is_tls else ()
    with ScriptedServer(drip, *files) as server, requests.Session() as session:
        # a busy machine may keep a drop for longer than it is waited for elsewhere
        patient = replace(SHORT, read=10.0)
        outbound.prepare(session, str(files[0]) if files else "", patient)
        begun = time.monotonic()
        with pytest.raises(AnswerError, match=r"no whole answer within 0\.8 s"):
            session.get(server.url)
        assert 0.7 < time.monotonic() - begun < 2


def test_a_redirect_is_not_followed():
    with (
        ScriptedServer(
            lambda *_: whole(b"", "302 Found", Location="http://127.0.0.1:1/")
        ) as server,
        pytest.raises(AnswerError, match="leads elsewhere"),
    ):
        ask(server)


def test_a_compressed_answer_is_refused():
    with (
        ScriptedServer(lambda *_: whole(b"x", Content_Encoding="gzip")) as server,
        pytest.raises(AnswerError, match="compressed"),
    ):
        ask(server)


def test_an_answer_that_breaks_off_is_none():
    with (
        ScriptedServer(lambda *_: [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"]) as server,
        pytest.raises(AnswerError, match="broke off"),
    ):
        ask(server)


def test_more_at_once_than_half_of_the_threads_are_refused(monkeypatch):
    monkeypatch.setattr(outbound, "_turns", threading.BoundedSemaphore(1))
    assert outbound._turns.acquire()
    with (
        ScriptedServer(lambda *_: whole(b"well")) as server,
        pytest.raises(AnswerError, match="too many requests"),
    ):
        ask(server, Bounds(connect=0.1))
    outbound._turns.release()


def test_the_reason_of_a_failure_does_not_tell_the_address():
    with requests.Session() as session:
        outbound.prepare(session, "", SHORT)
        with pytest.raises(requests.ConnectionError) as failed:
            session.get("http://127.0.0.1:1/there?ticket=secret")
    assert outbound.reason(failed.value) == "ConnectionError"


def test_the_proxy_of_the_environment_is_used_but_for_this_machine(monkeypatch):
    with ScriptedServer(lambda *_: whole(b"by proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with requests.Session() as session:
            outbound.prepare(session, "", SHORT)
            assert session.get("http://sso.invalid/cas").content == b"by proxy"
            assert proxy.asked[0][1] == "http://sso.invalid/cas"
            with ScriptedServer(lambda *_: whole(b"straight")) as server:
                assert session.get(server.url).content == b"straight"


def test_no_password_is_taken_from_the_home_folder(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    with ScriptedServer(lambda *_: whole(b"")) as server:
        ask(server)
        assert "Authorization" not in server.asked[0][2]


def test_the_adapter_takes_no_other_timeout():
    with ScriptedServer(lambda *_: whole(b"well")) as server, requests.Session() as session:
        session.mount("http://", BoundedAdapter(SHORT))
        assert session.get(server.url, timeout=None, stream=True).content == b"well"


class Source:
    def __init__(self):
        self.now, self.asked, self.is_down = 0.0, 0, False
        self.cached = Cached(self.fetch, lambda: self.now)

    def fetch(self):
        self.asked += 1
        if self.is_down:
            raise AuthenticatorDownError("down")
        return self.asked


def test_what_was_fetched_is_kept_for_an_hour():
    source = Source()
    assert source.cached.get() == 1
    source.now = 3599
    assert source.cached.get() == 1
    assert source.cached.get(30) == 2
    source.now += 3600
    assert source.cached.get() == 3


def test_a_failure_is_kept_for_ten_seconds():
    source = Source()
    source.is_down = True
    for now, asked in ((0.0, 1), (9.9, 1), (10.0, 2)):
        source.now = now
        with pytest.raises(AuthenticatorDownError, match="down"):
            source.cached.get()
        assert source.asked == asked
    source.is_down, source.now = False, 20.0
    assert source.cached.get() == 3


def test_who_comes_while_another_asks_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(outbound, "WAIT_SECONDS", 0.05)
    source = Source()
    source.cached._lock.acquire()
    with pytest.raises(AuthenticatorDownError, match="being asked already"):
        source.cached.get()
