"""What is kept of sign-ins that fail."""

from sqlalchemy import select

from eop.aaa import policy
from eop.aaa.throttle import ATTEMPTS
from eop.audit.events import FAILURES_A_MINUTE, record_failure
from eop.audit.tables import audit
from tests.eop.installation import PASSWORD


def failures(house):
    with house.parts.database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == "sign_in_failed")).all()
    return [(row.user, row.details["address"]) for row in rows]


def fail(house, address, now_ms):
    with house.parts.database.write() as connection:
        record_failure(connection, "camille", address, "wrong", now_ms)


def test_a_failed_sign_in_is_kept_with_who_was_meant_where_and_when(house):
    before = house.parts.now_ms()
    house.browser().sign_in(" CAMILLE ", "wrong", environ={"REMOTE_ADDR": "192.0.2.1"})
    assert failures(house) == [("camille", "192.0.2.1")]
    newest = select(audit.c.at).order_by(audit.c.id.desc()).limit(1)
    with house.parts.database.read() as connection:
        assert before <= connection.scalar(newest) <= house.parts.now_ms()


def test_a_password_typed_as_a_login_is_not_kept(house):
    house.browser().sign_in(PASSWORD, PASSWORD)
    house.browser().sign_in(PASSWORD.replace(" ", "."), PASSWORD)
    assert failures(house) == [("", "127.0.0.1")] * 2


def test_a_sign_in_that_policy_refuses_is_kept_with_why(house, monkeypatch):
    monkeypatch.setitem(policy.RIGHTS, "teacher", {})
    assert house.browser().sign_in().status_code == 403
    with house.parts.database.read() as connection:
        (row,) = connection.execute(select(audit).where(audit.c.kind == "sign_in_failed")).all()
    assert (row.user, row.details["reason"]) == ("camille", "denied")


def test_a_sign_in_that_succeeds_is_no_failure(house):
    house.signed_in()
    assert failures(house) == []


def test_of_one_address_so_many_a_minute_are_kept_and_not_one_more(quiet):
    now_ms = quiet.parts.now_ms()
    for _ in range(FAILURES_A_MINUTE):
        fail(quiet, "192.0.2.1", now_ms)
    assert len(failures(quiet)) == FAILURES_A_MINUTE
    fail(quiet, "192.0.2.1", now_ms + 59_999)
    assert len(failures(quiet)) == FAILURES_A_MINUTE
    fail(quiet, "192.0.2.2", now_ms + 59_999)
    fail(quiet, "192.0.2.1", now_ms + 60_000)
    assert len(failures(quiet)) == FAILURES_A_MINUTE + 2


def left_out(house):
    kind = audit.c.kind == "sign_in_failures_left_out"
    with house.parts.database.read() as connection:
        return [row.details for row in connection.execute(select(audit).where(kind))]


def test_that_some_are_left_out_is_kept_once_a_minute(quiet):
    now_ms = quiet.parts.now_ms()
    for _ in range(FAILURES_A_MINUTE):
        fail(quiet, "192.0.2.1", now_ms)
    assert left_out(quiet) == []
    for later in (0, 1, 59_999):
        fail(quiet, "192.0.2.1", now_ms + later)
        assert left_out(quiet) == [{"address": "192.0.2.1"}]


def test_guesses_do_not_hide_who_was_proven_and_refused(quiet):
    now_ms = quiet.parts.now_ms()
    for _ in range(FAILURES_A_MINUTE):
        fail(quiet, "192.0.2.1", now_ms)
    reasons = ["denied"] * (FAILURES_A_MINUTE + 1) + ["disabled"]
    with quiet.parts.database.write() as connection:
        for reason in reasons:
            record_failure(connection, "malo", "192.0.2.1", reason, now_ms, is_proven=True)
    kept = [user for user, _ in failures(quiet)]
    assert kept == ["camille"] * FAILURES_A_MINUTE + ["malo"] * (FAILURES_A_MINUTE + 1)
    assert len(left_out(quiet)) == 1


def test_a_refusal_after_a_right_password_is_one_of_those(house, monkeypatch):
    for _ in range(FAILURES_A_MINUTE):
        fail(house, "127.0.0.1", house.parts.now_ms())
    monkeypatch.setitem(policy.RIGHTS, "teacher", {})
    assert house.browser().sign_in().status_code == 403
    assert len(failures(house)) == FAILURES_A_MINUTE + 1


def locks(house):
    kind = audit.c.kind == "sign_in_locked"
    with house.parts.database.read() as connection:
        return [row.details for row in connection.execute(select(audit).where(kind))]


def test_that_failures_have_locked_a_login_is_kept_once(house):
    for number in range(ATTEMPTS + 2):
        assert locks(house) == [{"login": "camille", "address": "127.0.0.1"}][: number // ATTEMPTS]
        house.browser().sign_in("camille", "wrong")
    assert len(locks(house)) == 1


def test_what_is_no_login_is_not_kept_where_it_is_locked(house):
    for _ in range(ATTEMPTS + 1):
        house.browser().sign_in(PASSWORD, PASSWORD)
    assert locks(house) == []
