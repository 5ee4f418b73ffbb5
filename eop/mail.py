"""Sends mail: one line to the server that the settings name, one message after the other."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

from controle_vnc.errors import SettingsError
from eop import mail_settings
from eop.errors import EopError
from eop.mail_settings import PLACE
from eop.settings import SiteSettings
from eop.settings_checks import first_line

TIMEOUT_SECONDS = 10.0  # for each answer of the server
MAX_TOLD_CHARACTERS = 200  # of what a server says
LASTING = 500  # from here on a server's codes say never, not: not now
MAX_TITLE_CHARACTERS = 150
MAX_BODY_CHARACTERS = 5000


TEST_TITLE = "EOP: a test"
TEST_BODY = "This mail was sent to try the settings of EOP. They work."


class MailError(EopError):
    """A mail could not be sent. `code` is stable; the text is what the server said.

    `is_lasting`: sending the same again would not help.
    """

    def __init__(self, code: str, detail: str = "", *, is_lasting: bool = False) -> None:
        shown = "".join(sign if sign.isprintable() else " " for sign in detail)
        super().__init__(" ".join(shown.split())[:MAX_TOLD_CHARACTERS] or code)
        self.code = code
        self.is_lasting = is_lasting


@dataclass(frozen=True)
class Letter:
    """One mail. `number` is its Message-ID's first part: sent twice, it is the same mail."""

    to: str
    title: str
    body: str
    number: str
    sender_name: str = ""
    reply_to: str = ""


def address_of(site: SiteSettings, login: str) -> str | None:
    """Where somebody's mail goes; None where the settings do not say, or no address comes of it."""
    address = site.MAIL_ADDRESS.replace(PLACE, login)
    return address if site.MAIL_ADDRESS and mail_settings.is_address(address) else None


def is_set(site: SiteSettings) -> bool:
    """Whether there is a server to send by."""
    return bool(site.SMTP_SERVER)


def message(site: SiteSettings, letter: Letter, now_ms: int) -> EmailMessage:
    """The mail as it travels; no text of it can add a line to its head."""
    made = EmailMessage()
    made["From"] = Address(display_name=_line(letter.sender_name), addr_spec=site.MAIL_FROM)
    made["To"] = Address(addr_spec=letter.to)
    if letter.reply_to:
        made["Reply-To"] = Address(addr_spec=letter.reply_to)
    made["Subject"] = _line(letter.title)[:MAX_TITLE_CHARACTERS]
    made["Date"] = formatdate(now_ms / 1000, localtime=True)
    made["Message-ID"] = f"<{letter.number}@{site.MAIL_FROM.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.body[:MAX_BODY_CHARACTERS])
    return made


def _line(text: str) -> str:
    kept = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(kept.split())


@contextmanager
def line(site: SiteSettings) -> Iterator[smtplib.SMTP]:
    """A line to the server, signed in; raises `MailError`, also for what happens within."""
    server = None
    try:
        server = _opened(site)
        yield server
    except smtplib.SMTPAuthenticationError as error:
        raise MailError("mail_account", _said(error), is_lasting=True) from error
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise MailError(
            "mail_refused", said.decode(errors="replace"), is_lasting=code >= 500
        ) from (error)
    except smtplib.SMTPResponseException as error:
        lasting = error.smtp_code >= LASTING
        raise MailError("mail_refused", _said(error), is_lasting=lasting) from error
    except ssl.SSLCertVerificationError as error:
        raise MailError("mail_certificate", error.verify_message) from error
    except SettingsError as error:
        raise MailError("mail_account", str(error), is_lasting=True) from error
    except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
        raise MailError("mail_down", str(error)) from error
    finally:
        if server is not None:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()


def send(server: smtplib.SMTP, site: SiteSettings, letter: Letter, now_ms: int) -> None:
    """Send one mail over an open line."""
    server.send_message(message(site, letter, now_ms), site.MAIL_FROM, [letter.to])


def _opened(site: SiteSettings) -> smtplib.SMTP:
    where = mail_settings.server_of(site)
    if where is None:
        raise MailError("mail_not_set", "SMTP_SERVER is not set", is_lasting=True)
    host, port = where
    name = socket.gethostname() or "localhost"
    server: smtplib.SMTP
    if site.SMTP_SECURITY == "tls":
        server = smtplib.SMTP_SSL(host, port, name, timeout=TIMEOUT_SECONDS, context=_context(site))
    else:
        server = smtplib.SMTP(host, port, name, timeout=TIMEOUT_SECONDS)
    try:
        if site.SMTP_SECURITY == "starttls":
            server.starttls(context=_context(site))
        if site.SMTP_USER:
            _sign_in(server, site)
    except BaseException:
        server.close()
        raise
    return server


def _sign_in(server: smtplib.SMTP, site: SiteSettings) -> None:
    password = first_line(Path(site.SMTP_PASSWORD_FILE))
    try:
        server.login(site.SMTP_USER, password)
    except smtplib.SMTPServerDisconnected as error:
        if isinstance(error.__context__, TimeoutError):
            raise
        # some hang up on a wrong password
        raise MailError("mail_account", str(error), is_lasting=True) from error


def _context(site: SiteSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=site.SMTP_CA_FILE or None)


def _said(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
