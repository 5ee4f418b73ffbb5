import json

import pytest

from controle_vnc.viewer.switch import Switch


@pytest.fixture
def path(tmp_path):
    return tmp_path / "screens.json"


def test_screens_are_open_until_somebody_closes_them(path):
    switch = Switch(path)
    assert (switch.closed, switch.at) == (False, 0)
    assert not switch.turn(False, 0)
    assert switch.turn(True, 5)
    assert (switch.closed, switch.at) == (True, 5)


def test_what_is_kept_is_known_after_a_restart(path):
    first = Switch(path)
    first.turn(True, 5)
    first.keep()
    again = Switch(path)
    assert (again.closed, again.at) == (True, 5)
    again.turn(False, 6)
    again.keep()
    assert Switch(path).closed is False


@pytest.mark.parametrize(("closed", "at"), [(False, 4), (True, 4), (True, 5)])
def test_an_older_order_or_the_same_changes_nothing(path, closed, at):
    switch = Switch(path)
    switch.turn(True, 5)
    assert not switch.turn(closed, at)
    assert (switch.closed, switch.at) == (True, 5)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"{}", b'{"closed": 1, "at": 0}', b'{"closed": false, "at": "now"}',
     b'{"closed": false, "at": 1' + b" " * 300 + b"}"],
)  # fmt: skip
def test_what_cannot_be_read_counts_as_closed_until_the_site_says(path, content, caplog):
    path.write_bytes(content)
    switch = Switch(path)
    assert switch.closed
    assert "all screens are closed" in caplog.text
    assert switch.turn(False, 0)
    assert not switch.closed


def test_a_disk_that_cannot_be_written_is_told_and_ends_nothing(tmp_path, caplog):
    switch = Switch(tmp_path / "gone" / "screens.json")
    switch.turn(True, 5)
    switch.keep()
    assert switch.closed
    assert "is not kept" in caplog.text


def test_the_file_says_two_things(path):
    switch = Switch(path)
    switch.turn(True, 2**53)
    switch.keep()
    assert json.loads(path.read_text()) == {"closed": True, "at": 2**53}
    assert Switch(path).at == 2**53
