"""The API of a student's documents: for a program on the desktop that brings them there."""

from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import validate

from controle_vnc.control.messages import Files
from eop.documents import given
from eop.documents.given import MAX_NAME_CHARACTERS
from eop.documents.store import Document
from eop.documents.student_pages import download
from eop.rest import Call, Line, calls, declare

blueprint = calls("own-documents", "What one was given as a student.")


class GivenReply(ma.Schema):
    """A document that one was given; moments in ms."""

    id = ma.fields.String()
    reference = ma.fields.String()
    class_ = ma.fields.String(attribute="class_name", data_key="class")
    teacher = ma.fields.String(attribute="teacher_name")
    collect = ma.fields.Boolean(attribute="is_collected")
    created_at = ma.fields.Integer()


class OwnFileReply(ma.Schema):
    """A file in its folder; `kind`: document, annex, correction, notice, or own."""

    name = ma.fields.String()
    size = ma.fields.Integer()
    modified_at = ma.fields.Integer()
    kind = ma.fields.String()


class OwnFilesReply(ma.Schema):
    """All of them; `is_cut`: there are more than are listed."""

    files = ma.fields.List(ma.fields.Nested(OwnFileReply))
    is_cut = ma.fields.Boolean()


class NameQuery(ma.Schema):
    """Which file: its name as listed."""

    name = ma.fields.String(required=True, validate=validate.Length(1, MAX_NAME_CHARACTERS))


class HandInBody(ma.Schema):
    """A whole upload."""

    upload = Line(32, required=True)


class HandedInReply(ma.Schema):
    """The name that it has in the folder."""

    name = ma.fields.String()


@declare(blueprint, Call("GET", "/own-documents", "own_documents", reply=GivenReply(many=True)))
def list_given() -> list[Document]:
    """Everything one was given, the newest first."""
    return [document for document, _ in given.mine()]


@declare(
    blueprint,
    Call(
        "GET", "/own-documents/<document_id>/files", "own_documents", reply=OwnFilesReply,
        refusals=(404, 409, 503),
    ),
)  # fmt: skip
def list_files(document_id: str) -> Files:
    """What is in its folder."""
    return given.look(document_id).files


@declare(
    blueprint,
    Call(
        "GET", "/own-documents/<document_id>/file", "own_documents", query=NameQuery,
        refusals=(404, 409, 503),
    ),
)  # fmt: skip
def read_file(query: dict[str, Any], document_id: str) -> Response:
    """The bytes of a file."""
    return download(query["name"], given.read(document_id, query["name"]))


@declare(
    blueprint,
    Call(
        "POST", "/own-documents/<document_id>/files", "own_documents", body=HandInBody,
        reply=HandedInReply, status=201, refusals=(403, 404, 409, 410, 503, 507),
    ),
)  # fmt: skip
def hand_in(body: dict[str, Any], document_id: str) -> dict[str, str]:
    """Put an upload into its folder, in place of a file of the same name."""
    return {"name": given.hand_in(document_id, body["upload"])}
