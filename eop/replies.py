"""Every refusal and failure as the user reads it: status, stable code and sentence."""

from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import get_locale, gettext, lazy_gettext
from werkzeug.exceptions import HTTPException

from eop import counts
from eop.errors import (
    DaemonDownError,
    EopError,
    ExistsError,
    InvalidError,
    NotFoundError,
    RefusedError,
)
from eop.languages import DEFAULT

API_PREFIX = "/api/"

SENTENCES: dict[str, tuple[int, Any]] = {
    "wrong": (401, lazy_gettext("Wrong user name or password.")),
    "locked": (423, lazy_gettext("Too many attempts. Try again in %(minutes)s min.")),
    "throttled": (429, lazy_gettext("Too many attempts. Try again in %(minutes)s min.")),
    "busy": (503, lazy_gettext("Too many people are signing in. Try again in a moment.")),
    "directory_down": (
        503,
        lazy_gettext("The school's directory does not answer. Try again in a moment."),
    ),
    "account_unknown": (
        403,
        lazy_gettext("Your password is right, but EOP does not know you yet. Tell your IT staff."),
    ),
    "account_disabled": (403, lazy_gettext("Your account is disabled. Tell your IT staff.")),
    "account_expired": (403, lazy_gettext("Your account has expired. Tell your IT staff.")),
    "account_locked": (403, lazy_gettext("Your account is locked. Tell your IT staff.")),
    "account_must_change": (
        403,
        lazy_gettext("Your password must be changed first, where your account is kept."),
    ),
    "kept_here": (
        403,
        lazy_gettext("Your account has a password of its own here: sign in with that."),
    ),
    "kept_elsewhere": (
        403,
        lazy_gettext("Your account does not open in this way: sign in where it is kept."),
    ),
    "sign_on_refused": (
        401,
        lazy_gettext("The sign-on server did not say who you are. Try again."),
    ),
    "sign_on_expired": (
        401,
        lazy_gettext("This sign-on began elsewhere or too long ago. Begin again."),
    ),
    "sign_on_unknown": (
        403,
        lazy_gettext("The sign-on server knows you, but EOP does not yet. Tell your IT staff."),
    ),
    "sign_on_down": (
        503,
        lazy_gettext("The sign-on server does not answer as it should. Try again in a moment."),
    ),
    "second_factor": (
        401,
        lazy_gettext("A second factor is needed: sign in on the page of EOP, or send a code."),
    ),
    "must_change": (
        401,
        lazy_gettext("Your password must be changed first: sign in on the page of EOP."),
    ),
    "wrong_code": (401, lazy_gettext("This code is wrong, too old, or was used already.")),
    "wrong_password": (403, lazy_gettext("This is not your current password.")),
    "step_over": (401, lazy_gettext("This took too long, or too many tries. Begin again.")),
    "factor_required": (
        403,
        lazy_gettext("Your account needs a second factor: replace it instead of removing it."),
    ),
    "second_factor_lost": (
        403,
        lazy_gettext("Your second factor cannot be read any more. Ask your IT staff to reset it."),
    ),
    "rule_down": (
        503,
        lazy_gettext("The rule for passwords cannot be applied. Tell your IT staff."),
    ),
    "leaked_down": (
        503,
        lazy_gettext("The list of stolen passwords cannot be read. Tell your IT staff."),
    ),
    "denied": (
        403,
        lazy_gettext("Your account does not open EOP: it is for teachers."),
    ),
    "signed_out": (401, lazy_gettext("Your session has ended. Sign in again, nothing is lost.")),
    "grant": (403, lazy_gettext("You were not given this room or class.")),
    "switched_off": (403, lazy_gettext("An administrator has closed all screens.")),
    "rewind_off": (403, lazy_gettext("The last minutes are not kept in this room.")),
    "nothing_kept": (404, lazy_gettext("Nothing was captured at that time.")),
    "csrf": (403, lazy_gettext("This page is too old to send changes. Load it again.")),
    "origin": (403, lazy_gettext("This request comes from another site.")),
    "malformed": (400, lazy_gettext("The request cannot be read as JSON.")),
    "invalid": (422, lazy_gettext("The request has wrong or missing fields.")),
    "unknown_workstation": (404, lazy_gettext("There is no such workstation.")),
    "unknown_room": (404, lazy_gettext("There is no such room.")),
    "unknown_class": (404, lazy_gettext("There is no such class.")),
    "unknown_student": (
        404,
        lazy_gettext("There is no such student among those whose password you may change."),
    ),
    "form_sent": (
        409,
        lazy_gettext(
            "This was sent already: nothing is changed a second time. Open the page anew."
        ),
    ),
    "file_failed": (503, lazy_gettext("The file could not be written: look into the log.")),
    "too_many_files": (
        409,
        lazy_gettext("Too many files of passwords wait already: delete those you have fetched."),
    ),
    "too_many_passwords": (
        429,
        lazy_gettext("Too many passwords were changed. Try again in %(minutes)s min."),
    ),
    "exists": (409, lazy_gettext("Something of that name exists already.")),
    "plan_changed": (
        409,
        lazy_gettext("Someone else has saved this seating plan meanwhile. Load it and look."),
    ),
    "lesson_open": (409, lazy_gettext("You have a lesson open: end it first.")),
    "import_busy": (409, lazy_gettext("Several imports are waiting already. Look at those first.")),
    "daemon_down": (
        503,
        lazy_gettext("controle-vnc does not answer. Screens come back when it does."),
    ),
    "application_unknown": (
        403,
        lazy_gettext("This application may not sign in here. Tell your IT staff."),
    ),
    "sign_in_elsewhere": (
        403,
        lazy_gettext("Nobody signs in by password here: sign in at %(where)s."),
    ),
    "sign_in_state": (
        403,
        lazy_gettext("This sign-in was not begun in this browser, or too long ago. Try again."),
    ),
    "sign_in_code": (
        403,
        lazy_gettext("This sign-in took too long, or was used before. Try again."),
    ),
    "sessions_down": (
        503,
        lazy_gettext("Sign-in does not work just now. Nothing is lost: try again in a moment."),
    ),
    "files_down": (
        503,
        lazy_gettext("The service of documents does not answer. Nothing is lost: try again later."),
    ),
    "unknown_person": (404, lazy_gettext("This person has no files on the server.")),
    "home_missing": (
        503,
        lazy_gettext("This person's home cannot be reached just now. Nothing is lost."),
    ),
    "unknown_document": (404, lazy_gettext("This document was not distributed to this person.")),
    "unknown_file": (404, lazy_gettext("This file is not there any more.")),
    "upload_unknown": (410, lazy_gettext("This upload has expired. Send the file again.")),
    "upload_damaged": (409, lazy_gettext("The file did not arrive whole. Send it again.")),
    "folder_taken": (
        409,
        lazy_gettext("Another document of yours has this folder already. Choose another name."),
    ),
    "not_a_folder": (
        409,
        lazy_gettext("A link, a file or somebody else's folder stands where a folder must be."),
    ),
    "name_refused": (422, lazy_gettext("A file or folder cannot have this name.")),
    "read_only": (403, lazy_gettext("This file can only be read.")),
    "file_too_large": (413, lazy_gettext("The file is too large.")),
    "no_space": (507, lazy_gettext("The server's disk is full. Nothing was overwritten.")),
    "quota": (507, lazy_gettext("This person's disk quota is used up. Nothing was overwritten.")),
    "reference_used": (
        409,
        lazy_gettext("You have given a document under this reference already. Choose another one."),
    ),
    "document_busy": (
        409,
        lazy_gettext("Something is still being done with this document: wait, or stop it."),
    ),
    "not_collected": (
        409,
        lazy_gettext("This document was given to be read, not to be collected."),
    ),
    "nobody_due": (409, lazy_gettext("There is nobody for whom this is to be done.")),
    "too_many_uploads": (
        409,
        lazy_gettext("Too many files are waiting to be given: give or remove those first."),
    ),
    "uploads_full": (
        409,
        lazy_gettext("Your files that wait to be given take too much space: give some of them."),
    ),
    "login_changed": (
        409,
        lazy_gettext(
            "The login has changed since this was given: its files are under the old one."
        ),
    ),
    "uploads_busy": (
        503,
        lazy_gettext("Many files are being handed in just now. Try again in a few minutes."),
    ),
    "too_many_mails": (
        429,
        lazy_gettext("You have sent too many mails within a day: return it without a mail."),
    ),
    "mail_not_set": (
        409,
        lazy_gettext("This server sends no mail: its settings name no mail server, or no address."),
    ),
    "mail_account": (502, lazy_gettext("The mail server does not accept our account.")),
    "mail_certificate": (502, lazy_gettext("The certificate of the mail server is not trusted.")),
    "mail_refused": (502, lazy_gettext("The mail server refused the mail.")),
    "mail_down": (502, lazy_gettext("The mail server does not answer.")),
    "daemon_refused": (502, lazy_gettext("controle-vnc could not carry this out.")),
}
"""Code of a `RefusedError` → status and sentence."""

HTTP_SENTENCES: dict[int, tuple[str, Any]] = {
    400: ("bad_request", lazy_gettext("The request cannot be understood.")),
    401: ("signed_out", lazy_gettext("Your session has ended. Sign in again, nothing is lost.")),
    403: ("forbidden", lazy_gettext("This is not allowed.")),
    404: ("not_found", lazy_gettext("There is nothing at this address.")),
    405: ("method", lazy_gettext("This address does not take that method.")),
    413: ("too_large", lazy_gettext("The request is too large.")),
    415: ("media_type", lazy_gettext("The request must be JSON (application/json).")),
    422: ("invalid", lazy_gettext("The request has wrong or missing fields.")),
    500: ("internal", lazy_gettext("The server failed. It was written down; try again.")),
}

TITLES: dict[int, Any] = {
    403: lazy_gettext("Not allowed"),
    404: lazy_gettext("Page not found"),
    500: lazy_gettext("The server failed"),
    503: lazy_gettext("Not available now"),
}


_OURS: dict[type[EopError], tuple[int, str, Any]] = {
    NotFoundError: (404, *HTTP_SENTENCES[404]),
    ExistsError: (409, "exists", SENTENCES["exists"][1]),
    InvalidError: (422, *HTTP_SENTENCES[422]),
}
"""Our other errors → status, code, and what is said where only English has words for it."""


def init_app(app: Flask) -> None:
    """Answer every error of this application, in JSON under `/api/`, else as a page."""
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(RefusedError, answer_refused)
    for kind in _OURS:
        app.register_error_handler(kind, answer_ours)


def answer_plainly(error: RefusedError) -> Response:
    """The same in plain text, for applications with pages of their own."""
    response = make_response(told(error), SENTENCES[error.code][0])
    response.mimetype = "text/plain"
    response.headers["Cache-Control"] = "no-store"
    return response


def answer_refused(error: RefusedError) -> Response:
    """The answer to a refusal of ours."""
    status, sentence = SENTENCES[error.code]
    response = answer(status, error.code, told(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def told(error: RefusedError) -> str:
    """The sentence of a refusal, in the user's language."""
    minutes = -(-(error.retry_after or 60) // 60)
    return str(SENTENCES[error.code][1]) % {"minutes": minutes, "where": error.where}


def told_in_full(error: RefusedError) -> str:
    """The same, and what controle-vnc says of it, which only English has words for."""
    if isinstance(error, DaemonDownError) or not _reads_english():
        return told(error)
    return f"{told(error)} {error}"


def answer_ours(error: EopError) -> Response:
    """The answer to what cannot be found or kept."""
    status, code, _ = _general(error)
    return answer(status, code, in_words(error))


def _general(error: EopError) -> tuple[int, str, Any]:
    return next(answer for kind, answer in _OURS.items() if isinstance(error, kind))


def in_words(error: EopError) -> str:
    """What is wrong, in the user's language; where only English has words for it, in general."""
    if isinstance(error, InvalidError):
        if error.is_translated:
            return str(error)
        text = gettext(error.text)
        if text != error.text:
            return str(text % counts.readable(error.arguments) if error.arguments else text)
    return str(error) if _reads_english() else str(_general(error)[2])


def _reads_english() -> bool:
    locale = get_locale()
    return locale is None or locale.language == DEFAULT


def answer_http(error: HTTPException) -> Response:
    """The answer to an error of the framework; redirects pass as they are."""
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    known = HTTP_SENTENCES.get(error.code)
    code, sentence = known or (error.name.lower().replace(" ", "_"), error.name)
    response = answer(error.code, code, str(sentence) + _wrong_fields(error))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _wrong_fields(error: HTTPException) -> str:
    """The names of the fields that a schema found wrong, bounded."""
    data = getattr(error, "data", None) or {}
    places = data.get("messages", {})
    names = sorted(
        str(name)[:40]
        for fields in places.values()
        if isinstance(fields, dict)
        for name in fields
        if name != "_schema"
    )
    return " (" + ", ".join(names[:10]) + ")" if names else ""


def answer(status: int, code: str, message: object) -> Response:
    """An error as JSON for the API, as a page for people."""
    if request.path.startswith(API_PREFIX):
        response = jsonify({"error": {"code": code, "message": str(message)}})
    else:
        title = TITLES.get(status) or gettext("This did not work")
        page = render_template("error.html", code=status, title=str(title), message=str(message))
        response = make_response(page)
    response.status_code = status
    return response
