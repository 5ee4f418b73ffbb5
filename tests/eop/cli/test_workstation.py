import shlex

from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import ra2
from controle_vnc.rfb.security_types.trust import fingerprint
from tests.controle_vnc.rfb.security_types.pairs import lock_of, rsa_key
from tests.desktops import free_port
from tests.fakes.locked_screen import LockedScreen


def add(eopctl, *more, name="pc-01", room="S12", vnc="127.0.0.1:5901"):
    return eopctl("workstation", "add", "--name", name, "--room", room, "--vnc", vnc, *more)


def listed(eopctl):
    entries = eopctl("workstation", "list", "--json").json
    return [(e["name"], e["room"], e["address"], e["user"]) for e in entries]


def test_a_workstation_is_added_listed_changed_and_removed(house, eopctl, password_file):
    done = add(eopctl, "--password-file", password_file, "--user", "zoe", "--json")
    assert done.code == 0, done.err
    assert done.json["created"] is True
    assert listed(eopctl) == [("pc-01", "S12", "127.0.0.1:5901", "zoe")]
    assert "correct" not in eopctl("workstation", "list").out
    assert add(eopctl).code == 1
    changed = add(eopctl, "--replace", room="S14")
    assert changed.code == 0
    assert listed(eopctl)[0][1] == "S14"
    assert eopctl("workstation", "remove", "pc-01").code == 0
    assert eopctl("workstation", "remove", "pc-01").code == 1
    assert listed(eopctl) == []


def test_whom_we_sign_in_as_and_what_the_server_is_known_by_are_kept(house, eopctl):
    pin = "x509-sha256:" + "0a" * 32

    def stored():
        (one,) = eopctl("workstation", "list", "--json").json
        return one["vnc_user"], one["trust"]

    assert add(eopctl, "--vnc-user", "eop", "--trust", pin).code == 0
    assert stored() == ("eop", pin)
    assert add(eopctl, "--replace", room="S14").code == 0
    assert stored() == ("eop", pin)
    assert add(eopctl, "--replace", "--vnc-user", "", "--trust", "").code == 0
    assert stored() == (None, None)
    wrong = add(eopctl, "--replace", "--trust", "a guess")
    assert wrong.code == 1
    assert "64 hexadecimal digits" in wrong.err


def test_an_address_that_is_none_is_told(house, eopctl):
    done = add(eopctl, vnc="nowhere")
    assert done.code == 1
    assert "host:port" in done.err


def test_a_test_of_a_closed_port_fails_and_says_where(house, eopctl):
    add(eopctl, vnc=f"127.0.0.1:{free_port()}")
    done = eopctl("workstation", "test", "pc-01", "--json")
    assert done.code == 1
    assert done.json["state"] == "refused"
    assert done.json["reason"] == "connection_refused"
    assert done.json["steps"][0]["name"] == "connect"
    assert done.json["steps"][0]["ok"] is False
    text = eopctl("workstation", "test", "pc-01")
    assert "refused (connection_refused)" in text.out
    assert eopctl("workstation", "test", "nope").code == 1


def test_a_key_that_nobody_has_confirmed_is_told_with_the_command_that_confirms_it(
    house, eopctl, password_file
):
    pin = fingerprint("rsa-ne", ra2.public_key(rsa_key()).wire)
    password = password_file.read_text().splitlines()[0].encode()
    with LockedScreen(lock_of(T.RA2NE, password=password)) as screen:
        vnc = f"127.0.0.1:{screen.port}"
        more = ("--password-file", password_file, "--user", "zoe")
        assert add(eopctl, *more, vnc=vnc, room="Room 12").code == 0
        told = eopctl("workstation", "test", "pc-01", "--json")
        assert (told.json["reason"], told.json["shown"]) == ("unconfirmed", pin)
        told = eopctl("workstation", "test", "pc-01")
        assert f"the server shows {pin}, which nobody has confirmed" in told.out
        command = shlex.split(told.out.splitlines()[-1].partition("to trust it: ")[2])
        assert command[0] == "eopctl"
        assert eopctl(*command[1:]).code == 0
        assert listed(eopctl) == [("pc-01", "Room 12", vnc, "zoe")]
        assert eopctl("workstation", "test", "pc-01").code == 0
        assert screen.kinds == [T.RA2NE]


def test_a_workstation_can_be_tried_again(house, eopctl):
    add(eopctl)
    assert eopctl("workstation", "retry", "pc-01").code == 0
    assert eopctl("workstation", "retry", "nope").code == 1


def test_while_the_daemon_is_down_the_command_says_so(quiet, eopctl):
    done = eopctl("workstation", "list")
    assert done.code == 1
    assert "controle-vnc at 127.0.0.1" in done.err
