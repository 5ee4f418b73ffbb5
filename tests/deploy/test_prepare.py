"""`deploy/prepare.sh` says clearly what is missing, and installs only where it may."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent.parent / "deploy/prepare.sh"
TOOLS = ("sh", "cat", "cksum", "dirname", "find", "grep", "mkdir", "rm", "sed", "sort", "wc")
LATE_PYTHON = 'case "$*" in *venv\\ --clear*) exit 1 ;; *) exit 0 ;; esac'
"""A Python that is new enough but makes no environment: prepare.sh ends there."""


@pytest.fixture
def machine(tmp_path):
    """A folder of programs: `machine.has(name, script)` adds one, `machine.prepare()` runs."""

    class Machine:
        def __init__(self) -> None:
            self.programs = tmp_path / "programs"
            self.programs.mkdir()
            for name in TOOLS:
                (self.programs / name).symlink_to(shutil.which(name))
            for name in ("git", "make", "npm"):
                self.has(name)
            self.has("python3", LATE_PYTHON)
            self.has("id", "echo 0")
            checkout = tmp_path / "checkout/deploy"
            checkout.mkdir(parents=True)
            self.script = shutil.copy(SCRIPT, checkout)
            self.calls = tmp_path / "calls.txt"

        def has(self, name: str, script: str = "exit 0") -> None:
            path = self.programs / name
            path.write_text(f"#!{shutil.which('sh')}\n{script}\n")
            path.chmod(0o755)

        def lacks_debian_packages(self) -> None:
            self.has("dpkg-query")
            self.has("apt-get", f'echo "$*" >> {self.calls}')

        def prepare(self, **environment: str) -> str:
            done = subprocess.run(
                [self.programs / "sh", self.script, "run"],
                env={"PATH": str(self.programs), "HOME": os.environ["HOME"], **environment},
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert done.returncode == 1
            assert done.stdout == ""
            return done.stderr

    return Machine()


@pytest.mark.parametrize("name", ["git", "make", "npm"])
def test_a_missing_program_is_named_with_its_remedy(machine, name):
    (machine.programs / name).unlink()
    assert f"{name} is missing; install it (Debian: apt-get install {name})" in machine.prepare()


def test_a_python_that_is_too_old_is_not_used(machine):
    machine.has("python3", "exit 1")
    assert "Python 3.11 or later is missing" in machine.prepare()


def test_a_python_of_ones_own_is_used(machine, tmp_path):
    machine.has("python3", "exit 1")
    machine.has("my-python", LATE_PYTHON)
    assert "making the environment" in machine.prepare(PYTHON="my-python")


def test_without_venv_it_stops(machine):
    machine.has("python3", 'case "$*" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac')
    said = machine.prepare()
    assert "apt-get install python3-venv" in said
    assert "making the environment" not in said


def test_root_sees_the_line_and_then_it_is_run(machine):
    machine.lacks_debian_packages()
    said = machine.prepare()
    assert "apt-get install -y --no-install-recommends tigervnc-standalone-server" in said
    assert "tigervnc-standalone-server" in machine.calls.read_text()


def test_nothing_is_installed_where_that_is_forbidden(machine):
    machine.lacks_debian_packages()
    said = machine.prepare(EOP_APT="no")
    assert "apt-get install -y --no-install-recommends tigervnc-standalone-server" in said
    assert "Going on without them." in said
    assert "making the environment" in said
    assert not machine.calls.exists()


def test_somebody_who_is_not_root_only_sees_the_line(machine):
    machine.lacks_debian_packages()
    machine.has("id", "echo 1000")
    said = machine.prepare()
    assert "As root, run: apt-get install -y" in said
    assert not machine.calls.exists()


def test_a_refused_installation_does_not_stop_it(machine):
    machine.lacks_debian_packages()
    machine.has("apt-get", "exit 100")
    said = machine.prepare()
    assert "they could not be installed; going on without them" in said
    assert "making the environment" in said
