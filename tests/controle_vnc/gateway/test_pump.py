import os
import socket
import struct
import threading
import time

import pytest

from controle_vnc.gateway import pump as pump_module
from controle_vnc.gateway.pump import DOWN_BYTES, UP_BYTES, Pump
from controle_vnc.websocket import BINARY, CLOSE, PING, frame
from tests.controle_vnc.test_websocket import masked
from tests.desktops import wait_until


class Pipe:
    """A pump in a thread, with our ends of both of its sockets."""

    def __init__(self, **options):
        self.browser, near = socket.socketpair()
        self.daemon, far = socket.socketpair()
        self.pump = Pump(near, far, **options)
        self.ends = near, far
        self.reason = None
        self.thread = threading.Thread(target=self._run)
        for end in (self.browser, self.daemon):
            end.settimeout(5)

    def _run(self):
        self.reason = self.pump.run()
        for end in self.ends:
            end.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.browser.close()
        self.daemon.close()
        self.thread.join(10)
        assert not self.thread.is_alive()


def exactly(source, count):
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        assert part, "hung up too early"
        data += part
    return data


def until_stuck(target, data):
    """Send until nobody takes any more for half a second; gives how much was taken."""
    target.settimeout(0.5)
    sent = 0
    try:
        while sent < 2**26:
            sent += target.send(data)
    except TimeoutError:
        return sent
    pytest.fail("it takes everything")


def test_bytes_go_both_ways():
    with Pipe() as pipe:
        pipe.daemon.sendall(b"RFB 003.008\n")
        assert exactly(pipe.browser, 14) == frame(BINARY, b"RFB 003.008\n")
        pipe.browser.sendall(masked(BINARY, b"hello"))
        assert exactly(pipe.daemon, 5) == b"hello"


def test_a_large_paste_arrives_whole():
    data = os.urandom(1024 * 1024)
    with Pipe() as pipe:
        sender = threading.Thread(target=pipe.browser.sendall, args=(masked(BINARY, data),))
        sender.start()
        assert exactly(pipe.daemon, len(data)) == data
        sender.join(5)


def test_the_daemon_that_ends_closes_the_websocket_after_its_last_bytes():
    with Pipe() as pipe:
        pipe.daemon.sendall(b"bye")
        pipe.daemon.close()
        assert exactly(pipe.browser, 9) == frame(BINARY, b"bye") + b"\x88\x02\x03\xe8"


def test_the_last_words_of_a_daemon_that_read_not_all_arrive():
    with Pipe() as pipe:
        pipe.browser.sendall(masked(BINARY, b"unread" * 1000))
        wait_until(lambda: pipe.daemon.recv(1), 5, "it has arrived")
        pipe.daemon.sendall(b"bye")
        pipe.daemon.close()
        assert exactly(pipe.browser, 9) == frame(BINARY, b"bye") + b"\x88\x02\x03\xe8"


def test_a_daemon_that_hung_up_behind_a_slow_browser_costs_no_time():
    with Pipe() as pipe:
        until_stuck(pipe.daemon, b"x" * 65536)
        pipe.daemon.close()
        began = time.process_time()
        pipe.thread.join(0.5)
        assert pipe.thread.is_alive()
        assert time.process_time() - began < 0.2


def test_the_browser_that_says_goodbye_is_answered_and_its_bytes_arrive():
    with Pipe() as pipe:
        pipe.browser.sendall(masked(BINARY, b"last") + masked(CLOSE, struct.pack(">H", 1001)))
        assert exactly(pipe.browser, 4) == b"\x88\x02\x03\xe8"
        pipe.browser.close()
        assert exactly(pipe.daemon, 4) == b"last"
        assert pipe.daemon.recv(1) == b""
    assert pipe.reason == "closed"


def test_the_browser_that_hangs_up_ends_the_daemons_side():
    with Pipe() as pipe:
        pipe.browser.close()
        assert pipe.daemon.recv(1) == b""
    assert pipe.reason == "the browser hung up"


def test_a_ping_is_answered():
    with Pipe() as pipe:
        pipe.browser.sendall(masked(PING, b"abc"))
        assert exactly(pipe.browser, 5) == b"\x8a\x03abc"


def test_what_came_with_the_request_is_not_lost():
    near, browser = socket.socketpair()
    far, daemon = socket.socketpair()
    browser.sendall(masked(CLOSE))
    browser.shutdown(socket.SHUT_WR)
    assert Pump(near, far).run(masked(BINARY, b"early")) == "closed"
    assert daemon.recv(100) == b"early"
    for end in (near, browser, far, daemon):
        end.close()


@pytest.mark.parametrize("length", [1024 * 1024 + 1, 2**40])
def test_a_giant_frame_is_refused_at_once(length):
    with Pipe() as pipe:
        pipe.browser.sendall(masked(BINARY, length=length))
        assert exactly(pipe.browser, 4) == b"\x88\x02" + struct.pack(">H", 1009)


def test_a_browser_that_stops_reading_stops_the_daemon_and_nothing_grows():
    with Pipe() as pipe:
        sent = until_stuck(pipe.daemon, b"x" * 65536)
        assert sent < 2**21  # ours and the kernel's buffers
        assert len(pipe.pump._down) <= DOWN_BYTES + 70_000
        exactly(pipe.browser, sent)  # it reads on, and so does the pump
        pipe.daemon.settimeout(5)
        pipe.daemon.sendall(b"y" * 65536)


def test_a_daemon_that_stops_reading_stops_the_browser_and_nothing_grows():
    with Pipe() as pipe:
        assert until_stuck(pipe.browser, masked(BINARY, bytes(65536))) < 2**21
        assert len(pipe.pump._up) <= UP_BYTES + 70_000


def test_many_pings_to_a_browser_that_reads_nothing_need_no_memory():
    with Pipe() as pipe:
        pipe.browser.settimeout(0.5)
        wire = masked(PING, b"x" * 125) * 100
        for _ in range(500):
            pipe.browser.sendall(wire)
        assert len(pipe.pump._down) <= DOWN_BYTES + 70_000


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_a_silent_connection_is_pinged_and_in_the_end_given_up(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(pump_module, "POLL_MILLISECONDS", 10)
    with Pipe(clock=clock) as pipe:
        clock.now = 20.0
        assert exactly(pipe.browser, 2) == b"\x89\x00"
        clock.now = 64.0
        assert exactly(pipe.browser, 2) == b"\x89\x00"
        clock.now = 65.0
        assert pipe.daemon.recv(1) == b""
    assert pipe.reason == "the browser is silent"


def test_a_browser_that_answers_is_kept(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(pump_module, "POLL_MILLISECONDS", 10)
    with Pipe(clock=clock) as pipe:
        for _ in range(5):
            clock.now += 20.0
            assert exactly(pipe.browser, 2) == b"\x89\x00"
            pipe.browser.sendall(masked(0xA))
            wait_until(lambda: pipe.pump._heard_at == clock.now, 2, "it is heard")
