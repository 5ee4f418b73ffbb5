import asyncio
import socket
import stat
import struct

import pytest

from controle_vnc.control.framing import pack
from controle_vnc.control.messages import MAX_GREETING_BYTES, Redeem
from controle_vnc.errors import DaemonUnreachableError, SettingsError, TicketRefusedError
from controle_vnc.gateway.redeem import redeem
from controle_vnc.viewer.redeem import MAX_FOLDER_BYTES, RedeemServer, prepare_run_dir
from tests.desktops import wait_until
from tests.fakes.private_daemon import BANNER, PrivateDaemon


@pytest.fixture
def daemon():
    with PrivateDaemon() as daemon:
        yield daemon


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
