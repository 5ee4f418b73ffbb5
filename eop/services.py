"""What every view needs of the site, made once: settings, database, daemon, sign-in, clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app

from controle_vnc.settings import Settings
from eop.aaa.authenticators import configured
from eop.aaa.authenticators.local import LocalAuthenticator
from eop.aaa.login import Door
from eop.aaa.session import Keys, Lifetime, Sessions
from eop.aaa.sql_sessions import SqlSessions
from eop.daemon import Daemon
from eop.database import Database
from eop.settings import SiteSettings

EXTENSION = "eop"


@dataclass(frozen=True)
class Services:
    """The site's parts, put together."""

    site: SiteSettings
    shared: Settings
    database: Database
    daemon: Daemon
    door: Door
    clock: Callable[[], float] = time.time

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def close(self) -> None:
        self.daemon.close()
        self.database.close()


def make(site: SiteSettings, shared: Settings, clock: Callable[[], float] = time.time) -> Services:
    """Put the parts together; nothing is opened yet."""
    database = Database(site.database_url)
    return Services(
        site=site,
        shared=shared,
        database=database,
        daemon=Daemon(shared, site.SECRET_KEY.rstrip("\r\n").encode()),
        door=Door(
            database=database,
            sessions=sessions_of(site),
            authenticators=(LocalAuthenticator(database),),
            single_sign_on=configured.single_sign_on(site),
        ),
        clock=clock,
    )


def sessions_of(site: SiteSettings) -> Sessions:
    """Where these settings keep sessions, and for how long."""
    lifetime = Lifetime(site.SESSION_EXPIRES * 60_000, site.SESSION_IDLE * 60_000)
    return SqlSessions(Keys(site.SESSION_KEY), lifetime)


def services() -> Services:
    """The parts of the application that answers the current request."""
    return cast(Services, current_app.extensions[EXTENSION])
