"""The API of documents: give, look, collect, return, remove; each job and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as columns
from typing import Any

import marshmallow as ma
from marshmallow import validate

from controle_vnc.control.messages import MAX_FILES_A_DOCUMENT
from eop import mail
from eop.aaa import guard
from eop.directory.classes import MAX_CLASS_CHARACTERS, MAX_STUDENTS
from eop.directory.users import MAX_LOGIN_CHARACTERS
from eop.documents import jobs, looks, own, status, store, words
from eop.documents.jobs import Job
from eop.documents.own import Letter, Order
from eop.documents.store import Document, DocumentFile, Student
from eop.rest import Call, Line, calls, declare
from eop.services import services

MAX_MOMENT = 2**53  # ms; what every JSON reader keeps exactly

blueprint = calls("documents", "Documents: give, collect, return, and how far each is.")


@dataclass(frozen=True)
class Whole(Document):
    """A document with everybody it is for."""

    files: Sequence[DocumentFile] = ()
    students: Sequence[Student] = ()
    jobs: Sequence[Job] = ()


class GivenFile(ma.Schema):
    """A file that was sent up, and whether it is to be read alone."""

    upload = Line(32, required=True)
    annex = ma.fields.Boolean(load_default=False)


class DocumentBody(ma.Schema):
    """What is given to whom; without `students` to the whole class."""

    reference = Line(own.MAX_REFERENCE_CHARACTERS, required=True)
    class_ = Line(MAX_CLASS_CHARACTERS, required=True, data_key="class")
    students = ma.fields.List(
        Line(MAX_LOGIN_CHARACTERS), load_default=None, validate=validate.Length(1, MAX_STUDENTS)
    )
    collect = ma.fields.Boolean(load_default=True)
    hidden_until = ma.fields.Integer(
        load_default=None, strict=True, validate=validate.Range(1, MAX_MOMENT)
    )
    files = ma.fields.List(
        ma.fields.Nested(GivenFile),
        required=True,
        validate=validate.Length(1, MAX_FILES_A_DOCUMENT),
    )
    sure = ma.fields.Boolean(
        load_default=False,
        metadata={"description": "also where it was seen not to fit at some"},
    )


class CollectBody(ma.Schema):
    """From everybody, or from those alone from whom nothing was collected."""

    who = ma.fields.String(load_default="all", validate=validate.OneOf(("all", "late")))


class MailBody(ma.Schema):
    """A mail to those to whom work is returned."""

    title = Line(mail.MAX_TITLE_CHARACTERS, required=True)
    body = ma.fields.String(required=True, validate=validate.Length(1, mail.MAX_BODY_CHARACTERS))


class ReturnBody(ma.Schema):
    """Whether a mail goes with it."""

    mail = ma.fields.Nested(MailBody, load_default=None)


class RemoveBody(ma.Schema):
    """What is removed: the annexes, or everything; then also what was collected or changed."""

    what = ma.fields.String(required=True, validate=validate.OneOf((own.ANNEXES, own.EVERYTHING)))
    collected = ma.fields.Boolean(load_default=False)
    changed = ma.fields.Boolean(load_default=False)


class CountsReply(ma.Schema):
    """How many students have it, have opened it, and so on."""

    students = ma.fields.Integer()
    placed = ma.fields.Integer()
    opened = ma.fields.Integer()
    collected = ma.fields.Integer()
    returned = ma.fields.Integer()
    troubles = ma.fields.Integer()


class DocumentReply(ma.Schema):
    """One document; moments in ms, null where they have not come."""

    id = ma.fields.String()
    reference = ma.fields.String()
    class_ = ma.fields.String(attribute="class_name", data_key="class")
    folder = ma.fields.String()
    collect = ma.fields.Boolean(attribute="is_collected")
    created_at = ma.fields.Integer()
    hidden_until = ma.fields.Integer(allow_none=True)
    counts = ma.fields.Nested(CountsReply)
    state = ma.fields.Function(lambda one: status.state_of(one, services().now_ms()))


class DocumentStudentReply(ma.Schema):
    """How one student has it."""

    login = ma.fields.String()
    name = ma.fields.String()
    placed_at = ma.fields.Integer(allow_none=True)
    opened_at = ma.fields.Integer(allow_none=True)
    changed_at = ma.fields.Integer(allow_none=True)
    collected_at = ma.fields.Integer(allow_none=True)
    returned_at = ma.fields.Integer(allow_none=True)
    late = ma.fields.Boolean(attribute="is_late")
    files = ma.fields.Integer()
    trouble = ma.fields.String(allow_none=True)


class GivenFileReply(ma.Schema):
    """A file of a document."""

    name = ma.fields.String()
    size = ma.fields.Integer()
    annex = ma.fields.Boolean(attribute="is_annex")


class JobReply(ma.Schema):
    """A job: for how many of its students it is over, at how many it failed, why it waits."""

    id = ma.fields.Integer()
    kind = ma.fields.String()
    state = ma.fields.String()
    done = ma.fields.Integer(attribute="over")
    failed = ma.fields.Integer()
    total = ma.fields.Integer()
    held = ma.fields.String(allow_none=True)
    text = ma.fields.Function(words.progress)


class WholeReply(DocumentReply):
    """A document with everybody it is for."""

    files = ma.fields.List(ma.fields.Nested(GivenFileReply))
    students = ma.fields.List(ma.fields.Nested(DocumentStudentReply))
    jobs = ma.fields.List(ma.fields.Nested(JobReply))


@declare(blueprint, Call("GET", "/documents", "documents", reply=DocumentReply(many=True)))
def list_documents() -> list[Document]:
    """One's own documents, the newest first."""
    with services().database.read() as connection:
        return store.of_teacher(connection, guard.who().login)


@declare(
    blueprint,
    Call(
        "POST", "/documents", "documents", body=DocumentBody, reply=WholeReply, status=201,
        refusals=(404, 409, 410, 503),
    ),
)  # fmt: skip
def give(body: dict[str, Any]) -> Whole:
    """Give a document. 409 where the reference is used, or where it would not fit at some."""
    order = Order(
        reference=body["reference"],
        class_name=body["class_"],
        files=[(one["upload"], one["annex"]) for one in body["files"]],
        logins=body["students"],
        is_collected=body["collect"],
        hidden_until=body["hidden_until"],
        is_sure=body["sure"],
    )
    return _whole(own.distribute(order).id)


@declare(
    blueprint,
    Call("GET", "/documents/<document_id>", "documents", reply=WholeReply, refusals=(404,)),
)
def show(document_id: str) -> Whole:
    """One of them: how each student has it."""
    parts = services()
    with parts.database.read() as connection:
        found = own.mine(connection, document_id)
    looks.refresh(parts, [found])
    return _whole(found.id)


@declare(
    blueprint,
    Call(
        "POST", "/documents/<document_id>/collect", "documents", body=CollectBody,
        reply=WholeReply, status=202, refusals=(404, 409),
    ),
)  # fmt: skip
def collect(body: dict[str, Any], document_id: str) -> Whole:
    """Collect; what is newer is collected anew each time."""
    return _whole(own.collect(document_id, only_late=body["who"] == "late").id)


@declare(
    blueprint,
    Call(
        "POST", "/documents/<document_id>/return", "documents", body=ReturnBody,
        reply=WholeReply, status=202, refusals=(404, 409, 429),
    ),
)  # fmt: skip
def give_back(body: dict[str, Any], document_id: str) -> Whole:
    """Return what was collected, with a mail or without."""
    letter = body["mail"] and Letter(body["mail"]["title"], body["mail"]["body"])
    return _whole(own.give_back(document_id, letter).id)


@declare(
    blueprint,
    Call(
        "POST", "/documents/<document_id>/retry", "documents", reply=WholeReply, status=202,
        refusals=(404, 409),
    ),
)  # fmt: skip
def retry(document_id: str) -> Whole:
    """Try again what failed."""
    return _whole(own.retry(document_id).id)


@declare(
    blueprint,
    Call(
        "POST", "/documents/<document_id>/open", "documents", reply=WholeReply, status=202,
        refusals=(404,),
    ),
)  # fmt: skip
def open_now(document_id: str) -> Whole:
    """Give a hidden document at once."""
    return _whole(own.open_now(document_id).id)


@declare(
    blueprint,
    Call(
        "POST", "/documents/<document_id>/remove", "documents", body=RemoveBody,
        reply=WholeReply, status=202, refusals=(403, 404, 409),
    ),
)  # fmt: skip
def remove(body: dict[str, Any], document_id: str) -> Whole:
    """Remove what was given; once that is done everywhere, the document is gone, too."""
    own.remove(
        document_id,
        body["what"],
        with_collected=body["collected"],
        with_changed=body["changed"],
    )
    return _whole(document_id)


@declare(
    blueprint,
    Call("GET", "/document-jobs/<int:number>", "documents", reply=JobReply, refusals=(404,)),
)
def show_job(number: int) -> Job:
    """How far a job is."""
    with services().database.read() as connection:
        return own.my_job(connection, number)[0]


@declare(
    blueprint,
    Call("POST", "/document-jobs/<int:number>/stop", "documents", reply=JobReply, refusals=(404,)),
)
def stop(number: int) -> Job:
    """Stop it; what is done stays."""
    return own.stop(number)


@declare(
    blueprint,
    Call(
        "POST", "/document-jobs/<int:number>/go-on", "documents", reply=JobReply,
        refusals=(404, 409),
    ),
)  # fmt: skip
def go_on(number: int) -> Job:
    """Carry a stopped one on."""
    return own.go_on(number)


def _whole(document_id: str) -> Whole:
    with services().database.read() as connection:
        found = own.mine(connection, document_id)
        return Whole(
            **{one.name: getattr(found, one.name) for one in columns(found)},
            files=store.files(connection, found.id),
            students=store.students(connection, found.id),
            jobs=jobs.of_document(connection, found.id),
        )
