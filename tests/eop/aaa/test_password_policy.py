import hashlib

import pytest

from eop.aaa import passwords
from eop.aaa.leaked import LeakedPasswords
from eop.aaa.password_policy import PasswordPolicy, PasswordRefusedError, Subject

GOOD = "seven quiet horses"
CAMILLE = Subject("camille", "Camille Lefèvre", "teacher")


def codes(policy, password, subject=CAMILLE):
    """What is wrong with a password, in the order it is told."""
    try:
        policy.check(password, subject)
    except PasswordRefusedError as refused:
        return [problem.code for problem in refused.problems]
    return []


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        (GOOD, []),
        ("s3ven h", ["short"]),
        ("s3venhor", []),
        ("password", ["weak"]),
        ("camille lefèvre", ["weak"]),
        ("é" * 512, ["weak"]),
        ("é" * 512 + "x", ["long"]),
        ("with\0zero", ["long"]),
    ],
)
def test_length_and_strength_are_always_asked(password, expected):
    assert codes(PasswordPolicy(), password) == expected


def test_the_least_score_is_a_setting():
    assert codes(PasswordPolicy(min_score=0), "password") == []
    assert codes(PasswordPolicy(min_score=1), "password") == ["weak"]
    assert codes(PasswordPolicy(min_score=4), "s3venhor") == ["weak"]


def test_a_role_has_its_own_rule_and_others_the_one_for_all():
    policy = PasswordPolicy(rules={"administrator": r".{20,}", "*": r".*\d.*"})
    assert codes(policy, "seven horses 7") == []
    assert codes(policy, GOOD) == ["rule"]
    administrator = Subject("root", role="administrator")
    assert codes(policy, "seven horses 7", administrator) == ["rule"]
    assert codes(policy, "seven quiet horses at once", administrator) == []
    assert codes(PasswordPolicy(rules={"student": "x"}), GOOD) == []


def test_the_rule_is_told_in_the_schools_words():
    policy = PasswordPolicy(rules={"*": "x"}, rule_texts={"fr": "Un x.", "en": "One x."})
    with pytest.raises(PasswordRefusedError, match=r"^One x\.$"):
        policy.check(GOOD, CAMILLE)
    assert policy.rule_text("fr") == "Un x."
    assert PasswordPolicy(rule_texts={"fr": "Un x."}).rule_text("en") == "Un x."
    assert PasswordPolicy(rule_texts={"*": "X!"}).rule_text("en") == "X!"


def test_a_leaked_password_is_refused_however_strong(tmp_path):
    path = tmp_path / "leaked.txt"
    path.write_text(hashlib.sha1(GOOD.encode()).hexdigest() + "\n")
    assert codes(PasswordPolicy(leaked=LeakedPasswords(path)), GOOD) == ["leaked"]


def test_one_that_was_used_is_refused_and_looked_for_only_where_the_rest_is_well(monkeypatch):
    used = Subject("camille", used=(passwords.hash_of("another"), passwords.hash_of(GOOD)))
    assert codes(PasswordPolicy(), GOOD, used) == ["used"]
    monkeypatch.setattr(passwords, "matches", None)  # calling it would fail
    assert codes(PasswordPolicy(), "password", used) == ["weak"]


def test_life_ends_at_the_day(quiet):
    assert not PasswordPolicy().is_over(0, 10**15)
    month = PasswordPolicy(lifetime_ms=1000)
    assert not month.is_over(5000, 5999)
    assert month.is_over(5000, 6000)


def test_a_password_for_one_sign_in_follows_length_and_rule_and_may_be_easy():
    policy = PasswordPolicy(rules={"teacher": r".*\d.*"})
    wanted = [(one, CAMILLE) for one in ("short", "password", "password1", GOOD + "7")]
    for is_lasting, third in ((False, []), (True, ["weak"])):
        found = policy.check_given(wanted, is_lasting=is_lasting)
        codes = [[one.code for one in problems] for problems in found]
        assert codes == [["short"], ["rule"], third, []]
