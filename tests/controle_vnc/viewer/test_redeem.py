import asyncio
import os
import socket
import stat
import struct

import pytest
import uvloop

from controle_vnc.control.framing import pack
from controle_vnc.control.messages import (
    HAND_OVER,
    MAX_EARLY_BYTES,
    MAX_GREETING_BYTES,
    Redeem,
)
from controle_vnc.errors import DaemonUnreachableError, SettingsError, TicketRefusedError
from controle_vnc.gateway.redeem import redeem, redeem_for
from controle_vnc.viewer import redeem as redeem_module
from controle_vnc.viewer.redeem import MAX_FOLDER_BYTES, RedeemServer, prepare_run_dir
from controle_vnc.websocket import BINARY, frame
from tests.controle_vnc.test_websocket import masked
from tests.desktops import wait_until
from tests.fakes.private_daemon import BANNER, PrivateDaemon, sink

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"])
def daemon(request):
    with PrivateDaemon(hand_over=True, new_loop=request.param) as daemon:
        yield daemon


@pytest.fixture
def ends():
    """Two ends of a connection: what is handed over, and its browser."""
    near, far = socket.socketpair()
    far.settimeout(5)
    with near, far:
        yield near, far


def dial(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(str(path))
    return connection


def test_a_ticket_is_worth_one_private_socket(daemon):
    ticket = daemon.ticket()
    with dial(redeem(daemon.redeem_socket, ticket)) as viewer:
        assert viewer.recv(100) == BANNER
    with pytest.raises(TicketRefusedError):
        redeem(daemon.redeem_socket, ticket)


def test_no_ticket_is_worth_anything_once_its_session_is_revoked(daemon):
    ticket = daemon.ticket()
    daemon.leases.revoke(["session"])  # as when both cross
    with pytest.raises(TicketRefusedError):
        redeem(daemon.redeem_socket, ticket)


def test_an_open_viewer_is_counted_until_it_ends(daemon):
    with dial(redeem(daemon.redeem_socket, daemon.ticket())):
        assert daemon.leases.count("screen") == 1
    wait_until(lambda: daemon.leases.count("screen") == 0, 2, "it is forgotten")


def test_one_viewer_too_many_is_refused_and_told_why(daemon, monkeypatch):
    monkeypatch.setattr("controle_vnc.viewer.lease.MAX_VIEWERS_A_SESSION", 1)
    with dial(redeem(daemon.redeem_socket, daemon.ticket())):
        with pytest.raises(DaemonUnreachableError, match="too_many_viewers"):
            redeem(daemon.redeem_socket, daemon.ticket())
        redeem(daemon.redeem_socket, daemon.ticket("another session"))


def test_nobody_there_is_unreachable(tmp_path):
    with pytest.raises(DaemonUnreachableError):
        redeem(tmp_path / "gateway.sock", "ticket")


def test_a_run_directory_that_broke_is_busy_and_leaves_nothing_open(daemon):
    async def broken(grant, closing, done):
        raise OSError("no space left on device")

    daemon.redeem._open_private = broken
    with pytest.raises(DaemonUnreachableError, match="busy"):
        redeem(daemon.redeem_socket, daemon.ticket())
    assert daemon.leases.count("screen") == 0


@pytest.mark.parametrize(
    "nonsense",
    [
        struct.pack(">I", MAX_GREETING_BYTES + 1),
        struct.pack(">I", 0),
        struct.pack(">I", 3) + b"\xc1\xc1\xc1",
    ],
)
def test_nonsense_is_hung_up_on_and_others_go_on(daemon, nonsense):
    with dial(daemon.redeem_socket) as asking:
        asking.sendall(nonsense)
        assert asking.recv(100) == b""
    redeem(daemon.redeem_socket, daemon.ticket())


def test_the_longest_ticket_that_fits_is_answered(daemon):
    with dial(daemon.redeem_socket) as asking:
        asking.sendall(pack(Redeem(ticket="x" * (MAX_GREETING_BYTES - 40))))
        assert b"Refused" in asking.recv(100)


def test_the_sockets_are_for_the_owner_alone(daemon):
    assert stat.S_IMODE(daemon.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(daemon.redeem_socket.stat().st_mode) & 0o077 == 0


def test_listening_makes_no_file_of_a_neighbour_private(tmp_path):
    async def neighbour():
        (tmp_path / "meanwhile").touch()

    async def play():
        redeem = RedeemServer(tmp_path / "run/gateway.sock", None, None, None)
        await asyncio.gather(redeem.start(), neighbour())
        await redeem.stop()

    (tmp_path / "before").touch()
    asyncio.run(play())
    modes = [(tmp_path / name).stat().st_mode for name in ("before", "meanwhile")]
    assert modes[0] == modes[1]


def test_sockets_of_a_killed_start_are_cleaned_and_nothing_else(tmp_path):
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / "0123.sock"))
    (tmp_path / "file.sock").write_text("no socket")
    (tmp_path / "other").write_text("other")
    prepare_run_dir(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file.sock", "other"]


def test_a_run_directory_too_long_for_sockets_is_told(tmp_path):
    with pytest.raises(SettingsError, match="RUN_DIR"):
        prepare_run_dir(tmp_path / ("x" * MAX_FOLDER_BYTES))


def test_a_run_directory_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="RUN_DIR"):
        prepare_run_dir(tmp_path / "file/run")


# --- a browser's socket is handed over


def offered(daemon):
    """A connection over which the daemon waits for the browser's socket."""
    gateway, takes_over = redeem_for(daemon.redeem_socket, daemon.ticket(), hand_over=True)
    assert takes_over
    assert daemon.leases.count("screen") == 1
    return gateway


def is_hung_up_on(gateway):
    """Closed by the daemon; with bytes of ours that it has not read, the hard way."""
    try:
        return gateway.recv(1) == b""
    except ConnectionResetError:
        return True


def is_forgotten(daemon):
    wait_until(lambda: daemon.leases.count("screen") == 0, 2, "it is forgotten")
    assert daemon.redeem._open == 0
    return True


def test_a_socket_that_is_handed_over_carries_the_viewer(daemon, ends):
    near, browser = ends
    with offered(daemon) as gateway:
        socket.send_fds(gateway, [HAND_OVER], [near.fileno()])
        near.close()
    greeting = frame(BINARY, BANNER)
    assert browser.recv(len(greeting), socket.MSG_WAITALL) == greeting
    browser.sendall(masked(BINARY, b"hello"))
    assert browser.recv(7, socket.MSG_WAITALL) == frame(BINARY, b"hello")
    browser.close()
    assert is_forgotten(daemon)


@pytest.mark.parametrize("pieces", [1, 7])
def test_as_many_early_bytes_as_allowed_arrive(daemon, ends, pieces):
    near, browser = ends
    daemon.behaviour = sink
    data = os.urandom(MAX_EARLY_BYTES - 8)  # 65,528 bytes: a header of 8
    with offered(daemon) as gateway:
        sent = HAND_OVER + masked(BINARY, data)
        assert len(sent) == len(HAND_OVER) + MAX_EARLY_BYTES
        step = len(sent) // pieces + 1
        socket.send_fds(gateway, [sent[:step]], [near.fileno()])
        for at in range(step, len(sent), step):
            gateway.sendall(sent[at : at + step])
    browser.close()
    near.close()
    assert daemon.hung_up.wait(5)
    assert daemon.received == data


def test_one_early_byte_too_many_ends_it(daemon, ends):
    near, browser = ends
    with offered(daemon) as gateway:
        socket.send_fds(gateway, [HAND_OVER], [near.fileno()])
        near.close()
        gateway.sendall(bytes(MAX_EARLY_BYTES + 1))
        assert is_hung_up_on(gateway)
    assert browser.recv(1) == b""  # nobody holds it any more
    assert is_forgotten(daemon)


def test_a_gateway_that_hangs_up_instead_ends_it(daemon):
    offered(daemon).close()
    assert is_forgotten(daemon)
    assert daemon.handed_over == 0


def test_bytes_without_a_socket_end_it(daemon):
    with offered(daemon) as gateway:
        gateway.sendall(HAND_OVER)
    assert is_forgotten(daemon)


def test_a_socket_with_another_first_byte_ends_it(daemon, ends):
    near, browser = ends
    with offered(daemon) as gateway:
        socket.send_fds(gateway, [b"\x02"], [near.fileno()])
        near.close()
    assert browser.recv(1) == b""
    assert is_forgotten(daemon)


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("at_once", [True, False])
def test_more_than_one_descriptor_ends_it_and_all_are_closed(daemon, count, at_once):
    pairs = [socket.socketpair() for _ in range(count)]
    descriptors = [near.fileno() for near, _ in pairs]
    with offered(daemon) as gateway:
        for some in [descriptors] if at_once else [[one] for one in descriptors]:
            try:
                socket.send_fds(gateway, [HAND_OVER], some)
            except BrokenPipeError:
                break
        for near, _ in pairs:
            near.close()
        assert is_hung_up_on(gateway)
    for _, far in pairs:
        far.settimeout(5)
        assert far.recv(1) == b""
        far.close()
    assert is_forgotten(daemon)


def test_what_is_no_stream_socket_ends_it(daemon):
    reader, writer = os.pipe()
    with (
        open(reader, "rb") as pipe,
        open(writer, "wb"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        for other in (pipe, datagrams):
            with offered(daemon) as gateway:
                socket.send_fds(gateway, [HAND_OVER], [other.fileno()])
            assert is_forgotten(daemon)
    assert daemon.handed_over == 0


def test_who_asks_and_then_sends_nothing_is_hung_up_on_in_time(daemon, monkeypatch):
    monkeypatch.setattr(redeem_module, "HAND_OVER_SECONDS", 0.2)
    with offered(daemon) as gateway:
        assert is_hung_up_on(gateway)
        assert is_forgotten(daemon)


def test_who_drips_is_hung_up_on_in_time(daemon, monkeypatch):
    monkeypatch.setattr(redeem_module, "REDEEM_SECONDS", 0.2)
    with dial(daemon.redeem_socket) as asking:
        asking.sendall(b"\0")
        assert asking.recv(100) == b""


def test_a_viewer_that_cannot_begin_is_forgotten_and_closed(daemon, ends):
    def broken(grant, closing, browser, early, done):
        raise OSError("no memory")

    near, browser = ends
    daemon.redeem._take_over = broken
    with offered(daemon) as gateway:
        socket.send_fds(gateway, [HAND_OVER], [near.fileno()])
        near.close()
    assert browser.recv(1) == b""
    assert is_forgotten(daemon)


def test_a_gateway_that_only_pipes_gets_a_path(daemon):
    assert redeem(daemon.redeem_socket, daemon.ticket())


def test_a_daemon_that_takes_nothing_over_gives_a_path():
    with PrivateDaemon() as daemon:
        viewer, takes_over = redeem_for(daemon.redeem_socket, daemon.ticket(), hand_over=True)
        with viewer:
            assert not takes_over
            assert viewer.recv(100) == BANNER


@pytest.mark.parametrize("hand_over", [True, False])
def test_viewers_are_counted_however_they_come_and_one_past_the_limit_is_busy(hand_over):
    with PrivateDaemon(hand_over=True, most=2) as daemon:
        held = [redeem_for(daemon.redeem_socket, daemon.ticket(), hand_over)[0] for _ in range(2)]
        ticket = daemon.ticket()
        with pytest.raises(DaemonUnreachableError, match="busy"):
            redeem_for(daemon.redeem_socket, ticket, hand_over)
        held.pop().close()
        wait_until(lambda: daemon.redeem._open == 1, 2, "room again")
        held.append(redeem_for(daemon.redeem_socket, ticket, hand_over)[0])  # it is still good
        for one in held:
            one.close()


def test_one_more_who_asks_at_the_same_moment_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(redeem_module, "MAX_ASKING", 2)
    with PrivateDaemon() as daemon:
        asking = [dial(daemon.redeem_socket) for _ in range(3)]
        assert asking[2].recv(1) == b""
        asking[0].close()
        wait_until(lambda: daemon.redeem._asking == 1, 2, "room again")
        redeem(daemon.redeem_socket, daemon.ticket())
        for one in asking:
            one.close()
