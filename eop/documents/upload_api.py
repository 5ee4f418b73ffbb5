"""The API by which files are sent up: begun, in pieces that can be said again, and proven whole."""

from typing import Any

import marshmallow as ma
from flask import request
from marshmallow import validate

from eop.aaa import guard
from eop.aaa.guard import takes_up_to
from eop.aaa.policy import may
from eop.documents import uploads
from eop.documents.uploads import Upload
from eop.errors import RefusedError
from eop.rest import Call, calls, declare
from eop.services import services

MAX_NAME_CHARACTERS = 1024  # more than any system has: it is cut to what can be kept
MAX_SIZE = 2**40  # a number that is none of ours is refused before it is compared

blueprint = calls("uploads", "Files that are sent up, to be given or handed in.")


class UploadBody(ma.Schema):
    """A file as its sender has it: name, bytes, and when it was last changed (ms)."""

    name = ma.fields.String(required=True, validate=validate.Length(1, MAX_NAME_CHARACTERS))
    size = ma.fields.Integer(required=True, strict=True, validate=validate.Range(0, MAX_SIZE))
    changed_at = ma.fields.Integer(
        load_default=0, strict=True, validate=validate.Range(0, uploads.MAX_MOMENT)
    )


class UploadReply(ma.Schema):
    """How much of it is held: the sender goes on from there. `name` is what it will be called."""

    id = ma.fields.String()
    name = ma.fields.String()
    size = ma.fields.Integer()
    received = ma.fields.Integer()
    whole = ma.fields.Boolean(attribute="is_whole")


class PartQuery(ma.Schema):
    """Where the bytes of the request's body belong."""

    offset = ma.fields.Integer(required=True, validate=validate.Range(0, MAX_SIZE))


class CheckBody(ma.Schema):
    """What the whole file must be."""

    sha256 = ma.fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))


@declare(
    blueprint,
    Call(
        "POST", "/uploads", None, body=UploadBody, reply=UploadReply, status=201,
        refusals=(409, 413, 503, 507),
    ),
)  # fmt: skip
def begin(body: dict[str, Any]) -> Upload:
    """Begin to send a file, or take one up where it was cut: same name, size and moment."""
    login = _sender()
    return uploads.begin(services(), login, body["name"], body["size"], body["changed_at"])


@declare(
    blueprint, Call("GET", "/uploads/<upload_id>", None, reply=UploadReply, refusals=(410, 503))
)
def show(upload_id: str) -> Upload:
    """How much of it is held."""
    return uploads.held(services(), _sender(), upload_id)


@declare(
    blueprint,
    Call(
        "PUT", "/uploads/<upload_id>", None, query=PartQuery, reply=UploadReply,
        refusals=(410, 413, 503, 507),
    ),
)  # fmt: skip
@takes_up_to(uploads.MAX_BODY_BYTES)
def add(query: dict[str, Any], upload_id: str) -> Upload:
    """Add the body's bytes (1 MiB at most). At another offset than is held nothing is added."""
    data = request.get_data()
    if len(data) > uploads.MAX_BODY_BYTES:
        raise RefusedError("file_too_large")
    return uploads.add(services(), _sender(), upload_id, query["offset"], data)


@declare(
    blueprint,
    Call(
        "POST", "/uploads/<upload_id>/check", None, body=CheckBody, reply=UploadReply,
        refusals=(409, 410, 503),
    ),
)  # fmt: skip
def check(body: dict[str, Any], upload_id: str) -> Upload:
    """Prove that all of it has come; from then on it can be given."""
    return uploads.finish(services(), _sender(), upload_id, body["sha256"])


@declare(blueprint, Call("DELETE", "/uploads/<upload_id>", None, status=204, refusals=(404, 503)))
def drop(upload_id: str) -> None:
    """Forget it."""
    uploads.drop(services(), _sender(), upload_id)


def _sender() -> str:
    """Who may send files up: who gives documents, or was given some."""
    who = guard.who()
    if not may(who, "documents").allowed:
        guard.require("own_documents")
    return who.login
