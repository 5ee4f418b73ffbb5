"""A real gunicorn with one thread: whoever holds it holds the site."""

import contextlib
import runpy
import signal
import socket
import subprocess
import sys
import time

import pytest

from eop.gunicorn_worker import PunctualWorker
from tests.desktops import free_port, wait_until

CONF = """
from eop import gunicorn_worker
worker_class = gunicorn_worker.PunctualWorker
gunicorn_worker.REQUEST_SECONDS, gunicorn_worker.ANSWER_SECONDS = {seconds}
bind, threads, control_socket_disable = "127.0.0.1:{port}", 1, True
"""
APPLICATION = """
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    large = environ["PATH_INFO"] == "/large"
    return (b"x" * 65536 for _ in range(1024)) if large else [b"%d bytes" % len(body)]
"""


@contextlib.contextmanager
def gunicorn(folder, request_seconds, answer_seconds):
    """The port of a gunicorn with these deadlines."""
    port = free_port()
    (folder / "conf.py").write_text(
        CONF.format(port=port, seconds=(request_seconds, answer_seconds))
    )
    (folder / "slow.py").write_text(APPLICATION)
    command = [sys.executable, "-m", "gunicorn", "-c", "conf.py", "--pythonpath", "."]
    process = subprocess.Popen([*command, "slow:application"], cwd=folder)
    try:
        wait_until(lambda: answers(port), 10, "gunicorn")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def dial(port):
    return socket.create_connection(("127.0.0.1", port), 5)


def answers(port):
    with contextlib.suppress(OSError), dial(port) as asked:
        asked.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return b" 200 " in asked.recv(100)


def trickle(connection, head):
    """Send `head`, then a byte now and then until the other side answers; its first bytes."""
    connection.sendall(head)
    connection.settimeout(0.05)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            return connection.recv(100)
        except TimeoutError:
            connection.sendall(b"x")
    raise AssertionError("the thread still waits")


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    with gunicorn(tmp_path_factory.mktemp("gunicorn"), 0.2, 60) as port:
        yield port


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ],
)
def test_a_request_that_comes_byte_by_byte_holds_its_thread_for_a_moment_only(impatient, head):
    with dial(impatient) as slow, contextlib.suppress(ConnectionError):
        trickle(slow, head)
    assert answers(impatient)


def test_an_answer_is_given_whole_after_the_deadline_of_its_request(impatient):
    with dial(impatient) as slow:
        received = trickle(slow, b"POST /large HTTP/1.0\r\nContent-Length: 65536\r\n\r\n")
        slow.settimeout(5)
        length = len(received) + sum(map(len, iter(lambda: slow.recv(2**20), b"")))
    assert length > 2**26


def test_an_answer_that_nobody_takes_holds_its_thread_for_a_moment_only(tmp_path):
    with gunicorn(tmp_path, 0.1, 0.2) as port, dial(port) as idle:
        idle.sendall(b"GET /large HTTP/1.0\r\n\r\n")
        assert idle.recv(1)
        assert answers(port)


def test_the_site_is_served_so(quiet):
    named = runpy.run_module("eop.gunicorn_conf")["worker_class"]
    assert named == f"{PunctualWorker.__module__}.{PunctualWorker.__name__}"
