import pytest

from eop.aaa import devices
from eop.aaa.session import Keys

KEYS = Keys("a key of sessions that is long enough")


def test_a_device_is_known_to_whom_has_signed_in_on_it():
    cookie = devices.remembered(KEYS, "", "camille")
    device = devices.known(KEYS, cookie, "camille")
    assert cookie.startswith(f"{device}.")
    assert not devices.known(KEYS, cookie, "malo")
    assert not devices.known(Keys("another key"), cookie, "camille")


def test_a_shared_device_is_known_to_those_who_signed_in_last():
    cookie = ""
    for number in range(devices.MAX_LOGINS + 1):
        cookie = devices.remembered(KEYS, cookie, f"teacher {number}")
    names = {devices.known(KEYS, cookie, f"teacher {n}") for n in range(1, devices.MAX_LOGINS + 1)}
    assert names == {cookie.partition(".")[0]}
    assert not devices.known(KEYS, cookie, "teacher 0")
    assert devices.remembered(KEYS, cookie, "teacher 8") == cookie
    assert len(cookie) < 1024


@pytest.mark.parametrize("change", ["", "x", "{0}.", "{0}é", ".{0}", "{0}.{0}", "{0}\n"])
def test_a_cookie_that_is_not_ours_is_of_no_device_and_is_replaced(change):
    cookie = change.format(devices.remembered(KEYS, "", "camille"))
    assert devices.known(KEYS, cookie, "camille") == ""
    replaced = devices.remembered(KEYS, cookie, "camille")
    assert devices.known(KEYS, replaced, "camille")


def test_the_mark_of_one_device_is_worth_nothing_on_another():
    mine, yours = (devices.remembered(KEYS, "", "camille") for _ in range(2))
    mixed = f"{mine.partition('.')[0]}.{yours.partition('.')[2]}"
    assert devices.known(KEYS, mixed, "camille") == ""
