"""The site's settings: `eop.conf`, declared once as fields, checked before anything starts."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from controle_vnc import settings as shared
from controle_vnc.errors import SettingsError
from controle_vnc.settings import TextOrTable, setting
from eop import sign_on_settings
from eop.aaa import password_rule
from eop.aaa.leaked import LeakedFileError, LeakedPasswords
from eop.aaa.password_rule import RuleError

MIN_SESSION_KEY_CHARACTERS = 32  # 192 bits when it is base64, as `eopctl init` makes it
ROOT_PATHS = {"login", "logout", "account", "eoleauth", "ping", "documents", "websockify"}
SECRETS = {"SECRET_KEY", "SESSION_KEY", "DATABASE_URL"}  # the last may hold a password

# the roles and languages of eop.directory.users; repeated so that settings need no database library
ROLES = ("student", "teacher", "head_teacher", "administrator", "security_officer")
LANGUAGES = ("fr", "en")
MAX_RULE_TEXT_CHARACTERS = 500  # a sentence or two
MAX_ISSUER_CHARACTERS = 64

# least and most of each; every password of the history costs 20 ms at a change
_PASSWORD_NUMBERS = {
    "PASSWORD_ATTEMPTS": (1, 100),
    "PASSWORD_HOLDOFF": (1, 1440),
    "PASSWORD_LIFETIME": (0, 3650),
    "PASSWORD_HISTORY": (0, 24),
    "PASSWORD_SCORE": (0, 4),
}

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
    CAS_URL: str = setting("", "CAS server for single sign-on (https://sso.example/cas).")
    CAS_VERSION: int = setting(3, "Version of the CAS protocol, 2 or 3.")
    CAS_LOGIN_ATTRIBUTE: str = setting(
        "", "Attribute of a CAS answer that holds the login; empty: the user it names."
    )
    CAS_CA_FILE: str = setting("", "PEM certificates that sign the CAS server's; empty: public.")
    CAS_LABEL: str = setting("CAS", "What the sign-in page calls the CAS server.")
    OIDC_ISSUER: str = setting("", "OpenID Connect provider, exactly as it calls itself.")
    OIDC_CLIENT_ID: str = setting("", "What the provider calls this site.")
    OIDC_CLIENT_SECRET_FILE: str = setting(
        "", "File with the secret the provider gave this site; empty: a public client."
    )
    OIDC_SCOPES: list[str] = setting(["openid", "profile"], "What the provider is asked for.")
    OIDC_LOGIN_CLAIM: str = setting("preferred_username", "Claim that holds the login.")
    OIDC_EMAIL_VERIFIED: bool = setting(
        True, "Whether a login taken from the claim email must be a verified address."
    )
    OIDC_CA_FILE: str = setting("", "PEM certificates that sign the provider's; empty: public.")
    OIDC_LABEL: str = setting("OpenID Connect", "What the sign-in page calls the provider.")
    SINGLE_SIGN_ON_ONLY: bool = setting(
        False, "Go straight to the one sign-on server; /login?local=1 still has the form."
    )
    SINGLE_SIGN_OUT: bool = setting(
        False, "Whether signing out here signs out of the sign-on server, too."
    )
    PASSWORD_RULE: TextOrTable = setting(
        "",
        "Regular expression that a new local password matches as a whole; or an object of role → "
        "expression, `*` for the others.",
    )
    PASSWORD_RULE_TEXT: TextOrTable = setting(
        "", "The rule as people read it; or an object of language (`fr`, `en`) → sentence."
    )
    PASSWORD_SCORE: int = setting(
        2, "Least strength of a new local password, 0 to 4, as zxcvbn estimates it."
    )
    PASSWORD_ATTEMPTS: int = setting(
        5, "Failures that lock an account for one address; ten times as many: for all new devices."
    )
    PASSWORD_HOLDOFF: int = setting(30, "Minutes for which it is locked.")
    PASSWORD_LIFETIME: int = setting(
        0, "Days after which a local password must be changed; 0: never."
    )
    PASSWORD_HISTORY: int = setting(5, "How many last passwords cannot be chosen again.")
    PASSWORD_INITIAL: bool = setting(
        False, "Whether a password that somebody else set must be changed at the first sign-in."
    )
    PASSWORD_LEAKED_FILE: str = setting(
        "", "File of passwords nobody may choose: SHA-1 hashes in order, or a plain list of words."
    )
    TOTP_REQUIRED_ROLES: list[str] = setting([], "Roles that need a second factor to sign in.")
    TOTP_ISSUER: str = setting("EOP", "Name under which the second factor stands in the phone.")

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
    sign_on_settings.check(site, path)
    _check_passwords(site, path)
    _check_second_factor(site, path)


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


def _check_passwords(site: SiteSettings, path: Path) -> None:
    for name, (least, most) in _PASSWORD_NUMBERS.items():
        if not least <= getattr(site, name) <= most:
            raise SettingsError(f"{path}: {name} must be between {least} and {most}")
    for role, pattern in by_name(site.PASSWORD_RULE).items():
        if role not in (*ROLES, "*"):
            raise SettingsError(
                f"{path}: PASSWORD_RULE: {role!r} is no role; roles: {', '.join(ROLES)}, or *"
            )
        try:
            password_rule.check(pattern)
        except RuleError as error:
            raise SettingsError(f"{path}: PASSWORD_RULE for {role} {error}") from error
    for language, text in by_name(site.PASSWORD_RULE_TEXT).items():
        if language not in (*LANGUAGES, "*") or len(text) > MAX_RULE_TEXT_CHARACTERS:
            raise SettingsError(
                f"{path}: PASSWORD_RULE_TEXT holds a sentence of at most "
                f"{MAX_RULE_TEXT_CHARACTERS} characters for each of {', '.join(LANGUAGES)}"
            )
    if site.PASSWORD_LEAKED_FILE:
        try:
            LeakedPasswords(Path(site.PASSWORD_LEAKED_FILE)).check()
        except LeakedFileError as error:
            file = site.PASSWORD_LEAKED_FILE
            raise SettingsError(f"{path}: PASSWORD_LEAKED_FILE: {file} {error}") from error


def _check_second_factor(site: SiteSettings, path: Path) -> None:
    for role in site.TOTP_REQUIRED_ROLES:
        if role not in ROLES:
            raise SettingsError(
                f"{path}: TOTP_REQUIRED_ROLES: {role!r} is no role; roles: {', '.join(ROLES)}"
            )
    issuer = site.TOTP_ISSUER
    if not issuer.strip() or not issuer.isprintable() or ":" in issuer:
        raise SettingsError(f"{path}: TOTP_ISSUER must be a name without a colon, not {issuer!r}")
    if len(issuer) > MAX_ISSUER_CHARACTERS:
        raise SettingsError(
            f"{path}: TOTP_ISSUER is longer than {MAX_ISSUER_CHARACTERS} characters"
        )


def by_name(value: TextOrTable) -> dict[str, str]:
    """A setting that is one text for all (then under `*`) or several, as several."""
    if isinstance(value, str):
        return {"*": value} if value else {}
    return value
