"""The wheel and the sdist hold every asset, and installing them needs no npm."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")


def run(*command: str, folder: Path, path: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name]


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The sdist of the tracked files and noVNC's bundle, and its wheel, made without npm."""
    folder = tmp_path_factory.mktemp("packages")
    checkout = folder / "checkout"
    for name in tracked():
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name)
    shutil.copytree(ROOT / "eop/static/dist", checkout / "eop/static/dist")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    run(*build, "--sdist", folder=checkout, path=os.environ["PATH"])
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    nothing = folder / "nothing"
    nothing.mkdir()
    run(*build, "--wheel", folder=source, path=str(nothing))
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_the_programs_read(packages):
    shipped = {
        name
        for name in tracked()
        if name.split("/")[0] in {"eop", "controle_vnc", "diagnose"}
        and not name.startswith("eop/frontend/")
        and (ROOT / name).is_file()
        and not name.endswith((".po", ".cfg"))
    }
    assert shipped - names_in(packages[1]) == set()


def test_the_wheel_holds_novnc_and_the_translations(packages):
    names = names_in(packages[1])
    with zipfile.ZipFile(packages[1]) as archive:
        manifest = json.loads(archive.read("eop/static/dist/manifest.json"))
    assert "novnc.js" in manifest
    assert {f"eop/static/dist/{name}" for name in manifest.values()} <= names
    assert "eop/translations/fr/LC_MESSAGES/messages.mo" in names


def test_the_wheel_holds_nothing_that_is_only_for_building(packages):
    strange = [
        name
        for name in names_in(packages[1])
        if name.startswith(("tests/", "deploy/")) or "node_modules" in name or "/frontend/" in name
    ]
    assert strange == []


def test_the_sdist_holds_what_an_administrator_needs(packages):
    with tarfile.open(packages[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"README.md", "CHANGELOG.md", "apache/eop.conf", "apache/nginx.conf", "diagnose/eop"}
    assert wanted <= names


def test_the_installed_wheel_runs_without_the_checkout(packages, tmp_path):
    run(
        *PIP, "install", "--no-deps", "--no-index", "--target", str(tmp_path / "site"),
        str(packages[1]), folder=tmp_path, path=os.environ["PATH"],
    )  # fmt: skip
    home = tmp_path / "home"
    program = (
        "import eop, controle_vnc, diagnose, sys; from eop.cli import main;"
        "assert eop.__file__.startswith(sys.argv[1]), eop.__file__;"
        "main(sys.argv[2:])"
    )
    for command in (["init"], ["db", "upgrade"]):
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "site"), *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "EOP_HOME": str(home)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert (home / "var/lib/eop/eop.db").exists()
    assert (home / "var/lib/controle-vnc/store.db").exists()
    assert {path.name for path in (tmp_path / "site/bin").iterdir()} >= {"eopctl", "eop-agent"}
