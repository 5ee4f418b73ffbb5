"""The settings of single sign-on servers: what they must look like."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from controle_vnc import settings as shared
from controle_vnc.errors import SettingsError

if TYPE_CHECKING:
    from eop.settings import SiteSettings

CAS_VERSIONS = (2, 3)
MAX_SECRET_BYTES = 4096  # a client secret is a line
MAX_LABEL_CHARACTERS = 40  # what fits into a button


def is_provider_address(address: str) -> bool:
    """Whether passwords and tickets may go there: https, or http on this very machine."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    if not parts.hostname or parts.username or parts.fragment or not _is_plain(address):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _is_plain(address: str) -> bool:
    return address.isascii() and address.isprintable() and not set(address) & set(" \"'<>\\;,")


def is_loopback(name: str) -> bool:
    """Whether a host's name or address is this very machine's."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def check(site: "SiteSettings", path: Path) -> None:
    """Refuse single sign-on servers that cannot work or would not be safe; `SettingsError`."""
    for name, partners in (
        ("CAS_URL", ()),
        ("OIDC_ISSUER", ("OIDC_CLIENT_ID",)),
    ):
        address = getattr(site, name)
        if address and not is_provider_address(address):
            raise SettingsError(
                f"{path}: {name} must look like https://sso.school.example/cas "
                f"(http only on loopback), not {address!r}"
            )
        for partner in partners:
            if bool(address) != bool(getattr(site, partner)):
                raise SettingsError(f"{path}: {name} and {partner} belong together; set both")
    if urlsplit(site.CAS_URL).query or urlsplit(site.OIDC_ISSUER).query:
        raise SettingsError(f"{path}: CAS_URL and OIDC_ISSUER take no ?query")
    if site.CAS_VERSION not in CAS_VERSIONS:
        raise SettingsError(f"{path}: CAS_VERSION must be 2 or 3, not {site.CAS_VERSION}")
    if "openid" not in site.OIDC_SCOPES:
        raise SettingsError(f"{path}: OIDC_SCOPES must name openid")
    if not site.OIDC_LOGIN_CLAIM:
        raise SettingsError(f"{path}: OIDC_LOGIN_CLAIM must name a claim")
    _check_labels(site, path)
    _check_files(site, path)
    if site.SINGLE_SIGN_ON_ONLY and bool(site.CAS_URL) == bool(site.OIDC_ISSUER):
        raise SettingsError(
            f"{path}: SINGLE_SIGN_ON_ONLY needs exactly one of CAS_URL and OIDC_ISSUER"
        )


def _check_labels(site: "SiteSettings", path: Path) -> None:
    for name in ("CAS_LABEL", "OIDC_LABEL"):
        label = getattr(site, name)
        if not label or len(label) > MAX_LABEL_CHARACTERS or not label.isprintable():
            raise SettingsError(
                f"{path}: {name} must be 1 to {MAX_LABEL_CHARACTERS} printable characters"
            )


def _check_files(site: "SiteSettings", path: Path) -> None:
    for name in ("CAS_CA_FILE", "OIDC_CA_FILE", "OIDC_CLIENT_SECRET_FILE"):
        file = getattr(site, name)
        if file and not Path(file).is_file():
            raise SettingsError(f"{path}: {name}: there is no file {file}")
    if site.OIDC_CLIENT_SECRET_FILE:
        client_secret(site)


def client_secret(site: "SiteSettings") -> str:
    """The first line of `OIDC_CLIENT_SECRET_FILE`, or nothing where there is none."""
    if not site.OIDC_CLIENT_SECRET_FILE:
        return ""
    file = Path(site.OIDC_CLIENT_SECRET_FILE)
    shared.check_private(file)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read ({error.strerror})") from error
    line = text[:MAX_SECRET_BYTES].decode("utf-8", "replace").partition("\n")[0].strip()
    if not line or len(text) > MAX_SECRET_BYTES:
        raise SettingsError(f"{file}: must hold the client secret on its first line")
    return line
