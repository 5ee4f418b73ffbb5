"""The EOP package: what it needs, the assets it ships, and its commands."""

import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
MANIFEST = ROOT / "eop/static/dist/manifest.json"


def make_assets() -> None:
    """Make what is not in the repository: noVNC's bundle and the compiled translations."""
    if not MANIFEST.exists():
        if shutil.which("npm") is None:
            raise SystemExit(f"{MANIFEST} is missing and npm, which builds it, is not installed")
        frontend = ROOT / "eop/frontend"
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=frontend, check=True)
        subprocess.run(["node", "build.mjs"], cwd=frontend, check=True)
    if any(ROOT.glob("eop/translations/*/LC_MESSAGES/*.po")):
        compiling = [sys.executable, "-m", "babel.messages.frontend", "-q", "compile"]
        subprocess.run([*compiling, "-d", "eop/translations"], cwd=ROOT, check=True)


class BuildWithAssets(build_py):
    """`build_py` that makes the assets first; a checkout has them made by `make`."""

    def run(self) -> None:
        if not self.editable_mode:
            make_assets()
        super().run()


class SdistWithAssets(sdist):
    """`sdist` that holds the assets, so that its wheel needs no npm."""

    def run(self) -> None:
        make_assets()
        super().run()


setup(
    name="eop",
    version="0.1.0",
    description="Every student's screen, live, on one wall, in the teacher's browser",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11",
    packages=find_namespace_packages(
        include=["eop*", "controle_vnc*", "diagnose*"], exclude=["eop.frontend*"]
    ),
    include_package_data=True,
    exclude_package_data={"eop": ["frontend/*", "frontend/.npmrc"]},
    cmdclass={"build_py": BuildWithAssets, "sdist": SdistWithAssets},
    install_requires=[
        "flask>=3.1.3,<4",
        "gunicorn>=26",
        "websockify>=0.13,<0.14",
        "itsdangerous>=2.2",
        "argon2-cffi>=25.1",
        "sqlalchemy>=2.1,<2.2",
        "alembic>=1.20",
        "flask-babel>=4.0",
        "flask-smorest>=0.47",
        "msgspec>=0.22",
        "click>=8.3",
        "structlog>=25.5",
        "cryptography>=46",
        "numpy>=2.2",
        "pillow>=12",
        "simplejpeg>=1.9",
        "isal>=1.8",
        "ldap3==2.9.1",
        "pyasn1>=0.6.1,<0.7",
        "python-pam>=2.1.0",
        "authlib>=1.9",
        "python-cas>=1.7.2",
        "redis[hiredis]>=8",
        "pyotp>=2.12",
        "segno>=1.6.6",
        "zxcvbn>=4.5",
        "uvloop>=0.22; sys_platform == 'linux'",
    ],
    extras_require={"postgres": ["psycopg[binary]>=3.3"]},
    entry_points={
        "console_scripts": [
            "eopctl = eop.cli:main",
            "eop-agent = controle_vnc.agent.__main__:main",
        ]
    },
)
