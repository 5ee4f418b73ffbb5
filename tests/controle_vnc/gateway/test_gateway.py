"""The gateway as it is run: a process, or several, and a real client."""

import contextlib
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from controle_vnc.control.framing import pack
from controle_vnc.control.messages import Redeemed
from controle_vnc.gateway.visitor import MAX_HEAD_BYTES
from tests.control_server import make_certificate
from tests.controle_vnc.test_websocket import masked
from tests.desktops import free_port, wait_until
from tests.fakes import private_daemon
from tests.fakes.private_daemon import BANNER, PrivateDaemon
from tests.gateway_process import ORIGIN, GatewayProcess, is_listening, read_all, upgrade

HEADERS = ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options",
           "Referrer-Policy", "Cache-Control")  # fmt: skip


on_both_ways = pytest.mark.parametrize("daemon", ["handed over", "piped"], indirect=True)
piped = pytest.mark.parametrize("daemon", ["piped"], indirect=True)


@pytest.fixture
def daemon(request):
    with PrivateDaemon(hand_over=getattr(request, "param", "") != "piped") as daemon:
        yield daemon


@pytest.fixture
def gateway(daemon):
    with GatewayProcess(daemon.folder) as gateway:
        yield gateway


def refused(gateway, **how):
    """The status and body with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as caught:
        gateway.open(**how)
    response = caught.value.response
    for name in HEADERS:
        assert name in response.headers
    return response.status_code


@contextlib.contextmanager
def crowd(gateway, count):
    """So many connections that say nothing yet."""
    connections = [gateway.dial() for _ in range(count)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


def memory(pid, name="VmRSS"):
    """Resident KiB of a process."""
    return int(re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def open_when_there_is_room(gateway, daemon):
    """What has just been closed or handed over leaves its place a moment later."""

    def opened():
        with contextlib.suppress(InvalidStatus):
            return gateway.open(daemon.ticket())

    return wait_until(opened, 5, "room again")


@on_both_ways
def test_a_ticket_among_the_subprotocols_opens_the_screen(gateway, daemon):
    with gateway.open(daemon.ticket()) as browser:
        assert browser.subprotocol == "binary"
        assert browser.recv(5) == BANNER
        browser.send(b"hello")
        assert browser.recv(5) == b"hello"


def test_the_order_of_the_subprotocols_means_nothing(gateway, daemon):
    with gateway.open(protocols=[f"ticket.{daemon.ticket()}", "binary"]) as browser:
        assert browser.subprotocol == "binary"


@on_both_ways
@pytest.mark.parametrize(("protocols", "selected"), [([], None), (["binary"], "binary")])
def test_a_ticket_in_the_query_opens_the_screen(gateway, daemon, protocols, selected):
    query = f"?token={daemon.ticket()}"
    with gateway.open(query=query, protocols=protocols) as browser:
        assert browser.subprotocol == selected
        assert browser.recv(5) == BANNER


@on_both_ways
def test_a_ticket_is_good_once(gateway, daemon):
    ticket = daemon.ticket()
    gateway.open(ticket).close()
    assert refused(gateway, ticket=ticket) == 403


def test_forged_missing_and_double_tickets_are_refused(gateway, daemon):
    assert refused(gateway, ticket="forged.abc.def") == 403
    assert refused(gateway) == 403
    two = ["binary", f"ticket.{daemon.ticket()}", f"ticket.{daemon.ticket()}"]
    assert refused(gateway, protocols=two) == 403


def test_a_revoked_ticket_is_refused(gateway, daemon):
    ticket = daemon.ticket()
    daemon.office.revoke({"session"})
    assert refused(gateway, ticket=ticket) == 403


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", ORIGIN + ".evil.example"])
def test_a_foreign_or_absent_origin_is_refused_before_the_ticket_is_used(gateway, daemon, origin):
    ticket = daemon.ticket()
    assert refused(gateway, ticket=ticket, origin=origin) == 403
    gateway.open(ticket).close()


def test_the_origin_may_be_the_host_itself(gateway, daemon):
    gateway.open(daemon.ticket(), origin=f"http://127.0.0.1:{gateway.port}").close()


def test_another_path_is_unknown(gateway, daemon):
    assert refused(gateway, ticket=daemon.ticket(), path="/other") == 404


def test_a_client_that_does_not_offer_binary_is_refused(gateway, daemon):
    assert refused(gateway, protocols=[f"ticket.{daemon.ticket()}"]) == 400


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Version: 13", b"Version: 8", b"426"),
        (b"Sec-WebSocket-Version: 13\r\n", b"", b"426"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"short", b"400"),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"*" * 24, b"400"),
    ],
)
def test_a_wrong_handshake_is_refused_and_costs_no_ticket(gateway, daemon, old, new, status):
    ticket = daemon.ticket()
    answer = gateway.ask(upgrade(ticket).replace(old, new))
    assert answer.startswith(b"HTTP/1.1 " + status)
    gateway.open(ticket).close()


def test_a_daemon_that_is_down_is_service_unavailable(tmp_path):
    with GatewayProcess(tmp_path) as gateway:
        assert refused(gateway, ticket="any") == 503


@pytest.mark.parametrize("path", ["/", "/websockify", "/websockify?token=x", "/../../etc/passwd"])
def test_a_plain_get_answers_a_small_page(gateway, path):
    answer = gateway.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Certificate accepted, you may close this" in answer
    assert len(answer) < 2000
    for name in HEADERS:
        assert name.encode() in answer


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_not_allowed(gateway, method):
    answer = gateway.ask(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 405")
    assert b"Allow: GET" in answer


@pytest.mark.parametrize("request_", [b"<script> / HTTP/1.1\r\n\r\n", b"\x00\xff\r\n\r\n",
                                      b"GET / HTTP/9.9\r\n\r\n"])  # fmt: skip
def test_nonsense_is_refused_without_repeating_it(gateway, request_):
    answer = gateway.ask(request_)
    assert b"script" not in answer
    assert re.search(rb"4\d\d|5\d\d", answer)


def test_the_server_does_not_say_what_it_is_made_of(gateway):
    answer = gateway.ask(b"GET / HTTP/1.1\r\n\r\n")
    assert b"Python" not in answer
    assert b"WebSockify" not in answer


@on_both_ways
def test_the_daemon_that_ends_closes_the_websocket_normally(daemon, gateway):
    daemon.behaviour = private_daemon.hang_up
    with gateway.open(daemon.ticket()) as browser:
        assert browser.recv(5) == BANNER
        with pytest.raises(ConnectionClosed) as caught:
            browser.recv(5)
        assert caught.value.rcvd.code == 1000


@on_both_ways
def test_a_frame_that_announces_a_giant_is_refused_at_once(gateway, daemon):
    with gateway.dial() as browser:
        browser.sendall(upgrade(daemon.ticket()))
        assert browser.recv(4096).startswith(b"HTTP/1.1 101")
        browser.sendall(masked(2, length=2**40))
        assert read_all(browser).endswith(b"\x88\x02" + struct.pack(">H", 1009))


@on_both_ways
def test_a_browser_that_stops_reading_costs_little_and_stops_the_daemon(daemon, gateway):
    daemon.behaviour = private_daemon.firehose
    with gateway.dial() as browser:
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        browser.sendall(upgrade(daemon.ticket()))
        wait_until(lambda: daemon.sent, 5, "the stream")
        before = memory(gateway.process.pid)
        seen = [-1]

        def has_stopped():
            seen.append(daemon.sent)
            return seen[-1] == seen[-2]

        wait_until(has_stopped, 5, "the daemon is no longer read")
        assert memory(gateway.process.pid, "VmHWM") < before + 2048
        assert daemon.sent < 8 * 2**20  # the kernel's buffers, and a quarter of a MiB of ours


@on_both_ways
def test_a_daemon_that_stops_reading_costs_little(daemon, gateway):
    daemon.behaviour = private_daemon.sleeper
    with gateway.dial() as browser:
        browser.sendall(upgrade(daemon.ticket()))
        assert browser.recv(4096).startswith(b"HTTP/1.1 101")
        before = memory(gateway.process.pid)
        browser.settimeout(0.5)
        wire, sent = masked(2, bytes(2**20)), 0
        try:
            while sent < 2**26:
                sent += browser.send(wire)
        except TimeoutError:
            pass
        assert sent < 2**24
        assert memory(gateway.process.pid, "VmHWM") < before + 4096


@on_both_ways
def test_what_the_browser_sent_before_it_left_arrives(daemon, gateway):
    daemon.behaviour = private_daemon.sink
    with gateway.open(daemon.ticket()) as browser:
        for _ in range(100):
            browser.send(b"0123456789")
    assert daemon.hung_up.wait(5)
    assert daemon.received == b"0123456789" * 100


def test_a_half_open_handshake_is_cut(daemon):
    patch = "import controle_vnc.gateway.door as d\nd.HANDSHAKE_SECONDS = 0.5"
    with GatewayProcess(daemon.folder, patch) as gateway, gateway.dial() as slow:
        slow.sendall(b"GET /websockify HTTP/1.1\r\n")
        began = time.monotonic()
        assert read_all(slow) == b""
        assert time.monotonic() - began < 2


def test_a_handshake_that_drips_is_cut_all_the_same(daemon):
    patch = "import controle_vnc.gateway.door as d\nd.HANDSHAKE_SECONDS = 0.5"
    with GatewayProcess(daemon.folder, patch) as gateway, gateway.dial() as slow:
        slow.settimeout(0.05)
        began, cut = time.monotonic(), False
        while not cut and time.monotonic() - began < 3:
            try:
                slow.sendall(b"X")
                cut = slow.recv(10) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                cut = True
        assert cut
        assert time.monotonic() - began < 2


@on_both_ways
def test_an_open_screen_outlives_the_deadline_of_the_handshake(daemon):
    patch = "import controle_vnc.gateway.door as d\nd.HANDSHAKE_SECONDS = 0.3"
    with (
        GatewayProcess(daemon.folder, patch) as gateway,
        gateway.open(daemon.ticket()) as browser,
    ):
        assert browser.recv(5) == BANNER
        with pytest.raises(TimeoutError):
            browser.recv(0.6)
        browser.send(b"still here")
        assert browser.recv(5) == b"still here"


@piped
def test_one_connection_more_than_the_cap_gets_503(daemon):
    with GatewayProcess(daemon.folder, EOP_GATEWAY_CONNECTIONS="2") as gateway:
        first, second = gateway.open(daemon.ticket()), gateway.open(daemon.ticket())
        for _ in range(5):
            assert refused(gateway, ticket=daemon.ticket()) == 503
        first.send(b"the others go on")
        assert first.recv(5) == BANNER
        first.close()
        open_when_there_is_room(gateway, daemon).close()
        second.close()


def test_one_screen_more_than_the_daemon_serves_gets_503():
    with PrivateDaemon(hand_over=True, most=2) as daemon, GatewayProcess(daemon.folder) as gateway:
        first, second = gateway.open(daemon.ticket()), gateway.open(daemon.ticket())
        assert refused(gateway, ticket=daemon.ticket()) == 503
        first.send(b"the others go on")
        assert first.recv(5) == BANNER
        first.close()
        open_when_there_is_room(gateway, daemon).close()
        second.close()


def test_screens_that_are_handed_over_take_no_place_in_the_gateway(daemon):
    with GatewayProcess(daemon.folder, EOP_GATEWAY_CONNECTIONS="1") as gateway:
        browsers = [open_when_there_is_room(gateway, daemon)]
        threads = gateway.threads  # its workers start just after it says that it listens
        browsers += [open_when_there_is_room(gateway, daemon) for _ in range(4)]
        wait_until(lambda: daemon.handed_over == 5, 5, "all are handed over")
        wait_until(lambda: gateway.threads == threads, 5, "the handshakes' threads end")
        for browser in browsers:
            assert browser.recv(5) == BANNER
            browser.close()


def test_screens_that_are_handed_over_survive_the_gateway(daemon):
    with GatewayProcess(daemon.folder) as gateway:
        browser = gateway.open(daemon.ticket())
        assert browser.recv(5) == BANNER
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(3) == 0
        browser.send(b"still here")
        assert browser.recv(5) == b"still here"
        browser.close()


def test_over_tls_nothing_is_handed_over(daemon, tmp_path):
    certificate, key = make_certificate(tmp_path)
    with (
        GatewayProcess(
            daemon.folder, EOP_GATEWAY_CERTIFICATE=certificate, EOP_GATEWAY_KEY=key
        ) as gateway,
        gateway.open(daemon.ticket()) as browser,
    ):
        assert browser.recv(5) == BANNER
        assert daemon.handed_over == 0


def test_a_daemon_that_dies_before_the_hand_over_closes_the_browser(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "gateway.sock"))
        listener.listen()
        with GatewayProcess(tmp_path) as gateway, gateway.dial() as browser:
            browser.sendall(upgrade("any"))
            daemon, _ = listener.accept()
            daemon.recv(4096)
            daemon.sendall(pack(Redeemed(path="")))
            daemon.close()
            assert read_all(browser).startswith(b"HTTP/1.1 101")


def test_of_many_silent_visitors_those_past_the_cap_are_answered_at_once(daemon):
    with GatewayProcess(daemon.folder, EOP_GATEWAY_CONNECTIONS="3") as gateway:
        with crowd(gateway, 40) as connections:
            for connection in connections:
                connection.sendall(upgrade("forged")[:-2])  # they never finish
            answered = set()

            def have_answers():
                waiting = set(connections) - answered
                answered.update(select.select(waiting, [], [], 0)[0])
                return len(answered) >= 37

            wait_until(have_answers, 5, "37 answers")
            assert len(answered) == 37
            for connection in answered:
                assert read_all(connection).startswith(b"HTTP/1.1 503")
            assert gateway.children == []
        request = b"GET / HTTP/1.1\r\n\r\n"
        wait_until(lambda: b"200 OK" in gateway.ask(request), 5, "room again")


def head(size, ticket):
    """A request of exactly `size` bytes."""
    request = upgrade(ticket, "X-Padding: ")
    return request[:-4] + b"x" * (size - len(request)) + b"\r\n\r\n"


def test_the_longest_head_is_understood_and_one_byte_more_is_refused(gateway, daemon):
    with gateway.dial() as browser:
        browser.sendall(head(MAX_HEAD_BYTES, daemon.ticket()))
        assert browser.recv(4096).startswith(b"HTTP/1.1 101")
    answer = gateway.ask(head(MAX_HEAD_BYTES + 1, daemon.ticket()))
    assert answer.startswith(b"HTTP/1.1 431")
    for name in HEADERS:
        assert name.encode() in answer


def test_slow_and_silent_clients_cost_a_socket_and_keep_nobody_waiting(gateway, daemon):
    """Far more of them than there are workers."""
    assert b"200 OK" in gateway.ask(b"GET / HTTP/1.1\r\n\r\n")  # its workers are there
    with crowd(gateway, 100) as slow:
        for connection in slow[50:]:
            connection.sendall(b"GET /websockify HTTP/1.1\r\n")
        threads = gateway.threads
        began = time.monotonic()
        gateway.open(daemon.ticket()).close()
        assert time.monotonic() - began < 1
        assert gateway.threads <= threads + 1  # the pump of that one
        assert gateway.children == []


@on_both_ways
def test_a_head_in_drops_is_understood(gateway, daemon):
    with gateway.dial() as browser:
        browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in upgrade(daemon.ticket()):
            browser.sendall(bytes([byte]))
        assert browser.recv(4096).startswith(b"HTTP/1.1 101")


@on_both_ways
def test_what_comes_behind_the_request_is_not_lost(gateway, daemon):
    with gateway.dial() as browser:
        browser.sendall(upgrade(daemon.ticket()) + masked(2, b"early") + masked(2, b"x" * 100_000))
        answer = b""
        while not answer.endswith(b"x" * 1000):
            answer += browser.recv(65536)
        assert b"early" in answer


def test_a_refused_request_with_much_behind_it_still_gets_its_answer(gateway):
    with gateway.dial() as browser:
        browser.sendall(b"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000)
        assert read_all(browser).startswith(b"HTTP/1.1 405")


def test_wss_works_and_carries_much_both_ways(daemon, tmp_path):
    certificate, key = make_certificate(tmp_path)
    with (
        GatewayProcess(
            daemon.folder, EOP_GATEWAY_CERTIFICATE=certificate, EOP_GATEWAY_KEY=key
        ) as gateway,
        gateway.open(daemon.ticket()) as browser,
    ):
        assert browser.recv(5) == BANNER
        data = os.urandom(500_000)
        browser.send(data)
        got = b""
        while len(got) < len(data):
            got += browser.recv(5)
        assert got == data


def test_over_tls_slow_handshakes_keep_nobody_waiting_and_are_cut(daemon, tmp_path):
    certificate, key = make_certificate(tmp_path)
    patch = "import controle_vnc.gateway.door as d\nd.HANDSHAKE_SECONDS = 0.8"
    with (
        GatewayProcess(
            daemon.folder, patch, EOP_GATEWAY_CERTIFICATE=certificate, EOP_GATEWAY_KEY=key
        ) as gateway,
        crowd(gateway, 30) as slow,
    ):
        for connection in slow[15:]:
            connection.sendall(b"\x16\x03\x01\x02")  # a record that has no end
        began = time.monotonic()
        gateway.open(daemon.ticket()).close()
        assert time.monotonic() - began < 0.7
        for connection in slow:
            assert read_all(connection) == b""
        assert time.monotonic() - began < 2


def test_over_tls_plain_text_is_hung_up_on(daemon, tmp_path):
    certificate, key = make_certificate(tmp_path)
    with (
        GatewayProcess(
            daemon.folder, EOP_GATEWAY_CERTIFICATE=certificate, EOP_GATEWAY_KEY=key
        ) as gateway,
        gateway.dial() as browser,
    ):
        browser.sendall(upgrade(daemon.ticket()))
        assert not read_all(browser).startswith(b"HTTP")


def test_over_tls_the_cap_is_told_too(daemon, tmp_path):
    certificate, key = make_certificate(tmp_path)
    with (
        GatewayProcess(
            daemon.folder,
            EOP_GATEWAY_CERTIFICATE=certificate,
            EOP_GATEWAY_KEY=key,
            EOP_GATEWAY_CONNECTIONS="1",
        ) as gateway,
        gateway.open(daemon.ticket()),
    ):
        assert gateway.ask(upgrade(daemon.ticket())).startswith(b"HTTP/1.1 503")


@piped
def test_a_pings_answer_keeps_the_connection(daemon):
    patch = (
        "import controle_vnc.gateway.pump as p\n"
        "p.HEARTBEAT_SECONDS, p.SILENCE_SECONDS, p.POLL_MILLISECONDS = 0.1, 0.5, 20"
    )
    with (
        GatewayProcess(daemon.folder, patch) as gateway,
        gateway.open(daemon.ticket()) as browser,
    ):
        assert browser.recv(5) == BANNER
        with pytest.raises(TimeoutError):
            browser.recv(1)
        browser.send(b"alive")
        assert browser.recv(5) == b"alive"


@on_both_ways
def test_nothing_secret_is_logged(daemon):
    with GatewayProcess(daemon.folder, EOP_LOG_LEVEL="DEBUG") as gateway:
        tickets = [daemon.ticket() for _ in range(4)]
        gateway.open(tickets[0]).close()
        gateway.open(query=f"?token={tickets[1]}", protocols=[]).close()
        refused(gateway, ticket=tickets[2], origin="http://evil.example")
        refused(gateway, query=f"?token={tickets[3]}", origin="http://evil.example")
        refused(gateway, ticket="forged-one")
        gateway.ask(f"GET /?token={tickets[3]} HTTP/1.1\r\n\r\n".encode())
        wait_until(lambda: gateway.log.read_text().count("refused") >= 3, 5, "the lines")
        text = gateway.log.read_text() + gateway.errors.read_text()
    for ticket in (*tickets, "forged-one", "token="):
        assert ticket not in text


@piped
@pytest.mark.parametrize("processes", ["1", "3"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_within_three_seconds(daemon, processes, number):
    with GatewayProcess(daemon.folder, EOP_GATEWAY_PROCESSES=processes) as gateway:
        browsers = [gateway.open(daemon.ticket()) for _ in range(3)]
        children = gateway.children
        silent = gateway.dial()
        began = time.monotonic()
        gateway.process.send_signal(number)
        assert gateway.process.wait(3) == 0
        assert time.monotonic() - began < 3
        assert not [child for child in children if Path(f"/proc/{child}").exists()]
        assert "Traceback" not in gateway.errors.read_text()
        assert "Warning" not in gateway.errors.read_text()
        assert not is_listening(gateway.port)
        for browser in (silent, *browsers):
            browser.close()


def test_a_daemon_that_hangs_does_not_keep_the_gateway_from_ending(tmp_path):
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(tmp_path / "gateway.sock"))
        hanging.listen(100)
        with GatewayProcess(tmp_path) as gateway, crowd(gateway, 20) as browsers:
            for browser in browsers:
                browser.sendall(upgrade("any"))
            hanging.accept()[0].close()
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.process.wait(3) == 0


def test_who_waited_too_long_for_a_daemon_that_hangs_is_answered(tmp_path):
    patch = (
        "import controle_vnc.gateway.door as d, controle_vnc.gateway.redeem as r\n"
        "d.WORKERS, d.HANDSHAKE_SECONDS, r.REDEEM_SECONDS = 1, 0.3, 0.4"
    )
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(tmp_path / "gateway.sock"))
        hanging.listen(100)
        with GatewayProcess(tmp_path, patch) as gateway, crowd(gateway, 5) as browsers:
            for browser in browsers:
                browser.sendall(upgrade("any"))
            for browser in browsers:
                assert read_all(browser).startswith(b"HTTP/1.1 503")


def test_a_gateway_without_free_descriptors_goes_on_when_there_are_some(daemon):
    patch = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))"
    with GatewayProcess(daemon.folder, patch) as gateway:
        with crowd(gateway, 60):
            wait_until(lambda: "cannot accept" in gateway.log.read_text(), 5, "it is told")
        open_when_there_is_room(gateway, daemon).close()


@on_both_ways
def test_one_process_carries_everybody(daemon, gateway):
    browsers = [gateway.open(daemon.ticket()) for _ in range(10)]
    assert gateway.children == []
    for browser in browsers:
        assert browser.recv(5) == BANNER
        browser.close()


@on_both_ways
def test_several_processes_share_the_port(daemon):
    with GatewayProcess(daemon.folder, EOP_GATEWAY_PROCESSES="3") as gateway:
        assert len(gateway.children) == 3
        browsers = [gateway.open(daemon.ticket()) for _ in range(20)]
        for browser in browsers:
            assert browser.recv(5) == BANNER
            browser.close()


def test_a_process_that_dies_is_replaced(daemon):
    patch = "import controle_vnc.gateway.processes as p\np.RESTART_SECONDS = 0.01"
    with GatewayProcess(daemon.folder, patch, EOP_GATEWAY_PROCESSES="2") as gateway:
        before = set(gateway.children)
        for child in before:
            os.kill(child, signal.SIGKILL)
        wait_until(
            lambda: len(gateway.children) == 2 and not before & set(gateway.children),
            5,
            "two others",
        )
        gateway.open(daemon.ticket()).close()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_children_die_with_a_parent_that_was_killed(daemon, processes):
    with (
        GatewayProcess(daemon.folder, EOP_GATEWAY_PROCESSES=processes) as gateway,
        gateway.open(daemon.ticket()),
    ):
        children = gateway.children
        assert len(children) == (2 if processes == "2" else 0)
        gateway.process.kill()
        gateway.process.wait(3)
        for child in children:
            wait_until(
                lambda child=child: (
                    not Path(f"/proc/{child}").exists()
                    or ") Z " in Path(f"/proc/{child}/stat").read_text()
                ),
                2,
                "it dies too",
            )
        wait_until(lambda: not is_listening(gateway.port), 2, "nobody listens")


@pytest.mark.parametrize("processes", ["0", "17", "-1"])
def test_a_number_of_processes_out_of_bounds_is_told_and_fails(tmp_path, processes):
    done = subprocess.run(
        [sys.executable, "-m", "controle_vnc.gateway"],
        env={**os.environ, "EOP_HOME": str(tmp_path), "EOP_GATEWAY_PROCESSES": processes},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 2
    assert "GATEWAY_PROCESSES" in done.stderr


def test_a_taken_port_is_told_and_fails(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "controle_vnc.gateway"],
            env={
                **os.environ,
                "EOP_HOME": str(tmp_path),
                "EOP_GATEWAY_PORT": str(taken.getsockname()[1]),
            },
            capture_output=True,
            text=True,
            timeout=10,
        )
    assert done.returncode == 1
    assert "cannot listen" in done.stderr


def test_wrong_settings_are_told_and_fail(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "controle_vnc.gateway"],
        env={**os.environ, "EOP_HOME": str(tmp_path), "EOP_GATEWAY_CERTIFICATE": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 2
    assert "GATEWAY_CERTIFICATE" in done.stderr


@pytest.fixture
def stock(daemon):
    """The stock websockify with our plugin; gives its port and its log."""
    port, log = free_port(), daemon.folder / "stock.log"
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("websockify")),
            "--token-plugin", "controle_vnc.gateway.token_plugin.TicketPlugin",
            "--token-source", str(daemon.redeem_socket),
            "--log-file", str(log),
            f"127.0.0.1:{port}",
        ],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: is_listening(port), 10, "it listens")
    yield port, log
    process.terminate()
    process.wait(5)


def test_the_stock_websockify_takes_our_tickets_once_and_logs_none(stock, daemon):
    port, log = stock
    ticket = daemon.ticket()
    url = f"ws://127.0.0.1:{port}/websockify?token={ticket}"
    options = {"subprotocols": ["binary"], "proxy": None, "compression": None, "legacy": True}
    with connect(url, **options) as browser:
        assert browser.subprotocol == "binary"
        assert browser.recv(5) == BANNER
        browser.send(b"hello")
        assert browser.recv(5) == b"hello"
    with pytest.raises((InvalidMessage, OSError)):  # no answer at all, as websockify does
        connect(url, **options)
    wait_until(lambda: "the ticket is refused" in log.read_text(), 5, "the refusal")
    assert ticket not in log.read_text()
    assert "token=…" in log.read_text()
