import pytest

from eop.aaa import throttle
from eop.aaa.throttle import (
    FAILURES_A_LOCK,
    FAILURES_A_LOGIN,
    FAILURES_AN_ADDRESS,
    LOCK_SECONDS,
    WINDOW_SECONDS,
    Attempt,
)
from eop.errors import RefusedError

NOW = 1_000_000_000


@pytest.fixture
def connection(quiet):
    with quiet.parts.database.write() as connection:
        yield connection


def refusal(connection, attempt):
    """Why a try is refused now, and for how long; None where it is not."""
    try:
        throttle.check(connection, attempt)
    except RefusedError as error:
        return error.code, error.retry_after
    return None


def test_a_login_is_locked_at_its_limit_for_this_address_alone(connection):
    attempt = Attempt("camille", "192.0.2.1", NOW)
    for _ in range(FAILURES_A_LOCK):
        assert refusal(connection, attempt) is None
        throttle.failed(connection, attempt)
    assert refusal(connection, attempt) == ("locked", LOCK_SECONDS)
    assert refusal(connection, Attempt("camille", "192.0.2.2", NOW)) is None
    assert refusal(connection, Attempt("malo", "192.0.2.1", NOW)) is None
    assert refusal(connection, Attempt("camille", "192.0.2.1", NOW + LOCK_SECONDS * 1000)) is None


def test_an_address_is_throttled_at_its_limit_whatever_the_logins(connection):
    for number in range(FAILURES_AN_ADDRESS):
        attempt = Attempt(f"login {number}", "192.0.2.1", NOW)
        assert refusal(connection, attempt) is None
        throttle.failed(connection, attempt)
    assert refusal(connection, Attempt("new", "192.0.2.1", NOW)) == ("throttled", WINDOW_SECONDS)
    assert refusal(connection, Attempt("new", "192.0.2.2", NOW)) is None


def test_a_login_is_locked_everywhere_at_its_limit_but_where_it_is_known(connection):
    for number in range(FAILURES_A_LOGIN):
        attempt = Attempt("camille", f"192.0.2.{number}", NOW)
        assert refusal(connection, attempt) is None
        throttle.failed(connection, attempt)
    elsewhere = Attempt("camille", "198.51.100.1", NOW)
    assert refusal(connection, elsewhere) == ("locked", LOCK_SECONDS)
    assert refusal(connection, Attempt("camille", "198.51.100.1", NOW, "device")) is None


def test_a_known_device_is_locked_by_its_own_failures_alone(connection):
    known = Attempt("camille", "192.0.2.1", NOW, "device")
    for number in range(FAILURES_AN_ADDRESS):
        throttle.failed(connection, Attempt(f"{number % 7}", "192.0.2.1", NOW))
    for _ in range(FAILURES_A_LOCK):
        assert refusal(connection, known) is None
        throttle.failed(connection, known)
    assert refusal(connection, known) == ("locked", LOCK_SECONDS)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_of_ipv6_the_network_counts(address, counted):
    assert throttle.counted(address) == counted
