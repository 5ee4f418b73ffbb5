import pytest
from sqlalchemy import select

from eop.aaa import throttle
from eop.aaa.tables import sign_in_failure, sign_in_lock
from eop.aaa.throttle import (
    ATTEMPTS,
    EVERYWHERE_TIMES,
    FAILURES_AN_ADDRESS,
    HOLDOFF_SECONDS,
    WINDOW_SECONDS,
    Attempt,
    Limits,
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
    for _ in range(ATTEMPTS):
        assert refusal(connection, attempt) is None
        throttle.failed(connection, attempt)
    assert refusal(connection, attempt) == ("locked", HOLDOFF_SECONDS)
    assert refusal(connection, Attempt("camille", "192.0.2.2", NOW)) is None
    assert refusal(connection, Attempt("malo", "192.0.2.1", NOW)) is None
    assert (
        refusal(connection, Attempt("camille", "192.0.2.1", NOW + HOLDOFF_SECONDS * 1000)) is None
    )


def test_an_address_is_throttled_at_its_limit_whatever_the_logins(connection):
    for number in range(FAILURES_AN_ADDRESS):
        attempt = Attempt(f"login {number}", "192.0.2.1", NOW)
        assert refusal(connection, attempt) is None
        throttle.failed(connection, attempt)
    assert refusal(connection, Attempt("new", "192.0.2.1", NOW)) == ("throttled", WINDOW_SECONDS)
    assert refusal(connection, Attempt("new", "192.0.2.2", NOW)) is None


def test_a_login_is_locked_everywhere_at_its_limit_but_where_it_is_known(connection):
    for number in range(ATTEMPTS * EVERYWHERE_TIMES):
        attempt = Attempt("camille", f"192.0.2.{number}", NOW)
        assert refusal(connection, attempt) is None
        throttle.failed(connection, attempt)
    elsewhere = Attempt("camille", "198.51.100.1", NOW)
    assert refusal(connection, elsewhere) == ("locked", HOLDOFF_SECONDS)
    assert refusal(connection, Attempt("camille", "198.51.100.1", NOW, "device")) is None


def test_a_known_device_is_locked_by_its_own_failures_alone(connection):
    known = Attempt("camille", "192.0.2.1", NOW, "device")
    for number in range(FAILURES_AN_ADDRESS):
        throttle.failed(connection, Attempt(f"{number % 7}", "192.0.2.1", NOW))
    for _ in range(ATTEMPTS):
        assert refusal(connection, known) is None
        throttle.failed(connection, known)
    assert refusal(connection, known) == ("locked", HOLDOFF_SECONDS)


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


def test_the_site_says_how_many_failures_lock_and_for_how_long(connection):
    limits = Limits(attempts=2, holdoff_ms=60_000)
    attempt = Attempt("camille", "192.0.2.1", NOW, limits=limits)
    throttle.failed(connection, attempt)
    assert refusal(connection, attempt) is None
    throttle.failed(connection, attempt)
    assert refusal(connection, attempt) == ("locked", 60)
    later = Attempt("camille", "192.0.2.1", NOW + 59_999, limits=limits)
    assert refusal(connection, later) == ("locked", 1)
    over = Attempt("camille", "192.0.2.1", NOW + 60_000, limits=limits)
    assert refusal(connection, over) is None
    throttle.failed(connection, over)
    assert refusal(connection, over) is None, "those before the lock count no more"


def test_ten_times_as_many_lock_everywhere_and_one_fewer_does_not(connection):
    limits = Limits(attempts=2)
    elsewhere = Attempt("camille", "198.51.100.1", NOW, limits=limits)
    for number in range(19):
        throttle.failed(connection, Attempt("camille", f"192.0.2.{number}", NOW, limits=limits))
    assert refusal(connection, elsewhere) is None
    throttle.failed(connection, Attempt("camille", "192.0.2.99", NOW, limits=limits))
    assert refusal(connection, elsewhere)[0] == "locked"
    assert refusal(connection, Attempt("malo", "198.51.100.1", NOW, limits=limits)) is None


def test_what_counts_no_more_is_purged_and_the_rest_is_kept(connection):
    limits = Limits(attempts=1, holdoff_ms=2 * WINDOW_SECONDS * 1000)
    attempt = Attempt("camille", "192.0.2.1", NOW, limits=limits)
    throttle.failed(connection, attempt)
    late = NOW + limits.holdoff_ms - 1
    throttle.purge(connection, late, limits)
    assert refusal(connection, Attempt("camille", "192.0.2.1", late, limits=limits))
    throttle.purge(connection, late + 1, limits)
    assert not connection.execute(select(sign_in_failure)).all()
    assert not connection.execute(select(sign_in_lock)).all()


def test_a_lock_that_is_there_is_renewed_in_place(quiet, statements):
    # deleted and made anew, it could not be made where another transaction makes it, too
    def fail_once_more():
        with quiet.parts.database.write() as connection:
            throttle._lock(connection, Attempt("camille", "192.0.2.1", NOW), "192.0.2.1")

    assert [one.split()[0] for one in statements(fail_once_more) if "sign_in_lock" in one] == [
        "UPDATE", "INSERT",
    ]  # fmt: skip
    (again,) = [one for one in statements(fail_once_more) if "sign_in_lock" in one]
    assert again.startswith("UPDATE sign_in_lock")
