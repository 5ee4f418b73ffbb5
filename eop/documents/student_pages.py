"""The student's pages: what was given to me, reading it, and handing my work in."""

import unicodedata
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop import moments, replies
from eop.aaa import guard
from eop.documents import given, uploads, words
from eop.documents.given import Reading
from eop.errors import RefusedError
from eop.services import services

PATH = "/eleve/documents"
ORDER = ("document", "own", "annex", "correction", "notice")

blueprint = Blueprint("student_documents", __name__, url_prefix=PATH)


@blueprint.context_processor
def _helpers() -> dict[str, Any]:
    return {
        "document_words": words,
        "now_ms": services().now_ms(),
        "told_lately": moments.told_lately,
    }


@blueprint.get("")
@guard.page_required("own_documents")
def overview() -> str:
    """What I was given, the newest first."""
    return render_template("student_documents.html", section="own_documents", given=given.mine())


@blueprint.get("/<document_id>")
@guard.page_required("own_documents")
def one(document_id: str) -> AnyResponse:
    """The files of one document, and where to send my work up."""
    document, student = given.find(document_id)
    error, status, files = "", 200, None
    try:
        files = given.look(document_id).files
    except RefusedError as refused:
        error, status = replies.told(refused), replies.SENTENCES[refused.code][0]
    listed = sorted(files.files if files else [], key=lambda one: (ORDER.index(one.kind), one.name))
    limit = services().shared.UPLOAD_LIMIT * uploads.MEGABYTE
    page = render_template(
        "student_document.html",
        section="own_documents",
        document=document,
        student=student,
        files=listed,
        is_cut=files.is_cut if files else False,
        error=error,
        handed_in=request.args.get("done") == "handed-in",
        limit=words.size(limit),
        page_data={
            "csrf": g.csrf_token,
            "api": services().site.MOUNT_POINT + "/api/v1",
            "document": document.id,
            "limit": limit,
            "body": uploads.MAX_BODY_BYTES,
        },
    )
    return make_response(page, status)


@blueprint.get("/<document_id>/file")
@guard.page_required("own_documents")
def file(document_id: str) -> AnyResponse:
    """A file of it, to be kept on one's own device."""
    name = request.args.get("name", "")
    return download(name, given.read(document_id, name))


@blueprint.post("/<document_id>/hand-in")
@guard.page_required("own_documents")
def hand_in(document_id: str) -> AnyResponse:
    """Put what was sent up into the folder."""
    for one in request.form.getlist("file")[: uploads.MAX_AT_ONCE]:
        given.hand_in(document_id, one)
    address = f"{services().site.MOUNT_POINT}{PATH}/{document_id}?done=handed-in"
    return redirect(address, 303)


def download(name: str, reading: Reading) -> Response:
    """A file as it travels: never shown by the browser itself, whatever is in it."""
    response = Response(reading.parts, mimetype="application/octet-stream")
    response.headers["Content-Length"] = str(reading.size)
    shown = name.rsplit("/", 1)[-1]
    plain = unicodedata.normalize("NFKD", shown).encode("ascii", "ignore").decode()
    plain = "".join(sign if sign.isalnum() or sign in " ._-" else "_" for sign in plain)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain or 'file'}\"; filename*=UTF-8''{quote(shown, safe='')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
