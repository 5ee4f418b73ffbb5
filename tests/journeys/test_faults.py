"""One bad desktop is told on its tile and disturbs no other; what comes back is seen again."""

import time

import pytest

from tests.desktops import XvncDesktop
from tests.fakes import vnc_server
from tests.fakes.threaded import ThreadedVncServer
from tests.wall_client import WallClient


@pytest.fixture
def wall(stack):
    """Open a wall of a room: `wall("S20")`."""
    opened = []

    def dial(room):
        client = WallClient(stack.sign_in().open(kind="wall", room=room))
        snapshot = client.next()
        client.numbers = {w["name"]: w["number"] for w in snapshot["workstations"]}
        client.show(list(client.numbers.values()))
        opened.append(client)
        return client

    yield dial
    for client in opened:
        client.socket.close()


def test_a_killed_desktop_is_told_within_5_s_and_back_within_10_s(stack, wall, tmp_path):
    with XvncDesktop(tmp_path) as desktop:
        desktop.paint("#445566")
        stack.add_workstation("pc-kill", desktop, room="S21")
        client = wall("S21")
        number = client.numbers["pc-kill"]
        client.tile(number, 10)
        desktop.kill()
        killed = time.monotonic()
        told = client.until(
            lambda item: (
                isinstance(item, dict)
                and item.get("event") == "state"
                and item["state"] in {"refused", "offline"}
            ),
            5,
        )
        assert told["number"] == number
        assert told["reason"]["code"]
        assert time.monotonic() - killed < 5
        desktop.start()
        client.event("state", 10, number=number, state="ready")
        client.tile(number, 5)


@pytest.mark.parametrize(
    ("behaviour", "states"),
    [
        (vnc_server.silent, {"offline"}),
        (vnc_server.garbage, {"unsupported"}),
        (vnc_server.garbage_picture, {"unsupported"}),
        (vnc_server.closes_in_the_middle, {"refused"}),
        (vnc_server.announces_65535, {"unsupported"}),
        (vnc_server.rectangle_of_4_gib, {"unsupported"}),
        (vnc_server.unknown_security, {"unsupported"}),
        (vnc_server.refuses_password, {"wrong_password"}),
    ],
)
def test_a_hostile_server_is_told_and_the_other_tile_goes_on(
    stack, wall, tmp_path, behaviour, states
):
    name = behaviour.__name__
    room = f"S30-{name}"
    with ThreadedVncServer(behaviour) as hostile, XvncDesktop(tmp_path) as good:
        good.paint("#102030")
        stack.add_workstation(f"bad-{name}", hostile, room=room)
        stack.add_workstation(f"good-{name}", good, room=room)
        client = wall(room)
        good_number = client.numbers[f"good-{name}"]
        bad_number = client.numbers[f"bad-{name}"]
        seen = set()

        def both(item):
            if isinstance(item, dict):
                if item.get("event") == "state" and item["number"] == bad_number:
                    seen.add(item["state"])
                return bool(seen & states)
            assert item.number == good_number
            return False

        client.until(both, 25)
        good.paint("#a0b0c0")
        client.tile(good_number, 5)


def test_a_dead_host_is_told(stack, wall):
    class Nobody:
        address, password = "127.0.0.1:9", "unused"

    stack.add_workstation("pc-dead", Nobody, room="S22")
    client = wall("S22")
    client.until(
        lambda item: (
            isinstance(item, dict) and item.get("event") == "state" and item["state"] == "refused"
        ),
        5,
    )


def test_a_wrong_password_is_told_once(stack, wall, tmp_path):
    with XvncDesktop(tmp_path) as desktop:

        class Wrong:
            address, password = desktop.address, "notright"

        stack.add_workstation("pc-wrong", Wrong, room="S23")
        client = wall("S23")
        client.event("state", 8, number=client.numbers["pc-wrong"], state="wrong_password")
