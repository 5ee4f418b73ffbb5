"""What the site's settings must be: each refusal names the file, the key and what to do."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from controle_vnc import settings as shared
from controle_vnc.errors import SettingsError
from controle_vnc.settings import TextOrTable
from eop import mail_settings, sign_on_settings
from eop.aaa import password_rule
from eop.aaa.leaked import LeakedFileError, LeakedPasswords
from eop.aaa.password_rule import RuleError
from eop.directory import ldap_layout
from eop.languages import LANGUAGES

if TYPE_CHECKING:
    from eop.settings import SiteSettings

MIN_SESSION_KEY_CHARACTERS = 32  # 192 bits when it is base64, as `eopctl init` makes it
ROOT_PATHS = {"login", "logout", "account", "eoleauth", "ping", "documents", "websockify"}
IMPORT_KINDS = ("file", "ldap")  # what IMPORT_SOURCES may name

_TIMES = re.compile(r"([01]\d|2[0-3]):[0-5]\d(,([01]\d|2[0-3]):[0-5]\d)*")
# the roles of eop.directory.users; repeated so that settings need no database library
ROLES = ("student", "teacher", "head_teacher", "administrator", "security_officer")
MAX_RULE_TEXT_CHARACTERS = 500  # a sentence or two
MAX_ISSUER_CHARACTERS = 64
MAX_CONTACT_CHARACTERS = 200  # an address, or a short sentence

# least and most of each; every password of the history costs 20 ms at a change
_PASSWORD_NUMBERS = {
    "PASSWORD_ATTEMPTS": (1, 100),
    "PASSWORD_HOLDOFF": (1, 1440),
    "PASSWORD_LIFETIME": (0, 3650),
    "PASSWORD_HISTORY": (0, 24),
    "PASSWORD_SCORE": (0, 4),
}

MAX_LESSON_HOURS = 24  # a day: what is forgotten then is not a lesson

SESSION_MODES = ("global", "local")
STORE_SCHEMES = ("redis", "rediss", "unix")
STORE_OPTIONS = {"db", "ssl_ca_certs"}  # none with which a certificate would go unchecked
MAX_PASSWORD_FILE_BYTES = 4096  # one line; a larger file is the wrong one
MAX_ADDRESS_CHARACTERS = 255  # of an application elsewhere: what the table of codes keeps

_APPNAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
LEAST = {"SESSION_EXPIRES": 1, "SESSION_IDLE": 0, "HSTS": 0, "AUDIT_DAYS": 0}
AUTHENTICATORS = ("local", "ldap", "pam")  # what AUTHENTICATORS may name

MAX_SOCKET_BYTES = 107  # what the kernel takes for a unix socket

_MOUNT_POINT = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def check(site: "SiteSettings", path: Path, environ: Mapping[str, str] | None = None) -> None:
    """Refuse unsafe or contradictory values, naming file, key and remedy."""
    _check_mount_point(site.MOUNT_POINT, f"{path}: MOUNT_POINT")
    if not site.SECRET_KEY:
        raise SettingsError(f"{path}: SECRET_KEY is missing; `eopctl init` makes one")
    shared.check_secret(site.SECRET_KEY.rstrip("\r\n"), f"{path}: SECRET_KEY")
    _check_session_key(site, f"{path}: SESSION_KEY")
    _check_same_secret(site, path, shared.home(environ) / "etc/controlevnc/.secret")
    if site.DEBUG.upper() not in {"TRUE", "FALSE"}:
        raise SettingsError(f'{path}: DEBUG must be "TRUE" or "FALSE", not {site.DEBUG!r}')
    for name, least in LEAST.items():
        if getattr(site, name) < least:
            raise SettingsError(f"{path}: {name} must be at least {least}")
    if not 1 <= site.WEB_THREADS <= 256:  # each thread may hold a database connection
        raise SettingsError(f"{path}: WEB_THREADS must be between 1 and 256")
    if not 1 <= site.LESSON_HOURS <= MAX_LESSON_HOURS:
        raise SettingsError(f"{path}: LESSON_HOURS must be between 1 and {MAX_LESSON_HOURS}")
    _check_contact(site.ACCESSIBILITY_CONTACT, f"{path}: ACCESSIBILITY_CONTACT")
    _check_public_url(site.PUBLIC_URL, f"{path}: PUBLIC_URL")
    sign_on_settings.check(site, path)
    mail_settings.check(site, path)
    _check_import(site, path)
    _check_passwords(site, path)
    _check_second_factor(site, path)
    _check_public_url(site.AAA_URL, f"{path}: AAA_URL")
    _check_application(site, path)
    _check_store(site, path)
    for address in site.APPLICATIONS:
        _check_address(address, f"{path}: APPLICATIONS")
    _check_authenticators(site, path)
    _check_pam_socket(site.PAM_SOCKET, f"{path}: PAM_SOCKET")


def _check_mount_point(mount_point: str, where: str) -> None:
    if not _MOUNT_POINT.fullmatch(mount_point):
        raise SettingsError(f"{where} must look like /eoleapps/eop, not {mount_point!r}")
    if mount_point.split("/")[1] in ROOT_PATHS:
        raise SettingsError(f"{where}: /{mount_point.split('/')[1]} belongs to the sign-in service")


def _check_session_key(site: "SiteSettings", where: str) -> None:
    if len(site.SESSION_KEY) < MIN_SESSION_KEY_CHARACTERS:
        raise SettingsError(
            f"{where}: shorter than {MIN_SESSION_KEY_CHARACTERS} characters; "
            "remove it and run `eopctl init`"
        )
    if site.SESSION_KEY == site.SECRET_KEY:
        raise SettingsError(f"{where}: must not be SECRET_KEY; remove it and run `eopctl init`")


def _check_authenticators(site: "SiteSettings", path: Path) -> None:
    names = site.AUTHENTICATORS
    if not names or set(names) - set(AUTHENTICATORS) or len(set(names)) < len(names):
        raise SettingsError(
            f"{path}: AUTHENTICATORS must name some of {', '.join(AUTHENTICATORS)}, each once"
        )
    if site.LDAP_SERVERS or "ldap" in names or "ldap" in site.IMPORT_SOURCES:
        ldap_layout.writing_access_of(site, str(path))
        ldap_layout.layout_of(site, str(path))


def _check_same_secret(site: "SiteSettings", path: Path, secret_file: Path) -> None:
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


def _check_contact(contact: str, where: str) -> None:
    if len(contact) > MAX_CONTACT_CHARACTERS or (contact and not contact.isprintable()):
        raise SettingsError(
            f"{where} must be at most {MAX_CONTACT_CHARACTERS} printable characters"
        )


def _check_public_url(url: str, where: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(f"{where} must look like https://host, not {url!r}")


def _check_import(site: "SiteSettings", path: Path) -> None:
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


def _check_passwords(site: "SiteSettings", path: Path) -> None:
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


def _check_second_factor(site: "SiteSettings", path: Path) -> None:
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


def _check_application(site: "SiteSettings", path: Path) -> None:
    if not _APPNAME.fullmatch(site.APPNAME):
        raise SettingsError(
            f"{path}: APPNAME must be 1 to 32 of a-z 0-9 _ -, a letter first, not {site.APPNAME!r}"
        )
    if site.SESSION_MODE not in SESSION_MODES:
        raise SettingsError(
            f'{path}: SESSION_MODE must be "global" or "local", not {site.SESSION_MODE!r}'
        )
    if site.FACTORY and not _FACTORY.fullmatch(site.FACTORY):
        raise SettingsError(
            f"{path}: FACTORY must look like package.module:create_app, not {site.FACTORY!r}"
        )


def _check_store(site: "SiteSettings", path: Path) -> None:
    """Nothing of the address is shown: it may hold a password."""
    if not site.SESSION_STORE:
        return
    where = f"{path}: SESSION_STORE"
    try:
        parts = urlsplit(site.SESSION_STORE)
        parts.port  # noqa: B018 - raises where it is none
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise SettingsError(f"{where} cannot be read as an address") from error
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in STORE_SCHEMES or not place:
        raise SettingsError(f"{where} must look like redis://host:6379, rediss://… or unix:///path")
    if unknown := options.keys() - STORE_OPTIONS:
        known = ", ".join(sorted(STORE_OPTIONS))
        raise SettingsError(f"{where}: unknown option {min(unknown)}; known options: {known}")
    if site.SESSION_STORE_PASSWORD_FILE and parts.password:
        raise SettingsError(f"{where} holds a password, and SESSION_STORE_PASSWORD_FILE another")
    if site.SESSION_STORE_PASSWORD_FILE:
        first_line(Path(site.SESSION_STORE_PASSWORD_FILE))


def first_line(path: Path) -> str:
    """A password kept in a file of its own."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_PASSWORD_FILE_BYTES + 1)
        shared.check_private(path)
        line = text.decode().split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read ({error})") from error
    if not line or len(text) > MAX_PASSWORD_FILE_BYTES:
        raise SettingsError(f"{path}: must hold a password of one line")
    return line


def _check_address(address: str, where: str) -> None:
    """An application's address is compared as text: it has one spelling."""
    shape = f"{where} must look like https://host/mount/point, not {address!r}"
    try:
        parts = urlsplit(address)
        plain = f"{parts.scheme}://{parts.netloc}{parts.path}"
        bad = parts.port == 0 or not parts.hostname or "@" in parts.netloc
    except ValueError as error:
        raise SettingsError(shape) from error
    if bad or plain != address or parts.scheme not in {"http", "https"}:
        raise SettingsError(shape)
    if len(address) > MAX_ADDRESS_CHARACTERS or not address.isascii():
        raise SettingsError(f"{shape}; at most {MAX_ADDRESS_CHARACTERS} ASCII characters")
    if parts.netloc != parts.netloc.lower():
        raise SettingsError(f"{shape}; the host in lower case")
    if not _MOUNT_POINT.fullmatch(parts.path):
        raise SettingsError(shape)


def _check_pam_socket(socket: str, where: str) -> None:
    if socket and not (socket.startswith("/") and len(os.fsencode(socket)) <= MAX_SOCKET_BYTES):
        raise SettingsError(
            f"{where} must be an absolute path of at most {MAX_SOCKET_BYTES} bytes, not {socket!r}"
        )


def by_name(value: TextOrTable) -> dict[str, str]:
    """A setting that is one text for all (then under `*`) or several, as several."""
    if isinstance(value, str):
        return {"*": value} if value else {}
    return value
