import threading
import time

import pytest

from eop.aaa import passwords
from eop.errors import InvalidError, RefusedError


def test_a_hash_is_argon2id_at_the_agreed_cost_and_matches_its_password_alone():
    stored = passwords.hashed("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(stored, "correct horse")
    assert not passwords.matches(stored, "correct horsf")
    assert not passwords.is_outdated(stored)
    assert not passwords.is_outdated(passwords.DUMMY)


def test_without_a_hash_nothing_matches_and_it_takes_as_long():
    stored = passwords.hashed("correct horse")

    def cost(hashed):
        since = time.process_time()
        for _ in range(5):
            assert not passwords.matches(hashed, "wrong")
        return time.process_time() - since

    assert 0.4 < cost(None) / cost(stored) < 2.5
    assert not passwords.matches("no hash at all", "wrong")


@pytest.mark.parametrize("password", ["1234567", "x" * 1025, "é" * 513, "with\0zero"])
def test_a_password_that_may_not_be_stored_is_refused(password):
    with pytest.raises(InvalidError):
        passwords.hashed(password)


@pytest.mark.parametrize("password", ["12345678", "x" * 1024, "é" * 512])
def test_a_password_at_the_limit_is_stored(password):
    assert passwords.matches(passwords.hashed(password), password)


def test_only_two_are_computed_at_once_and_the_third_waits_a_bounded_time(monkeypatch):
    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.05)
    assert passwords._turns.acquire(timeout=1)
    assert passwords._turns.acquire(timeout=1)
    try:
        with pytest.raises(RefusedError) as refused:
            passwords.matches(None, "x")
        assert refused.value.code == "busy"
    finally:
        passwords._turns.release()
        passwords._turns.release()
    threads = [threading.Thread(target=passwords.matches, args=(None, "x")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
