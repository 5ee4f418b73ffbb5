"""An installation in a folder whose path is too long for unix sockets."""

from pathlib import Path

from tests.stack import Stack

SHORT = Path("/tmp")


def ours():
    return {path.name for path in SHORT.glob(f"eop-*-{'[0-9a-f]' * 12}-*")}


def test_a_deep_installation_shows_its_desktops_and_leaves_nothing(tmp_path):
    before = ours()
    stack = Stack(workstations=1, EOP_HOME=str(tmp_path / ("deep-" * 20) / "home"))
    with stack:
        api = stack.sign_in()
        (entry,) = api.get("workstations").json()
        api.wait_for_state(entry["id"], {"ready"}, 15)
        assert len(ours() - before) == 3
    assert ours() <= before
