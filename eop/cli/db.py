"""`eopctl db`: the schemas of both databases."""

import subprocess
import sys

import click

from eop import settings as site_settings
from eop.cli.output import FAILED, json_option, tell
from eop.errors import SchemaError

UPGRADE_SECONDS = 300  # a school's tables take seconds


@click.group()
def db() -> None:
    """The databases of the site and of controle-vnc."""


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring both databases to the revision of this program."""
    from eop import database

    bring_up_to_date(site_settings.load().database_url)
    tell(
        {"site": database.HEAD, "daemon": "head"}, "both databases are up to date", as_json=as_json
    )


def bring_up_to_date(url: str) -> None:
    """Upgrade the site's database at `url` and controle-vnc's own; raises `SchemaError`."""
    from eop import database

    database.upgrade(url)
    # controle-vnc owns its database: its own program changes it
    daemon = subprocess.run(
        [sys.executable, "-m", "controle_vnc", "init"],
        capture_output=True,
        text=True,
        timeout=UPGRADE_SECONDS,
        check=False,
    )
    if daemon.returncode:
        raise SchemaError(daemon.stderr.strip() or "controle-vnc could not upgrade its database")


@db.command()
@json_option
def current(as_json: bool) -> int:
    """Say at which revision the site's database is; exit 1 where it is not this program's."""
    from eop import database

    opened = database.Database(site_settings.load().database_url)
    try:
        found = opened.version()
    finally:
        opened.close()
    is_current = found == database.HEAD
    text = f"the database is at {found or 'none'}, this program needs {database.HEAD}"
    tell({"revision": found, "needed": database.HEAD}, text, as_json=as_json)
    return 0 if is_current else FAILED
