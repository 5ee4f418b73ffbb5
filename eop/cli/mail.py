"""`eopctl mail`: whether mail can be sent."""

import secrets
import time

import click

from eop.cli.output import json_option, tell


@click.group()
def mail() -> None:
    """Mail: send a test."""


@mail.command()
@click.argument("address")
@json_option
def test(address: str, as_json: bool) -> None:
    """Send a test mail to ADDRESS, and say what the mail server says."""
    from eop import mail as mailing
    from eop import mail_settings
    from eop.cli.serve import enabled_site

    if not mail_settings.is_address(address):
        raise click.UsageError(f"{address!r} is no mail address")
    site, now_ms = enabled_site(), int(time.time() * 1000)
    number = secrets.token_hex(16)
    letter = mailing.Letter(address, mailing.TEST_TITLE, mailing.TEST_BODY, number)
    with mailing.line(site) as server:
        mailing.send(server, site, letter, now_ms)
    value = {"to": address, "server": site.SMTP_SERVER, "message_id": number}
    tell(value, f"{site.SMTP_SERVER} has taken a mail to {address}", as_json=as_json)
