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
from eop.directory import ldap_layout

MIN_SESSION_KEY_CHARACTERS = 32  # 192 bits when it is base64, as `eopctl init` makes it
ROOT_PATHS = {"login", "logout", "account", "eoleauth", "ping", "documents", "websockify"}
SECRETS = {"SECRET_KEY", "SESSION_KEY", "DATABASE_URL"}  # the last may hold a password
AUTHENTICATORS = ("local", "ldap")  # what AUTHENTICATORS may name

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
    AUTHENTICATORS: list[str] = setting(
        ["local"], "Who checks passwords, in this order: local, ldap."
    )
    LDAP_SERVERS: list[str] = setting(
        [], "The directory's servers in order: ldaps://host:636, or ldap://host:389 for StartTLS."
    )
    LDAP_STARTTLS: bool = setting(
        True, "Whether ldap:// addresses switch to TLS; without it only this machine is spoken to."
    )
    LDAP_CA_FILE: str = setting(
        "", "PEM file of the authority that signed the servers' certificates; empty: the system's."
    )
    LDAP_BIND_DN: str = setting("", "Account that searches the directory; empty: anonymous.")
    LDAP_PASSWORD_FILE: str = setting("", "File whose first line is that account's password.")
    LDAP_TIMEOUT: int = setting(5, "Seconds a server has for a whole sign-in or an import's step.")
    LDAP_LAYOUT: str = setting(
        "plain", "plain, scribe or ad (Active Directory): gives what is empty below."
    )
    LDAP_BASE: str = setting("", "Root of the tree, such as dc=school,dc=lan; bases are below it.")
    LDAP_LOGIN_ATTRIBUTE: str = setting("", "Attribute that is the login in EOP.")
    LDAP_TYPED_ATTRIBUTES: list[str] = setting(
        [], "Attributes of which one may be typed to sign in; empty: the login."
    )
    LDAP_NAME_ATTRIBUTE: str = setting("", "Attribute with the person's name.")
    LDAP_ID_ATTRIBUTE: str = setting("", "Attribute that never changes: entryUUID, objectGUID.")
    LDAP_PEOPLE_BASES: list[str] = setting([], "Where people are.")
    LDAP_PEOPLE_FILTER: str = setting("", "Which entries there are people.")
    LDAP_GROUP_BASES: list[str] = setting([], "Where groups are.")
    LDAP_GROUP_FILTER: str = setting("", "Which groups are classes or groups of students.")
    LDAP_GROUP_NAME_ATTRIBUTE: str = setting("", "Attribute with a group's name.")
    LDAP_MEMBER_ATTRIBUTES: list[str] = setting([], "Attributes with a group's members.")
    LDAP_CLASS_BRANCHES: list[str] = setting(
        [], "Branches in which each organizational unit is a class, its students below it."
    )
    LDAP_TEAMS: str = setting(
        "", "Name of the group of teachers who watch a class, such as profs-{class}."
    )
    LDAP_ROLES: list[str] = setting(
        [], "GROUP=ROLE, with a group's name, a DN of a group or branch, or a (filter)."
    )
    LDAP_DEFAULT_ROLE: str = setting("", "Role of people in no such group; empty: left out.")
    LDAP_TEACHER_ROOMS: list[str] = setting(
        [], "Rooms every teacher of the directory may watch; * is all of them."
    )
    LDAP_COMPUTER_BASES: list[str] = setting([], "Where computers are.")
    LDAP_COMPUTER_FILTER: str = setting("", "Which computers say their room.")
    LDAP_HOST_ATTRIBUTE: str = setting("", "Attribute with a computer's name.")
    LDAP_ROOM_ATTRIBUTE: str = setting("", "Attribute with a computer's room.")

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
    _check_authenticators(site, path)


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


def _check_authenticators(site: SiteSettings, path: Path) -> None:
    names = site.AUTHENTICATORS
    if not names or set(names) - set(AUTHENTICATORS) or len(set(names)) < len(names):
        raise SettingsError(
            f"{path}: AUTHENTICATORS must name some of {', '.join(AUTHENTICATORS)}, each once"
        )
    if site.LDAP_SERVERS or "ldap" in names:
        ldap_layout.access_of(site, str(path))
        ldap_layout.layout_of(site, str(path))


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
