"""No file of the repository names a package registry: each machine has its own."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOSTS = [
    b"registry." + b"npmjs.org",
    b"registry." + b"yarnpkg",
    b"pypi." + b"org",
    b"files.python" + b"hosted.org",
    b"deb.debian" + b".org",
]


def test_no_tracked_file_names_a_registry_host():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            content = path.read_bytes()
            assert not [host for host in HOSTS if host in content], name


@pytest.mark.parametrize("folder", ["eop/frontend", "tests/oidc_provider"])
def test_a_lock_file_has_no_addresses(folder):
    lock = (ROOT / folder / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
