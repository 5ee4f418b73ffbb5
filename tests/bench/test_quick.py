import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.journey

SIDES = {"product", "websockify 0.13", "a bare loop"}


def test_the_relay_is_measured_beside_websockify(tmp_path):
    command = [sys.executable, "-m", "tests.bench.relay", "--quick", "--json", "--out", tmp_path]
    parts = ["--only", "opening,paced,saturated"]
    done = subprocess.run([*command, *parts], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures["sides"]) == SIDES
    for (turn,) in figures["sides"].values():
        assert turn["paced MB/s"] > 0
        assert turn["saturated CPU s/GB"] > 0
        assert turn["opening ms"] > 0
    assert json.loads((tmp_path / "relay.json").read_text()) == figures


def test_signing_in_and_the_check_of_sessions_are_measured_in_both_stores(tmp_path):
    command = [sys.executable, "-m", "tests.bench.sign_in", "--quick", "--json", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures["stores"]) == {"database", "Redis"}
    for (turn,) in figures["stores"].values():
        assert turn["sign-in, CPU ms"] > turn["sign-in, argon2id CPU ms"] * 0.5
        assert 0 < turn["check, ms"] < 50
        assert turn["request with, ms"] > 0


def test_without_veyon_a_sentence_says_what_to_install(tmp_path):
    command = [sys.executable, "-m", "tests.bench.veyon", "--out", tmp_path]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert "apt install veyon-service" in done.stderr
    assert not done.stdout
    assert not list(tmp_path.iterdir())


def test_the_audit_is_searched_and_verified(tmp_path):
    command = [sys.executable, "-m", "tests.bench.audit", "--quick", "--json", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["events"] == 2000
    assert figures["verify s"] > 0
    assert all(taken["worst ms"] >= taken["p50 ms"] > 0 for taken in figures["searches"].values())


def test_an_import_of_a_school_is_measured(tmp_path):
    command = [sys.executable, "-m", "tests.bench.people", "--quick", "--json", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    turns = {name: turn for name, (turn,) in json.loads(done.stdout)["imports"].items()}
    assert turns["first"]["counts"] == {"new": 200, "class_new": 8}
    assert turns["unchanged"]["counts"] == {}
    assert turns["one in twenty changed"]["counts"]["renamed"] == 4
    assert all(turn["seconds"] > 0 and turn["memory MiB"] > 0 for turn in turns.values())


def test_a_document_for_a_class_is_measured(tmp_path):
    command = [sys.executable, "-m", "tests.bench.documents", "--quick", "--json"]
    done = subprocess.run([*command, "--out", tmp_path], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    (turn,) = json.loads(done.stdout)["turns"]
    assert set(turn) == {
        "upload", "distribute", "look", "collect", "collect again", "give back", "clean up",
    }  # fmt: skip
    assert all(seconds > 0 for seconds in turn.values())


def test_the_wall_in_a_browser_is_measured(tmp_path):
    command = [sys.executable, "-m", "tests.bench.console", "--quick", "--json", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    (turn,) = figures["windows"]["1920×1080"]
    assert turn["live tiles"] == figures["desktops"] == 6
    assert turn["browser CPU %"] > 0
    assert turn["pictures/s"] > 0


def test_giving_a_document_is_measured(tmp_path):
    command = [sys.executable, "-m", "tests.bench.distribution", "--quick", "--json"]
    done = subprocess.run(
        [*command, "--out", tmp_path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (turn,) = json.loads(done.stdout)["turns"]
    assert all(value > 0 for value in turn.values())
