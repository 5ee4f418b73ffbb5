"""The EOP package: what it needs, the assets it ships, and its commands."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="eop",
    version="0.1.0",
    description="Every student's screen, live, on one wall, in the teacher's browser",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11",
    packages=find_packages(include=["eop*", "controle_vnc*", "diagnose*"]),
    include_package_data=True,
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
        "uvloop>=0.22; sys_platform == 'linux'",
    ],
    entry_points={
        "console_scripts": [
            "eopctl = eop.cli:main",
            "eop-agent = controle_vnc.agent.__main__:main",
        ]
    },
)
