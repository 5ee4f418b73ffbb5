import ast
import inspect
import threading
import time

import pytest
from zxcvbn import feedback

from eop.aaa import strength
from eop.errors import RefusedError


def sentences_of_zxcvbn():
    """Every text its source hands to gettext."""
    tree = ast.parse(inspect.getsource(feedback))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
            yield ast.literal_eval(node.args[0])


def test_every_advice_has_words_of_ours():
    assert set(sentences_of_zxcvbn()) == set(strength.ADVICE)


def test_a_common_password_is_weak_and_says_why():
    found = strength.of("azerty")
    assert found.score == 0
    assert "This is a very common password." in found.advice or found.advice
    assert strength.of("correct horse battery").score == strength.STRONGEST
    assert strength.in_words("Avoid sequences.") == "Avoid sequences."
    assert strength.in_words("unknown to us") == "unknown to us"


def test_ones_own_names_are_easy_to_guess():
    alone = strength.of("camille.lefevre.jaures")
    known = strength.of("camille.lefevre.jaures", ("camille.lefevre", "Camille", "Jaures"))
    assert known.score < alone.score


@pytest.mark.parametrize(
    "password",
    [
        "4@8({[<36&9!1|0$5+7%2" * 50,
        "4@8({[<369!1|0$5+7%2"[: strength.MAX_SUBSTITUTES] * 9,
        "a" * 1000,
        "qwertyuiop" * 100,
    ],
)
def test_no_password_takes_long_to_judge(password):
    strength.of("warm up: its lists are read once")
    since = time.process_time()
    strength.of(password)
    assert time.process_time() - since < 1


def test_what_is_longer_is_judged_by_its_beginning():
    beginning = "a" * strength.MAX_CHARACTERS
    assert strength.of(beginning + " and much more") == strength.of(beginning)


def test_who_waits_too_long_for_his_turn_is_told(monkeypatch):
    monkeypatch.setattr(strength, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(strength, "_turn", threading.Lock())
    with strength._turn, pytest.raises(RefusedError) as refused:
        strength.of("x")
    assert refused.value.code == "busy"
