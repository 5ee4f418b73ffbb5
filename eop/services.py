"""What every view needs of the site, made once: settings, database, daemon, sign-in, clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import current_app

from controle_vnc.settings import Settings
from eop.aaa.authenticators import chain, configured
from eop.aaa.leaked import LeakedPasswords
from eop.aaa.login import Door
from eop.aaa.password_policy import DAY_MS, PasswordPolicy
from eop.aaa.second_factor import SecondFactor
from eop.aaa.session import Keys, Lifetime, Sessions
from eop.aaa.sql_sessions import SqlSessions
from eop.aaa.throttle import Limits
from eop.daemon import AbsentDaemon, Daemon
from eop.database import Database
from eop.lessons.closed_screens import ClosedScreens
from eop.restraints import Restraints
from eop.settings import SiteSettings
from eop.settings_checks import by_name

EXTENSION = "eop"


def restraints() -> Restraints:
    """Every kind of restraint there is: a room that has one gives it here."""
    return Restraints([ClosedScreens()])


@dataclass(frozen=True)
class Services:
    """The site's parts, put together."""

    site: SiteSettings
    shared: Settings
    database: Database
    daemon: Daemon
    door: Door
    clock: Callable[[], float] = time.time
    files: str = ""  # under which path the pages' own files are, of whatever application they are
    restraints: Restraints = field(default_factory=restraints)

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def close(self) -> None:
        self.daemon.close()
        self.door.sessions.close()
        self.database.close()


def make(
    site: SiteSettings,
    shared: Settings,
    clock: Callable[[], float] = time.time,
    *,
    has_daemon: bool = True,
) -> Services:
    """Put the parts together; nothing is opened yet. `has_daemon`: controle-vnc runs here."""
    database = Database(site.database_url)
    secret = site.SECRET_KEY.rstrip("\r\n").encode()
    return Services(
        site=site,
        shared=shared,
        database=database,
        daemon=Daemon(shared, secret) if has_daemon else AbsentDaemon(shared, secret),
        door=Door(
            database=database,
            sessions=sessions_of(site),
            authenticators=chain.authenticators(site, database),
            single_sign_on=configured.single_sign_on(site),
            limits=Limits(site.PASSWORD_ATTEMPTS, site.PASSWORD_HOLDOFF * 60_000),
            passwords=password_policy_of(site),
            second_factor=SecondFactor(site.TOTP_ISSUER, frozenset(site.TOTP_REQUIRED_ROLES)),
        ),
        clock=clock,
        files=f"{site.MOUNT_POINT}/static",
    )


def sessions_of(site: SiteSettings) -> Sessions:
    """Where these settings keep sessions, and for how long. Nothing is opened yet."""
    keys = Keys(site.SESSION_KEY)
    lifetime = Lifetime(site.SESSION_EXPIRES * 60_000, site.SESSION_IDLE * 60_000)
    if not site.SESSION_STORE:
        return SqlSessions(keys, lifetime)
    from eop.aaa import redis_sessions  # here: who keeps sessions in SQL does not wait for it

    client = redis_sessions.connect(site.SESSION_STORE, site.session_store_password)
    return redis_sessions.RedisSessions(keys, lifetime, client)


def password_policy_of(site: SiteSettings) -> PasswordPolicy:
    """What these settings ask of a local password."""
    leaked = site.PASSWORD_LEAKED_FILE
    return PasswordPolicy(
        rules=by_name(site.PASSWORD_RULE),
        rule_texts=by_name(site.PASSWORD_RULE_TEXT),
        min_score=site.PASSWORD_SCORE,
        history=site.PASSWORD_HISTORY,
        lifetime_ms=site.PASSWORD_LIFETIME * DAY_MS,
        initial=site.PASSWORD_INITIAL,
        leaked=LeakedPasswords(Path(leaked)) if leaked else None,
        school=site.LABEL,
    )


def services() -> Services:
    """The parts of the application that answers the current request."""
    return cast(Services, current_app.extensions[EXTENSION])
