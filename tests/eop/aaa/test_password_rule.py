import threading

import pytest

from eop.aaa import password_rule
from eop.aaa.password_rule import MAX_CHARACTERS, MAX_PATTERN_CHARACTERS, RuleError
from eop.errors import RefusedError

MIXED = r"(?=.*[a-z])(?=.*\d).{10,}"


@pytest.mark.parametrize(
    ("pattern", "password", "follows"),
    [
        (MIXED, "seven horses 7", True),
        (MIXED, "seven horses", False),
        (r"[a-z]+", "horse", True),
        (r"[a-z]+", "horse1", False),
        (r".*", "\ud800 alone", True),
        (r"x{128}", "x" * MAX_CHARACTERS, True),
        (r"x{128}", "x" * MAX_CHARACTERS + "y", True),
        (r"x{127}", "x" * MAX_CHARACTERS, False),
    ],
)
def test_a_rule_is_matched_by_the_whole_of_a_bounded_password(pattern, password, follows):
    assert password_rule.matches(pattern, password) is follows


def test_a_rule_that_takes_for_ever_is_given_up_at_its_deadline(monkeypatch, caplog):
    monkeypatch.setattr(password_rule, "MATCH_SECONDS", 0.3)
    with pytest.raises(RefusedError) as refused:
        password_rule.matches(r"(a+)+b", "a" * 60)
    assert refused.value.code == "rule_down"
    assert refused.value.__cause__ is None
    assert "aaaa" not in caplog.text
    assert "TimeoutExpired" in caplog.text


def test_only_two_are_matched_at_once(monkeypatch):
    monkeypatch.setattr(password_rule, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(password_rule, "_turns", threading.BoundedSemaphore(1))
    assert password_rule._turns.acquire(timeout=1)
    with pytest.raises(RefusedError) as refused:
        password_rule.matches(".*", "x")
    assert refused.value.code == "busy"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "is no regular expression"),
        ("a{99999999999999999999}", "is no regular expression"),
        ("x" * (MAX_PATTERN_CHARACTERS + 1), "longer than 1000"),
    ],
)
def test_a_bad_pattern_is_refused(pattern, words):
    with pytest.raises(RuleError, match=words):
        password_rule.check(pattern)


def test_a_pattern_at_the_limit_is_taken():
    password_rule.check("x" * MAX_PATTERN_CHARACTERS)


def test_many_passwords_are_matched_in_one_go():
    assert password_rule.which(MIXED, ["seven horses 7", "seven horses", ""]) == [
        True, False, False,
    ]  # fmt: skip
    assert password_rule.which(MIXED, []) == []
