"""The page of mail: by which server it is sent, and a test."""

import secrets

from flask import Blueprint, g, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop import mail, mail_settings, replies
from eop.aaa import guard
from eop.administration import forms
from eop.audit import events
from eop.errors import N_
from eop.mail import Letter, MailError
from eop.services import services

PATH = "/admin/mail"
DONE = {"sent": N_("The mail server has taken the mail.")}

blueprint = Blueprint("administration_mail", __name__, url_prefix=PATH)


@blueprint.get("")
@guard.page_required("test_mail")
def page() -> AnyResponse:
    """What is set, and a form for a test."""
    return _page()


@blueprint.post("")
@guard.page_required("test_mail")
def send() -> AnyResponse:
    """Send a test mail, or say what the server says."""
    parts, address = services(), forms.field("address")
    if not mail_settings.is_address(address):
        return _page(N_("This is no mail address."), code=422)
    letter = Letter(address, mail.TEST_TITLE, mail.TEST_BODY, secrets.token_hex(16))
    with parts.database.write() as connection:
        events.record(
            connection, "mail_tested", parts.now_ms(), user=g.session.login, session=g.session.id
        )
    try:
        with mail.line(parts.site) as server:
            mail.send(server, parts.site, letter, parts.now_ms())
    except MailError as error:
        return _page(str(replies.SENTENCES[error.code][1]), str(error), code=502)
    return forms.go_on(PATH, "sent")


def _page(error: str = "", detail: str = "", code: int = 200) -> AnyResponse:
    site = services().site
    html = render_template(
        "admin_mail.html",
        section="admin",
        site=site,
        address=request.form.get("address", "")[: mail_settings.MAX_ADDRESS_CHARACTERS],
        error=error,
        detail=detail,
        done=forms.done(DONE),
    )
    return make_response(html, code)
