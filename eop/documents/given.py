"""A student's side: what he was given, reading it, and handing work in."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import g

from controle_vnc.control import messages
from eop.aaa import guard
from eop.audit import events
from eop.documents import store, uploads
from eop.documents.store import Document, Student
from eop.errors import NotFoundError, RefusedError
from eop.services import Services, services

MAX_NAME_CHARACTERS = messages.MAX_PATH_CHARACTERS


@dataclass(frozen=True)
class Given:
    """A document as its student has it, with the files that are in the folder now."""

    document: Document
    student: Student
    files: messages.Files


@dataclass(frozen=True)
class Reading:
    """A file that is being read: its bytes in all, and those bytes."""

    size: int
    parts: Iterator[bytes]


class ChangedError(Exception):
    """The file was changed while it was read: what was sent must not be taken for it."""


def mine() -> list[tuple[Document, Student]]:
    """Everything that who asks was given, the newest first."""
    with services().database.read() as connection:
        return store.of_student(connection, guard.who().login)


def find(document_id: str) -> tuple[Document, Student]:
    """A document that who asks was given; another's is not there for him."""
    with services().database.read() as connection:
        student = store.of_person(connection, document_id, guard.who().login)
        if student is None or student.placed_at is None:
            raise NotFoundError("there is no such document")
        return store.get(connection, document_id), student


def _reachable(document_id: str) -> tuple[Document, Student]:
    """The same, where its files are still those of who asks: they are kept by his login."""
    document, student = find(document_id)
    if student.login != guard.who().login:
        raise RefusedError("login_changed")
    return document, student


def look(document_id: str) -> Given:
    """The same with its files."""
    document, student = _reachable(document_id)
    files = services().daemon.files_of(student.login, document.teacher, document.folder)
    return Given(document, student, files)


def read(document_id: str, name: str) -> Reading:
    """A file of a document; that it was opened is kept, unless it is one's own."""
    parts = services()
    document, student = _reachable(document_id)
    if not name or len(name) > MAX_NAME_CHARACTERS:
        raise RefusedError("unknown_file")
    place = (student.login, document.teacher, document.folder, name)
    first = parts.daemon.read_part(*place, 0)
    if student.opened_at is None:
        with parts.database.write() as connection:
            opened = {"opened_at": parts.now_ms()}
            store.change_student(connection, document.id, student.login, opened)
    return Reading(first.size, _parts(parts, place, first))


def _parts(
    parts: Services, place: tuple[str, str, str, str], part: messages.Part
) -> Iterator[bytes]:
    """The bytes of a file, part after part, of one and the same file."""
    size, modified_at, offset = part.size, part.modified_at, 0
    while True:
        if (part.size, part.modified_at) != (size, modified_at):
            raise ChangedError
        yield part.data
        offset += len(part.data)
        if offset >= size:
            return
        if not part.data:
            raise ChangedError
        part = parts.daemon.read_part(*place, offset)


def hand_in(document_id: str, upload_id: str) -> str:
    """Put what was sent up into the folder of a document; the name that it has there."""
    parts = services()
    document, student = _reachable(document_id)
    if not document.is_collected:
        raise RefusedError("not_collected")
    with parts.database.read() as connection:
        (one,) = uploads.take(connection, student.login, [(upload_id, False)])
    file = messages.File(one.upload, one.name, one.size, one.sha256)
    name = parts.daemon.take_upload(student.login, document.teacher, document.folder, file)
    now_ms = parts.now_ms()
    with parts.database.write() as connection:
        uploads.forget(connection, [one.upload])
        values = {"changed_at": now_ms, "opened_at": student.opened_at or now_ms}
        store.change_student(connection, document.id, student.login, values)
        events.record(
            connection, "document_handed_in", now_ms,
            user=g.session.login, session=g.session.id,
            details={
                "reference": document.reference, "class": document.class_name,
                "document": document.id, "name": name, "login": student.login,
            },
        )  # fmt: skip
    parts.daemon.drop_upload(one.upload)
    return name
