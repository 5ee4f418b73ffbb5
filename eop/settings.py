"""The site's settings: `eop.conf`, declared once as fields, checked before anything starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from controle_vnc import settings as shared
from controle_vnc.errors import SettingsError
from controle_vnc.settings import TextOrTable, setting
from eop.settings_checks import check, first_line

OWN_KEYS = {"APPNAME", "MOUNT_POINT", "LABEL", "DEBUG", "SESSION_MODE", "FACTORY"}
"""What another application's file may hold: everything else it shares with the site."""


@dataclass(frozen=True)
class SiteSettings:
    """What only the site needs."""

    APPNAME: str = setting("eop", "Name of the application; the runner finds it by this.")
    MOUNT_POINT: str = setting("/eoleapps/eop", "Path under which the site lives.")
    LABEL: str = setting("EOP", "Name shown in the browser's title.")
    DEBUG: str = setting("FALSE", "TRUE logs at level DEBUG, as in the original.")
    SECRET_KEY: str = setting(
        "", "Secret shared with controle-vnc: the content of `.secret`.", is_secret=True
    )
    SESSION_KEY: str = setting(
        "", "Key of sessions, forms and second factors, of this site alone.", is_secret=True
    )
    DATABASE_URL: str = setting(
        "", "SQLAlchemy address; empty: SQLite in var/lib/eop/eop.db.", is_secret=True
    )
    SESSION_EXPIRES: int = setting(720, "Minutes after which everyone signs in again.")
    SESSION_IDLE: int = setting(240, "Minutes without any request that end a session; 0: none.")
    SESSION_MODE: str = setting(
        "global", "`global`: one sign-in for all applications; `local`: one for this one alone."
    )
    SESSION_STORE: str = setting(
        "",
        "Where sessions are kept: empty: the database; or redis://…, rediss://… or unix://…",
        is_secret=True,
    )
    SESSION_STORE_PASSWORD_FILE: str = setting(
        "", "File whose first line is the password of `SESSION_STORE`."
    )
    AAA_URL: str = setting(
        "", "Address of the sign-in service (https://aaa.host) where it runs elsewhere."
    )
    APPLICATIONS: list[str] = setting(
        [], "Addresses (https://host/mount/point) of applications elsewhere that may sign in here."
    )
    FACTORY: str = setting(
        "", "Where another application is made, `package.module:create_app`; empty: EOP itself."
    )
    PUBLIC_URL: str = setting("", "Address browsers use (https://host), if proxies do not tell it.")
    TRUSTED_PROXIES: list[str] = setting(
        ["127.0.0.1", "::1"], "Addresses whose X-Forwarded headers are believed."
    )
    HSTS: int = setting(
        0, "Seconds browsers must insist on https; 0: not said, so a new certificate can be taken."
    )
    AUDIT_DAYS: int = setting(365, "Days the audit is kept; 0: for ever.")
    LESSON_HOURS: int = setting(
        4, "Hours after which a lesson ends by itself, so that one forgotten restrains no other."
    )
    WEB_THREADS: int = setting(16, "Threads of gunicorn.")
    SMTP_SERVER: str = setting(
        "", "Server that takes mail, as host or host:port; empty: no mail is sent."
    )
    SMTP_SECURITY: str = setting(
        "starttls",
        "starttls, tls (from the first byte), or none, which only a server on this machine may be.",
    )
    SMTP_USER: str = setting("", "Account that sends mail; empty: the server asks for none.")
    SMTP_PASSWORD_FILE: str = setting("", "File whose first line is that account's password.")
    SMTP_CA_FILE: str = setting(
        "", "PEM certificates that sign the mail server's; empty: the system's."
    )
    MAIL_FROM: str = setting("", "Address that mail comes from.")
    MAIL_ADDRESS: str = setting(
        "", "Address of a student, `{login}` in it: {login}@school.lan; empty: none is written to."
    )
    ACCESSIBILITY_CONTACT: str = setting(
        "", "Whom the accessibility statement names: a mail address, a page, or words."
    )
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
    IMPORT_SOURCES: list[str] = setting([], "Where people are imported from: file, ldap.")
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
    PASSWORD_RULE: TextOrTable = setting(
        "",
        "Regular expression that a new local password matches as a whole; or an object of role → "
        "expression, `*` for the others.",
    )
    PASSWORD_RULE_TEXT: TextOrTable = setting(
        "",
        "The rule as people read it; or an object of language (`fr`, `en`, `pl`, `ru`) → sentence.",
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
    AUTHENTICATORS: list[str] = setting(
        ["local"], "Who checks passwords, in this order: local, ldap, pam."
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
    LDAP_WRITE_DN: str = setting(
        "", "Account that gives students new passwords; empty: LDAP_BIND_DN."
    )
    LDAP_WRITE_PASSWORD_FILE: str = setting("", "File whose first line is that one's password.")
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
    LDAP_HEADS: str = setting(
        "",
        "Name of the group of a class's head teachers, such as pp-{class}; empty: those of role "
        "head_teacher are that of every class they watch.",
    )
    LDAP_LAST_NAME_ATTRIBUTE: str = setting("", "Attribute with a student's last name.")
    LDAP_BIRTH_ATTRIBUTE: str = setting(
        "", "Attribute with a student's birth date; empty: none is kept."
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
    PAM_SOCKET: str = setting("", "Unix socket of eop-pam; empty: run/eop-pam/eop-pam.sock.")

    @property
    def pam_socket(self) -> Path:
        return Path(self.PAM_SOCKET or shared.home() / "run/eop-pam/eop-pam.sock")

    @property
    def database_url(self) -> str:
        return self.DATABASE_URL or f"sqlite:///{shared.home() / 'var/lib/eop/eop.db'}"

    @property
    def session_store_password(self) -> str | None:
        """The first line of `SESSION_STORE_PASSWORD_FILE`; raises `SettingsError`."""
        if not self.SESSION_STORE_PASSWORD_FILE:
            return None
        return first_line(Path(self.SESSION_STORE_PASSWORD_FILE))


SECRETS = {entry.name for entry in fields(SiteSettings) if entry.metadata["is_secret"]}
"""What is, or may hold, a password or a key: a file with any of them is nobody else's to read."""


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


def is_other_application(path: Path) -> bool:
    """Whether a settings file is another application's: it names where that is made."""
    return "FACTORY" in shared.read_json(path)


def load_application(path: Path, site: SiteSettings) -> SiteSettings:
    """Another application's file: its own name, place and mode; the rest is `site`'s."""
    values = shared.read_json(path)
    shared.check_private(path)
    if path.stat().st_uid not in {0, os.geteuid()}:  # it names code that we run
        raise SettingsError(f"{path}: belongs to somebody else; run: chown root {path}")
    for key in sorted(values.keys() - OWN_KEYS):
        raise SettingsError(
            f"{path}: {key} does not belong here, but into the site's own file; "
            f"here: {', '.join(sorted(OWN_KEYS))}"
        )
    for key in ("APPNAME", "MOUNT_POINT", "FACTORY"):
        if key not in values:
            raise SettingsError(f"{path}: {key} is missing")
    own = shared.build(SiteSettings, values, path, {})  # the environment speaks of the site
    chosen = {key: getattr(own, key) for key in OWN_KEYS}
    application = replace(site, **chosen)
    check(application, path)
    return application
