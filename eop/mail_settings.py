"""The settings of mail: what they must look like."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from controle_vnc.errors import SettingsError
from eop.sign_on_settings import is_loopback

if TYPE_CHECKING:
    from eop.settings import SiteSettings

SECURITIES = ("starttls", "tls", "none")
PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""Where a server listens that is named without a port."""

MAX_ADDRESS_CHARACTERS = 254  # of a mail address (RFC 5321)
PLACE = "{login}"

_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?")
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def server_of(site: "SiteSettings") -> tuple[str, int] | None:
    """Host and port of the mail server; None where none is set."""
    match = _SERVER.fullmatch(site.SMTP_SERVER)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else PORTS[site.SMTP_SECURITY]
    return match["host"].strip("[]"), port


def is_address(text: str) -> bool:
    """Whether this can be written to: one address of plain letters, no name around it."""
    return len(text) <= MAX_ADDRESS_CHARACTERS and _ADDRESS.fullmatch(text) is not None


def check(site: "SiteSettings", path: Path) -> None:
    """Refuse what cannot work, or would send a password in clear."""
    if site.SMTP_SECURITY not in SECURITIES:
        known = ", ".join(SECURITIES)
        raise SettingsError(f"{path}: SMTP_SECURITY must be {known}, not {site.SMTP_SECURITY!r}")
    if not site.SMTP_SERVER:
        return
    server = server_of(site)
    if server is None or not 1 <= server[1] <= 65535:
        raise SettingsError(
            f"{path}: SMTP_SERVER must look like mail.school.lan:587, not {site.SMTP_SERVER!r}"
        )
    if site.SMTP_SECURITY == "none" and not is_loopback(server[0]):
        raise SettingsError(
            f"{path}: SMTP_SECURITY none is for a server on this machine; use starttls or tls"
        )
    if not is_address(site.MAIL_FROM):
        raise SettingsError(f"{path}: MAIL_FROM must be an address: SMTP_SERVER is set")
    if bool(site.SMTP_USER) != bool(site.SMTP_PASSWORD_FILE):
        raise SettingsError(f"{path}: SMTP_USER and SMTP_PASSWORD_FILE go together")
    _check_pattern(site.MAIL_ADDRESS, path)


def _check_pattern(pattern: str, path: Path) -> None:
    if pattern and (PLACE not in pattern or not is_address(pattern.replace(PLACE, "zoe.martin"))):
        raise SettingsError(
            f"{path}: MAIL_ADDRESS must look like {PLACE}@school.lan, not {pattern!r}"
        )
