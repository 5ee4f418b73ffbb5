import json
import subprocess
import sys

import pytest

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
