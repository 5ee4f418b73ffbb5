"""What commands need of the site: its settings, its database, the daemon."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from eop import settings as site_settings

if TYPE_CHECKING:
    from eop.aaa.session import Sessions
    from eop.daemon import Daemon
    from eop.database import Database


@contextmanager
def open_database() -> Iterator["tuple[Database, Sessions]"]:
    """The site's database at this program's revision, and its sessions.

    What the command ends (sessions of a changed user) is told to the daemon when it is over;
    where the daemon does not hear, the worker tells it later.
    """
    from eop import services
    from eop.aaa import revocations
    from eop.database import Database

    site = site_settings.load()
    database, sessions = Database(site.database_url), services.sessions_of(site)
    try:
        database.check()
        yield database, sessions
        with open_daemon() as daemon:
            revocations.deliver(database, daemon)
    finally:
        sessions.close()
        database.close()


@contextmanager
def open_daemon(timeout: float = 5.0) -> Iterator["Daemon"]:
    """controle-vnc, by the secret of `.secret` or, where that is elsewhere, of `eop.conf`."""
    from eop.daemon import Daemon

    shared = shared_settings.load()
    if shared.secret_file.exists():
        secret = shared_settings.read_secret(shared.secret_file)
    elif site_settings.settings_file().exists():
        secret = site_settings.load().SECRET_KEY.rstrip("\r\n").encode()
    else:
        raise SettingsError("there is no secret yet; run: eopctl init")
    daemon = Daemon(shared, secret, timeout)
    try:
        yield daemon
    finally:
        daemon.close()
