"""A short run of `make fuzz`, and that it would notice."""

import subprocess
import sys

import pytest

from tests import fuzz

SECONDS = "2"


def run(*arguments):
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_two_seconds_of_changed_input_raise_nothing_but_our_own_errors():
    done = run(SECONDS, fuzz.UNGUIDED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing went wrong" in done.stdout


def test_every_target_makes_sense_of_where_it_begins():
    chance = fuzz.Chance(1)
    for name, target in fuzz.TARGETS.items():
        for _ in range(5):
            target(fuzz.seed(name, chance))


def test_what_goes_wrong_is_kept_and_can_be_played_again(monkeypatch, tmp_path):
    def wrong(data):
        raise KeyError(len(data))

    monkeypatch.setattr(fuzz, "CRASHES", tmp_path / "crashes")
    monkeypatch.setitem(fuzz.TARGETS, "viewer", wrong)
    monkeypatch.setattr(fuzz.signal, "setitimer", lambda *_: None)  # pytest has its own
    with pytest.raises(KeyError, match="^3$"):
        fuzz.feed("viewer", b"abc")
    (kept,) = (tmp_path / "crashes").iterdir()
    assert kept.read_bytes() == b"abc"
    with pytest.raises(KeyError, match="^3$"):
        fuzz.main([fuzz.PLAYED_AGAIN, str(kept)])
