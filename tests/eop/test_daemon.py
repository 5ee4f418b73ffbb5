import time
from dataclasses import replace

import pytest

from controle_vnc.control.messages import Lease
from eop.daemon import Daemon
from eop.errors import DaemonDownError, RefusedError
from tests.desktops import free_port
from tests.fakes.control_server import BadControlServer

SECRET = b"a secret for the door's tests"


def door(house, port, timeout=0.5):
    return Daemon(replace(house.shared, CONTROL_PORT=port), SECRET, timeout)


@pytest.mark.parametrize("how", ["silent", "garbage", "hangs_up"])
def test_a_daemon_that_is_not_well_is_told_in_bounded_time(quiet, how):
    with BadControlServer(how) as server:
        since = time.monotonic()
        with pytest.raises(DaemonDownError):
            door(quiet, server.port).rooms()
        assert time.monotonic() - since < 1.5


def test_a_daemon_that_is_not_there_is_told(quiet):
    with pytest.raises(DaemonDownError) as raised:
        door(quiet, free_port()).status()
    assert raised.value.code == "daemon_down"


def test_a_daemon_that_comes_back_is_used_again(house):
    daemon = house.parts.daemon
    assert daemon.rooms() == []
    house.stop_daemon()
    with pytest.raises(DaemonDownError):
        daemon.rooms()
    house.start_daemon()
    assert daemon.rooms() == []


def test_what_the_daemon_refuses_has_a_code_of_ours(house):
    daemon = house.parts.daemon
    with pytest.raises(RefusedError) as unknown:
        daemon.probe("nope")
    assert unknown.value.code == "unknown_workstation"
    with pytest.raises(RefusedError) as nobody:
        daemon.workstation("nope")
    assert nobody.value.code == "unknown_workstation"


def test_more_leases_than_one_message_holds_are_renewed_in_parts(house):
    ends_at = house.parts.now_ms() + 60_000
    leases = [Lease(session=f"{n:064x}", ends_at=ends_at) for n in range(4001)]
    house.parts.daemon.renew(leases)
    assert len(house.daemon.leases) == 4001
