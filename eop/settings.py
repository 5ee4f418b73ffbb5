"""The site's settings: `eop.conf`, declared once as fields, checked before anything starts."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from controle_vnc import settings as shared
from controle_vnc.errors import SettingsError
from controle_vnc.settings import setting

MIN_SESSION_KEY_CHARACTERS = 32  # 192 bits when it is base64, as `eopctl init` makes it
ROOT_PATHS = {"login", "logout", "account", "eoleauth", "ping", "documents", "websockify"}
SECRETS = {"SECRET_KEY", "SESSION_KEY", "DATABASE_URL"}  # the last may hold a password

IMPORT_KINDS = ("file",)  # of eop.directory.sources; repeated so that settings need no database

_TIMES = re.compile(r"([01]\d|2[0-3]):[0-5]\d(,([01]\d|2[0-3]):[0-5]\d)*")
_MOUNT_POINT = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


@dataclass(frozen=True)
class SiteSettings:
    """What only the site needs."""

    APPNAME: str = setting("eop", "Name of the application; the runner finds it by this.")
    MOUNT_POINT: str = setting("/eoleapps/eop", "Path under which the site lives.")
    LABEL: str = setting("EOP", "Name shown in the browser's title.")
    DEBUG: str = setting("FALSE", "TRUE logs at level DEBUG, as in the original.")
    SECRET_KEY: str = setting("", "Secret shared with controle-vnc: the content of `.secret`.")
    SESSION_KEY: str = setting("", "Key of sessions and forms, of this site alone.")
    DATABASE_URL: str = setting("", "SQLAlchemy address; empty: SQLite in var/lib/eop/eop.db.")
    SESSION_EXPIRES: int = setting(720, "Minutes after which everyone signs in again.")
    SESSION_IDLE: int = setting(240, "Minutes without any request that end a session; 0: none.")
    PUBLIC_URL: str = setting("", "Address browsers use (https://host), if proxies do not tell it.")
    TRUSTED_PROXIES: list[str] = setting(
        ["127.0.0.1", "::1"], "Addresses whose X-Forwarded headers are believed."
    )
    HSTS: int = setting(
        0, "Seconds browsers must insist on https; 0: not said, so a new certificate can be taken."
    )
    WEB_THREADS: int = setting(16, "Threads of gunicorn.")
    IMPORT_SOURCES: list[str] = setting([], "Where people are imported from: file.")
    IMPORT_FILE: str = setting(
        "", "Absolute path of a school's JSON file, or of its folder of CSV files."
    )
    IMPORT_AT: str = setting(
        "", "Times of day at which people are imported (02:30,12:30); empty: only when asked."
    )
    IMPORT_BRAKE: int = setting(
        20, "Most per cent of people, or of one class, that an import may take away unconfirmed."
    )
    IMPORT_DELETE_DAYS: int = setting(
        0, "Days after which people gone from their source are deleted; 0: never, only disabled."
    )

    @property
    def database_url(self) -> str:
        return self.DATABASE_URL or f"sqlite:///{shared.home() / 'var/lib/eop/eop.db'}"


def available_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where the settings of applications are kept."""
    return shared.home(environ) / "etc/eole/flask/available"


def enabled_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where the links to the settings of enabled applications are."""
    return shared.home(environ) / "etc/eole/flask/enabled"


def settings_file(environ: Mapping[str, str] | None = None) -> Path:
    """The site's own settings file."""
    return available_folder(environ) / "eop.conf"


def log_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Where gunicorn's logs and `eop.log` are."""
    return shared.home(environ) / "var/log/eoleflask"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> SiteSettings:
    """Read `eop.conf` (or another file of its kind) and check it; raises `SettingsError`."""
    environ = os.environ if environ is None else environ
    path = path or settings_file(environ)
    if not path.exists():
        raise SettingsError(f"{path}: no such file; `eopctl init` makes one")
    values = shared.read_json(path)
    if SECRETS & values.keys():
        shared.check_private(path)
    site = shared.build(SiteSettings, values, path, environ)
    check(site, path, environ)
    return site


def check(site: SiteSettings, path: Path, environ: Mapping[str, str] | None = None) -> None:
    """Refuse unsafe or contradictory values, naming file, key and remedy."""
    _check_mount_point(site.MOUNT_POINT, f"{path}: MOUNT_POINT")
    if not site.SECRET_KEY:
        raise SettingsError(f"{path}: SECRET_KEY is missing; `eopctl init` makes one")
    shared.check_secret(site.SECRET_KEY.rstrip("\r\n"), f"{path}: SECRET_KEY")
    _check_session_key(site, f"{path}: SESSION_KEY")
    _check_same_secret(site, path, shared.home(environ) / "etc/controlevnc/.secret")
    if site.DEBUG.upper() not in {"TRUE", "FALSE"}:
        raise SettingsError(f'{path}: DEBUG must be "TRUE" or "FALSE", not {site.DEBUG!r}')
    for name, least in (("SESSION_EXPIRES", 1), ("SESSION_IDLE", 0), ("HSTS", 0)):
        if getattr(site, name) < least:
            raise SettingsError(f"{path}: {name} must be at least {least}")
    if not 1 <= site.WEB_THREADS <= 256:  # each thread may hold a database connection
        raise SettingsError(f"{path}: WEB_THREADS must be between 1 and 256")
    _check_public_url(site.PUBLIC_URL, f"{path}: PUBLIC_URL")
    _check_import(site, path)


def _check_mount_point(mount_point: str, where: str) -> None:
    if not _MOUNT_POINT.fullmatch(mount_point):
        raise SettingsError(f"{where} must look like /eoleapps/eop, not {mount_point!r}")
    if mount_point.split("/")[1] in ROOT_PATHS:
        raise SettingsError(f"{where}: /{mount_point.split('/')[1]} belongs to the sign-in service")


def _check_session_key(site: SiteSettings, where: str) -> None:
    if len(site.SESSION_KEY) < MIN_SESSION_KEY_CHARACTERS:
        raise SettingsError(
            f"{where}: shorter than {MIN_SESSION_KEY_CHARACTERS} characters; "
            "remove it and run `eopctl init`"
        )
    if site.SESSION_KEY == site.SECRET_KEY:
        raise SettingsError(f"{where}: must not be SECRET_KEY; remove it and run `eopctl init`")


def _check_same_secret(site: SiteSettings, path: Path, secret_file: Path) -> None:
    """The file is compared where it can be read: in a container of its own it may not be here."""
    try:
        secret = secret_file.read_bytes().rstrip(b"\r\n")
    except (FileNotFoundError, PermissionError):
        return
    if secret != site.SECRET_KEY.encode().rstrip(b"\r\n"):
        raise SettingsError(
            f"the secrets differ: SECRET_KEY of {path} is not the content of {secret_file}; "
            "copy one over the other and restart both services"
        )


def _check_public_url(url: str, where: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(f"{where} must look like https://host, not {url!r}")


def _check_import(site: SiteSettings, path: Path) -> None:
    """What people are imported from, and when."""
    for name in site.IMPORT_SOURCES:
        if name not in IMPORT_KINDS:
            known = ", ".join(IMPORT_KINDS)
            raise SettingsError(f"{path}: IMPORT_SOURCES: {name!r} is not known; known: {known}")
    if len(set(site.IMPORT_SOURCES)) != len(site.IMPORT_SOURCES):
        raise SettingsError(f"{path}: IMPORT_SOURCES names a source twice")
    if "file" in site.IMPORT_SOURCES and not Path(site.IMPORT_FILE).is_absolute():
        raise SettingsError(
            f"{path}: IMPORT_FILE must be an absolute path: IMPORT_SOURCES has file"
        )
    if site.IMPORT_AT and not _TIMES.fullmatch(site.IMPORT_AT.replace(" ", "")):
        raise SettingsError(f"{path}: IMPORT_AT must look like 02:30, not {site.IMPORT_AT!r}")
    if site.IMPORT_AT and not site.IMPORT_SOURCES:
        raise SettingsError(f"{path}: IMPORT_AT needs IMPORT_SOURCES: there is nothing to import")
    if not 0 <= site.IMPORT_BRAKE <= 100:
        raise SettingsError(f"{path}: IMPORT_BRAKE must be between 0 and 100")
    if site.IMPORT_DELETE_DAYS < 0:
        raise SettingsError(f"{path}: IMPORT_DELETE_DAYS must be at least 0")
