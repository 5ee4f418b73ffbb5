import json
import subprocess
import sys

import pytest

from tests.bench.veyon import missing_packages

pytestmark = pytest.mark.journey

SIDES = {"product", "websockify 0.13"}


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


def test_the_wall_is_measured_beside_veyon(tmp_path):
    if packages := missing_packages():
        pytest.skip(f"Veyon is not installed: {' '.join(packages)}")
    command = [sys.executable, "-m", "tests.bench.veyon", "--quick", "--json", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures["sides"]) == {"EOP", "Veyon"}
    for (turn,) in figures["sides"].values():
        assert turn["new tiles/s"] > 0
        assert turn["gateway CPU %"] > 0
        assert turn["student CPU %"] > 0


def test_without_veyon_a_sentence_says_what_to_install(tmp_path):
    command = [sys.executable, "-m", "tests.bench.veyon", "--out", tmp_path]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert "apt install veyon-service" in done.stderr
    assert not done.stdout
    assert not list(tmp_path.iterdir())
