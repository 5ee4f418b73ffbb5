"""A real PostgreSQL in a temporary folder, on loopback; each database it gives is new."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import pytest

from tests.desktops import free_port

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
USER = "postgres"  # the server refuses to run as root
START_SECONDS = 30

needs_postgres = pytest.mark.skipif(not PROGRAMS, reason="Debian's postgresql is not installed")


class PostgresServer:
    """`with PostgresServer() as server:` then `server.database()`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
        self.port = free_port()
        self.identity: dict[str, int] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self.identity = {"user": owner.pw_uid, "group": owner.pw_gid}
        self._numbers = count(1)

    def _run(self, program: str, *arguments: str) -> None:
        # without what the server writes: a pipe would stay open in it
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            subprocess.run(
                [f"{PROGRAMS[-1]}/{program}", *arguments],
                check=True, timeout=START_SECONDS, cwd="/", stdout=log, stderr=log,
                **self.identity,
            )  # fmt: skip

    def __enter__(self) -> "PostgresServer":
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync")
        options = f"-p {self.port} -k {self.folder} -c fsync=off -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", data, "-o", options, "-w", "start")
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder)
        (self.folder.parent / f"{self.folder.name}.log").unlink()

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"eop{next(self._numbers)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, name)
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"
